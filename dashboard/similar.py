"""Communes to compare one with: of the same kind, near in people and in dossiers a head.

Near is near in ratio: twice the people is as far as half of them. Both count alike, each measured
by its own spread over the communes of that kind.
"""

import polars as pl

MOST = 4


def similar(communes: pl.DataFrame, code: str) -> pl.DataFrame:
    """The commune itself, then the nearest `MOST`: columns of `communes` and per_thousand.

    No row where its people or its dossiers are not known.
    """
    known = communes.filter((pl.col("population") > 0) & (pl.col("received") > 0)).with_columns(
        per_thousand=1000 * pl.col("received") / pl.col("population")
    )
    own = known.filter(pl.col("code") == code)
    if own.is_empty():
        return known.clear()
    alike = known.filter(pl.col("kind") == own["kind"].item())
    far = [
        ((pl.col(name) / own[name].item()).log() / pl.col(name).log().std()).pow(2)
        for name in ("population", "per_thousand")
    ]
    return alike.with_columns(far=pl.sum_horizontal(far)).sort("far", "code").head(MOST + 1)
