"""What does not change from month to month: sizes, fields, growth and pace of the communes."""

from dataclasses import dataclass
from datetime import date
from statistics import NormalDist

import numpy as np
import polars as pl

from etl.simulate.assumed import (
    DRIFT_MEMORY,
    DRIFT_SPREAD,
    EPOCH,
    GROWTH_SPREAD,
    HORIZON,
    IN_WARDS,
    LAST,
    LATE_SPREAD,
    MERGER,
    MIX_SPREAD,
    NEIGHBOURS,
    POPULATION_CORRELATION,
    SPREAD,
    WARD_TO_RURAL,
    Floats,
    Ints,
    floats,
    lognormal,
    parameters,
)
from etl.simulate.days import Span
from etl.simulate.offices import Offices
from etl.simulate.places import former_communes, todays_communes


@dataclass(frozen=True)
class Pieces:
    """Who stood at the counter before 1 July 2025: former communes and their districts."""

    office: Ints
    district: Ints
    cumulated: Floats
    """Today's commune, ascending, plus the cumulated shares of its pieces: one search draws one."""


class City:
    """What does not change from month to month, drawn once from the seed."""

    def __init__(self, seed: int, rows: int, span: Span) -> None:
        self.seed = seed
        self.span = span
        self.fields = parameters("fields")
        self.procedures = self._procedures()
        communes = todays_communes()
        rng = np.random.default_rng(np.random.SeedSequence([seed]))
        size = _sizes(rng, communes)
        self.growth = rng.normal(0, GROWTH_SPREAD, len(size))
        self.lateness = lognormal(rng, LATE_SPREAD, len(size))
        self.mix = _mix(rng, size, communes, self.fields)
        self.drift = _drift(rng, len(size))
        self.size = size
        self.former = former_communes(rng, communes, size)
        self.neighbours = _neighbours(communes, size)
        former = [*self.former["title"], *self.former["district_title"]]
        self.offices = Offices([*communes["title"], *former])
        self.today = self.offices.numbers(communes["title"])
        self.expected = self._expected(rows)

    def _procedures(self) -> pl.DataFrame:
        order = {code: number for number, code in enumerate(self.fields["code"])}
        number = pl.col("field").replace_strict(order, return_dtype=pl.Int64)
        return (
            parameters("procedures")
            .with_columns(number=number)
            .sort("number", maintain_order=True)
            .with_columns(cumulated=number + pl.col("share").cum_sum().over("field"))
        )

    def _expected(self, rows: int) -> Floats:
        """Dossiers the city expects; `(fields, days)`."""
        profiles = parameters("profiles")["name"].to_list()
        profile = [profiles.index(name) for name in self.fields["profile"]]
        growth = np.exp(np.outer(self.fields["growth"].to_numpy(), self.span.years))
        shape = self.span.season()[profile] * growth * self.span.trend("level")
        shape *= self.fields["share"].to_numpy()[:, None]
        known = slice(self.span.number(EPOCH), self.span.number(LAST) + 1)
        return floats(shape * rows / shape[:, known].sum())

    def growth_on(self, days: Ints) -> Floats:
        """Factor of each commune, `(days, communes)`; the city's own growth is in the trend."""
        growth = np.exp(np.outer(self.span.years[days], self.growth))
        return floats(growth / (growth @ self.size)[:, None])

    def pieces_of(self, month: date) -> Pieces | None:
        """The former offices of that month; None once there are today's."""
        if month >= MERGER:
            return None
        within = pl.col("volume") / pl.col("volume").sum().over("commune")
        valid = self.former.filter(
            (pl.col("valid_from") <= month) & (pl.col("valid_to") >= month)
        ).with_columns(cumulated=pl.col("commune") + within.cum_sum().over("commune"))
        return Pieces(
            office=self.offices.numbers(valid["title"]),
            district=self.offices.numbers(valid["district_title"]),
            cumulated=valid["cumulated"].to_numpy(),
        )


def _sizes(rng: np.random.Generator, communes: pl.DataFrame) -> Floats:
    """Shares of the city's dossiers: the spread of Phú Thọ, more people more dossiers."""
    people = np.log(communes["population"].to_numpy())
    ward = communes["ward"].to_numpy()
    between = np.log(WARD_TO_RURAL)
    within = np.sqrt(SPREAD**2 - between**2 * ward.mean() * (1 - ward.mean()))
    own = rng.normal(0, np.sqrt(1 - POPULATION_CORRELATION**2), len(ward))
    size = between * ward
    for group in (ward, ~ward):
        score = POPULATION_CORRELATION * _standard(people[group]) + own[group]
        size[group] += within * _standard(_normal_scores(score))
    return floats(np.exp(size) / np.exp(size).sum())


def _standard(values: Floats) -> Floats:
    return floats((values - values.mean()) / values.std())


def _normal_scores(values: Floats) -> Floats:
    """The same order, without outliers: the quantiles of a normal distribution."""
    ranks = values.argsort(kind="stable").argsort(kind="stable")
    normal = NormalDist()
    return np.array([normal.inv_cdf((rank + 0.5) / len(values)) for rank in ranks])


def _mix(
    rng: np.random.Generator, size: Floats, communes: pl.DataFrame, fields: pl.DataFrame
) -> Floats:
    """Share of each commune in each field; `(communes, fields)`, columns sum to 1.

    Rows, weighted by the fields' shares, sum to the communes' sizes.
    """
    ward = communes["ward"].to_numpy()
    share = (fields["share"] / fields["share"].sum()).to_numpy()
    mix = lognormal(rng, MIX_SPREAD, (len(size), len(share)))
    for number, code in enumerate(fields["code"]):
        mix[ward, number] *= IN_WARDS.get(code, 1.0)
    cells = mix * np.outer(size, share)
    for _ in range(50):
        cells *= (size / cells.sum(axis=1))[:, None]
        cells *= share / cells.sum(axis=0)
    return floats(cells / share)


def _drift(rng: np.random.Generator, communes: int) -> Floats:
    """What moves a commune away from its trend, month by month; `(months, communes)`, mean 1."""
    months = 12 * (HORIZON.year - EPOCH.year + 1)
    shocks = rng.normal(0, DRIFT_SPREAD, (months, communes))
    drift = shocks.copy()
    for month in range(1, months):
        fresh = np.sqrt(1 - DRIFT_MEMORY**2) * shocks[month]
        drift[month] = DRIFT_MEMORY * drift[month - 1] + fresh
    return np.exp(drift - DRIFT_SPREAD**2 / 2)


def _neighbours(communes: pl.DataFrame, size: Floats) -> tuple[Ints, Floats]:
    """The nearest communes of each, and its number plus their cumulated shares: the busy draw."""
    north = communes["lat"].to_numpy()
    east = communes["lon"].to_numpy() * np.cos(np.radians(10.0))
    apart = np.hypot(north[:, None] - north, east[:, None] - east)
    nearest = np.argsort(apart, axis=1, kind="stable")[:, 1 : NEIGHBOURS + 1]
    pull = size[nearest] / np.take_along_axis(apart, nearest, axis=1)
    cumulated = np.cumsum(pull / pull.sum(axis=1, keepdims=True), axis=1)
    cumulated += np.arange(len(size))[:, None]
    return nearest.ravel().astype(np.int64), floats(cumulated.ravel())
