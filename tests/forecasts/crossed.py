"""Communes by fields, as small or large as a test wants them."""

import numpy as np
import polars as pl
from scipy.sparse import csr_array

from forecasts.hierarchy import NODE, Hierarchy


def crossed(communes: int, fields: int, indicator: str = "received") -> Hierarchy:
    """The city, its fields, its communes, and every field of every commune."""
    areas = [f"{area:05d}" for area in range(communes)]
    kinds = [f"field{number:02d}" for number in range(fields)]
    keys = [("city", "c", "total")]
    keys += [("city", "c", kind) for kind in kinds]
    keys += [("commune", area, "total") for area in areas]
    keys += [("commune", area, kind) for area in areas for kind in kinds]
    cells = communes * fields
    area, kind = np.divmod(np.arange(cells), fields)
    rows = np.concatenate([np.zeros(cells, dtype=int), 1 + kind, 1 + fields + area])
    places = (rows, np.tile(np.arange(cells), 3))
    above = 1 + fields + communes
    return Hierarchy(
        pl.DataFrame([(indicator, *key) for key in keys], schema=NODE, orient="row"),
        csr_array((np.ones(3 * cells), places), shape=(above, cells)),
    )


def dense(hierarchy: Hierarchy) -> np.ndarray:
    """The whole summing matrix, `(series, bottom)`."""
    return np.vstack([hierarchy.summing.toarray(), np.eye(hierarchy.bottom)])
