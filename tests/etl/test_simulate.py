"""The simulated dossiers: known figures are met, bad rows are counted, nobody is real."""

import csv
import json
import re
from collections import Counter
from datetime import date, datetime
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from etl.calendars import add_working_days, calendar, tet
from etl.geography import areas, district_weights, resolve_many, weights_to_present
from etl.simulate import COLUMNS, PARAMETERS, ROWS, simulate_dossiers

SCALE = 8
"""The medium run has one dossier in so many of the default."""
SMALL = 30_000
MERGER = date(2025, 7, 1)
JULY_2025 = (MERGER, date(2025, 7, 31))
COUNTED = (MERGER, date(2025, 10, 19))
YEAR_2026 = (date(2026, 1, 1), date(2026, 9, 26))


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return simulate_dossiers(tmp_path_factory.mktemp("small"), rows=SMALL)


@pytest.fixture(scope="module")
def medium(tmp_path_factory) -> pl.DataFrame:
    """One row per line of a middle-sized run that has an id and readable dates, columns named."""
    made = simulate_dossiers(tmp_path_factory.mktemp("medium"), rows=ROWS // SCALE)
    lines = pl.concat(
        pl.read_csv(file, infer_schema=False, truncate_ragged_lines=True) for file in made.files
    )
    named = lines.rename({title: name for name, title in COLUMNS.items()})
    days = pl.col("received", "due", "finished").str.to_date("%d/%m/%Y", strict=False)
    return named.with_columns(days).drop_nulls(["id", "received", "due"])


@pytest.fixture(scope="module")
def offices(medium) -> pl.DataFrame:
    """What each spelling meant when it was used: area, era, code, valid_from, problem."""
    used = medium.select("area", era=_era()).unique().sort("era", "area")
    return pl.concat(
        resolve_many(names["area"], on=era[0]).select(pl.lit(era[0]).alias("era"), pl.all())
        for era, names in used.group_by("era", maintain_order=True)
    ).rename({"name": "area"})


@pytest.fixture(scope="module")
def comparable(medium, offices) -> pl.DataFrame:
    """Dossiers on today's map: code, received, dossiers (with fractions before 1 July 2025)."""
    known = medium.with_columns(era=_era()).join(offices, on=["area", "era"]).drop_nulls("code")
    counted = known.group_by("code", "valid_from", "received").agg(dossiers=pl.len())
    today = counted.filter(pl.col("received") >= MERGER).select("code", "received", "dossiers")
    former = counted.filter(pl.col("received") < MERGER).join(
        pl.concat([weights_to_present(), district_weights()]),
        left_on=["code", "valid_from"],
        right_on=["old_code", "old_valid_from"],
    )
    handed_on = former.select(
        "received", code="new_code", dossiers=pl.col("dossiers") * pl.col("weight")
    )
    return pl.concat([today.cast({"dossiers": pl.Float64}), handed_on.select(today.columns)])


@cache
def _eras() -> list[date]:
    """First days of the spans without any change of the map."""
    return sorted(set(areas()["valid_from"]))


def _era() -> pl.Expr:
    """First day of the span in which a dossier was received."""
    first, *starts = _eras()
    era = pl.lit(first)
    for start in starts:
        era = pl.when(pl.col("received") >= start).then(pl.lit(start)).otherwise(era)
    return era


def _within(frame: pl.DataFrame, span: tuple[date, date]) -> pl.DataFrame:
    return frame.filter(pl.col("received").is_between(*span))


def _open_on(day: date) -> pl.Expr:
    return pl.col("finished").is_null() | (pl.col("finished") > day)


def _share(frame: pl.DataFrame, condition: pl.Expr) -> float:
    return frame.select(condition.mean()).item()


def _lines(file: Path) -> list[list[str]]:
    with file.open(encoding="utf-8-sig", newline="") as opened:
        return list(csv.reader(opened))[1:]


# --- the files ----------------------------------------------------------------------------------


def test_a_file_looks_like_a_one_stop_export(small):
    names = [file.name for file in small.files]
    assert (names[0], names[-1], len(names)) == (
        "dossiers_2022_01.csv",
        "dossiers_2026_10.csv",
        58,
    )
    head, *lines = small.files[0].read_bytes().split(b"\r\n")
    assert head.decode("utf-8") == (
        "\ufeffMã hồ sơ,Mã thủ tục,Lĩnh vực,Đơn vị tiếp nhận,Ngày tiếp nhận,Ngày hẹn trả,"
        "Ngày trả kết quả,Hình thức nộp,Kết quả,Họ tên người nộp,Số điện thoại"
    )
    assert lines[-1] == b""
    assert not any(b"\n" in line for line in lines)


def test_a_dossier_stands_in_the_month_of_its_receipt(small):
    for file in small.files:
        months = {line[4][3:] for line in _lines(file) if re.match(r"\d\d/0?\d", line[4])}
        assert f"{file.stem[-2:]}/{file.stem[-7:-3]}" in months


def test_the_same_seed_gives_the_same_bytes(small, tmp_path):
    again = simulate_dossiers(tmp_path, rows=SMALL)
    assert [file.read_bytes() for file in again.files] == [
        file.read_bytes() for file in small.files
    ]
    assert (again.rows, again.planted) == (small.rows, small.planted)


def test_another_seed_gives_another_city(small, tmp_path):
    other = simulate_dossiers(tmp_path, rows=SMALL, seed=93, last=date(2022, 1, 31))
    assert other.files[0].read_bytes() != small.files[0].read_bytes()


def test_a_month_does_not_depend_on_the_months_after_it_but_for_what_was_finished(small, tmp_path):
    shorter = simulate_dossiers(tmp_path, rows=SMALL, last=date(2026, 8, 31))
    for file, later in zip(shorter.files, small.files, strict=False):
        for then, now in zip(_lines(file), _lines(later), strict=True):
            assert then[:6] + then[7:8] + then[9:] == now[:6] + now[7:8] + now[9:]
            assert then[6] in (now[6], "")


def test_what_is_there_already_is_not_made_again(tmp_path):
    spans = {"first": date(2026, 9, 1), "last": date(2026, 10, 31)}
    first = simulate_dossiers(tmp_path, rows=SMALL, **spans)
    written = [file.stat().st_mtime_ns for file in first.files]
    months = []
    again = simulate_dossiers(
        tmp_path, rows=SMALL, **spans, progress=lambda *done: months.append(done)
    )
    assert (again, months) == (first, [])
    assert [file.stat().st_mtime_ns for file in again.files] == written
    first.files[0].unlink()
    simulate_dossiers(tmp_path, rows=SMALL, **spans, progress=lambda *done: months.append(done))
    assert months == [(1, 2), (2, 2)]
    assert first.files[0].exists()


def test_another_request_leaves_no_file_of_the_one_before(tmp_path):
    simulate_dossiers(tmp_path, rows=5_000, first=date(2026, 7, 1), last=date(2026, 10, 31))
    simulate_dossiers(tmp_path, rows=5_000, first=date(2026, 9, 1), last=date(2026, 9, 30))
    assert [file.name for file in tmp_path.glob("*.csv")] == ["dossiers_2026_09.csv"]


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (date(2021, 12, 31), date(2022, 3, 1)),
        (date(2026, 3, 1), date(2026, 2, 1)),
        (date(2026, 1, 1), date(2029, 1, 1)),
    ],
)
def test_a_span_that_cannot_be_simulated_is_refused(tmp_path, first, last):
    with pytest.raises(ValueError, match="simulated from 2022-01-01 to 2028-12-31"):
        simulate_dossiers(tmp_path, first=first, last=last)


def test_the_folder_says_that_its_data_are_simulated(small):
    folder = small.files[0].parent
    record = json.loads((folder / "SIMULATED.json").read_text(encoding="utf-8"))
    assert record["statement"] == "Dữ liệu mô phỏng / Simulated data"
    assert (record["seed"], record["rows"], record["planted"]) == (92, small.rows, small.planted)
    assert set(record["planted_by_file"]) == {file.name for file in small.files}


def test_nobody_in_the_files_is_real(medium):
    assert medium["applicant"].str.contains(r"^Người nộp \d{6}$").all()
    assert medium["phone"].str.contains(r"^0000\d{6}$").all()
    assert medium["id"].str.contains(r"^000\.00\.MP\.H13-\d{6}-\d{5}$").all()


# --- bad rows -----------------------------------------------------------------------------------


def _as_day(text: str) -> date | None:
    try:
        return datetime.strptime(text, "%d/%m/%Y").date()  # noqa: DTZ007
    except ValueError:
        return None


def _broken_rules(
    line: list[str], ids: set[str], known: dict[tuple[str, date], bool], labels: set[str]
) -> list[str]:
    """All rules a line breaks, judged without any of our own reading code but for the names."""
    if len(line) != len(COLUMNS):
        return ["line_readable"]
    row = dict(zip(COLUMNS, line, strict=True))
    received, due, finished = (_as_day(row[name]) for name in ("received", "due", "finished"))
    broken = {
        "id_required": row["id"] == "",
        "id_unique": row["id"] in ids,
        "received_readable": received is None,
        "due_readable": due is None,
        "category_known": row["category"] not in labels,
        "channel_known": row["channel"] not in ("Trực tuyến", "Trực tiếp", "Bưu chính công ích"),
        "finished_after_received": bool(received and finished and finished < received),
        "area_known": not _known(row["area"], received or date(2026, 10, 31), known),
    }
    assert bool(row["finished"]) == (finished is not None)
    return [rule for rule, is_broken in broken.items() if is_broken]


def _labels() -> set[str]:
    with (PARAMETERS / "fields.csv").open(encoding="utf-8") as file:
        return {row["label"] for row in csv.DictReader(file)}


def _known(name: str, on: date, seen: dict[tuple[str, date], bool]) -> bool:
    era = max(start for start in _eras() if start <= on)
    if (name, era) not in seen:
        seen[name, era] = resolve_many([name], on=era)["problem"].item() is None
    return seen[name, era]


def test_the_planted_rows_are_exactly_those_that_break_a_rule(small):
    found, lines, known, labels = Counter(), 0, {}, _labels()
    for file in small.files:
        ids: set[str] = set()
        for line in _lines(file):
            lines += 1
            broken = _broken_rules(line, ids, known, labels)
            assert len(broken) <= 1, line
            found.update(broken)
            if not broken:
                ids.add(line[0])
    assert found == small.planted
    assert lines == small.rows
    assert set(small.planted) == set(found), "each kind occurs at least once"


def test_about_two_in_a_thousand_rows_are_bad(small):
    assert sum(small.planted.values()) / small.rows == pytest.approx(0.002, rel=0.4)


# --- names --------------------------------------------------------------------------------------


def test_every_office_is_known_on_its_day_but_for_the_planted(offices):
    unknown = offices.filter(pl.col("code").is_null())
    assert set(unknown["area"]) == {"Xã Không Có", "Phường Chưa Rõ", "Đơn vị khác"}


def test_every_area_of_each_time_receives_dossiers(offices):
    seen = set(offices.drop_nulls("code").select("code", "valid_from").iter_rows())
    everything = areas().filter(pl.col("level").is_in(["commune", "district"]))
    assert seen == set(everything.select("code", "valid_from").iter_rows())


def test_some_names_are_spelled_in_other_ways(medium):
    spelled = medium.filter(pl.col("received") >= MERGER)["area"]
    assert 200 < spelled.n_unique() < 700
    usual = spelled.is_in(["Phường Cái Khế", "P. Cái Khế", "PHƯỜNG CÁI KHẾ"])
    assert usual.any()


# --- what is known of Cần Thơ -------------------------------------------------------------------


def test_a_commune_receives_416_dossiers_a_month_from_july_to_19_october_2025(medium):
    """416: of the 190,295 of workload_real.csv, what is received at commune level."""
    months = ((COUNTED[1] - COUNTED[0]).days + 1) / (365.25 / 12)
    received = len(_within(medium, COUNTED)) * SCALE
    assert received / 103 / months == pytest.approx(416, rel=0.02)


def test_as_many_of_them_are_resolved_as_it_reported(medium):
    """174,683 of 190,295 (workload_real.csv)."""
    resolved = _share(_within(medium, COUNTED), ~_open_on(COUNTED[1]))
    assert resolved == pytest.approx(174_683 / 190_295, abs=0.01)


def test_as_many_are_resolved_in_those_days_whenever_they_were_received(medium):
    """The report does not say which it counts; nearly the same must come out."""
    resolved = medium.filter(pl.col("finished").is_between(*COUNTED))
    share = len(resolved) / len(_within(medium, COUNTED))
    assert share == pytest.approx(174_683 / 190_295, abs=0.04)


def test_online_share_of_july_2025(medium):
    """69.7 % (workload_real.csv)."""
    online = _share(_within(medium, JULY_2025), pl.col("channel") == "Trực tuyến")
    assert online == pytest.approx(0.697, abs=0.015)


def test_overdue_share_of_july_2025(medium):
    """1.58 % of those received were overdue, open or not (workload_real.csv)."""
    end = pl.lit(JULY_2025[1])
    overdue = pl.min_horizontal(pl.col("finished").fill_null(end), end) > pl.col("due")
    assert _share(_within(medium, JULY_2025), overdue) == pytest.approx(0.0158, abs=0.004)


def test_spread_between_communes_is_that_of_phu_tho(comparable):
    """148 communes: sd of log 0.54; 15 wards 1.56 times the rural ones (workload_real.csv)."""
    wards = areas().filter(pl.col("kind") == "phường", pl.col("valid_to").is_null())["code"]
    sizes = _within(comparable, YEAR_2026).group_by("code").agg(pl.col("dossiers").sum())
    dossiers, ward = sizes["dossiers"].to_numpy(), sizes["code"].is_in(wards.implode()).to_numpy()
    assert len(sizes) == 103
    assert np.log(dossiers).std() == pytest.approx(0.54, abs=0.04)
    assert dossiers[ward].mean() / dossiers[~ward].mean() == pytest.approx(1.56, abs=0.15)
    assert 12 < dossiers.max() / dossiers.min() < 22


# --- shapes -------------------------------------------------------------------------------------


def _per_working_day(frame: pl.DataFrame, first: date, last: date) -> float:
    """Dossiers per working day from `first` to `last`, those of the days between included."""
    days = calendar(first, last)["working"].sum()
    return len(_within(frame, (first, last))) / days


def test_the_city_total_does_not_jump_on_the_day_of_the_merger(comparable):
    """Eight weeks after 1 July against eight weeks before, beside other years, net of trend."""
    trend = pl.read_csv(PARAMETERS / "trend.csv", try_parse_dates=True)

    def rise(year: int) -> float:
        spans = [(date(year, 5, 5), date(year, 6, 29)), (date(year, 7, 1), date(year, 8, 25))]
        levels = []
        for first, last in spans:
            total = _within(comparable, (first, last))["dossiers"].sum()
            middle = first + (last - first) / 2
            level = np.interp(
                middle.toordinal(), [day.toordinal() for day in trend["day"]], trend["level"]
            )
            levels.append(total / calendar(first, last)["working"].sum() / level)
        return np.log(levels[1] / levels[0])

    others = np.mean([rise(year) for year in (2023, 2024, 2026)])
    assert rise(2025) - others == pytest.approx(0, abs=0.03)


def test_districts_had_about_a_quarter_of_the_dossiers(medium, offices):
    former = medium.filter(pl.col("received") < MERGER).with_columns(era=_era())
    districts = areas().filter(pl.col("level") == "district")["code"]
    level = former.join(offices, on=["area", "era"])["code"].is_in(districts.implode())
    assert level.mean() == pytest.approx(0.25, abs=0.03)


def test_mondays_are_busiest_and_closed_days_nearly_empty(medium):
    days = calendar(date(2026, 3, 2), date(2026, 10, 31))
    daily = medium.group_by("received").len().join(days, left_on="received", right_on="date")
    week = (
        daily.filter("working").group_by(pl.col("received").dt.weekday()).agg(pl.col("len").mean())
    )
    mean = dict(week.iter_rows())
    assert mean[1] > mean[2] > mean[4] > mean[5]
    shut = daily.filter(~pl.col("working"))["len"].mean()
    assert 0 < shut < 0.12 * mean[3]


def test_closed_offices_receive_online_only(medium):
    days = calendar(date(2022, 1, 1), date(2026, 10, 31)).filter(~pl.col("working"))["date"]
    channels = medium.filter(pl.col("received").is_in(days.implode()))["channel"].value_counts()
    known = set(channels["channel"]) & {"Trực tuyến", "Trực tiếp", "Bưu chính công ích"}
    assert known == {"Trực tuyến"}


@pytest.mark.parametrize("year", [2023, 2024, 2025, 2026])
def test_tet_empties_the_offices_and_fills_them_for_two_weeks(medium, year):
    new_year = tet(year)
    offset = (pl.col("received") - new_year).dt.total_days()

    def daily(first: int, last: int) -> float:
        frame = medium.filter(offset.is_between(first, last))
        days = calendar(date(year, 1, 1), date(year, 4, 30)).filter(
            pl.col("days_from_tet").is_between(first, last), "working"
        )
        return len(frame) / max(len(days), 1)

    usual = daily(26, 53)
    assert daily(-5, -1) < 0.8 * usual
    assert daily(5, 14) > 1.08 * usual


def test_families_need_certified_copies_before_school_begins(medium):
    monthly = _monthly(medium, "Chứng thực", 2024)
    assert min(monthly[6:9]) > 1.1 * max(monthly[3:6])


def test_poverty_is_reviewed_from_september_to_mid_december(medium):
    monthly = _monthly(medium, "Giảm nghèo", 2024)
    assert min(monthly[9:12]) > 2 * max(monthly[1:9])


def _monthly(medium: pl.DataFrame, label: str, year: int) -> list[float]:
    """Dossiers per working day, by month; [0] is empty."""
    frame = medium.filter(pl.col("category") == label)
    ends = [date(year, month, 28) for month in range(1, 13)]
    return [0.0, *(_per_working_day(frame, end.replace(day=1), end) for end in ends)]


def test_late_dossiers_are_a_few_in_a_hundred_and_most_of_them_in_three_fields(medium):
    settled = medium.filter(pl.col("received") < date(2026, 9, 1))
    late = pl.col("finished").is_null() | (pl.col("finished") > pl.col("due"))
    by_field = dict(settled.group_by("category").agg(late.mean()).iter_rows())
    assert 0.02 < _share(settled, late) < 0.06
    assert by_field["Chứng thực"] < 0.01
    worst = ["Lao động, việc làm, nghề", "Đất đai", "Người có công"]
    assert min(by_field[label] for label in worst) > 0.10


def test_lateness_peaks_after_the_merger(medium):
    late = pl.col("finished").is_null() | (pl.col("finished") > pl.col("due"))
    spans = [(date(2025, 2, 1), date(2025, 6, 30)), (date(2025, 7, 15), date(2025, 10, 31))]
    before, after = (_share(_within(medium, span), late) for span in spans)
    assert after > 1.4 * before


def test_due_dates_follow_the_working_calendar(medium):
    procedures = pl.read_csv(PARAMETERS / "procedures.csv", schema_overrides={"code": pl.String})
    sample = medium.sample(3_000, seed=1).join(procedures, left_on="procedure", right_on="code")
    exact = extended = 0
    for received, due, days in sample.select("received", "due", "committed_days").iter_rows():
        expected = add_working_days(received, days)
        after_15 = add_working_days(received, 1)
        assert due >= expected
        exact += due == expected or (days == 0 and due == after_15)
        extended += due > max(expected, after_15)
    assert exact / (exact + extended) > 0.9


def test_something_is_always_pending(medium):
    for day in (date(2023, 6, 30), date(2025, 6, 30), date(2025, 10, 19), date(2026, 10, 31)):
        pending = medium.filter(pl.col("received") <= day, _open_on(day))
        assert 3_000 < len(pending) * SCALE < 25_000


def test_communes_do_not_grow_alike(comparable):
    spans = [(date(2025, 7, 1), date(2025, 9, 30)), (date(2026, 7, 1), date(2026, 9, 30))]
    before, after = (
        _within(comparable, span).group_by("code").agg(pl.col("dossiers").sum()).sort("code")
        for span in spans
    )
    growth = np.log(after["dossiers"].to_numpy() / before["dossiers"].to_numpy())
    assert 0.06 < growth.std() < 0.25


def test_small_fields_have_a_few_dossiers_a_month(medium):
    october = _within(medium, (date(2026, 10, 1), date(2026, 10, 31)))
    adoptions = october.filter(pl.col("category") == "Nuôi con nuôi")
    assert 0 < len(adoptions) * SCALE < 150


def test_an_open_dossier_has_no_result_and_a_finished_one_has(medium):
    assert (medium["finished"].is_null() == medium["result"].is_null()).all()
    assert set(medium["result"].drop_nulls()) == {"Đã trả kết quả", "Từ chối", "Rút hồ sơ"}
