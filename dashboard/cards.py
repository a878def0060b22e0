"""Five figures of the workload as cards, and one small drawing a field. All of it is simulated."""

from html import escape

import polars as pl

from dashboard.numbers import Columns, folded
from dashboard.on_the_year import changed
from dashboard.published import CITY
from dashboard.reader import Reader
from dashboard.sparklines import CARD, MULTIPLE, sparkline
from dashboard.tables import image
from dashboard.workload import MONTHS, Pulse, Year, city_years, fields, pulse, trail


def cards(reader: Reader, field: str, year: Year) -> str:
    """Received, expected, on time, overdue of pending, and online, of the city in one field."""
    shown = [
        _received(reader, field, year),
        _expected(reader, field, year),
        _share(reader, "on_time", pulse(reader, "applications_on_time_share", CITY, field)),
        _overdue(reader, field),
        _share(reader, "online", pulse(reader, "applications_online_share", CITY, field)),
    ]
    return f'<div class="cf-cards">{"".join(shown)}</div>'


def _received(reader: Reader, field: str, year: Year) -> str:
    notation = reader.notation
    months = _months(reader, field)
    first = months["period"].tail(MONTHS).min()
    assert first is not None
    until = f"{notation.month(first)} – {notation.month(year.origin)}"  # type: ignore[arg-type]
    change = year.change_before
    more = [_versus(reader, notation.change(change)) if change is not None else "", until]
    source = sparkline(CARD, months["value"].to_list())
    return _card(reader.text("card.received"), notation.compact(year.received), more, source)


def _expected(reader: Reader, field: str, year: Year) -> str:
    notation, text = reader.notation, reader.text
    ahead = trail(reader, "city", CITY, field).filter("ahead").head(MONTHS)
    months = _months(reader, field)["value"].tail(3 * MONTHS).to_list()
    interval = notation.interval(year.lowest, year.highest)
    more = [
        f"<b>{notation.change(year.change)}</b> {escape(text('card.versus_past'))}",
        escape(text("card.at_most", interval=interval)),
    ]
    source = sparkline(CARD, months, ahead["value"].to_list())
    return _card(text("card.expected"), f"≈ {notation.rounded(year.expected)}", more, source)


def _share(reader: Reader, name: str, found: Pulse | None) -> str:
    text, notation = reader.text, reader.notation
    if found is None:
        return _card(text(f"card.{name}"), "–", [escape(text("card.none"))], "")
    gap = _led(found, found.difference)
    kind = "" if not gap or not round(gap, 1) else ("cf-good" if gap > 0 else "cf-bad")
    more = [
        _versus(reader, notation.points(gap), kind) + _beside(reader, found, difference=True)
        if gap is not None
        else "",
        notation.period("month", found.period, found.period),
    ]
    source = sparkline(CARD, found.months)
    return _card(text(f"card.{name}"), notation.share(found.latest), more, source)


def _overdue(reader: Reader, field: str) -> str:
    """Overdue at the end of the month, of those pending."""
    text, notation = reader.text, reader.notation
    overdue = pulse(reader, "applications_overdue", CITY, field)
    pending = pulse(reader, "applications_pending", CITY, field)
    if overdue is None or pending is None:
        return _card(text("card.overdue"), "–", [escape(text("card.none"))], "")
    change = _led(overdue, overdue.change)
    kind = "cf-bad" if change and change > 0 else "cf-good"
    more = [
        _versus(reader, notation.change(change), kind) + _beside(reader, overdue, difference=False)
        if change is not None
        else "",
        escape(text("card.pending", pending=notation.number(pending.latest))),
    ]
    source = sparkline(CARD, overdue.months)
    return _card(text("card.overdue"), notation.number(overdue.latest), more, source)


def _led(found: Pulse, calendar: float | None) -> float | None:
    """The change to quote: the calendar's, unless Tết has moved."""
    told = found.on_the_year
    return calendar if told is None or told.leads is None else getattr(told, told.leads)


def _beside(reader: Reader, found: Pulse, *, difference: bool) -> str:
    """Where another change than the calendar's leads: which, and what the calendar says."""
    told = found.on_the_year
    if told is None or told.calendar is None or told.leads in (None, "calendar"):
        return ""
    calendar = changed(reader, told.calendar, difference=difference)
    return f" ({escape(reader.text(f'card.{told.leads}', calendar=calendar))})"


def _months(reader: Reader, field: str) -> pl.DataFrame:
    return trail(reader, "city", CITY, field).filter(~pl.col("ahead"))


def _card(name: str, value: str, more: list[str], source: str) -> str:
    lines = "<br>".join(line for line in more if line)
    picture = image(source, f"{name}: {value}") if source else ""
    return (
        f'<div class="cf-card"><div class="name">{escape(name)}</div>'
        f'<div class="value">{escape(value)}</div><div class="more">{lines}</div>{picture}</div>'
    )


def _versus(reader: Reader, change: str, kind: str = "") -> str:
    return f'<b class="{kind}">{change}</b> {escape(reader.text("card.versus"))}'


def multiples(reader: Reader) -> str:
    """One drawing a field: months received, the year expected and its band; then as a table."""
    names, years = fields(reader), city_years(reader)
    shown = [_multiple(reader, names[code], code, year) for code, year in years.items()]
    return f'<div class="cf-multiples">{"".join(shown)}</div>{_numbers(reader, names, years)}'


def _numbers(reader: Reader, names: dict[str, str], years: dict[str, Year]) -> str:
    text, notation = reader.text, reader.notation
    columns: Columns = [
        (text("fields.label"), lambda row: names[row["code"]]),
        (text("places.received"), lambda row: notation.number(row["year"].received)),
        (text("places.expected"), lambda row: notation.rounded(row["year"].expected)),
        (
            text("chart.band_80"),
            lambda row: notation.interval(row["year"].lowest, row["year"].highest),
        ),
        (text("places.change"), lambda row: notation.change(row["year"].change)),
    ]
    return folded(reader, columns, [{"code": c, "year": year} for c, year in years.items()])


def _multiple(reader: Reader, name: str, field: str, year: Year) -> str:
    notation, text = reader.notation, reader.text
    rows = trail(reader, "city", CITY, field)
    past, ahead = rows.filter(~pl.col("ahead")), rows.filter("ahead").head(MONTHS)
    source = sparkline(
        MULTIPLE,
        past["value"].to_list(),
        ahead["value"].to_list(),
        ahead["lower"].to_list(),
        ahead["upper"].to_list(),
        mark=text("simulated.short"),
    )
    sums = f"{notation.number(year.received)} → {notation.rounded(year.expected)}"
    words = text("multiples.alt", name=name, sums=sums, change=notation.change(year.change))
    return (
        f'<div class="cf-multiple"><div class="top"><span title="{escape(name)}">{escape(name)}'
        f'</span><span class="cf-blue">{notation.change(year.change)}</span></div>'
        f'<div class="under">{sums}</div>{image(source, words)}</div>'
    )
