"""How dossiers go with population, estimated from communes of different size, pooled by field.

Within each field the counts of a year are regressed on log population, wards apart from rural
communes (Poisson quasi-likelihood, errors robust to any variance). A field says little on its own:
each is drawn towards what all fields say, as far as they differ by more than chance would make
them. A commune that receives more than its size tells does so in many fields: twenty fields of the
same communes are not twenty samples, and the errors of slopes are taken together. This compares
places, and shows no cause: that a commune which grows becomes like one that was larger all along
is the assumption.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from etl.warehouse import Warehouse
from forecasts.decisions.levers import Elasticity
from forecasts.panel import Floats

FEWEST_COMMUNES = 20
FEWEST_FIELDS = 3
ROUNDS = 50
SAME = 1e-9
TENTH = 1.2815515655446004
"""Standard errors from the middle to the ends of an interval of 80 %."""
WARD = "phường"


@dataclass(frozen=True, eq=False)
class Slopes:
    """One regression a field: slopes of log counts on log population, and how they err."""

    fields: tuple[str, ...]
    slopes: Floats
    errors: Floats
    """Covariances `(fields, fields)`."""


def across_communes(warehouse: Warehouse, indicator: str) -> dict[str, Elasticity]:
    """Elasticity of the counts of each field to population; empty where too little is known.

    The interval is one of 80 %.
    """
    history = warehouse.query("forecasts", "scenario_history", indicator=indicator)
    found = fitted(history.filter(pl.col("category") != "total"))
    return pooled(found) if found is not None else {}


def fitted(history: pl.DataFrame) -> Slopes | None:
    """Regressions of a frame with columns area, category, received, population, kind.

    None with too few communes or fields, or where all communes have one size.
    """
    known = history.filter(pl.col("population") > 0)
    wide = known.pivot("category", index=["area", "population", "kind"], values="received")
    fields = tuple(wide.columns[3:])
    counts = wide.select(fields).fill_null(np.nan).to_numpy().astype(np.float64)
    whole = np.isfinite(counts).all(axis=0) & (np.nansum(counts, axis=0) >= len(counts))
    size = np.log(wide["population"].to_numpy().astype(np.float64))
    if len(counts) < FEWEST_COMMUNES or whole.sum() < FEWEST_FIELDS or np.std(size) < SAME:
        return None
    ward = (wide["kind"] == WARD).to_numpy().astype(np.float64)
    columns = [np.ones(len(size)), size - size.mean()]
    design = np.column_stack([*columns, ward] if 0 < ward.sum() < len(ward) else columns)
    names = tuple(name for name, kept in zip(fields, whole, strict=True) if kept)
    return Slopes(names, *_poisson(design, counts[:, whole]))


def _poisson(design: Floats, counts: Floats) -> tuple[Floats, Floats]:
    """Slopes on the second column, one a column of `counts`, and their robust covariances."""
    rows, terms = design.shape
    weights = np.zeros((counts.shape[1], terms))
    weights[:, 0] = np.log(counts.mean(axis=0))
    for _ in range(ROUNDS):
        expected = np.exp(np.clip(weights @ design.T, -30, 30))
        bread = np.einsum("fa,ai,aj->fij", expected, design, design)
        step = np.linalg.solve(bread, ((counts.T - expected) @ design)[..., None])[..., 0]
        weights = weights + step
        if np.abs(step).max() < SAME:
            break
    expected = np.exp(np.clip(weights @ design.T, -30, 30))
    inverse = np.linalg.inv(np.einsum("fa,ai,aj->fij", expected, design, design))
    weighed = (counts.T - expected) * np.einsum("fi,ai->fa", inverse[:, 1], design)
    return weights[:, 1], weighed @ weighed.T * rows / (rows - terms)


def pooled(found: Slopes) -> dict[str, Elasticity]:
    """Each field drawn towards the mean of all, with its 80 % interval.

    As DerSimonian and Laird do it, with errors that go together.
    """
    slopes, within = found.slopes, np.maximum(np.diag(found.errors), SAME)
    count = len(slopes)
    weights = 1 / within / np.sum(1 / within)
    by_chance = count - weights @ found.errors @ weights * np.sum(1 / within)
    scatter = np.sum((slopes - weights @ slopes) ** 2 / within)
    between = max((scatter - by_chance) / (np.sum(1 / within) * (1 - weights @ weights)), 0.0)
    weights = 1 / (within + between) / np.sum(1 / (within + between))
    own = np.diag(between / (within + between))
    drawn = own + (np.eye(count) - own) @ np.tile(weights, (count, 1))
    apart = drawn - np.eye(count)
    variance = np.diag(drawn @ found.errors @ drawn.T + between * apart @ apart.T)
    middle, half = drawn @ slopes, TENTH * np.sqrt(variance)
    return {
        field: Elasticity(float(at), float(at - far), float(at + far))
        for field, at, far in zip(found.fields, middle, half, strict=True)
    }
