"""The checksum of what a department sent: SHA-256, so that anyone can compare it with their own."""

import hashlib
from pathlib import Path


def of_bytes(content: bytes) -> str:
    """As `sha256sum` prints it: 64 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def of_file(path: Path) -> str:
    """As `of_bytes`, of a file of any size."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
