"""Forecasts and targets as datasets to publish: what the catalog calls a publication.

The rows come from the tables of the warehouse: forecasts as issued, with the day of issue and the
bands of 50, 80 and 95 %; targets as the documents set them, beside the newest figure. Only
indicators that published datasets deliver are in them; a simulated series never is.
"""

import datetime as dt
from typing import Any

import polars as pl

from etl.catalog import Catalog, Dataset, FieldEntry, Publication, Schema, Source, Target
from etl.publish.content import personal_cells
from etl.publish.gate import LICENCES, Refusal, place_names
from etl.publish.package import places
from etl.publish.protect import way_of
from etl.publish.release import Content, extreme
from etl.publish.table import TITLES, areas
from etl.warehouse import Warehouse

CITY = "can_tho"
DIGITS = 6
"""Significant digits of a forecast; the rest is noise of the machine."""
Column = tuple[str, str, str, str]
"""Name, type, title, English title."""

BANDS: list[Column] = [
    (f"{end}_{share}", "number", f"Khoảng {share} %, {side}", f"{share}% interval, {english} end")
    for share in (50, 80, 95)
    for end, side, english in (("lower", "cận dưới", "lower"), ("upper", "cận trên", "upper"))
]
FORECASTS: list[Column] = [
    ("indicator", "string", *TITLES["indicator"]),
    ("area", "string", *TITLES["area"]),
    ("category", "string", *TITLES["category"]),
    ("period", "date", *TITLES["period"]),
    ("median", "number", "Dự báo (trung vị)", "Forecast (median)"),
    *BANDS,
    ("issued", "date", "Ngày phát hành dự báo", "Day the forecast was issued"),
    ("origin", "date", "Kỳ cuối đã biết khi dự báo", "Last period known to the forecast"),
    ("data_as_of", "date", "Số liệu mới nhất đã dùng", "Vintage of the newest figure used"),
    ("model", "string", "Mô hình", "Model"),
]
TARGETS: list[Column] = [
    ("target", "string", "Mã mục tiêu", "Target"),
    ("title", "string", "Mục tiêu", "Target in Vietnamese"),
    ("title_en", "string", "Mục tiêu (tiếng Anh)", "Target in English"),
    ("plan", "string", "Cấp đặt ra", "Who set it"),
    ("indicator", "string", *TITLES["indicator"]),
    ("unit", "string", *TITLES["unit"]),
    ("area", "string", *TITLES["area"]),
    ("category", "string", *TITLES["category"]),
    ("by", "string", "Thời hạn", "To be reached in"),
    ("measure", "string", "Cách đo", "How it is measured"),
    ("direction", "string", "Chiều", "Direction"),
    ("value", "number", "Giá trị mục tiêu", "Value to be reached"),
    ("document", "string", "Văn bản", "Document"),
    ("source_url", "string", *TITLES["source_url"]),
    ("set_on", "date", "Ngày của văn bản", "Day of the document"),
    ("owner", "string", "Đơn vị chịu trách nhiệm", "Who answers for it"),
    ("self_reported", "boolean", "Tự báo cáo", "Self-reported"),
    ("latest", "number", "Số liệu mới nhất", "Newest figure"),
    ("latest_period", "date", "Ngày đầu kỳ của số liệu", "First day of its period"),
    ("latest_status", "string", "Tình trạng của số liệu", "Its status"),
    ("median", "number", "Dự báo cho thời hạn (trung vị)", "Forecast for then (median)"),
    *BANDS,
    ("issued", "date", "Ngày phát hành dự báo", "Day the forecast was issued"),
]
KEYS = {"forecasts": ["indicator", "area", "category", "period"], "targets": ["target", "plan"]}
COLUMNS = {"forecasts": FORECASTS, "targets": TARGETS}
AHEAD = ["median", *(name for name, *_ in BANDS), "issued"]


def publication_content(
    warehouse: Warehouse, catalog: Catalog, publication: Publication, open_datasets: list[str]
) -> Content | Refusal:
    """What leaves of a publication, or why nothing does.

    `open_datasets` are those that passed the gate themselves.
    """
    publisher, licence = catalog.publisher_of(publication), catalog.license_of(publication)
    if licence is None or licence.name not in LICENCES:
        return Refusal.NOT_OPEN
    if publisher is None:
        return Refusal.NO_PUBLISHER
    indicators = _indicators(catalog, publication, open_datasets)
    rows = _forecasts(warehouse, indicators)
    if publication.of == "targets":
        rows = _targets(warehouse, catalog, indicators, rows)
    if rows.is_empty():
        return Refusal.NOTHING_LOADED
    if personal_cells(
        rows,
        places=place_names(catalog),
        passed=[(entry.field, entry.found) for entry in publication.publish.exempt],
        trusted=["area", "area_name"],
    ):
        return Refusal.PERSONAL
    return Content(
        dataset=as_dataset(catalog, publication),
        publisher=publisher,
        licence=licence.name,
        table=rows.sort(rows.columns, nulls_last=True).rechunk(),
        modified=extreme(rows, "issued" if publication.of == "forecasts" else "set_on", "max"),
        places=places(warehouse, rows),
    )


def as_dataset(catalog: Catalog, publication: Publication) -> Dataset:
    """The publication as an entry of the catalog, so that all that follows knows only datasets."""
    fields = [
        FieldEntry(name=name, type=kind, title=title, title_en=title_en)  # type: ignore[arg-type]
        for name, kind, title, title_en in COLUMNS[publication.of]
    ]
    return Dataset(
        **publication.model_dump(
            include={"name", "title", "title_en", "description", "description_en"}
        ),
        sources=[Source(title=catalog.title)],
        contributors=publication.contributors,
        licenses=publication.licenses,
        schema=Schema(fields=fields, primaryKey=KEYS[publication.of]),
        publish=publication.publish,
    )


def _indicators(catalog: Catalog, publication: Publication, open_datasets: list[str]) -> list[str]:
    """Indicators that are delivered by open datasets, and by no other; never counts of cases.

    Small counts leave protected, and what is made from the exact ones would give them away.
    """
    delivered: dict[str, set[str]] = {}
    for dataset in catalog.resources:
        for name in dataset.delivered:
            delivered.setdefault(name, set()).add(dataset.name)
    whole = {
        dataset.name
        for dataset in catalog.resources
        if dataset.name in open_datasets and way_of(dataset) != "rounding"
    }
    may = [name for name, by in delivered.items() if by <= whole]
    return [name for name in may if name in (publication.indicators or may)]


def _forecasts(warehouse: Warehouse, indicators: list[str]) -> pl.DataFrame:
    rows = warehouse.query("etl", "published_forecasts", indicators=indicators)
    return rows.with_columns(pl.col(pl.Float64).round_sig_figs(DIGITS))


def _targets(
    warehouse: Warehouse, catalog: Catalog, indicators: list[str], forecasts: pl.DataFrame
) -> pl.DataFrame:
    """One row a baseline: what is to be reached, the newest figure, and what is expected."""
    figures = warehouse.query("etl", "published_figures", indicators=indicators)
    rows = [
        _target_row(catalog, target, number)
        for target in catalog.targets
        for number in range(len(target.baselines))
    ]
    kinds = {"string": pl.String, "number": pl.Float64, "date": pl.Date, "boolean": pl.Boolean}
    wanted = {name: kinds[kind] for name, kind, *_ in TARGETS}
    given = {name: kind for name, kind in wanted.items() if rows and name in rows[0]}
    table = pl.DataFrame(rows, schema={**given, "frequency": pl.String, "period": pl.Date})
    key = ["indicator", "area", "category"]
    newest = figures.select(*key, latest="value", latest_period="period", latest_status="status")
    ahead = forecasts.select(*key, "frequency", "period", *AHEAD)
    beside = table.join(newest, on=key, how="left").join(
        ahead, on=[*key, "frequency", "period"], how="left"
    )
    newest_areas = areas(warehouse).sort("area_vintage").unique("area", keep="last")
    named = newest_areas.select("area", "area_vintage", "area_name")
    order = [*wanted]
    order[order.index("area") + 1 : order.index("area") + 1] = ["area_vintage", "area_name"]
    return beside.join(named, on="area", how="left").select(order)


def _target_row(catalog: Catalog, target: Target, number: int) -> dict[str, Any]:
    baseline = target.baselines[number]
    measured = catalog.indicators.get(target.indicator or "")
    # A level is forecast as it is; a growth or a sum over months is not what one forecast says.
    level = target.measure == "level"
    return {
        "target": target.name,
        "title": target.title,
        "title_en": target.title_en,
        "plan": baseline.plan,
        "indicator": target.indicator,
        "unit": measured.unit if measured else target.unit,
        "area": target.area or CITY,
        "category": target.category,
        "by": target.by,
        "measure": target.measure,
        "direction": target.direction,
        "value": float(baseline.value),
        "document": baseline.document,
        "source_url": baseline.path,
        "set_on": dt.date.fromisoformat(baseline.date) if baseline.date else None,
        "owner": target.owner,
        "self_reported": target.self_reported,
        "frequency": target.period.frequency if level else None,
        "period": target.period.start if level else None,
    }
