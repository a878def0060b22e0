"""Simulated dossiers of the one-stop offices, because the real ones are not public.

One CSV file per month of receipt, laid out like a one-stop export, from a seed. What is known of
Cần Thơ is met: of the 190,295 dossiers received from 1 July to 19 October 2025 those at commune
level, about 416 a commune and month; 91.8 % of them resolved by then; in July 2025 69.7 % online
and 1.58 % overdue. What is known elsewhere is borrowed: the spread between communes is Phú Thọ's.
All other figures are assumptions. Those per field, procedure, season and year stand in
`etl/reference/simulation`, each row with its basis; the rest are the constants below. No person,
no name and no number is real.

A day's expected dossiers are those of today's 103 communes. Before 1 July 2025 each dossier is
handed to one of the former communes there, or to its district, so the comparable city total knows
no jump. A whole month's draws depend on the seed and the month alone: a longer span adds files and
finish dates, and changes nothing else.
"""

import hashlib
import io
import json
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, cached_property
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from etl.calendars import calendar
from etl.geography import areas, weights_to_present

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

ROWS = 2_030_000
"""The volume at which a commune receives 416 a month from July to 19 October 2025."""
STATEMENT = "Dữ liệu mô phỏng / Simulated data"
PARAMETERS = Path(__file__).parent / "reference" / "simulation"
RECORD = "SIMULATED.json"

ORIGIN = date(2021, 12, 1)  # day number 0
EPOCH = date(2022, 1, 1)
LAST = date(2026, 10, 31)
"""`rows` are those of the span from EPOCH to LAST; another span has its share of them."""
UNTIL, HORIZON = date(2028, 12, 31), date(2032, 12, 31)  # of receipt; of everything
REFERENCE = date(2025, 8, 25)
"""Middle of the span whose figures are known; sizes and shares are those of this day."""
MERGER = date(2025, 7, 1)
BOUNDARY_FREE = date(2025, 12, 22)

# Phú Thọ's 148 communes, January to September 2026 (workload_real.csv): sd of log, ratio of means.
SPREAD = 0.54
WARD_TO_RURAL = 1.56

# Assumptions from here on. Spreads are standard deviations of a logarithm.
POPULATION_CORRELATION = 0.8  # of a commune's dossiers with its people
GROWTH_SPREAD = 0.06  # between communes, per year
MIX_SPREAD = 0.25  # of a commune's mix of fields
IN_WARDS = {
    "agriculture": 0.15,
    "poverty_reduction": 0.55,
    "certification": 1.1,
    "household_business": 1.5,
    "construction": 1.6,
    "trade": 1.6,
}
"""Times as many per dossier as in rural communes."""
DRIFT_SPREAD, DRIFT_MEMORY = 0.06, 0.85  # of a commune's months; correlation of one with the next
CITY_DAY_SPREAD, CELL_SPREAD = 0.04, 0.10  # of the city's days; of a commune's field in a month
FORMER_SPREAD = 0.4  # between the former communes of one of today's
AWAY, AWAY_WEEKS, NEIGHBOURS = 0.06, 8, 4  # received at a neighbour, weeks until so many are
AFTER_15 = 0.18  # received after 15:00
POST = 0.04  # of what is not online
REFUSED, WITHDRAWN = 0.018, 0.012

# Tuned to the city's figures: resolved by 19 October, online and overdue in July 2025.
ONLINE_SHIFT = 0.014  # log odds, for the fields' own odds and the weekends
TIME_USED = (5.0, 1.1)  # beta distribution: share of the allowed time that is used
SUPPLEMENT, SUPPLEMENT_SAME_DAY = 0.08, 0.012  # asked for more papers, with a new date
SUPPLEMENT_DAYS, SUPPLEMENT_LONGEST = 23.0, 60  # about the mean; the most, working days
UNSETTLED_SUPPLEMENT, UNSETTLED_DAYS = 3.8, 120.0  # times more on 1 July 2025; then fading
UNSETTLED_LATE, LATE_PEAK_DAYS = 1.4, 45.0  # times more at the peak; days from 1 July 2025 to it
HANDOVER, HANDOVER_DAYS = 0.7, 10  # of what July 2025 would finish, done in June's last days
NEVER, NEVER_SAME_DAY = 0.004, 0.0003
LATE_SPREAD = 0.45  # between communes
LATE_AFTER_TET = 1.4  # times, for three weeks
LATE_IMPROVEMENT = 0.10  # log per year
LATE_DAYS, LATE_DAYS_SAME_DAY = 12.0, 3.0  # mean working days beyond the due date

BAD_SHARE = 0.00025  # of rows, per rule
TORN_SHARE = 0.0001  # lines with a cell too many

MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
WEEKDAYS = ["mon", "tue", "wed", "thu", "fri"]
CHANNELS = ["Trực tuyến", "Trực tiếp", "Bưu chính công ích"]
RESULTS = ["Đã trả kết quả", "Từ chối", "Rút hồ sơ"]
COLUMNS = {
    "id": "Mã hồ sơ",
    "procedure": "Mã thủ tục",
    "category": "Lĩnh vực",
    "area": "Đơn vị tiếp nhận",
    "received": "Ngày tiếp nhận",
    "due": "Ngày hẹn trả",
    "finished": "Ngày trả kết quả",
    "channel": "Hình thức nộp",
    "result": "Kết quả",
    "applicant": "Họ tên người nộp",
    "phone": "Số điện thoại",
}

UNREADABLE = "line_readable"
SPOILT: dict[str, tuple[str, list[str]]] = {
    "area_known": ("area", ["Xã Không Có", "Phường Chưa Rõ", "Đơn vị khác"]),
    "received_readable": ("received", ["31/02/2026", "hôm qua", "00/00/0000"]),
    "due_readable": ("due", ["30/02/2026", "chưa hẹn", "32/13/2025"]),
    "category_known": ("category", ["Lĩnh vực khác", "Chưa phân loại", "Hải quan"]),
    "channel_known": ("channel", ["Qua Zalo", "Fax", "Không rõ"]),
    "id_required": ("id", [""]),
}
"""Per rule, the column that breaks it and what is written there."""
RULES = [*SPOILT, "finished_after_received", "id_unique"]


@dataclass(frozen=True)
class Simulation:
    """What was generated."""

    files: list[Path]
    rows: int
    """Lines below the headers, the planted bad ones among them."""
    planted: dict[str, int]
    """Bad lines by the rule they break. Each breaks one rule only."""


def simulate_dossiers(
    folder: Path,
    *,
    rows: int = ROWS,
    seed: int = 92,
    first: date = EPOCH,
    last: date = LAST,
    progress: Callable[[int, int], None] | None = None,
) -> Simulation:
    """Write `dossiers_2022_01.csv` and so on into `folder`, unless they are there already.

    A dossier stands in the file of the month of its receipt, with the finish date known on `last`.
    `rows` is the expected number in the whole of 2022-01 to 2026-10, of which `first` to `last`
    has its share; the draw is random, so the count is near and not equal. `progress` is told the
    months done and their number. `SIMULATED.json` in the folder says what was made.

    Raises:
        ValueError: the span is not in order, or not within 2022 to 2028.
    """
    request = {
        "statement": STATEMENT,
        "seed": seed,
        "requested_rows": rows,
        "first": first.isoformat(),
        "last": last.isoformat(),
        "version": _version(),
    }
    if earlier := _generated(folder, request):
        return earlier
    city = _City(seed, rows, _Span(first, last))
    _clear(folder)
    months = city.span.months
    planted: dict[str, dict[str, int]] = {}
    lines = 0
    for number, month in enumerate(months, start=1):
        path = folder / f"dossiers_{month:%Y_%m}.csv"
        written, planted[path.name] = _write_month(path, city, month)
        lines += written
        if progress is not None:
            progress(number, len(months))
    return _record(folder, request, lines, planted)


# --- what was generated before ------------------------------------------------------------------


def _version() -> str:
    """Changes with this module and with every file it reads."""
    here = Path(__file__).parent
    tables = [here / "reference" / name for name in ("areas.csv", "crosswalk.csv")]
    read = [
        here / "simulate.py",
        here / "calendars.py",
        here / "crosswalk.py",
        *tables,
        *sorted(PARAMETERS.glob("*.csv")),
    ]
    digest = hashlib.blake2b(digest_size=8)
    for path in read:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _generated(folder: Path, request: dict[str, Any]) -> Simulation | None:
    """What the folder holds, if that is what is asked for and complete."""
    path = folder / RECORD
    if not path.exists():
        return None
    record = json.loads(path.read_text(encoding="utf-8"))
    files = [folder / name for name in record["planted_by_file"]]
    if any(record.get(key) != value for key, value in request.items()):
        return None
    if not all(file.exists() for file in files):
        return None
    return Simulation(files, record["rows"], record["planted"])


def _clear(folder: Path) -> None:
    # The record goes first: without it, after an interruption, the files count as incomplete.
    folder.mkdir(parents=True, exist_ok=True)
    (folder / RECORD).unlink(missing_ok=True)
    for path in folder.glob("dossiers_[0-9][0-9][0-9][0-9]_[0-9][0-9].csv"):
        path.unlink()


def _record(
    folder: Path, request: dict[str, Any], rows: int, planted: dict[str, dict[str, int]]
) -> Simulation:
    total = {
        rule: sum(counts.get(rule, 0) for counts in planted.values())
        for rule in [*RULES, UNREADABLE]
    }
    record = {**request, "rows": rows, "planted": total, "planted_by_file": planted}
    text = json.dumps(record, ensure_ascii=False, indent=2)
    unfinished = folder / f"{RECORD}.part"
    unfinished.write_text(text + "\n", encoding="utf-8")
    unfinished.replace(folder / RECORD)
    return Simulation([folder / name for name in planted], rows, total)


# --- days ---------------------------------------------------------------------------------------


@cache
def _parameters(name: str) -> pl.DataFrame:
    return pl.read_csv(PARAMETERS / f"{name}.csv", try_parse_dates=True, infer_schema_length=None)


@dataclass(frozen=True)
class _Span:
    """Days as numbers from ORIGIN on, working days as numbers among themselves."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if not EPOCH <= self.first <= self.last <= UNTIL:
            raise ValueError(f"dossiers are simulated from {EPOCH} to {UNTIL}")

    @property
    def months(self) -> list[date]:
        """First days of the months, in order."""
        start = self.first.replace(day=1)
        return pl.date_range(start, self.last, "1mo", eager=True).to_list()

    def days_of(self, month: date) -> Ints:
        following = (month + timedelta(days=31)).replace(day=1)
        return np.arange(self.number(month), self.number(following))

    @staticmethod
    def number(day: date) -> int:
        return (day - ORIGIN).days

    @cached_property
    def calendar(self) -> pl.DataFrame:
        return calendar(ORIGIN, HORIZON)

    @cached_property
    def working(self) -> Flags:
        return self.calendar["working"].to_numpy()

    @cached_property
    def worked(self) -> Ints:
        """Day of each working day."""
        return np.flatnonzero(self.working)

    @cached_property
    def opened(self) -> Ints:
        """The first working day on or after each day."""
        return np.searchsorted(self.worked, np.arange(len(self.working)), side="left")

    @cached_property
    def closed(self) -> Ints:
        """The last working day on or before each day."""
        return np.searchsorted(self.worked, np.arange(len(self.working)), side="right") - 1

    @cached_property
    def years(self) -> Floats:
        """Years from the reference day, negative before it."""
        return (np.arange(len(self.working)) - self.number(REFERENCE)) / 365.25

    @cached_property
    def texts(self) -> pl.Series:
        """'dd/mm/yyyy' of each day; the last is null, for number -1 after `_or_null`."""
        days = self.calendar["date"].dt.strftime("%d/%m/%Y")
        return pl.concat([days, pl.Series("date", [None], dtype=pl.String)])

    @cached_property
    def codes(self) -> pl.Series:
        return self.calendar["date"].dt.strftime("%y%m%d")

    @cached_property
    def days_from_tet(self) -> Ints:
        return self.calendar["days_from_tet"].to_numpy().astype(np.int64)

    def trend(self, column: str) -> Floats:
        """`level` (1 at the reference) or `online` (share) of each day, straight between knots."""
        table = _parameters("trend")
        known = (table["day"] - ORIGIN).dt.total_days().to_numpy()
        return _floats(np.interp(np.arange(len(self.working)), known, table[column].to_numpy()))

    def season(self) -> Floats:
        """How busy each day is for each profile; `(profiles, days)`, about 1 on a working day."""
        return np.stack(
            [self._season(row) for row in _parameters("profiles").iter_rows(named=True)]
        )

    def _season(self, profile: dict[str, Any]) -> Floats:
        dates = self.calendar["date"]
        middles = [(date(2025, month, 15) - date(2025, 1, 1)).days + 1 for month in range(1, 13)]
        months = [profile[name] for name in MONTHS]
        year = np.interp(dates.dt.ordinal_day().to_numpy(), middles, months, period=365.25)
        day_of_year = dates.dt.month().cast(pl.Int32) * 100 + dates.dt.day()
        review = np.where(day_of_year.is_between(901, 1214), profile["review"], 1.0)
        tet = self._tet(profile["before_tet"], profile["after_tet"])
        return _floats(year * review * tet * self._week(profile))

    def _week(self, profile: dict[str, Any]) -> Floats:
        weekday = self.calendar["date"].dt.weekday().to_numpy() - 1
        # A weekend day worked in exchange is like a Wednesday.
        open_ = np.array([profile[name] for name in [*WEEKDAYS, "wed", "wed"]])[weekday]
        shut = np.where(weekday >= 5, profile["weekend"], profile["holiday"])
        feast = self.calendar["holiday"].is_not_null().to_numpy()
        return _floats(np.where(self.working, open_, np.where(feast, profile["holiday"], shut)))

    def _tet(self, before: float, after: float) -> Floats:
        """Falls over the 12 days before Tết; a surge from the 5th day on, gone after two weeks."""
        days = self.days_from_tet
        trough = 1 - (1 - before) * np.clip(1 - (-days - 1) / 12, 0, 1)
        surge = 1 + (after - 1) * np.clip(1 - (days - 5) / 14, 0, 1)
        return np.where(days < 0, trough, np.where(days >= 5, surge, 1.0))


# --- the city -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Pieces:
    """Who stood at the counter before 1 July 2025: former communes and their districts."""

    office: Ints
    district: Ints
    cumulated: Floats
    """Today's commune, ascending, plus the cumulated shares of its pieces: one search draws one."""


class _City:
    """What does not change from month to month, drawn once from the seed."""

    def __init__(self, seed: int, rows: int, span: _Span) -> None:
        self.seed = seed
        self.span = span
        self.fields = _parameters("fields")
        self.procedures = self._procedures()
        communes = _communes()
        rng = np.random.default_rng(np.random.SeedSequence([seed]))
        size = _sizes(rng, communes)
        self.growth = rng.normal(0, GROWTH_SPREAD, len(size))
        self.lateness = _lognormal(rng, LATE_SPREAD, len(size))
        self.mix = _mix(rng, size, communes, self.fields)
        self.drift = _drift(rng, len(size))
        self.size = size
        self.former = _former(rng, communes, size)
        self.neighbours = _neighbours(communes, size)
        former = [*self.former["title"], *self.former["district_title"]]
        self.offices = _Offices([*communes["title"], *former])
        self.today = self.offices.numbers(communes["title"])
        self.expected = self._expected(rows)

    def _procedures(self) -> pl.DataFrame:
        order = {code: number for number, code in enumerate(self.fields["code"])}
        number = pl.col("field").replace_strict(order, return_dtype=pl.Int64)
        return (
            _parameters("procedures")
            .with_columns(number=number)
            .sort("number", maintain_order=True)
            .with_columns(cumulated=number + pl.col("share").cum_sum().over("field"))
        )

    def _expected(self, rows: int) -> Floats:
        """Dossiers the city expects; `(fields, days)`."""
        profiles = _parameters("profiles")["name"].to_list()
        profile = [profiles.index(name) for name in self.fields["profile"]]
        growth = np.exp(np.outer(self.fields["growth"].to_numpy(), self.span.years))
        shape = self.span.season()[profile] * growth * self.span.trend("level")
        shape *= self.fields["share"].to_numpy()[:, None]
        known = slice(self.span.number(EPOCH), self.span.number(LAST) + 1)
        return _floats(shape * rows / shape[:, known].sum())

    def growth_on(self, days: Ints) -> Floats:
        """Factor of each commune, `(days, communes)`; the city's own growth is in the trend."""
        growth = np.exp(np.outer(self.span.years[days], self.growth))
        return _floats(growth / (growth @ self.size)[:, None])

    def pieces_of(self, month: date) -> _Pieces | None:
        """The former offices of that month; None once there are today's."""
        if month >= MERGER:
            return None
        within = pl.col("volume") / pl.col("volume").sum().over("commune")
        valid = self.former.filter(
            (pl.col("valid_from") <= month) & (pl.col("valid_to") >= month)
        ).with_columns(cumulated=pl.col("commune") + within.cum_sum().over("commune"))
        return _Pieces(
            office=self.offices.numbers(valid["title"]),
            district=self.offices.numbers(valid["district_title"]),
            cumulated=valid["cumulated"].to_numpy(),
        )


def _floats(values: npt.ArrayLike) -> Floats:
    return np.asarray(values, dtype=np.float64)


def _lognormal(rng: np.random.Generator, spread: float, size: int | tuple[int, ...]) -> Floats:
    """Factors with mean 1 and `spread` the sd of their logarithm."""
    return np.exp(rng.normal(-(spread**2) / 2, spread, size))


@cache
def _communes() -> pl.DataFrame:
    """Today's communes with title, ward (whether), population and place, in the order of code."""
    return (
        areas()
        .filter((pl.col("level") == "commune") & pl.col("valid_to").is_null())
        .sort("code")
        .select("code", "population", "lat", "lon", title=_title(), ward=pl.col("kind") == "phường")
    )


def _title() -> pl.Expr:
    kind = pl.col("kind")
    return kind.str.slice(0, 1).str.to_uppercase() + kind.str.slice(1) + " " + pl.col("name")


def _sizes(rng: np.random.Generator, communes: pl.DataFrame) -> Floats:
    """Shares of the city's dossiers: the spread of Phú Thọ, more people more dossiers."""
    people = np.log(communes["population"].to_numpy())
    ward = communes["ward"].to_numpy()
    between = np.log(WARD_TO_RURAL)
    within = np.sqrt(SPREAD**2 - between**2 * ward.mean() * (1 - ward.mean()))
    own = rng.normal(0, np.sqrt(1 - POPULATION_CORRELATION**2), len(ward))
    size = between * ward
    for group in (ward, ~ward):
        score = POPULATION_CORRELATION * _standard(people[group]) + own[group]
        size[group] += within * _standard(_normal_scores(score))
    return _floats(np.exp(size) / np.exp(size).sum())


def _standard(values: Floats) -> Floats:
    return _floats((values - values.mean()) / values.std())


def _normal_scores(values: Floats) -> Floats:
    """The same order, without outliers: the quantiles of a normal distribution."""
    ranks = values.argsort(kind="stable").argsort(kind="stable")
    normal = NormalDist()
    return np.array([normal.inv_cdf((rank + 0.5) / len(values)) for rank in ranks])


def _mix(
    rng: np.random.Generator, size: Floats, communes: pl.DataFrame, fields: pl.DataFrame
) -> Floats:
    """Share of each commune in each field; `(communes, fields)`, columns sum to 1.

    Rows, weighted by the fields' shares, sum to the communes' sizes.
    """
    ward = communes["ward"].to_numpy()
    share = (fields["share"] / fields["share"].sum()).to_numpy()
    mix = _lognormal(rng, MIX_SPREAD, (len(size), len(share)))
    for number, code in enumerate(fields["code"]):
        mix[ward, number] *= IN_WARDS.get(code, 1.0)
    cells = mix * np.outer(size, share)
    for _ in range(50):
        cells *= (size / cells.sum(axis=1))[:, None]
        cells *= share / cells.sum(axis=0)
    return _floats(cells / share)


def _drift(rng: np.random.Generator, communes: int) -> Floats:
    """What moves a commune away from its trend, month by month; `(months, communes)`, mean 1."""
    months = 12 * (HORIZON.year - EPOCH.year + 1)
    shocks = rng.normal(0, DRIFT_SPREAD, (months, communes))
    drift = shocks.copy()
    for month in range(1, months):
        fresh = np.sqrt(1 - DRIFT_MEMORY**2) * shocks[month]
        drift[month] = DRIFT_MEMORY * drift[month - 1] + fresh
    return np.exp(drift - DRIFT_SPREAD**2 / 2)


# --- the former map -----------------------------------------------------------------------------


def _former(rng: np.random.Generator, communes: pl.DataFrame, size: Floats) -> pl.DataFrame:
    """Former communes within today's: commune (number), title, district_title, validity, volume.

    One made of others in 2024 has their volumes together. One that was split in 2025 sends each
    part its share by the weights of the crosswalk.
    """
    pieces = _pieces(communes)
    pieces = pieces.with_columns(
        own=pl.Series(_own_weights(rng, pieces)),
        size=pl.Series(size).gather(pieces["commune"]),
        main=pl.col("weight") >= 0.5,
    )
    own, main, volume = pl.col("own"), pl.col("main"), pl.col("volume")
    settled = main & (pl.col("valid_to") == MERGER - timedelta(days=1))
    whole = (volume / pl.col("weight")).filter(main).max().over("old_code", "valid_from")
    taken = volume.filter(~main).sum().over("commune") / pl.col("size")
    return (
        pieces.with_columns(volume=pl.col("size") * own / own.filter(settled).sum().over("commune"))
        .with_columns(volume=pl.when(main).then(volume).otherwise(whole * pl.col("weight")))
        .with_columns(volume=pl.when(main).then(volume * (1 - taken)).otherwise(volume))
    )


def _pieces(communes: pl.DataFrame) -> pl.DataFrame:
    """One row per former commune and commune of today it went to, named as offices write."""
    known = areas()
    province = known.filter(pl.col("level") == "former_province").select(
        province="code",
        province_title=_title().str.replace("Thành phố", "TP", literal=True),
    )
    district = (
        known.filter(pl.col("level") == "district")
        .join(province, left_on="parent", right_on="province")
        .select(
            district="code",
            district_title=pl.concat_str(_title(), "province_title", separator=", "),
        )
    )
    former = (
        known.filter((pl.col("level") == "commune") & pl.col("valid_to").is_not_null())
        .join(district, left_on="parent", right_on="district")
        .select(
            "valid_from",
            "valid_to",
            "district_title",
            old_code="code",
            title=pl.concat_str(_title(), "district_title", separator=", "),
        )
    )
    number = communes.select(new_code="code").with_row_index("commune")
    return (
        weights_to_present()
        .select("old_code", "new_code", "weight", valid_from="old_valid_from")
        .join(former, on=["old_code", "valid_from"])
        .join(number, on="new_code")
        .with_columns(pl.col("commune").cast(pl.Int64))
        .sort("commune", "old_code", "valid_from")
    )


def _own_weights(rng: np.random.Generator, pieces: pl.DataFrame) -> Floats:
    """How large a former commune is among its fellows; after a merger, the sum of those merged."""
    own = _lognormal(rng, FORMER_SPREAD, len(pieces))
    rows = pieces.select("commune", "valid_from", "valid_to").rows()
    beginning = min(row[1] for row in rows)
    for number, (commune, valid_from, _) in enumerate(rows):
        if valid_from > beginning:
            eve = valid_from - timedelta(days=1)
            own[number] = sum(own[n] for n, row in enumerate(rows) if row[::2] == (commune, eve))
    return own


class _Offices:
    """The names of all offices, each in the spellings that people use."""

    SPELLINGS = 6
    SHARES = (0.966, 0.010, 0.006, 0.006, 0.006, 0.006)

    def __init__(self, titles: list[str]) -> None:
        distinct = list(dict.fromkeys(titles))
        self._numbers = {title: number for number, title in enumerate(distinct)}
        self.texts = pl.Series([text for title in distinct for text in _spellings(title)])

    def numbers(self, titles: pl.Series) -> Ints:
        return np.array([self._numbers[title] for title in titles], dtype=np.int64)

    def written(self, rng: np.random.Generator, offices: Ints) -> pl.Series:
        spelling = np.searchsorted(np.cumsum(self.SHARES)[:-1], rng.random(len(offices)), "right")
        return self.texts.gather(offices * self.SPELLINGS + spelling)


def _spellings(title: str) -> list[str]:
    """As it should be; kind shortened; a double space; capitals; tones moved; letters apart."""
    short = _KINDS.sub(lambda match: _SHORT[match[0]], title)
    return [
        title,
        short,
        title.replace(" ", "  ", 1),
        title.upper(),
        _OPEN.sub(lambda match: _MOVED[match[0]], title),
        unicodedata.normalize("NFD", title),
    ]


_SHORT = {
    "Phường": "P.",
    "Xã": "X.",
    "Thị trấn": "TT.",
    "Quận": "Q.",
    "Huyện": "H.",
    "Thị xã": "TX.",
    "Thành phố": "TP.",
}
_KINDS = re.compile(rf"(?:^|(?<=, ))(?:{'|'.join(_SHORT)})(?= )")
_MOVED = {
    unicodedata.normalize("NFC", first + tone + second): unicodedata.normalize(
        "NFC", first + second + tone
    )
    for first, second in ("oa", "oe", "uy")
    for tone in "\u0300\u0301\u0303\u0309\u0323"
}
_OPEN = re.compile(rf"(?<![qQ])(?:{'|'.join(_MOVED)})(?!\w)")


def _neighbours(communes: pl.DataFrame, size: Floats) -> tuple[Ints, Floats]:
    """The nearest communes of each, and its number plus their cumulated shares: the busy draw."""
    north = communes["lat"].to_numpy()
    east = communes["lon"].to_numpy() * np.cos(np.radians(10.0))
    apart = np.hypot(north[:, None] - north, east[:, None] - east)
    nearest = np.argsort(apart, axis=1, kind="stable")[:, 1 : NEIGHBOURS + 1]
    pull = size[nearest] / np.take_along_axis(apart, nearest, axis=1)
    cumulated = np.cumsum(pull / pull.sum(axis=1, keepdims=True), axis=1)
    cumulated += np.arange(len(size))[:, None]
    return nearest.ravel().astype(np.int64), _floats(cumulated.ravel())


# --- one month ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Dossiers:
    """Dossiers in order of receipt; days are numbers of `_Span`, -1 where there is none yet."""

    day: Ints
    place: Ints
    """Within its day, from 1."""
    field: Ints
    procedure: Ints
    office: Ints
    due: Ints
    finished: Ints
    channel: Ints
    result: Ints
    """In RESULTS; its length where there is none yet."""

    def __len__(self) -> int:
        return len(self.day)

    def within(self, first: int, last: int) -> "_Dossiers":
        """Those received on these days; what finished after the last is still open."""
        inside = (self.day >= first) & (self.day <= last)
        kept = {name: values[inside] for name, values in vars(self).items()}
        open_ = (kept["finished"] > last) | (kept["finished"] < 0)
        kept["finished"] = np.where(open_, -1, kept["finished"])
        kept["result"] = np.where(open_, len(RESULTS), kept["result"])
        return _Dossiers(**kept)


def _write_month(path: Path, city: _City, month: date) -> tuple[int, dict[str, int]]:
    """Write one file; the number of its lines, and of the bad ones by rule."""
    rng = np.random.default_rng(np.random.SeedSequence([city.seed, month.year, month.month]))
    span = city.span
    drawn = _draw(rng, city, month)
    dossiers = drawn.within(span.number(span.first), span.number(span.last))
    frame = _as_text(rng, city, dossiers)
    frame, planted = _plant(rng, frame, dossiers, span, month)
    torn = int(rng.poisson(TORN_SHARE * len(frame))) if len(frame) else 0
    _write(path, frame, np.sort(rng.integers(0, max(len(frame), 1), torn)))
    return len(frame) + torn, {**planted, UNREADABLE: torn}


def _draw(rng: np.random.Generator, city: _City, month: date) -> _Dossiers:
    day, commune, field = _received(rng, city, month)
    office = _office(rng, city, month, day, commune, field)
    procedure = np.searchsorted(
        city.procedures["cumulated"].to_numpy(), field + _fraction(rng, len(day)), "right"
    )
    due, finished, result = _handled(rng, city, day, office[1], field, procedure)
    return _Dossiers(
        day=day,
        place=np.arange(len(day)) - np.searchsorted(day, day) + 1,
        field=field,
        procedure=procedure,
        office=office[0],
        due=due,
        finished=finished,
        channel=_channel(rng, city, day, field),
        result=result,
    )


def _fraction(rng: np.random.Generator, size: int) -> Floats:
    """Uniform below 1, with room for the rounding of cumulated shares."""
    return _floats(rng.random(size) * (1 - 1e-9))


def _received(rng: np.random.Generator, city: _City, month: date) -> tuple[Ints, Ints, Ints]:
    """Day, commune of residence and field of each dossier, in order of receipt."""
    days = city.span.days_of(month)
    number = 12 * (month.year - EPOCH.year) + month.month - EPOCH.month
    own = city.growth_on(days) * city.drift[number]
    own *= _lognormal(rng, CITY_DAY_SPREAD, (len(days), 1))
    mix = city.mix * _lognormal(rng, CELL_SPREAD, city.mix.shape)
    rate = own[:, :, None] * mix * city.expected[:, days].T[:, None, :]
    counts = rng.poisson(rate)
    cells = np.repeat(np.arange(counts.size), counts.ravel())
    day, commune, field = np.unravel_index(cells, counts.shape)
    order = np.argsort(day + rng.random(len(day)))
    return days[day[order]], commune[order], field[order]


def _office(
    rng: np.random.Generator, city: _City, month: date, day: Ints, commune: Ints, field: Ints
) -> tuple[Ints, Ints]:
    """The office that received each dossier, and the commune of today whose pace it has."""
    drawn = commune + _fraction(rng, len(day))
    pieces = city.pieces_of(month)
    if pieces is not None:
        piece = np.searchsorted(pieces.cumulated, drawn, "right")
        district = rng.random(len(day)) < city.fields["district_share"].to_numpy()[field]
        return np.where(district, pieces.district[piece], pieces.office[piece]), commune
    weeks = (day - city.span.number(BOUNDARY_FREE) + 1) / 7
    away = rng.random(len(day)) < AWAY * np.clip(weeks / AWAY_WEEKS, 0, 1)
    nearest, cumulated = city.neighbours
    commune = np.where(away, nearest[np.searchsorted(cumulated, drawn, "right")], commune)
    return city.today[commune], commune


def _channel(rng: np.random.Generator, city: _City, day: Ints, field: Ints) -> Ints:
    """Number in CHANNELS. What comes when offices are closed comes online."""
    share = city.span.trend("online")[day]
    odds = share / (1 - share) * np.exp(city.fields["online"].to_numpy()[field] + ONLINE_SHIFT)
    online = (rng.random(len(day)) < odds / (1 + odds)) | ~city.span.working[day]
    post = rng.random(len(day)) < POST
    return np.where(online, 0, np.where(post, 2, 1))


def _handled(
    rng: np.random.Generator, city: _City, day: Ints, commune: Ints, field: Ints, procedure: Ints
) -> tuple[Ints, Ints, Ints]:
    """Day due, day finished (-1: never) and number in RESULTS of each dossier."""
    span, n = city.span, len(day)
    committed = city.procedures["committed_days"].to_numpy()[procedure]
    same_day = committed == 0
    due = _due(rng, span, day, committed)
    used = np.ceil((due - span.opened[day]) * rng.beta(*TIME_USED, n)).astype(np.int64)
    late = rng.random(n) < _late_share(city, day, commune, field)
    beyond = 1 + rng.exponential(np.where(same_day, LATE_DAYS_SAME_DAY, LATE_DAYS), n)
    finished = np.where(late, due + beyond.astype(np.int64), span.opened[day] + used)
    finished = _handed_over(rng, span, day, finished)
    never = rng.random(n) < np.where(same_day, NEVER_SAME_DAY, NEVER)
    outcome = rng.random(n)
    result = np.where(outcome < REFUSED, 1, np.where(outcome < REFUSED + WITHDRAWN, 2, 0))
    return span.worked[due], np.where(never, -1, span.worked[finished]), result


def _due(rng: np.random.Generator, span: _Span, day: Ints, committed: Ints) -> Ints:
    """Working day due: as `etl.calendars.add_working_days` counts, after 15:00 a day later.

    Where papers were missing, the day is the new one that the applicant was given.
    """
    same_day = committed == 0
    afternoon = (rng.random(len(day)) < AFTER_15) & span.working[day]
    due = np.where(same_day, span.opened[day] + afternoon, span.closed[day] + committed)
    since = day - span.number(MERGER)
    asked = np.where(same_day, SUPPLEMENT_SAME_DAY, SUPPLEMENT)
    asked *= 1 + UNSETTLED_SUPPLEMENT * np.exp(-since / UNSETTLED_DAYS) * (since >= 0)
    more = np.minimum(2 + rng.exponential(SUPPLEMENT_DAYS, len(day)), SUPPLEMENT_LONGEST)
    return np.where(rng.random(len(day)) < asked, due + more.astype(np.int64), due)


def _late_share(city: _City, day: Ints, commune: Ints, field: Ints) -> Floats:
    """Chance of a dossier to be late, higher in some offices, after the merger and after Tết."""
    from_tet = city.span.days_from_tet[day]
    surge = np.where((from_tet >= 5) & (from_tet < 26), LATE_AFTER_TET, 1.0)
    since = np.maximum(day - city.span.number(MERGER), 0) / LATE_PEAK_DAYS
    merger = 1 + UNSETTLED_LATE * since * np.exp(1 - since)
    improvement = np.exp(-LATE_IMPROVEMENT * city.span.years[day])
    base = city.fields["late"].to_numpy()[field] * city.lateness[commune]
    return np.minimum(base * improvement * surge * merger, 0.9)


def _handed_over(rng: np.random.Generator, span: _Span, day: Ints, finished: Ints) -> Ints:
    """Former offices finish before they close much of what would have been done in July 2025."""
    merger = span.number(MERGER)
    final = span.closed[merger - 1]
    in_july = (day < merger) & (finished > final) & (finished <= span.closed[merger + 30])
    hurried = in_july & (rng.random(len(day)) < HANDOVER)
    earlier = final - rng.integers(0, HANDOVER_DAYS, len(day))
    return np.where(hurried, np.clip(earlier, span.opened[day], finished), finished)


# --- text, and what is wrong with some of it ----------------------------------------------------


def _as_text(rng: np.random.Generator, city: _City, dossiers: _Dossiers) -> pl.DataFrame:
    span = city.span
    person = pl.Series(rng.integers(1, 1_000_000, len(dossiers))).cast(pl.String).str.zfill(6)
    place = pl.Series(dossiers.place).cast(pl.String).str.zfill(5)
    return pl.DataFrame(
        {
            "id": pl.select(
                pl.format("000.00.MP.H13-{}-{}", span.codes.gather(dossiers.day), place)
            ).to_series(),
            "procedure": city.procedures["code"].gather(dossiers.procedure),
            "category": city.fields["label"].gather(dossiers.field),
            "area": city.offices.written(rng, dossiers.office),
            "received": span.texts.gather(dossiers.day),
            "due": span.texts.gather(dossiers.due),
            "finished": span.texts.gather(_or_null(dossiers.finished, span)),
            "channel": pl.Series(CHANNELS).gather(dossiers.channel),
            "result": pl.Series([*RESULTS, None]).gather(dossiers.result),
            "applicant": "Người nộp " + person,
            "phone": "0000" + person,
        }
    )


def _or_null(days: Ints, span: _Span) -> Ints:
    return np.where(days < 0, len(span.texts) - 1, days)


def _plant(
    rng: np.random.Generator, frame: pl.DataFrame, dossiers: _Dossiers, span: _Span, month: date
) -> tuple[pl.DataFrame, dict[str, int]]:
    """The frame with some rows spoilt, each in one way, and their number by rule."""
    chosen, earlier = _chosen(rng, len(frame), month)
    for rule, (column, texts) in SPOILT.items():
        frame = _overwritten(
            frame, column, chosen[rule], rng.choice(texts, len(chosen[rule])).tolist()
        )
    frame = _overwritten(frame, "id", chosen["id_unique"], frame["id"].gather(earlier))
    rows = chosen["finished_after_received"]
    too_early = dossiers.day[rows] - rng.integers(1, 21, len(rows))
    frame = _overwritten(frame, "finished", rows, span.texts.gather(too_early))
    frame = _overwritten(frame, "result", rows, [RESULTS[0]] * len(rows))
    return frame, {rule: len(rows) for rule, rows in chosen.items()}


def _chosen(rng: np.random.Generator, lines: int, month: date) -> tuple[dict[str, Ints], Ints]:
    """Rows to spoil by rule, no row twice, and the sound rows whose ids stand again below."""
    counts = rng.poisson(BAD_SHARE * lines, len(RULES))
    if month < MERGER:
        # A former name without a day cannot be told from today's: a second rule would be broken.
        counts[RULES.index("received_readable")] = 0
    repeated = counts[RULES.index("id_unique")]
    if counts.sum() + repeated > lines:
        counts[:], repeated = 0, 0
    rows = rng.permutation(lines)[: counts.sum() + repeated]
    chosen = dict(zip(RULES, np.split(rows, np.cumsum(counts))[:-1], strict=True))
    pairs = np.stack([chosen["id_unique"], rows[counts.sum() :]])
    return {**chosen, "id_unique": pairs.max(axis=0)}, pairs.min(axis=0)


def _overwritten(
    frame: pl.DataFrame, column: str, rows: Ints, texts: Sequence[str] | pl.Series
) -> pl.DataFrame:
    if not len(rows):
        return frame
    written = pl.Series(texts, dtype=pl.String).replace("", None)
    return frame.with_columns(frame[column].scatter(rows, written))


def _write(path: Path, frame: pl.DataFrame, torn: Ints) -> None:
    """CSV with BOM and CRLF; before each row of `torn`, a line with one cell too many."""
    named = frame.rename(COLUMNS)
    ends = [*torn.tolist(), len(frame)]
    with path.open("wb") as file:
        for number, (start, end) in enumerate(zip([0, *ends], ends, strict=False)):
            part = named.slice(start, end - start)
            part.write_csv(
                file, include_bom=number == 0, include_header=number == 0, line_terminator="\r\n"
            )
            if end < len(frame):
                file.write(_torn_line(frame.row(end)))


def _torn_line(row: tuple[str, ...]) -> bytes:
    buffer = io.BytesIO()
    pl.DataFrame([[*row, "ghi chú"]], orient="row").write_csv(
        buffer, include_header=False, line_terminator="\r\n"
    )
    return buffer.getvalue()
