"""The chart of a what-if: dossiers a month, base and scenario, each with its 80 % band."""

import altair as alt
import polars as pl

from dashboard.charts import NARROW, Drawing, _finish, _watermark
from dashboard.numbers import numbers
from dashboard.reader import Reader
from dashboard.theme import theme
from forecasts.decisions.scenarios import Outcome


def beside(reader: Reader, outcome: Outcome) -> Drawing:
    """Base dashed and grey, scenario in the colour of forecasts; named at their ends."""
    rows, colours = outcome.months(), theme()
    moved = bool(outcome.settings)
    layers = [_band("base", colours.grid, 0.9).encode(x=_months(rows))]
    layers += [_band("scenario", colours.band_80, 0.6)] if moved else []
    layers += [_line("base", colours.observed, [5, 3])]
    layers += [_line("scenario", colours.forecast, [1, 0])] if moved else []
    layers += [_names(), _hover(reader)]
    if outcome.base.simulated:
        layers.insert(0, _watermark(reader))
    frames = {
        "months": rows,
        "ends": _ends(reader, rows, moved=moved),
        "one": pl.DataFrame({"one": [1]}),
    }
    chart = alt.layer(*layers).properties(height=320, width="container")
    words, table = _words(reader, outcome, rows), numbers(reader, rows)
    name = reader.text("workload.fan_title")
    return Drawing(_finish(reader, chart, frames), name, words, rows, table)


def _base() -> alt.Chart:
    return alt.Chart(alt.NamedData("months")).encode(x=alt.X("period:T", title=None))


def _months(rows: pl.DataFrame) -> alt.X:
    """A tick a month, named every second or third where there is little room; Januaries tell."""
    periods = rows["period"].to_list()
    month = "utcFormat(datum.value, '%b')"
    apart = f"utcmonth(datum.value) % (width < {NARROW} ? 3 : 1)"
    year = f"[{month}, utcFormat(datum.value, '%Y')]"
    axis = alt.Axis(
        values=[alt.DateTime(year=p.year, month=p.month, date=1, utc=True) for p in periods],
        labelExpr=f"{apart} != 0 ? '' : utcmonth(datum.value) == 0 ? {year} : {month}",
        grid=False,
    )
    return alt.X("period:T", title=None, axis=axis, scale=alt.Scale(type="utc"))


def _y(field: str) -> alt.Y:
    axis = alt.Axis(format=",~f", tickCount=5, domain=False, ticks=False)
    return alt.Y(f"{field}:Q", title=None, axis=axis, scale=alt.Scale(zero=False, nice=True))


def _band(name: str, colour: str, opacity: float) -> alt.Chart:
    area = _base().mark_area(color=colour, opacity=opacity)
    return area.encode(y=_y(f"{name}_lower"), y2=f"{name}_upper:Q")


def _line(name: str, colour: str, dash: list[int]) -> alt.Chart:
    return _base().mark_line(color=colour, strokeWidth=2.2, strokeDash=dash).encode(y=_y(name))


def _ends(reader: Reader, rows: pl.DataFrame, *, moved: bool) -> pl.DataFrame:
    """One name a line; where they meet, one stands above the other."""
    last, colours = rows.row(-1, named=True), theme()
    lower = last["scenario"] < last["base"]
    return pl.DataFrame(
        {
            "period": [last["period"]] * 2,
            "value": [last["base"], last["scenario"]],
            "label": [reader.text("scenarios.base"), reader.text("scenarios.scenario")],
            "colour": [colours.observed, colours.forecast],
            "up": [lower or not moved, not lower],
        }
    ).head(1 + moved)


def _names() -> alt.LayerChart:
    named = alt.Chart(alt.NamedData("ends")).encode(
        x=alt.X("period:T", title=None),
        y=_y("value"),
        text="label:N",
        color=alt.Color("colour:N", scale=None),
    )
    style = {"align": "right", "fontSize": 12, "fontWeight": 600}
    return alt.layer(
        named.transform_filter("datum.up").mark_text(dy=-10, **style),
        named.transform_filter("!datum.up").mark_text(dy=14, **style),
    )


def _hover(reader: Reader) -> alt.Chart:
    text = reader.text
    tips = [alt.Tooltip("period:T", title=text("chart.period"), format="%m/%Y")]
    for field in ("base", "scenario", "difference", "difference_lower", "difference_upper"):
        tips.append(alt.Tooltip(f"{field}:Q", title=text(f"scenarios.{field}"), format=",.3~r"))
    return _base().mark_point(opacity=0, size=260).encode(y=_y("scenario"), tooltip=tips)


def _words(reader: Reader, outcome: Outcome, rows: pl.DataFrame) -> str:
    notation = reader.notation
    parts = [reader.text("simulated.title") + "."] if outcome.base.simulated else []
    last = rows.row(-1, named=True)
    parts.append(
        reader.text(
            "scenarios.alt",
            month=notation.month(last["period"]),
            base=notation.rounded(last["base"]),
            scenario=notation.rounded(last["scenario"]),
        )
    )
    return " ".join(parts)
