"""One published indicator: figures and targets, history, and a forecast where that is honest."""

from html import escape
from typing import Any

import polars as pl

from dashboard import layout, tables
from dashboard.charts import STEP, Drawing, Fan, fan
from dashboard.declared import events, goals, goals_by_month
from dashboard.filters import choose
from dashboard.freshness import age, stale
from dashboard.growth import growth_fan, judged_by_growth
from dashboard.marks import Goal
from dashboard.on_the_year import year_before
from dashboard.published import CITY, candidates, unit_of, with_unit
from dashboard.reader import Reader
from dashboard.tables import Column
from dashboard.targets import assumed
from dashboard.views import behind, explanation, on_the_year, provenance, targets
from dashboard.views.cache import drawn
from forecasts.explain import Series
from forecasts.model import all_models

FEWEST = 4
"""Figures from which a history is drawn."""
FILLED = 0.6
"""Share of the periods between first and last that must have a figure for that."""
FEWEST_REVISIONS = 3
MOSTLY = 0.75
"""Share of the revisions one way from which they are said to go that way usually."""
FORMER = "former_province"


def draw(reader: Reader) -> None:
    """The page."""
    text = reader.text
    layout.head(reader, text("indicators.title"))
    rows = {row["indicator"]: row for row in reader.rows("indicators").to_dicts()}
    if not rows:
        layout.heading(text("indicators.none"), text("indicators.none_note"))
        return
    chosen = _choose(reader, rows)
    row = rows[chosen]
    found = reader.rows("observations", indicator=chosen)
    layout.heading(reader.title(row), _newest(reader, found, row) + _formula(reader, row, rows))
    _targets(reader, chosen)
    _nation(reader, found, row)
    on_the_year.warn(reader, found, row)
    _history(reader, row)
    _concept(reader, chosen)
    _rivals(reader, found, row)
    _habit(reader, row)
    provenance.draw(reader, row, found)
    if not found.is_empty():
        _figures(reader, found, row)


def area_name(reader: Reader, row: dict[str, Any]) -> str:
    """Name of a place; a former province says so."""
    name = reader.text.pick(row["name"], row["name_en"]) or row["area"]
    if row["level"] == FORMER:
        return reader.text("area.former", name=row["name"])
    return str(name)


def _choose(reader: Reader, rows: dict[str, Any]) -> str:
    """Headline indicators first, then the others by topic."""
    first = [name for name in candidates(reader) if name in rows]
    rest = [name for name in rows if name not in first]
    titles = {
        name: f"{reader.text('topic.' + (row['topic'] or 'economy'))} · {reader.title(row)}"
        for name, row in rows.items()
    }
    names = [*first, *sorted(rest, key=titles.__getitem__)]
    return choose("indicator", reader.text("indicators.label"), names, titles.__getitem__)


def _newest(reader: Reader, found: pl.DataFrame, row: dict[str, Any]) -> str:
    """Last period, its age and whether a newer figure should be there."""
    text, notation = reader.text, reader.notation
    outcomes = found.filter(
        (pl.col("status") != "plan") & (pl.col("period_end") <= reader.today)
    ).to_dicts()
    if found.is_empty():  # computed here and published by nobody
        series = reader.rows("series", indicator=row["indicator"])
        outcomes = series.sort("period_end", descending=True).to_dicts()
    unit = text("indicators.unit", unit=unit_of(reader, row) or "–")
    if not outcomes:
        return f"{unit} {text('indicators.no_outcome')}"
    last = outcomes[0]
    when = notation.period(last["frequency"], last["period"], last["period_end"])
    old = stale(last["frequency"], last["period"], last["period_end"], reader.today)
    days = notation.age(age(last["period_end"], reader.today))
    key = "indicators.stale" if old else "indicators.fresh"
    return f"{unit} {text(key, when=when, age=days)}"


def _formula(reader: Reader, row: dict[str, Any], rows: dict[str, Any]) -> str:
    """What a computed indicator follows from; nothing for a published one."""
    if row["computed"] is None:
        return ""
    parts = [rows[name] for name in (row["numerator"], row["denominator"]) if name in rows]
    titles = "; ".join(reader.title(part) for part in parts)
    return " " + reader.text(f"computed.{row['computed']}", parts=titles)


def _targets(reader: Reader, indicator: str) -> None:
    """The targets on the indicator as they are judged: who comes from one finds it here again."""
    found = [
        judged
        for judged in reader.build.judged(reader.today)
        if judged.target.indicator == indicator and not assumed(judged)
    ]
    if found:
        layout.heading(reader.text("indicators.targets"))
        targets.table(reader, reader.text("indicators.targets"), found)


def _concept(reader: Reader, indicator: str) -> None:
    """The rival figures of one concept side by side: what each is of, whose, where to quote it."""
    members = reader.rows("concept", indicator=indicator).to_dicts()
    if not members:
        return
    text = reader.text
    figures = reader.rows("concept_figures", indicator=indicator)
    columns = [
        Column(text("concept.figure"), lambda member: _member(reader, member), "subject"),
        *_meeting(reader, figures),
        Column(text("concept.newest"), lambda member: _newest_figure(reader, figures, member)),
        _words(reader, "denominator", "wide"),
        _words(reader, "owner", "wide minor"),
        _words(reader, "quote", "wide"),
    ]
    title = text.pick(members[0]["concept_title"], members[0]["concept_title_en"])
    layout.heading(text("concept.title", concept=title), text("concept.note"))
    caption = text("concept.title", concept=title)
    layout.html(tables.table(caption, columns, members, "cf-figures cf-labelled"))


def _member(reader: Reader, member: dict[str, Any]) -> str:
    """Title of a rival, with a link to its page, and whether it is the one to quote."""
    lang = "&lang=en" if reader.lang == "en" else ""
    page = f"indicators?indicator={member['indicator']}{lang}"
    named = f'<a target="_self" href="{page}">{escape(reader.title(member))}</a>'
    mark = tables.chip(reader.text("concept.preferred"), "good") if member["preferred"] else ""
    return f"{named} {mark}"


def _words(reader: Reader, key: str, css: str) -> Column:
    """A column of what the catalog says of each rival."""

    def cell(member: dict[str, Any]) -> str:
        return escape(reader.text.pick(member[key], member[f"{key}_en"]))

    return Column(reader.text(f"concept.{key}"), cell, css)


def _meeting(reader: Reader, figures: pl.DataFrame) -> list[Column]:
    """The newest place and period of which two members or more have a figure, if there is one."""
    key = ["area", "frequency", "period", "period_end"]
    shared = figures.filter(pl.col("indicator").n_unique().over(key) > 1)
    if shared.is_empty():
        return []
    head = shared.row(0, named=True)
    values = {row["indicator"]: row for row in shared.join(shared.head(1), on=key).to_dicts()}
    when = reader.notation.period(head["frequency"], head["period"], head["period_end"])
    heading = f"{area_name(reader, head)}, {when}"

    def cell(member: dict[str, Any]) -> str:
        row = values.get(member["indicator"])
        return _amount(reader, row, member) if row else "–"

    return [Column(heading, cell, "number strong")]


def _newest_figure(reader: Reader, figures: pl.DataFrame, member: dict[str, Any]) -> str:
    mine = figures.filter(pl.col("indicator") == member["indicator"])
    if mine.is_empty():
        return "–"
    row = mine.row(0, named=True)
    when = reader.notation.period(row["frequency"], row["period"], row["period_end"])
    place = escape(f"{area_name(reader, row)}, {when}")
    return f"{_amount(reader, row, member)}<br><small>{place}</small>"


def _amount(reader: Reader, row: dict[str, Any], member: dict[str, Any]) -> str:
    return escape(with_unit(reader, row["value"], unit_of(reader, member), member["decimals"] or 0))


def _rivals(reader: Reader, found: pl.DataFrame, row: dict[str, Any]) -> None:
    """Different figures for one place and period, side by side."""
    text, notation = reader.text, reader.notation
    key = ["area", "frequency", "period", "period_end"]
    outcomes = found.filter(pl.col("status") != "plan")
    differing = outcomes.filter(pl.col("value").n_unique().over(key) > 1)
    if differing.is_empty():
        return
    parts = []
    for _, group in differing.group_by(key, maintain_order=True):
        head = group.row(0, named=True)
        figures = "".join(
            f"<li><b>{with_unit(reader, item['value'], unit_of(reader, row), row['decimals'])}</b> "
            f"{escape(text('status.' + item['status']))}, {notation.date(item['as_of'])}: "
            f"{tables.link(item['source'] or '', item['source_url'])}</li>"
            for item in group.sort("as_of", nulls_last=True).to_dicts()
        )
        when = notation.period(head["frequency"], head["period"], head["period_end"])
        parts.append(f"<div>{escape(area_name(reader, head))}, {when}<ul>{figures}</ul></div>")
    shown, more = parts[:3], len(parts) - 3
    note = f"<div>{escape(text('indicators.more_rivals', count=more))}</div>" if more > 0 else ""
    title = escape(text("indicators.rivals"))
    layout.html(f'<div class="cf-rivals"><strong>{title}</strong>{"".join(shown)}{note}</div>')


def _nation(reader: Reader, found: pl.DataFrame, row: dict[str, Any]) -> None:
    """The newest figure of the city beside that of the whole country for the same period.

    Of rates only: an amount of the country is no measure for a city.
    """
    key = ["frequency", "period", "period_end"]
    outcomes = found.filter((pl.col("status") != "plan") & (pl.col("period_end") <= reader.today))
    city = outcomes.filter(pl.col("area") == CITY).unique(key, keep="first", maintain_order=True)
    nation = outcomes.filter(pl.col("level") == "nation").unique(key, keep="first")
    both = city.join(nation, on=key, suffix="_nation", maintain_order="left")
    if row["aggregate"] != "rate" or both.is_empty():
        return
    newest = both.row(0, named=True)
    unit, decimals = unit_of(reader, row), row["decimals"] or 0
    said = reader.text(
        "indicators.nation",
        when=reader.notation.during(newest["frequency"], newest["period"], newest["period_end"]),
        city=with_unit(reader, newest["value"], unit, decimals),
        nation=with_unit(reader, newest["value_nation"], unit, decimals),
    )
    layout.html(f'<p class="cf-note">{escape(said)}</p>')


def _habit(reader: Reader, row: dict[str, Any]) -> None:
    """How far first figures may be trusted: how often, which way and how much they were revised."""
    text, notation = reader.text, reader.notation
    habits = reader.rows("habit", indicator=row["indicator"])
    if habits.is_empty():
        return
    habit = habits.row(0, named=True)
    if row["unit"] == "%":
        size = notation.distance(habit["usual_change"])
    elif row["aggregate"] == "rate":
        size = with_unit(reader, habit["usual_change"], unit_of(reader, row), row["decimals"] or 0)
    else:
        size = notation.share((habit["usual_relative_change"] or 0) * 100, 1)
    words = text(f"revised.{_direction(habit)}", **_counts(habit), size=size)
    layout.html(f'<p class="cf-note">{escape(words)}</p>')


def _direction(habit: dict[str, Any]) -> str:
    """Up or down where most revisions went one way; either where they were few or went both."""
    revisions = habit["revisions"]
    if revisions >= FEWEST_REVISIONS and habit["raised"] >= MOSTLY * revisions:
        return "up"
    if revisions >= FEWEST_REVISIONS and habit["lowered"] >= MOSTLY * revisions:
        return "down"
    return "either"


def _counts(habit: dict[str, Any]) -> dict[str, int]:
    return {key: habit[key] for key in ("revisions", "raised", "lowered")}


def _history(reader: Reader, row: dict[str, Any]) -> None:
    text = reader.text
    series = reader.rows("series", indicator=row["indicator"])
    long = series.filter(_told("area", "frequency"))
    if long.is_empty():
        _growth(reader, row)
        return
    places = {
        f"{item['area']}.{item['frequency']}": item
        for item in long.unique(["area", "frequency"], maintain_order=True).to_dicts()
    }

    def titled(code: str) -> str:
        item = places[code]
        added = text("area.added") if item["level"] == "city" else ""
        return f"{area_name(reader, item)}{added} · {text('frequency.' + item['frequency'])}"

    place = choose("place", text("indicators.place"), list(places), titled)
    item = places[place]
    layout.figure(
        reader,
        drawn(reader, _fan, row["indicator"], item["area"], item["frequency"]),
        "history",
        f"{reader.title(row)} ({unit_of(reader, row)}): {titled(place)}",
        row["indicator"],
        simulated=bool(item["simulated"]),
    )
    layout.html(f'<p class="cf-note">{_explanation(reader, row, item)}</p>')
    asked = Series(row["indicator"], item["area"], "total", item["frequency"])
    explanation.draw(reader, asked, unit_of(reader, row))
    first = _series(reader, row["indicator"], item)["period"].to_list()[0]
    layout.html(
        behind.came_out(reader, asked)
        + behind.events(reader, row["indicator"], item["area"], first, None)
    )
    on_the_year.draw(reader, row, _series(reader, row["indicator"], item), item["frequency"])


def _growth(reader: Reader, row: dict[str, Any]) -> None:
    """Where there is no series: what targets are judged by, or that nothing can be drawn."""
    text, judged = reader.text, judged_by_growth(reader, row["indicator"])
    if not judged:
        layout.html(f'<p class="cf-note">{escape(text("indicators.no_series"))}</p>')
        return
    since, until = judged[0].verdict.grown or (None, None)
    title = text("indicators.growth", title=reader.title(row))
    layout.heading(title, text("indicators.growth_note", since=since, until=until))
    drawing = drawn(reader, growth_fan, row["indicator"])
    layout.figure(reader, drawing, "growth", title, row["indicator"], simulated=False)


def _told(*series: str) -> pl.Expr:
    """Whether a series has figures enough, and not mostly gaps, to be drawn as a history."""
    months = pl.col("period").dt.year() * 12 + pl.col("period").dt.month()
    step = pl.col("frequency").replace_strict(STEP, default=1, return_dtype=pl.Int32)
    asked = (months.max() - months.min()).over(series) / step + 1
    return (pl.len().over(series) >= FEWEST) & (pl.len().over(series) >= FILLED * asked)


def _fan(reader: Reader, indicator: str, area: str, frequency: str) -> Drawing:
    row = reader.rows("indicators").filter(pl.col("indicator") == indicator).row(0, named=True)
    mine = _series(reader, indicator, {"area": area, "frequency": frequency})
    ahead = reader.rows(
        "fan", indicator=indicator, area=area, category="total", frequency=frequency
    )
    last = mine.sort("period").row(-1, named=True)
    until = reader.notation.period(frequency, last["period"], last["period_end"])
    earlier = year_before(mine) if frequency == "month" else None
    content = Fan(
        observed=mine,
        ahead=ahead,
        frequency=frequency,
        unit=unit_of(reader, row),
        simulated=bool(mine["simulated"].any()),
        title=reader.title(row),
        zero=row["aggregate"] == "sum",
        decimals=row["decimals"] or 0,
        origin_note=reader.text("chart.data_until_period", period=until),
        events=events(reader, indicator, area),
        goals=_goals(reader, indicator, area, mine, ahead),
        before=earlier.values if earlier and len(earlier.values) else None,
        before_label=reader.text(
            "chart.before_aligned" if earlier and earlier.aligned else "chart.before_plain"
        ),
    )
    return fan(reader, content)


def _goals(
    reader: Reader, indicator: str, area: str, mine: pl.DataFrame, ahead: pl.DataFrame
) -> tuple[Goal, ...]:
    """The targets of a yearly or a monthly series; those of quarters are not drawn."""
    last = mine.sort("period").row(-1, named=True)
    if last["frequency"] == "year":
        return goals(reader, indicator, area, (last["period"], last["value"]))
    if last["frequency"] == "month":
        until = max(last["period"], *ahead["period"])
        return goals_by_month(reader, indicator, area, "total", until)
    return ()


def _series(reader: Reader, indicator: str, item: dict[str, Any]) -> pl.DataFrame:
    """The history of one place at one frequency."""
    return reader.rows("series", indicator=indicator).filter(
        (pl.col("area") == item["area"]) & (pl.col("frequency") == item["frequency"])
    )


def _explanation(reader: Reader, row: dict[str, Any], item: dict[str, Any]) -> str:
    """Which model is shown and why, or why there is no forecast and what would help."""
    text = reader.text
    issued = reader.rows("forecasts_of", indicator=row["indicator"]).filter(
        (pl.col("area") == item["area"]) & (pl.col("frequency") == item["frequency"])
    )
    parts = [_series_age(reader, row["indicator"], item)]
    if item["frequency"] != "month":
        parts.append(text("indicators.points"))
    if issued.is_empty():
        return escape(" ".join([*parts, text("indicators.not_asked")]))
    said = issued.row(0, named=True)
    if said["refused"]:
        parts.append(text("indicators.refused", reason=text(f"refused.{said['refused']}")))
    else:
        parts.append(_model_words(reader, said))
    if said["help"]:
        parts.append(text(f"help.{said['help']}"))
    return escape(" ".join(parts))


def _series_age(reader: Reader, indicator: str, item: dict[str, Any]) -> str:
    """Where this very series ends: it may be older than the newest figure of the indicator."""
    last = _series(reader, indicator, item).sort("period").row(-1, named=True)
    when = reader.notation.during(last["frequency"], last["period"], last["period_end"])
    days = reader.notation.age(age(last["period_end"], reader.today))
    return reader.text("indicators.series_age", when=when, age=days)


def model_title(reader: Reader, name: str) -> str:
    """Title of a model in the reader's language; its name where it is no longer here."""
    model = all_models().get(name)
    return reader.text.pick(model.title, model.title_en) if model else name


def _model_words(reader: Reader, said: dict[str, Any]) -> str:
    text, notation = reader.text, reader.notation
    model = model_title(reader, said["model"])
    if not said["beats"]:
        return text("indicators.benchmark", model=model)
    better = notation.share((said["skill"] or 0) * 100, 0)
    return text("indicators.model", model=model, skill=better)


def _figures(reader: Reader, found: pl.DataFrame, row: dict[str, Any]) -> None:
    text, notation = reader.text, reader.notation
    layout.heading(text("indicators.figures"), text("indicators.figures_note"))
    unit = unit_of(reader, row)
    columns = [
        Column(text("indicators.place"), lambda item: escape(area_name(reader, item)), "name"),
        Column(
            text("figure.period"),
            lambda item: notation.period(item["frequency"], item["period"], item["period_end"]),
        ),
        Column(
            text("figure.value"),
            lambda item: with_unit(reader, item["value"], unit, row["decimals"] or 0),
            "number strong",
        ),
        Column(text("figure.status"), lambda item: _status(reader, item)),
        Column(
            text("figure.source"),
            lambda item: (
                tables.link(item["source"] or "", item["source_url"])
                + (f"<br><small>{escape(item['note'])}</small>" if item["note"] else "")
            ),
            "source minor",
        ),
        Column(text("figure.as_of"), lambda item: notation.date(item["as_of"]), "minor"),
    ]
    caption = f"{text('indicators.figures')}: {reader.title(row)}"
    layout.html(tables.table(caption, columns, found.to_dicts(), "tall"))
    layout.download(reader, row["indicator"], lambda: found)


def _status(reader: Reader, item: dict[str, Any]) -> str:
    kind = "warning" if item["status"] in ("plan", "estimate") else ""
    chips = [tables.chip(reader.text(f"status.{item['status']}"), kind)]
    if item["simulated"]:
        chips.append(tables.chip(reader.text("simulated.title"), "warning"))
    return " ".join(chips)
