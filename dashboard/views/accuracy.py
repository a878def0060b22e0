"""How good forecasts have been: as issued, then every model on every step ahead in backtests."""

from html import escape
from typing import Any

import polars as pl

from dashboard import layout, tables
from dashboard.charts import Drawing, by_horizon
from dashboard.filters import choose
from dashboard.reader import Reader
from dashboard.tables import Column
from dashboard.track_record import sentence
from dashboard.views import track_record
from dashboard.views.cache import drawn
from dashboard.views.indicators import model_title
from etl.periods import Frequency
from forecasts.model import all_models, benchmark_of
from forecasts.track_record import recent

Panel = dict[str, Any]


def draw(reader: Reader) -> None:
    """The page."""
    text = reader.text
    issued = reader.rows("track_scores")
    lead = sentence(text, recent(issued.filter(~pl.col("simulated"))))
    layout.head(reader, text("accuracy.title"), escape(lead))
    track_record.draw(reader, issued)
    layout.heading(text("accuracy.tested"), _answer(reader))
    layout.html(f'<p class="cf-note">{escape(text("accuracy.method"))}</p>')
    panels = {_code(panel): panel for panel in reader.rows("panels").to_dicts()}
    if not panels:
        layout.heading(text("accuracy.none"))
        return
    chosen = choose(
        "panel", text("accuracy.panel"), list(panels), lambda code: _titled(reader, panels[code])
    )
    panel = panels[chosen]
    if panel["simulated"]:
        with layout.simulated_section(text, "accuracy"):
            _panel(reader, panel)
    else:
        _panel(reader, panel)
    _fast_only(reader)
    _shown(reader)


def _code(panel: Panel) -> str:
    grain = f"{panel['level']}*category" if panel["by_category"] else panel["level"]
    return f"{panel['indicator']}.{grain}.{panel['frequency']}"


def _grain(reader: Reader, row: dict[str, Any]) -> str:
    level = reader.text(f"level.{row['level']}")
    field = reader.text("level.by_field") if row["by_category"] else ""
    return f"{level}{field} · {reader.text('frequency.' + row['frequency'])}"


def _titled(reader: Reader, panel: Panel) -> str:
    return f"{reader.title(panel)} · {_grain(reader, panel)}"


def _answer(reader: Reader) -> str:
    """How many series have a forecast, and how many of those beat the benchmark."""
    rows = reader.rows("shown")
    given = rows.filter(pl.col("refused").is_null())
    notation = reader.notation
    return reader.text(
        "accuracy.answer",
        given=notation.number(sum(given["series"])),
        asked=notation.number(sum(rows["series"])),
        beat=notation.number(sum(given.filter("beats")["series"])),
    )


def _scores(reader: Reader, code: str) -> pl.DataFrame:
    indicator, grain, frequency = code.split(".")
    level, _, by = grain.partition("*")
    return reader.rows(
        "scores",
        indicator=indicator,
        level=level,
        by_category=bool(by),
        frequency=frequency,
    ).fill_nan(None)


def _panel(reader: Reader, panel: Panel) -> None:
    text, notation = reader.text, reader.notation
    code, benchmark = _code(panel), benchmark_of(Frequency(panel["frequency"]).season)
    scores = _scores(reader, code)
    means = _means(scores)
    layout.heading(
        _finding(reader, means, benchmark),
        text(
            "accuracy.panel_note",
            series=notation.number(panel["series"]),
            origins=notation.number(panel["origins"]),
        ),
    )
    layout.figure(
        reader,
        drawn(reader, _chart, code, benchmark),
        "horizon",
        f"{_titled(reader, panel)}: {_finding(reader, means, benchmark)}",
        panel["indicator"],
        simulated=bool(panel["simulated"]),
    )
    columns = [
        Column(text("accuracy.model"), lambda row: _model(reader, row, benchmark), "name"),
        Column(text("accuracy.mase"), lambda row: notation.fixed(row["mase"], 2), "number strong"),
        Column(
            text("accuracy.versus"), lambda row: _versus(reader, row, means, benchmark), "number"
        ),
        Column(text("accuracy.wql"), lambda row: notation.fixed(row["wql"], 3), "number minor"),
        Column(text("accuracy.coverage_80"), lambda row: _ratio(reader, row["c80"]), "number"),
        Column(
            text("accuracy.coverage_95"), lambda row: _ratio(reader, row["c95"]), "number least"
        ),
    ]
    layout.html(tables.table(text("accuracy.title"), columns, means.to_dicts()))
    layout.download(reader, "backtest", lambda: scores)


def _means(scores: pl.DataFrame) -> pl.DataFrame:
    return (
        scores.group_by("model")
        .agg(
            pl.col("mase", "wql").mean(),
            c80=pl.col("coverage_80").mean(),
            c95=pl.col("coverage_95").mean(),
        )
        .sort("mase")
    )


def _chart(reader: Reader, code: str, benchmark: str) -> Drawing:
    titles = {name: model_title(reader, name) for name in all_models()}
    return by_horizon(reader, _scores(reader, code), titles, benchmark)


def _finding(reader: Reader, means: pl.DataFrame, benchmark: str) -> str:
    best = means.row(0, named=True)
    base = means.filter(pl.col("model") == benchmark)
    if base.is_empty() or best["model"] == benchmark or not base["mase"].item():
        return reader.text("accuracy.finding_none")
    gain = 1 - best["mase"] / base["mase"].item()
    model = model_title(reader, best["model"])
    share = reader.notation.share(gain * 100, 0)
    return reader.text("accuracy.finding", model=model, share=share)


def _model(reader: Reader, row: dict[str, Any], benchmark: str) -> str:
    label = escape(model_title(reader, row["model"]))
    if row["model"] == benchmark:
        return f"{label} {tables.chip(reader.text('accuracy.benchmark'))}"
    return label


def _versus(reader: Reader, row: dict[str, Any], means: pl.DataFrame, benchmark: str) -> str:
    base = means.filter(pl.col("model") == benchmark)
    if base.is_empty() or row["model"] == benchmark or not base["mase"].item():
        return "–"
    gap = row["mase"] / base["mase"].item() - 1
    css = "cf-good" if gap < 0 else "cf-bad"
    return f'<span class="{css}">{reader.notation.change(gap)}</span>'


def _ratio(reader: Reader, ratio: float | None) -> str:
    return reader.notation.share(None if ratio is None else ratio * 100, 0)


def fast_only(rows: pl.DataFrame) -> pl.DataFrame:
    """Series forecast by fast models alone: none of the slow ones of their frequency competed."""
    slow = {name: model for name, model in all_models().items() if model.slow}

    def left_out(row: dict[str, Any]) -> list[str]:
        season = Frequency(row["frequency"]).season
        suited = {name for name, model in slow.items() if model.suits(season)}
        return [] if suited & set(row["candidates"].split()) else sorted(suited)

    marked = rows.filter(pl.col("refused").is_null() & (pl.col("candidates") != ""))
    missing = [left_out(row) for row in marked.to_dicts()]
    named = pl.Series("left_out", missing, dtype=pl.List(pl.String))
    return marked.with_columns(named).filter(pl.col("left_out").list.len() > 0)


def _fast_only(reader: Reader) -> None:
    text, notation = reader.text, reader.notation
    rows = fast_only(reader.rows("shown"))
    grouped = (
        rows.group_by(
            "indicator", "level", "by_category", "frequency", "simulated", maintain_order=True
        )
        .agg(pl.col("series").sum(), pl.col("left_out").explode().unique().sort())
        .sort("series", descending=True)
    )
    layout.heading(text("accuracy.fast_title"), text("accuracy.fast_note"))
    if grouped.is_empty():
        layout.html(f'<p class="cf-note">{escape(text("accuracy.fast_none"))}</p>')
        return
    columns = [
        Column(text("figure.indicator"), lambda row: _indicator(reader, row), "name"),
        Column(text("accuracy.series"), lambda row: notation.number(row["series"]), "number"),
        Column(
            text("accuracy.left_out"),
            lambda row: escape(", ".join(model_title(reader, name) for name in row["left_out"])),
            "minor",
        ),
    ]
    layout.html(tables.table(text("accuracy.fast_title"), columns, grouped.to_dicts(), "tall"))


def _indicator(reader: Reader, row: dict[str, Any]) -> str:
    known = reader.build.catalog.indicators.get(row["indicator"])
    title = reader.text.pick(known.title, known.title_en) if known else row["indicator"]
    mark = f" {tables.chip(reader.text('simulated.short'), 'warning')}" if row["simulated"] else ""
    return f"{escape(title)}{mark}<br><small>{escape(_grain(reader, row))}</small>"


def _shown(reader: Reader) -> None:
    """What is shown for all series asked for: models, benchmarks, and refusals with reasons."""
    text, notation = reader.text, reader.notation
    grouped = (
        reader.rows("shown")
        .group_by(
            "indicator", "level", "by_category", "frequency", "simulated", maintain_order=True
        )
        .agg(
            asked=pl.col("series").sum(),
            beat=pl.col("series").filter(pl.col("beats")).sum(),
            same=pl.col("series").filter(~pl.col("beats") & pl.col("refused").is_null()).sum(),
            none=pl.col("series").filter(pl.col("refused").is_not_null()).sum(),
            reasons=pl.col("refused").drop_nulls().unique().sort(),
        )
    )
    layout.heading(text("accuracy.shown_title"), text("accuracy.shown_note"))
    columns = [
        Column(text("figure.indicator"), lambda row: _indicator(reader, row), "name"),
        Column(text("accuracy.beat"), lambda row: notation.number(row["beat"]), "number"),
        Column(text("accuracy.same"), lambda row: notation.number(row["same"]), "number least"),
        Column(text("accuracy.refused"), lambda row: notation.number(row["none"]), "number"),
        Column(
            text("accuracy.reasons"),
            lambda row: (
                escape("; ".join(text(f"refused.{code}") for code in row["reasons"])) or "–"
            ),
            "minor",
        ),
    ]
    layout.html(tables.table(text("accuracy.shown_title"), columns, grouped.to_dicts(), "tall"))
    layout.download(reader, "forecast_series", lambda: reader.rows("shown"))
