"""Tables as HTML to read and CSV to take away; every download says whether it is simulated."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from io import BytesIO
from typing import Any

import polars as pl
from xlsxwriter import Workbook

RISKY = ("=", "+", "-", "@", "\t", "\r")
"""Openings a spreadsheet would take for a formula."""
BOM = "\ufeff"


@dataclass(frozen=True)
class Column:
    """One column: its heading, what stands in a cell (HTML), and how it is set."""

    title: str
    cell: Callable[[Any], str]
    css: str = ""
    """Classes: `number`, `minor` (gives way on narrow screens), `wide` (may wrap)."""


def table(caption: str, columns: Sequence[Column], rows: Sequence[Any], css: str = "") -> str:
    """The rows as an HTML table; its caption is for those who listen."""
    heads = "".join(
        f'<th scope="col" class="{column.css}">{escape(column.title)}</th>' for column in columns
    )
    body = "".join(
        "<tr>" + "".join(_cell(column, row) for column in columns) + "</tr>" for row in rows
    )
    return (
        f'<div class="cf-table {css}" tabindex="0" role="group" aria-label="{escape(caption)}">'
        f"<table><caption>{escape(caption)}</caption>"
        f"<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def folded(summary: str, content: str) -> str:
    """Markup that is secondary, behind a line that opens it."""
    return (
        f'<details class="cf-fold"><summary><b>{escape(summary)}</b></summary>{content}</details>'
    )


def _cell(column: Column, row: Any) -> str:
    return f'<td class="{column.css}" data-label="{escape(column.title)}">{column.cell(row)}</td>'


def link(label: str, address: str | None) -> str:
    """A link out of the house, opened only when followed; plain text without a web address."""
    if not address or not address.startswith(("https://", "http://")):
        return escape(label)
    return (
        f'<a href="{escape(address)}" target="_blank" rel="noopener noreferrer nofollow">'
        f"{escape(label)}</a>"
    )


def chip(label: str, kind: str = "") -> str:
    """A small label: `good`, `bad`, `warning`, or plain."""
    return f'<span class="cf-chip {kind}">{escape(label)}</span>'


def image(source: str, words: str) -> str:
    """An image with its words."""
    return f'<img src="{source}" alt="{escape(words)}">'


def csv(
    rows: pl.DataFrame, facts: Mapping[str, str] | None = None, *, simulated: bool | None = None
) -> bytes:
    """The rows as CSV that spreadsheets open right; each says `simulated`, and where it is from.

    `simulated` fills its column; without it, the rows must bring their own. `facts` become columns
    of their own, the same on each row: a comment or a block at the end would break every reader of
    CSV, and a file beside it is lost with the first mail.
    """
    rows = _marked(rows, simulated).with_columns(
        pl.lit(said).alias(name) for name, said in (facts or {}).items()
    )
    safe = rows.with_columns(
        pl.when(pl.col(pl.String).str.slice(0, 1).is_in(RISKY))
        .then(pl.lit("'") + pl.col(pl.String))
        .otherwise(pl.col(pl.String))
        .name.keep()
    )
    return (BOM + safe.write_csv()).encode("utf-8")


def xlsx(
    rows: pl.DataFrame, figures: str, about: tuple[str, dict[str, str]], *, simulated: bool | None
) -> bytes:
    """The rows as a workbook: a sheet `figures`, and a sheet that says where they are from.

    `about` is the name of that sheet, and what stands on it. Text is never taken for a formula.
    """
    name, facts = about
    file = BytesIO()
    with Workbook(file, {"in_memory": True, "strings_to_formulas": False}) as book:
        _marked(rows, simulated).write_excel(book, figures, autofit=True, freeze_panes=(1, 0))
        sheet = book.add_worksheet(name)
        for number, (fact, said) in enumerate(facts.items()):
            sheet.write_string(number, 0, fact)
            sheet.write_string(number, 1, said)
        sheet.autofit()
    return file.getvalue()


def _marked(rows: pl.DataFrame, simulated: bool | None) -> pl.DataFrame:
    return rows if simulated is None else rows.with_columns(simulated=pl.lit(simulated))
