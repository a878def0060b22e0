"""Communes of today, and the former ones and districts that stood in their place."""

from datetime import timedelta
from functools import cache

import numpy as np
import polars as pl

from etl.geography import areas, weights_to_present
from etl.simulate.assumed import FORMER_SPREAD, MERGER, Floats, lognormal


@cache
def todays_communes() -> pl.DataFrame:
    """Today's communes with title, ward (whether), population and place, in the order of code."""
    return (
        areas()
        .filter((pl.col("level") == "commune") & pl.col("valid_to").is_null())
        .sort("code")
        .select("code", "population", "lat", "lon", title=_title(), ward=pl.col("kind") == "phường")
    )


def _title() -> pl.Expr:
    kind = pl.col("kind")
    return kind.str.slice(0, 1).str.to_uppercase() + kind.str.slice(1) + " " + pl.col("name")


def former_communes(rng: np.random.Generator, communes: pl.DataFrame, size: Floats) -> pl.DataFrame:
    """Former communes within today's: commune (number), title, district_title, validity, volume.

    One made of others in 2024 has their volumes together. One that was split in 2025 sends each
    part its share by the weights of the crosswalk.
    """
    pieces = _pieces(communes)
    pieces = pieces.with_columns(
        own=pl.Series(_own_weights(rng, pieces)),
        size=pl.Series(size).gather(pieces["commune"]),
        main=pl.col("weight") >= 0.5,
    )
    own, main, volume = pl.col("own"), pl.col("main"), pl.col("volume")
    settled = main & (pl.col("valid_to") == MERGER - timedelta(days=1))
    whole = (volume / pl.col("weight")).filter(main).max().over("old_code", "valid_from")
    taken = volume.filter(~main).sum().over("commune") / pl.col("size")
    return (
        pieces.with_columns(volume=pl.col("size") * own / own.filter(settled).sum().over("commune"))
        .with_columns(volume=pl.when(main).then(volume).otherwise(whole * pl.col("weight")))
        .with_columns(volume=pl.when(main).then(volume * (1 - taken)).otherwise(volume))
    )


def _pieces(communes: pl.DataFrame) -> pl.DataFrame:
    """One row per former commune and commune of today it went to, named as offices write."""
    known = areas()
    province = known.filter(pl.col("level") == "former_province").select(
        province="code",
        province_title=_title().str.replace("Thành phố", "TP", literal=True),
    )
    district = (
        known.filter(pl.col("level") == "district")
        .join(province, left_on="parent", right_on="province")
        .select(
            district="code",
            district_title=pl.concat_str(_title(), "province_title", separator=", "),
        )
    )
    former = (
        known.filter((pl.col("level") == "commune") & pl.col("valid_to").is_not_null())
        .join(district, left_on="parent", right_on="district")
        .select(
            "valid_from",
            "valid_to",
            "district_title",
            old_code="code",
            title=pl.concat_str(_title(), "district_title", separator=", "),
        )
    )
    number = communes.select(new_code="code").with_row_index("commune")
    return (
        weights_to_present()
        .select("old_code", "new_code", "weight", valid_from="old_valid_from")
        .join(former, on=["old_code", "valid_from"])
        .join(number, on="new_code")
        .with_columns(pl.col("commune").cast(pl.Int64))
        .sort("commune", "old_code", "valid_from")
    )


def _own_weights(rng: np.random.Generator, pieces: pl.DataFrame) -> Floats:
    """How large a former commune is among its fellows; after a merger, the sum of those merged."""
    own = lognormal(rng, FORMER_SPREAD, len(pieces))
    rows = pieces.select("commune", "valid_from", "valid_to").rows()
    beginning = min(row[1] for row in rows)
    for number, (commune, valid_from, _) in enumerate(rows):
        if valid_from > beginning:
            eve = valid_from - timedelta(days=1)
            own[number] = sum(own[n] for n, row in enumerate(rows) if row[::2] == (commune, eve))
    return own
