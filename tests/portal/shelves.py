"""A small shelf to publish from, and an installation that may speak to one portal."""

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl

from etl.publish.shelf import Shelf, stock
from etl.publish.targets import Done
from etl.publish.targets.ckan import Options, publish
from etl.settings import Settings, Site
from etl.warehouse import Warehouse

TOKEN = "PORTAL_TOKEN"
WITHDRAWN = "withdrawn: [{version: VERSION, reason: Nhầm tệp, reason_en: Wrong file}]"
CATALOG = """
profile: cantho-foresight/1
name: small
title: Danh mục nhỏ
title_en: A small catalog
licenses: [{name: CC-BY-4.0}]
contributors: [{title: Văn phòng Thử nghiệm, title_en: Test office, roles: [publisher]}]
resources:
- name: rice
  title: Lúa gạo
  title_en: Rice
  description: Sản lượng theo năm.
  sources: [{path: rice.csv}]
  schema:
    fields:
    - {name: period, type: year, constraints: {required: true}}
    - {name: value, type: number, title: Sản lượng, title_en: Output, unit: nghìn tấn}
    - {name: note, title: Lời ghi}
    primaryKey: [period]
  publish: {theme: AGRI, frequency: ANNUAL, keywords: [lúa, gạo], WITHDRAWN}
- name: prices
  title: Giá
  sources: [{path: prices.csv}]
  schema: {fields: [{name: goods, type: string}, {name: price, type: number}]}
  publish: {theme: ECON, frequency: MONTHLY}
"""
YEARS = {2023: 1.5, 2024: None, 2025: 3.0}
PRICES = [("gạo", 21.5), ("gạo", 21.5), ("cá", None)]


def shelf(home: Path, years: dict[int, float | None] = YEARS, *, withdrawn: str = "") -> Shelf:
    """The shelf of an installation whose rice is `years`; the archive goes on from the last one."""
    told = WITHDRAWN.replace("VERSION", withdrawn) if withdrawn else "withdrawn: []"
    rice = pl.DataFrame(
        {
            "period": [dt.date(year, 1, 1) for year in years],
            "period_end": [dt.date(year, 12, 31) for year in years],
            "frequency": "year",
            "value": pl.Series(list(years.values()), dtype=pl.Float64),
            "note": ["=1+1, “chữ”"] * len(years),
        }
    )
    prices = pl.DataFrame(PRICES, schema=["goods", "price"], orient="row")
    with Warehouse.build(home, empty=True) as warehouse:
        facts = {"catalog": CATALOG.replace("WITHDRAWN", told), "today": "2026-03-01"}
        warehouse.write(
            "build_fact", pl.DataFrame(list(facts.items()), ["name", "value"], orient="row")
        )
        for name, rows in {"rice": rice, "prices": prices}.items():
            with warehouse.registered(rows) as view:
                warehouse.run(f"create table data_{name} as from {view}")
    with Warehouse.open(home) as warehouse:
        return stock(warehouse, home / "versions", site=Site())


def installation(folder: Path, address: str) -> Settings:
    """Settings whose site file allows the portal at `address`, and nothing else."""
    host = address.removeprefix("http://")
    told = f'hosts: [{{name: "{host}", private: true, plain_http: true}}]\nlimits: {{pause: 0}}\n'
    (folder / "site.yaml").write_text(told, encoding="utf-8")
    return Settings(home=folder, catalog=folder / "data_catalog.yaml")


def sent(taken: Shelf, settings: Settings, address: str, **more: Any) -> Done:
    """What publishing a shelf to the portal at `address` did."""
    return publish(taken, Options(address=address, token=TOKEN, **more), settings)
