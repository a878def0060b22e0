"""From the columns of a file to an entry of the catalog, each guess marked on its line."""

import datetime as dt
import re
from pathlib import Path

from etl.catalog import Catalog
from etl.draft import words
from etl.draft.asking import Notebook
from etl.draft.cases import case_days, count_cases, is_case_level
from etl.draft.columns import period_of
from etl.draft.layout import escaped
from etl.draft.observing import observe_figures
from etl.draft.placing import place_rows
from etl.draft.plan import Plan, table_unit
from etl.draft.shaping import Shaped
from etl.draft.timing import date_rows
from etl.extract.units import UnknownUnit, unit, units_in


def plan_entry(
    path: Path,
    shown: str,
    shaped: Shaped,
    catalog: Catalog,
    notebook: Notebook,
    today: dt.date,
) -> Plan:
    """The entry for a file that is called `shown` in the catalog.

    Raises:
        NothingToMeasure: no figures, and no day by which rows could be counted.
    """
    plan = Plan("", "", shown, shaped, notebook, catalog)
    _name_it(plan, path)
    case = is_case_level(plan)
    periods = None if case else date_rows(plan, path, today)
    dated = case_days(plan) if case else periods
    place_rows(plan, dated, today)
    if case:
        count_cases(plan)
    else:
        observe_figures(plan)
        _read_unit(plan)
    _leave_out(plan)
    plan.fields.sort(key=lambda each: _rank(each.name))
    return plan


def _rank(name: str) -> int:
    order = ["case_id", "indicator", "area", "period", "category"]
    return order.index(name) if name in order else len(order)


def _name_it(plan: Plan, path: Path) -> None:
    stem = re.sub(r"[\d_ -]*$", "", path.stem) or path.stem
    plan.name = words.unique(words.slug(stem, "table"), set(plan.catalog.datasets))
    titles = [t for t in plan.shaped.titles if _is_title(t)]
    if titles:
        plan.title = words.without_number(titles[0])
        plan.notebook.guess("title", "the title above the table")
    else:
        plan.title = path.stem.replace("_", " ").strip().capitalize()
        plan.notebook.guess("title", "the name of the file")


def _is_title(text: str) -> bool:
    legal = re.search(
        r"(?i)cộng hòa xã hội|độc lập|^(sở|ủy ban|cục|bộ|ubnd|thành phố|tỉnh)\b", text
    )
    return len(text) > 10 and not legal and not words.unit_in(text) and period_of(text) is None


def _read_unit(plan: Plan) -> None:
    """Have the unit above the table read each time, where it is that of all figures.

    A file that comes in thousands next month is then converted, and not taken for a thousandth.
    """
    said = {each.more["unit"] for each in plan.fields if "unit" in each.more}
    above = [cell for cell in plan.shaped.titles if words.unit_in(cell)]
    if len(above) != 1 or said != {table_unit(plan)}:
        return
    lead = re.match(r"(?i)\W*(đơn vị( tính)?|đvt|unit)\b", above[0])
    try:
        known = units_in(above[0])
    except UnknownUnit:
        return
    if lead and len(known) == 1 and unit(said.pop()) == known[0]:
        plan.read["unit"] = f"^{escaped(lead[0])}"


def _leave_out(plan: Plan) -> None:
    for column in plan.shaped.columns:
        if column.field or column.label in ("$sheet", "value"):
            continue
        why = {
            "row_number": "row numbers",
            "text": "free text",
            "empty": "empty",
            "indicator_title": "its texts are the titles below",
            "unit": "its units stand below",
            "identifier": "codes",
        }.get("text" if plan.tables else column.kind, column.why)
        plan.left_out.append(f"{column.label} ({why})")
    used = {each.column.label for each in plan.fields if each.column}
    filled = [label for label in plan.clean.get("fill_down", []) if label in used]
    plan.clean.pop("fill_down", None)
    if filled:
        plan.clean["fill_down"] = filled
        plan.notebook.guess("clean.fill_down", "each name stands once, merged over its rows")
