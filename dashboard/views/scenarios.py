"""What if: levers within their range, base beside scenario, whom it touches, and a link to it.

The address holds stable codes: `lever_population=2`, `since_decree=2027-03`, `field_decree=land`,
or the code of a scenario that was saved. A saved one is shown as it is; to move its levers further,
a link brings them into the address.
"""

from collections.abc import Mapping
from html import escape
from urllib.parse import urlencode

import polars as pl
import streamlit as st

from dashboard import layout, tables
from dashboard.charts import Drawing
from dashboard.filters import choose, remembered
from dashboard.notation import Notation
from dashboard.reader import Reader
from dashboard.scenario_chart import beside
from dashboard.scenarios import (
    amount,
    between,
    burden,
    lever_title,
    sentence,
    share,
    signed,
    taken_for_true,
    titled,
    told,
)
from dashboard.tables import Column
from dashboard.targets import SHAPES, chance_words, state_name
from dashboard.targets import sentence as target_sentence
from dashboard.views import scenario_queue
from dashboard.views.cache import drawn
from dashboard.workload import fields as field_titles
from dashboard.workload_charts import RECEIVED
from etl.catalog import Lever, Scenarios
from etl.errors import ForesightError
from etl.translation import Language, translated
from forecasts.decisions.levers import Setting
from forecasts.decisions.saved import CODE, Saved, assumptions, described, kept, save
from forecasts.decisions.scenarios import NoBase, Outcome, apart
from forecasts.decisions.targets import Judged, Verdict

OWN = "own"
"""No saved scenario: levers as they are moved here."""
EVERY = "all"
SHOWN = 10
REFUSED = "scenario_refused"


def draw(reader: Reader) -> None:
    """The page."""
    text = reader.text
    layout.head(reader, text("scenarios.title"))
    scenarios = reader.build.catalog.scenarios
    if scenarios is None:
        layout.heading(text("scenarios.none"))
        return
    try:
        base, _ = reader.build.started()
    except NoBase:
        entry = reader.build.catalog.indicators[scenarios.indicator]
        title = text.pick(entry.title, entry.title_en)
        layout.heading(text("scenarios.none"), text("scenarios.no_base", title=title))
        return
    if base.simulated:
        with layout.simulated_section(text, "scenarios"):
            _page(reader, scenarios)
    else:
        _page(reader, scenarios)


def _page(reader: Reader, scenarios: Scenarios) -> None:
    text = reader.text
    layout.html(f'<p class="cf-note">{escape(text("scenarios.label"))}</p>')
    saved, damaged = kept(reader.build.home)
    _warn(reader, saved, damaged)
    titles = {OWN: text("scenarios.own")} | {
        code: titled(code, one, reader.notation) for code, one in saved.items()
    }
    code = choose("scenario", text("scenarios.saved"), list(titles), titles.__getitem__)
    settings = _of_saved(reader, scenarios, saved[code]) if code != OWN else None
    if settings is None:
        settings = _moved(reader, scenarios)
    try:
        outcome = reader.build.played(tuple(settings))
    except ForesightError as error:
        layout.heading(_translated(reader, error.problem), _translated(reader, error.hint))
        return
    _outcome(reader, scenarios, outcome)
    _compared(reader, scenarios, outcome, saved, code)
    if code == OWN and outcome.settings:
        _keep(reader, scenarios, outcome)


def _warn(reader: Reader, saved: Mapping[str, Saved], damaged: list[str]) -> None:
    """A link to what is not kept, files that were changed, and a refusal to save."""
    asked = st.query_params.get("scenario")
    if asked is not None and asked not in saved and asked != OWN:
        shown = asked if CODE.fullmatch(asked) else "?"
        st.warning(reader.text("scenarios.unknown", code=shown))
    if damaged:
        st.warning(reader.text("scenarios.damaged", files=", ".join(damaged)))
    refused = st.session_state.pop(REFUSED, None)
    if refused:
        st.error(refused)


# --- levers ----------------------------------------------------------------------------------


def _moved(reader: Reader, scenarios: Scenarios) -> list[Setting]:
    layout.heading(reader.text("scenarios.levers"), reader.text("scenarios.levers_note"))
    columns = st.columns(3)
    found = []
    for number, lever in enumerate(scenarios.levers):
        with columns[number % len(columns)]:
            found.append(_lever(reader, lever))
    return [one for one in found if one.value]


def _lever(reader: Reader, lever: Lever) -> Setting:
    """A slider over the stated range; once moved, from which month, and of which field."""
    text, notation = reader.text, reader.notation
    options = steps_of(lever)
    key = f"lever_{lever.name}"
    remembered(key, options, "0")
    chosen = st.select_slider(
        lever_title(lever, text),
        options,
        key=key,
        format_func=lambda value: amount(lever, float(value), text, notation),
        help=_range(lever, reader),
    )
    value = float(chosen)
    if not value:
        return Setting(lever.name, 0.0)
    since = _since(reader, lever)
    return Setting(lever.name, value, since, _field(reader, lever))


def steps_of(lever: Lever) -> list[str]:
    """The values a slider stops at: both ends of the range, and steps from 0."""
    down, up = (int(abs(end) / lever.step + 1e-9) for end in (lever.minimum, lever.maximum))
    values = {round(n * lever.step, 6) for n in range(-down, up + 1)}
    return [f"{value:g}" for value in sorted(values | {lever.minimum, lever.maximum})]


def _range(lever: Lever, reader: Reader) -> str:
    low, high = (
        amount(lever, end, reader.text, reader.notation) for end in (lever.minimum, lever.maximum)
    )
    return reader.text("scenarios.range", low=low, high=high)


def _since(reader: Reader, lever: Lever) -> str | None:
    base, _ = reader.build.started()
    months = {f"{period:%Y-%m}": reader.notation.month(period) for period in base.periods}
    first = next(iter(months))
    chosen = choose(
        f"since_{lever.name}",
        reader.text("scenarios.from_month"),
        list(months),
        months.__getitem__,
    )
    return None if chosen == first else chosen


def _field(reader: Reader, lever: Lever) -> str | None:
    if lever.kind != "share":
        return None
    base, _ = reader.build.started()
    named = [name for effect in lever.effects for name in effect.categories] or list(base.fields)
    titles = {EVERY: reader.text("scenarios.every")} | {
        name: field_titles(reader).get(name, name) for name in named if name in base.fields
    }
    chosen = choose(
        f"field_{lever.name}", reader.text("fields.label"), list(titles), titles.__getitem__
    )
    return None if chosen == EVERY else chosen


def _of_saved(reader: Reader, scenarios: Scenarios, saved: Saved) -> list[Setting] | None:
    """Its levers, with who saved it when and why, and what it said then."""
    text, notation = reader.text, reader.notation
    gone = [one.lever for one in saved.moved if scenarios.lever(one.lever) is None]
    if gone:
        st.warning(text("scenarios.gone", levers=", ".join(gone)))
        return None
    low, middle, high = saved.result.difference
    then = text(
        "scenarios.then",
        build=saved.build,
        number=signed(middle, notation),
        low=signed(low, notation),
        high=signed(high, notation),
        until=notation.month(saved.result.until),
    )
    levers = told(scenarios, saved.moved, field_titles(reader), text, notation)
    layout.heading(text("scenarios.kept"), levers)
    by = text("scenarios.by", author=saved.author, day=notation.date(saved.saved_on))
    further = f'<a target="_self" href="{address(reader, saved.moved)}">'
    layout.html(
        # Words of a visitor: as text, never as Markdown, which could hold links and images.
        f'<p class="cf-lead">{escape(saved.name)}</p>'
        f'<p class="cf-note">{escape(by)}: {escape(saved.rationale)}<br>{escape(then)}<br>'
        f"{further}{escape(text('scenarios.further'))}</a></p>"
    )
    if saved.queue:
        scenario_queue.table(reader, saved.queue, "scenarios.queue_then")
    return saved.moved


def address(reader: Reader, settings: list[Setting]) -> str:
    """A link to these levers, to be moved further."""
    codes = {} if reader.lang == "vi" else {"lang": reader.lang}
    for one in settings:
        codes[f"lever_{one.lever}"] = f"{one.value:g}"
        codes |= {f"since_{one.lever}": one.since} if one.since else {}
        codes |= {f"field_{one.lever}": one.field} if one.field else {}
    return escape("scenarios?" + urlencode(codes))


# --- what follows ----------------------------------------------------------------------------


def _outcome(reader: Reader, scenarios: Scenarios, outcome: Outcome) -> None:
    text, notation = reader.text, reader.notation
    levers = told(scenarios, outcome.settings, field_titles(reader), text, notation)
    finding = sentence(outcome, levers, text, notation)
    layout.heading(finding, text("scenarios.chart_note"))
    simulated = outcome.base.simulated
    drawing = drawn(reader, _beside, outcome.settings)
    layout.figure(reader, drawing, "scenario", finding, RECEIVED, simulated=simulated)
    if not outcome.settings:
        return
    layout.html(f'<p class="cf-note">{escape(burden(outcome, text, notation))}</p>')
    if outcome.base.absent:
        absent = text("scenarios.absent", count=outcome.base.absent)
        layout.html(f'<p class="cf-note">{escape(absent)}</p>')
    if (outcome.areas[0] != outcome.areas[1]).any():
        names = {row["code"]: row["name"] for row in reader.rows("communes").to_dicts()}
        _parts(reader, text("scenarios.communes"), "area", names, outcome.communes())
        _parts(
            reader, text("scenarios.fields"), "category", field_titles(reader), outcome.by_field()
        )
    layout.download(reader, "scenario", lambda: _rows(outcome), simulated=outcome.base.simulated)
    queued = scenario_queue.draw(reader, outcome)
    _targets(reader, outcome, with_queue=queued is not None)
    _assumptions(reader, scenarios, outcome)


def _beside(reader: Reader, settings: tuple[Setting, ...]) -> Drawing:
    return beside(reader, reader.build.played(settings))


def _rows(outcome: Outcome) -> pl.DataFrame:
    """Communes and fields in one table; everything in it is a what-if."""
    levers = "; ".join(str(one) for one in outcome.settings)
    parts = [
        outcome.communes().rename({"area": "code"}).with_columns(part=pl.lit("commune")),
        outcome.by_field().rename({"category": "code"}).with_columns(part=pl.lit("field")),
    ]
    return pl.concat(parts).with_columns(what_if=pl.lit(levers))


def _parts(
    reader: Reader, title: str, key: str, names: Mapping[str, str], rows: pl.DataFrame
) -> None:
    text, notation = reader.text, reader.notation
    layout.heading(title, text("scenarios.parts_note"))
    columns = [
        Column(text(f"scenarios.{key}"), lambda row: escape(names.get(row[key], row[key])), "name"),
        Column(text("scenarios.base"), lambda row: notation.rounded(row["base"]), "number minor"),
        Column(text("scenarios.scenario"), lambda row: notation.rounded(row["scenario"]), "number"),
        Column(
            text("scenarios.difference"), lambda row: _difference(row, notation), "number strong"
        ),
    ]
    shown = rows.filter(pl.col("difference_upper") - pl.col("difference_lower") != 0)
    layout.html(tables.table(title, columns, shown.head(SHOWN).to_dicts()))


def _difference(row: dict[str, float], notation: Notation) -> str:
    low, high = (signed(row[f"difference_{end}"], notation) for end in ("lower", "upper"))
    return f"{signed(row['difference'], notation)}<br><small>{low} … {high}</small>"


def _targets(reader: Reader, outcome: Outcome, *, with_queue: bool) -> None:
    text = reader.text
    found = reader.build.chances(outcome.settings, reader.today, with_queue=with_queue)
    if not found:
        layout.heading(text("scenarios.no_targets"))
        return
    layout.heading(text("scenarios.targets"), text("scenarios.targets_note"))

    def stands(verdict: Verdict) -> str:
        word = escape(f"{SHAPES[verdict.state]} {state_name(verdict, text)}")
        return f"{word}<br><small>{escape(chance_words(verdict.chance, text))}</small>"

    def title(pair: tuple[Judged, Judged]) -> str:
        judged = pair[0]
        named = escape(text.pick(judged.title, judged.title_en))
        if judged.verdict.reason is None:
            return named
        why = target_sentence(judged, judged.verdict, text, reader.notation)
        return f"{named}<br><small>{escape(why)}</small>"

    columns = [
        Column(text("targets.target"), title, "name"),
        Column(text("scenarios.before"), lambda pair: stands(pair[0].verdict)),
        Column(text("scenarios.after"), lambda pair: stands(pair[1].verdict)),
    ]
    layout.html(tables.table(text("scenarios.targets"), columns, found))


def _assumptions(reader: Reader, scenarios: Scenarios, outcome: Outcome) -> None:
    """What is taken for true; fields of one estimate that say the same share a row."""
    text, notation = reader.text, reader.notation
    _, pools = reader.build.started()
    found = assumptions(scenarios, outcome.settings, outcome.base.fields, pools)
    simulated = outcome.base.simulated
    rows = [
        taken_for_true(one, reader.build.catalog, text, notation, simulated=simulated)
        for one in found
    ]
    distinct = list({tuple(row.values()): row for row in rows}.values())
    layout.heading(text("scenarios.assumptions"), text("scenarios.assumptions_note"))
    columns = [
        Column(text("scenarios.lever"), lambda row: escape(row["lever"]), "name"),
        Column(text("scenarios.acts_on"), lambda row: escape(row["on"])),
        Column(text("scenarios.number"), lambda row: escape(row["number"]), "number"),
        Column(text("scenarios.evidence"), lambda row: escape(row["evidence"])),
        Column(text("scenarios.reason"), lambda row: escape(row["reason"]), "wide"),
    ]
    layout.html(tables.table(text("scenarios.assumptions"), columns, distinct))


def _compared(
    reader: Reader, scenarios: Scenarios, outcome: Outcome, saved: Mapping[str, Saved], code: str
) -> None:
    text, notation = reader.text, reader.notation
    others = {name: one for name, one in saved.items() if name != code}
    if not others or not outcome.settings:
        return
    titles = {OWN: text("scenarios.nobody")} | {
        name: titled(name, one, notation) for name, one in others.items()
    }
    against = choose("against", text("scenarios.against"), list(titles), titles.__getitem__)
    if against == OWN:
        return
    try:
        other = reader.build.played(tuple(others[against].moved))
    except ForesightError as error:
        st.warning(_translated(reader, error.problem))
        return
    band = apart(outcome, other)
    said = text(
        "scenarios.apart",
        name=others[against].name,
        levers=told(scenarios, other.settings, field_titles(reader), text, notation),
        number=signed(band.middle, notation),
        interval=between(band, notation),
        work=share(outcome.burden.middle - other.burden.middle, notation),
    )
    layout.html(f'<p class="cf-lead">{escape(said)}</p>')


# --- keeping one -----------------------------------------------------------------------------


def _keep(reader: Reader, scenarios: Scenarios, outcome: Outcome) -> None:
    text = reader.text
    layout.heading(text("scenarios.keep"), text("scenarios.keep_note"))

    def pressed() -> None:
        _, pools = reader.build.started()
        queued = scenario_queue.worked_out(reader, outcome)
        told_of = {name: str(st.session_state.get(f"keep_{name}") or "") for name in WORDS}
        try:
            one = described(
                scenarios,
                outcome,
                pools,
                name=told_of["name"],
                author=told_of["author"],
                rationale=told_of["rationale"],
                today=reader.today,
                build=reader.build.name,
                queue=queued.told if queued else None,
            )
            st.session_state["scenario"] = save(reader.build.home, one)
        except (ForesightError, OSError) as error:
            problem = error.problem if isinstance(error, ForesightError) else str(error)
            st.session_state[REFUSED] = _translated(reader, problem)

    with st.form("keep"):
        st.text_input(text("scenarios.keep_name"), key="keep_name", max_chars=120)
        st.text_input(text("scenarios.keep_author"), key="keep_author", max_chars=120)
        st.text_area(text("scenarios.keep_rationale"), key="keep_rationale", max_chars=2000)
        st.form_submit_button(text("scenarios.keep"), on_click=pressed)


WORDS = ("name", "author", "rationale")


def _translated(reader: Reader, words: str) -> str:
    spoken: Language = "en" if reader.lang == "en" else "vi"
    return translated(words, spoken)
