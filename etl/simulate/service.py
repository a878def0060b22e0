"""Simulated staff of the one-stop offices, and simulated petitions and hotline calls.

Nothing of either is public for Cần Thơ. Staff follows the one figure found anywhere: six people at
the centre of a commune of Vĩnh Long (workload of February 2026), taken as the mean of the 103, and
grows with the root of a commune's people. It knows nothing of the simulated dossiers: whether an
office is short is not decided here. Petitions and calls are assumptions throughout: their number,
their topics, and a classifier whose second version calls fewer of them "other".

A file is made from a seed, in the folder of its own, with `SIMULATED.json` beside it that says so.
"""

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from etl.calendars import calendar
from etl.geography import areas
from etl.simulate.assumed import RECORD, STATEMENT, Floats

SEED = 92
VERSION = "3"
"""Of this module's figures: another one makes the files anew."""
FIRST, LAST = date(2023, 11, 1), date(2026, 10, 31)

# Assumptions.
PEOPLE_MEAN, PEOPLE_LEAST, PEOPLE_SPREAD = 6.0, 3, 0.15
CALLS_A_DAY = 400.0  # of the city, on a working day
DAY_OFF = 0.35  # times as many
DAY_SPREAD = 0.12
TOPICS = {
    "environment": ("Môi trường, rác thải", 0.17),
    "traffic": ("Giao thông, vỉa hè", 0.16),
    "land": ("Đất đai, xây dựng", 0.14),
    "order": ("An ninh, trật tự", 0.11),
    "procedures": ("Thủ tục hành chính", 0.12),
    "power_water": ("Điện, nước", 0.10),
    "health": ("Y tế, an toàn thực phẩm", 0.05),
    "education": ("Giáo dục", 0.05),
    "other": ("Khác", 0.10),
}
NEW_VERSION = date(2026, 5, 4)
VERSIONS = ("1.0", "2.0")
OTHER_BEFORE = 1.3  # times as many calls "other" before the new version


def simulate_staff(folder: Path) -> Path:
    """`one_stop_staff.csv` in `folder`, unless it is there: commune, month, people."""
    return _made(folder, "one_stop_staff.csv", _staff)


def simulate_contacts(folder: Path) -> Path:
    """`contacts.csv` in `folder`, unless it is there: commune, day, topic, version, number."""
    return _made(folder, "contacts.csv", _contacts)


def _made(folder: Path, name: str, make: Callable[[], pl.DataFrame]) -> Path:
    path, record = folder / name, folder / RECORD
    said = {"statement": STATEMENT, "seed": SEED, "version": VERSION, "file": name}
    if path.exists() and record.exists() and json.loads(record.read_text("utf-8")) == said:
        return path
    folder.mkdir(parents=True, exist_ok=True)
    record.unlink(missing_ok=True)
    make().write_csv(path, separator=";")
    record.write_text(json.dumps(said, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return path


def _communes() -> pl.DataFrame:
    return (
        areas().filter((pl.col("level") == "commune") & pl.col("valid_to").is_null()).sort("code")
    )


def _staff() -> pl.DataFrame:
    communes = _communes()
    root = communes["population"].cast(float).sqrt().to_numpy()
    chance = np.random.default_rng(SEED).standard_normal(len(root)) * PEOPLE_SPREAD
    drawn = root / root.mean() * np.exp(chance - PEOPLE_SPREAD**2 / 2) * PEOPLE_MEAN
    people = np.maximum(np.round(drawn), PEOPLE_LEAST).astype(int)
    month = pl.lit("07/2025").alias("Tháng")
    return communes.select(pl.col("code").alias("Đơn vị"), month).with_columns(
        pl.Series("Số người", people)
    )


def _contacts() -> pl.DataFrame:
    communes, rng = _communes(), np.random.default_rng(SEED + 1)
    people = communes["population"].cast(float).to_numpy()
    days = calendar(FIRST, LAST)
    busy = np.where(days["working"].to_numpy(), 1.0, DAY_OFF)
    busy = busy * np.exp(rng.standard_normal(len(days)) * DAY_SPREAD)
    shares = np.stack([_mix(day) for day in days["date"]])
    expected = np.einsum("c,d,dt->cdt", people / people.sum() * CALLS_A_DAY, busy, shares)
    counts = rng.poisson(expected)
    # As a hotline lists them: what nobody called for is not there (`absent: zero` in the catalog).
    commune, day, topic = np.nonzero(counts)
    first, names = FIRST, [label for label, _ in TOPICS.values()]
    dates = pl.Series([first + timedelta(days=int(at)) for at in day])
    return pl.DataFrame(
        {
            "Đơn vị": communes["code"].to_numpy()[commune],
            "Ngày": dates.dt.strftime("%d/%m/%Y"),
            "Chủ đề": np.array(names)[topic],
            "Phiên bản phân loại": np.where(
                (dates < NEW_VERSION).to_numpy(), VERSIONS[0], VERSIONS[1]
            ),
            "Số lượt": counts[commune, day, topic],
        }
    )


def _mix(day: date) -> Floats:
    shares = np.array([share for _, share in TOPICS.values()])
    if day < NEW_VERSION:
        shares[list(TOPICS).index("other")] *= OTHER_BEFORE
    return np.asarray(shares / shares.sum())
