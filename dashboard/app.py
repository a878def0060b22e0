"""The script Streamlit runs for every view: language first, then the page of the address."""

from functools import partial
from pathlib import Path

import streamlit as st

from dashboard import layout, queries
from dashboard.filters import language
from dashboard.reader import Reader, today
from dashboard.text import Text
from dashboard.views import (
    about,
    accuracy,
    alerts,
    communes,
    data,
    handin,
    indicators,
    overview,
    scenarios,
    targets,
    workload,
)
from etl.builds import DamagedBuild, NoWarehouse
from etl.settings import Settings

FAVICON = Path(__file__).parent / "static" / "favicon.png"
PAGES = {
    "overview": overview.draw,
    "targets": targets.draw,
    "alerts": alerts.draw,
    "workload": workload.draw,
    "scenarios": scenarios.draw,
    "indicators": indicators.draw,
    "communes": communes.draw,
    "accuracy": accuracy.draw,
    "data": data.draw,
    "handin": handin.draw,
    "about": about.draw,
}
FIRST = "overview"
ROOT = "home"
"""The name the default page reserves: it answers at the root alone."""


def main() -> None:
    """Draw the page asked for, of the build the pointer names now."""
    lang = language()
    text = Text(lang)
    st.set_page_config(page_title=text("name"), page_icon=str(FAVICON), layout="wide")
    try:
        reader = Reader(queries.current(Settings.read().home), lang, today())
        reader.rows("facts")
    except DamagedBuild:
        layout.nothing(text, text("damaged.title"), text("damaged.body"), text("damaged.command"))
        return
    except NoWarehouse:
        layout.nothing(text, text("empty.title"), text("empty.body"), text("empty.command"))
        return
    pages = [
        st.Page(
            partial(draw, reader),
            title=text(f"pages.{name}"),
            url_path=ROOT if name == FIRST else name,
            default=name == FIRST,
        )
        for name, draw in PAGES.items()
    ]
    named = st.Page(
        partial(PAGES[FIRST], reader),
        title=text("pages.overview"),
        url_path=FIRST,
        visibility="hidden",
    )
    st.navigation([*pages, named], position="top").run()


main()
