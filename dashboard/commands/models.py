"""`foresight models`: the register of models."""

from typing import Any

import click

from dashboard.commands.shell import Context
from etl.warehouse import Warehouse

SCORES_SHOWN = {
    "series_shown": "series",
    "backtest_mase": "vs benchmark",
    "coverage_80": "in 80%",
    "issued_outcomes": "came true",
}
"""Scores of the register that `foresight models` prints, by their headings."""


@click.command()
@click.pass_obj
def models(context: Context) -> None:
    """The register of models: purpose, data, weaknesses, scores, human decision, owner."""
    from forecasts.register import entries

    with Warehouse.open(context.settings.home) as warehouse:
        found = entries(warehouse)
    if context.as_json:
        context.result(found)
        return
    purpose = "purpose" if context.language == "vi" else "purpose_en"
    fields = ["model", purpose, "simulated", *SCORES_SHOWN]
    context.table(
        ["model", "purpose", "simulated", *SCORES_SHOWN.values()],
        [[_cell(one[name]) for name in fields] for one in found],
    )


def _cell(value: Any) -> Any:
    return f"{value:.2f}" if isinstance(value, float) else value
