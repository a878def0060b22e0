"""Small files that are there whole or not at all, whatever breaks off, and whoever reads them."""

import os
from pathlib import Path


def replace_text(path: Path, text: str) -> None:
    """Put `text` (UTF-8) in the place of a file: its old text is there or its new one, on disk.

    Other names of the old file keep what it said.
    """
    aside = path.with_name(f".{path.name.lstrip('.')}.{os.getpid()}.new")
    try:
        with aside.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Names are on disk only when their folder is."""
    if not hasattr(os, "O_DIRECTORY"):  # Windows knows no such thing
        return
    descriptor = os.open(folder, os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
