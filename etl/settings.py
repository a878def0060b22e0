"""Where this installation keeps its things: the only reader of environment variables."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """The folders and files of one installation."""

    home: Path
    """State folder: builds, generated and incoming files. Never committed."""
    catalog: Path
    """The `data_catalog.yaml` in force; paths in it are relative to its folder."""

    @classmethod
    def read(cls, home: str | None = None, catalog: str | None = None) -> "Settings":
        """Arguments first, then `FORESIGHT_HOME` and `FORESIGHT_CATALOG`, then the defaults."""
        return cls(
            home=Path(home or os.environ.get("FORESIGHT_HOME", "state")).resolve(),
            catalog=Path(
                catalog or os.environ.get("FORESIGHT_CATALOG", "data_catalog.yaml")
            ).resolve(),
        )
