"""The register of models: what each does for which purpose, and how it has done.

AI Law 134/2025/QH15 asks for it. The words stand in `register.yaml`; the scores are computed from
the build, so that they cannot be out of date. A model is in the register by having an entry, and
every model found in `forecasts/models/` must. What judges, warns or proposes on top of forecasts
has an entry too.
"""

from collections.abc import Iterator
from datetime import date
from functools import cache
from importlib import resources
from typing import Any

import polars as pl
import yaml
from pydantic import BaseModel, ConfigDict, Field

from etl.periods import Frequency
from etl.warehouse import Warehouse
from forecasts.model import all_models, benchmark_of
from forecasts.track_record import counted

SCORES = {
    "series_shown": "series it is shown for now",
    "backtest_mase": "error on the backtest over that of the benchmark; below 1 is better",
    "coverage_80": "share of backtest outcomes within the 80 % band",
    "issued_outcomes": "issued forecasts of it that came true, each period once",
    "issued_coverage_80": "share of these within their 80 % band",
    "replayed_outcomes": "outcomes of replayed forecasts, never issued",
}
"""What is computed for each entry."""


class _Words(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Purpose(_Words):
    """What models are used for: with which data, and which decision people take beside them."""

    name: str
    title: str
    title_en: str
    topics: tuple[str, ...] = ()
    """Topics of its indicators; the purpose without any has all others."""
    data: str
    data_en: str
    decision: str
    decision_en: str


class Described(_Words):
    """A model in words."""

    name: str
    entered: date
    what: str
    what_en: str
    weaknesses: str
    weaknesses_en: str


class Method(Described):
    """What is made of forecasts and figures without being a forecast of a series, in words.

    It serves one purpose, and its scores, where it has any, stand with its results.
    """

    title: str
    title_en: str
    purpose: str
    purpose_en: str
    data: str
    data_en: str
    decision: str
    decision_en: str


class Register(_Words):
    """The words of the register."""

    owner: str
    owner_en: str
    purposes: tuple[Purpose, ...] = Field(min_length=1)
    models: tuple[Described, ...]
    methods: tuple[Method, ...] = ()

    def purpose_of(self, topic: str | None) -> str:
        """Name of the purpose that indicators of `topic` belong to."""
        named = [purpose.name for purpose in self.purposes if topic in purpose.topics]
        return named[0] if named else next(p.name for p in self.purposes if not p.topics)


@cache
def register() -> Register:
    """The register of this code."""
    text = resources.files("forecasts").joinpath("register.yaml").read_text(encoding="utf-8")
    return Register.model_validate(yaml.safe_load(text))


def entries(warehouse: Warehouse) -> list[dict[str, Any]]:
    """One entry a model, purpose and kind of data (real or simulated) that it was used on.

    The words, and the scores of `SCORES` as this build has them; a score without an outcome is
    None. A model that was used for nothing yet has one entry without purpose. Methods come last.
    """
    scores = _scores(warehouse)
    models = [entry for described in register().models for entry in _entries(described, scores)]
    return models + [_method(method) for method in register().methods]


def _method(method: Method) -> dict[str, Any]:
    words = method.model_dump(mode="json", exclude={"name"})
    owner = {"owner": register().owner, "owner_en": register().owner_en}
    return {"model": method.name, **words, **owner, **dict.fromkeys(("simulated", *SCORES))}


def _entries(described: Described, scores: pl.DataFrame) -> Iterator[dict[str, Any]]:
    words, model = register(), all_models()[described.name]
    head = {
        "model": described.name,
        "title": model.title,
        "title_en": model.title_en,
        **described.model_dump(mode="json", exclude={"name"}),
        "owner": words.owner,
        "owner_en": words.owner_en,
    }
    mine = scores.filter(pl.col("model") == described.name)
    if mine.is_empty():
        unused = ("purpose", "purpose_en", "data", "data_en", "decision", "decision_en")
        yield {**head, **dict.fromkeys((*unused, "simulated", *SCORES))}
    purposes = {purpose.name: purpose for purpose in words.purposes}
    for row in mine.sort("purpose", "simulated").to_dicts():
        purpose = purposes[row["purpose"]]
        yield {
            **head,
            "purpose": purpose.title,
            "purpose_en": purpose.title_en,
            **purpose.model_dump(exclude={"name", "title", "title_en", "topics"}),
            "simulated": row["simulated"],
            **{name: row[name] for name in SCORES},
        }


def _scores(warehouse: Warehouse) -> pl.DataFrame:
    """Columns model, purpose, simulated and those of `SCORES`."""
    topics = dict(warehouse.query("forecasts", "topics").iter_rows())
    parts = [
        _tested(warehouse.query("forecasts", "newest_backtests")),
        _shown(warehouse.query("forecasts", "models_shown")),
        _came_true(warehouse.query("forecasts", "scores_latest"), "issued"),
        _came_true(warehouse.query("forecasts", "scores_replayed"), "replayed"),
    ]
    rows = pl.concat(parts, how="diagonal_relaxed").with_columns(
        purpose=pl.col("indicator").map_elements(
            lambda name: register().purpose_of(topics.get(name)), return_dtype=pl.String
        )
    )
    ratio = pl.col("ratio").log()
    return (
        rows.group_by("model", "purpose", "simulated")
        .agg(
            series_shown=pl.col("shown").sum(),
            backtest_mase=ratio.filter(ratio.is_finite()).mean().exp(),
            coverage_80=pl.col("coverage_80").mean(),
            issued_outcomes=pl.col("issued_outcomes").sum(),
            issued_coverage_80=_share("issued"),
            replayed_outcomes=pl.col("replayed_outcomes").sum(),
        )
        .with_columns(pl.col(pl.Float64).fill_nan(None))
    )


def _share(kind: str) -> pl.Expr:
    outcomes = pl.col(f"{kind}_outcomes").sum()
    return pl.when(outcomes > 0).then(pl.col(f"{kind}_inside").sum() / outcomes)


def _tested(backtests: pl.DataFrame) -> pl.DataFrame:
    """Each score of the newest backtests, relative to that of the benchmark at its horizon."""
    panel = ["indicator", "level", "by_category", "frequency", "horizon"]
    named = backtests.with_columns(
        against=pl.col("frequency").map_elements(
            lambda frequency: benchmark_of(Frequency(frequency).season), return_dtype=pl.String
        )
    )
    base = named.filter(pl.col("model") == pl.col("against")).select(*panel, base="mase")
    joined = named.join(base, on=panel, how="left")
    return joined.select(
        "model", "indicator", "simulated", "coverage_80", ratio=pl.col("mase") / pl.col("base")
    )


def _shown(shown: pl.DataFrame) -> pl.DataFrame:
    return shown.select("model", "indicator", "simulated", shown="series")


def _came_true(scores: pl.DataFrame, kind: str) -> pl.DataFrame:
    return (
        counted(scores)
        .group_by("model", "indicator", "simulated")
        .agg(
            pl.len().alias(f"{kind}_outcomes"),
            pl.col("covered_80").sum().alias(f"{kind}_inside"),
        )
    )
