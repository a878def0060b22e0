"""What the pages share: head, band of the simulated, charts, downloads, and the empty page."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from html import escape

import polars as pl
import streamlit as st

from dashboard import pictures
from dashboard.charts import Drawing
from dashboard.condition import notices
from dashboard.filters import switch_language
from dashboard.pictures import Caption
from dashboard.reader import Reader
from dashboard.sparklines import watermark
from dashboard.tables import csv, xlsx
from dashboard.text import Text

FACT = "file_"
"""Before the name of a fact of a file where it is a column of CSV."""
FIRST_ENDS = '<i class="cf-first" hidden></i>'
"""Marks the end of the first screen; `static/boot.js` lets the rest wait until that is painted."""
MIME = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "png": "image/png",
    "svg": "image/svg+xml",
}


def head(reader: Reader, title: str, lead: str = "") -> None:
    """Title, day and build, language, and the sentence that answers."""
    left, right = st.columns([2.6, 1], vertical_alignment="bottom")
    with left:
        st.title(title, anchor=False)
    with right, st.container(horizontal_alignment="right", key="language"):
        switch_language(reader.text)
    day = reader.notation.date(reader.today)
    made = reader.text("page.as_of", day=day, build=reader.build.name)
    told = _condition(reader)
    shown = f'<p class="cf-asof">{escape(made)}</p>{told}'
    html(shown + (lead and f'<p class="cf-lead">{lead}</p>'))


def _condition(reader: Reader) -> str:
    """What is amiss with the build, before any figure of it."""
    lang = "?lang=en" if reader.lang == "en" else ""
    more = f'<a target="_self" href="data{lang}">{escape(reader.text("condition.see"))}</a>'
    return "".join(
        f'<p class="cf-notice" role="note">△ {escape(one.said)} {more if one.of_data else ""}</p>'
        for one in notices(reader)
    )


def html(content: str) -> None:
    """Markup written by this package; everything from data is escaped where it is put in."""
    st.html(content)


def heading(title: str, note: str = "") -> None:
    """A finding as heading, with what and in which unit under it."""
    st.header(title, anchor=False)
    if note:
        html(noted(note))


def noted(note: str) -> str:
    """The markup of what stands small under a heading."""
    return f'<p class="cf-note">{escape(note)}</p>'


@contextmanager
def simulated_section(text: Text, name: str, *, below: bool = False) -> Iterator[None]:
    """A part of a page that shows simulated figures: a band at its head, a watermark behind it.

    `below`: under the first screen; a browser paints what stands above before it takes this up.
    """
    key = f"simulated_{name}"
    rule = f'.st-key-{key}{{background-image:url("{watermark(text("simulated.mark"))}")}}'
    with st.container(key=key):
        html(f"<style>{rule}</style>{band(text)}{FIRST_ENDS if below else ''}")
        yield


def band(text: Text) -> str:
    """The band that says what is simulated."""
    title, more = escape(text("simulated.title")), escape(text("simulated.not_real"))
    return f'<div class="cf-band" role="note"><strong>{title}</strong><span>{more}</span></div>'


def draw(
    drawing: Drawing, key: str, above: str = "", picked: Callable[[], None] | None = None
) -> None:
    """A chart under its words for those who cannot see it, and under markup for those who can.

    The words stand beside the chart, which has a short name: Streamlit builds a chart anew when its
    name is another, and hands new figures to one that is called as before.
    """
    said = f'<div class="cf-above">{above}</div>' if above else ""
    with st.container(key=f"chart_{key}", gap=None):
        html(f'{said}<p class="cf-hidden cf-words">{escape(drawing.alt)}</p>')
        chart = partial(st.vega_lite_chart, dict(drawing.spec), theme=None, alt=drawing.name)
        chart(key=key, on_select=picked or "ignore")


def figure(
    reader: Reader,
    drawing: Drawing,
    key: str,
    title: str,
    indicator: str,
    *,
    simulated: bool,
    above: str = "",
) -> None:
    """A chart, and under it the same to take away: as picture and as figures.

    `title` is the finding over the picture; the source is that of `indicator`.
    """
    draw(drawing, key, above)
    chart_files(reader, drawing, key, title, indicator, simulated=simulated)


def chart_files(
    reader: Reader, drawing: Drawing, key: str, title: str, indicator: str, *, simulated: bool
) -> None:
    """The numbers of a chart, and buttons that make its picture or its figures: once it is opened.

    Closed, it goes over the wire as one line: most who look at a chart need neither.
    """
    fold = st.expander(reader.text("chart.files"), key=f"files_{key}", on_change="rerun")
    if not fold.open:
        return
    caption = Caption(title, _lines(reader, indicator, simulated=simulated))
    with fold:
        html(drawing.numbers)
        _offered(
            reader,
            f"chart_{key}",
            {
                "png": partial(pictures.png, drawing.spec, caption),
                "svg": partial(pictures.svg, drawing.spec, caption),
                **_tables(
                    reader, f"chart_{key}", lambda: drawing.figures, simulated, caption.lines[0]
                ),
            },
        )


def download(
    reader: Reader, name: str, rows: Callable[[], pl.DataFrame], *, simulated: bool | None = None
) -> None:
    """Two buttons, CSV and Excel, that make the file when one is pressed."""
    _offered(reader, name, _tables(reader, name, rows, simulated))


def _tables(
    reader: Reader,
    name: str,
    rows: Callable[[], pl.DataFrame],
    simulated: bool | None,
    source: str = "",
) -> dict[str, Callable[[], bytes]]:
    text, facts = reader.text, _facts(reader, name, simulated, source)

    def table() -> bytes:
        columns = {f"{FACT}{fact}": said for fact, said in facts.items()}
        return csv(rows(), columns, simulated=simulated)

    def book() -> bytes:
        marked = text(
            {True: "download.yes", False: "download.no", None: "download.mixed"}[simulated]
        )
        told = {text(f"download.{fact}"): said for fact, said in facts.items()}
        about = text("download.about"), told | {text("download.simulated"): marked}
        return xlsx(rows(), text("download.figures"), about, simulated=simulated)

    return {"csv": table, "xlsx": book}


def _offered(reader: Reader, name: str, made: dict[str, Callable[[], bytes]]) -> None:
    with st.container(horizontal=True, gap="small"):
        for ending, data in made.items():
            st.download_button(
                reader.text(f"download.{ending}"),
                data=data,
                file_name=f"{name}_{reader.build.name}.{ending}",
                mime=MIME[ending],
                on_click="ignore",
                key=f"download_{name}" if ending == "csv" else f"download_{name}_{ending}",
                icon=":material/download:",
            )


def _lines(reader: Reader, indicator: str, *, simulated: bool) -> tuple[str, ...]:
    """Under the title of a picture: source, day and build; what is simulated says so."""
    text, catalog = reader.text, reader.build.catalog
    dataset = catalog.datasets.get(catalog.owner.get(indicator, ""))
    named = text.pick(dataset.title, dataset.title_en) if dataset else ""
    publisher = catalog.publisher_of(dataset) if dataset else None
    who = text.pick(publisher.title, publisher.title_en) if publisher else ""
    source = f"{text('figure.source')}: " + " · ".join(part for part in (named, who) if part)
    day = text("page.as_of", day=reader.notation.date(reader.today), build=reader.build.name)
    made = f"{text('name')} · {day[:1].lower()}{day[1:]}"
    real = f"{text('simulated.title')}. {text('simulated.not_real')}"
    return (source, made, real)[: 2 + simulated]


def _facts(reader: Reader, name: str, simulated: bool | None, source: str) -> dict[str, str]:
    """What a file says of itself: by name on the second sheet of a workbook, a column in CSV."""
    text = reader.text
    # What is simulated is for use within.
    licences = [] if simulated else reader.build.catalog.licenses
    known = {
        "view": f"{text('name')}: {name}",
        "source": source.removeprefix(f"{text('figure.source')}: "),
        "made": reader.notation.date(reader.today),
        "build": reader.build.name,
        "license": ", ".join(one.name for one in licences) or text("data.internal"),
    }
    return {fact: said for fact, said in known.items() if said}


def nothing(text: Text, title: str, body: str, command: str = "") -> None:
    """A designed page for when there is nothing to show; the other language at one tap."""
    lang = "en" if text.lang == "vi" else "vi"
    other = f'<a target="_self" lang="{lang}" href="?lang={lang}">{text(f"language.{lang}")}</a>'
    code = f"<p><code>{escape(command)}</code></p>" if command else ""
    html(
        f'<div class="cf-empty"><h1>{escape(title)}</h1><p>{escape(body)}</p>{code}'
        f'<p class="cf-note">{escape(text("name"))} · {other}</p></div>'
    )
