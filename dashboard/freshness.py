"""How old a figure is, and from when on it is too old for the first screen: as `etl.freshness`."""

from etl.freshness import age, patience, stale

__all__ = ["age", "patience", "stale"]
