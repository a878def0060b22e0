"""Handing in: template, verdict, two people, release at its date, correction, and the audit."""

import datetime as dt
import hashlib
import io
import json
import socket
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from conftest import HEAD, TODAY, zipped
from openpyxl import load_workbook

from etl import pipeline
from etl.builds import NoWarehouse
from etl.catalog import CatalogError, load_catalog, parse_catalog
from etl.clock import CAN_THO
from etl.errors import Problems
from etl.extract.raw import UnreadableFile
from etl.extract.workbook import extract
from etl.handin import (
    Actor,
    BrokenAudit,
    FileRefused,
    NoTemplate,
    PlaceTaken,
    SamePerson,
    StepRefused,
    Store,
    WouldStop,
    due_files,
    examined,
    exported,
    given_reasons,
    made_by,
    release,
    release_due,
    reminders,
    settle,
    settle_after,
    template,
)
from etl.handin.form import form_of
from etl.handin.journal import Journal
from etl.people import People, login
from etl.periods import Period
from etl.settings import Settings
from etl.warehouse import Warehouse

ENTRY = """
- name: visitors
  title: Lượt khách
  sources: [{path: "sources/visitors_*.xlsx"}]
  read: {header: {find: Tháng}}
  clean: {areas: {level: commune}}
  schema:
    fields:
    - {name: area, from: [Xã], constraints: {required: true}}
    - {name: period, type: yearmonth, from: [Tháng], constraints: {required: true}}
    - name: guests
      type: integer
      from: [Lượt khách]
      unit: lượt
      constraints: {minimum: 0, maximum: 99999}
    - {name: status, from: [Tình trạng]}
    primaryKey: [area, period]
  indicators: [{name: guests, title: Khách, title_en: Guests, value: guests}]
  handin: {frequency: month, within: 10, since: 2026-09}
"""
PEOPLE = People.model_validate(
    {
        "sign_on": {"way": "demo"},
        "departments": [
            {"name": "culture", "title": "Sở Văn hóa", "datasets": ["visitors"]},
            {"name": "health", "title": "Sở Y tế"},
        ],
        "people": [
            {
                "name": name,
                "title": name,
                "roles": roles,
                "departments": [department],
                "email": f"{name}@example.vn",
            }
            for name, roles, department in [
                ("nhan", ["maker", "checker", "publisher"], "culture"),
                ("lan", ["checker", "publisher"], "culture"),
                ("tam", ["maker", "checker"], "health"),
            ]
        ],
    }
)
NOON = dt.datetime.combine(TODAY, dt.time(5), dt.UTC)
SEPTEMBER, OCTOBER = Period.parse("2026-09"), Period.parse("2026-10")


def actor(name: str, **changed: object) -> Actor:
    person = PEOPLE.person(name).model_copy(update=changed)
    return Actor(person, f"{name}@example.vn", "page", "10.0.0.7")


@pytest.fixture
def office(installation):
    """An installation with the catalog and nothing loaded yet, and what one does in it."""
    installation.catalog.write_text(HEAD + ENTRY, encoding="utf-8")
    return Office(installation)


@pytest.fixture(scope="module")
def september(tmp_path_factory):
    """One in which September is released and loaded, with its build; only drafts come after."""
    folder = tmp_path_factory.mktemp("office")
    (folder / "state").mkdir()
    (folder / "data_catalog.yaml").write_text(HEAD + ENTRY, encoding="utf-8")
    office = Office(Settings(home=folder / "state", catalog=folder / "data_catalog.yaml"))
    office.through(office.filled({NINH_KIEU: 41, CAI_RANG: 7}, SEPTEMBER), period=SEPTEMBER)
    return office, office.refresh()


class Office:
    def __init__(self, settings):
        self.settings, self.catalog = settings, load_catalog(settings.catalog)
        self.dataset, self.now = self.catalog.datasets["visitors"], NOON
        self.store = Store(settings.home, now=lambda: self.now)

    def filled(self, guests: dict[str, object], period: Period = OCTOBER) -> bytes:
        """The template with some figures typed in."""
        book = load_workbook(io.BytesIO(template(self.catalog, self.dataset, period, None)))
        sheet = book.worksheets[0]
        labels = [cell.value for cell in sheet[3]]
        for row in sheet.iter_rows(min_row=4):
            if row[labels.index("Xã")].value in guests:
                row[labels.index("Lượt khách")].value = guests[row[labels.index("Xã")].value]
        made = io.BytesIO()
        book.save(made)
        return made.getvalue()

    def draft(self, content: bytes, who="nhan", period=OCTOBER, **said):
        return self.store.draft(
            actor(who),
            self.dataset,
            "culture",
            period,
            name="bao cao.xlsx",
            content=content,
            **said,
        )

    def verdict(self, one, language="vi", marked=None):
        with examined(
            self.catalog, self.settings, self.store, one,
            today=TODAY, language=language, marked=marked,
        ) as (verdict, _):  # fmt: skip
            return verdict

    def submit(self, one, who="nhan", takes=True, **said):
        """With a verdict given: what it says of a file is for the tests of verdicts."""
        verdict = {"takes": takes}
        return self.store.take("submitted", one.number, actor(who), verdict=verdict, **said)

    def approve(self, one, who="lan"):
        return self.store.take("approved", one.number, actor(who), sha256=one.file.sha256)

    def release(self, one, who="lan"):
        return release(self.catalog, self.settings, self.store, one.number, actor(who))

    def approved(self, content, **said):
        return self.approve(self.submit(self.draft(content, **said)))

    def through(self, content, **said):
        """All the way to the sources."""
        return self.release(self.approved(content, **said))

    def said_released(self, content, period=OCTOBER):
        """The step alone: whether a refresh would take the file is for other tests."""
        one = self.approved(content, period=period)
        placed = f"sources/visitors_{period}_culture_v01.xlsx"
        return self.store.take("released", one.number, actor("lan"), placed=placed)

    def settle(self):
        return settle(self.catalog, self.settings, self.store)

    def refresh(self, today=TODAY) -> Warehouse:
        try:
            current = Warehouse.open(self.settings.home)
        except NoWarehouse:  # nothing is loaded yet
            current = None
        plan = pipeline.plan(self.catalog, self.settings, current)
        with Warehouse.build(self.settings.home) as warehouse:
            pipeline.refresh(
                warehouse, self.catalog, self.settings, plan, today=today, progress=lambda _: None
            )
        return Warehouse.open(self.settings.home)

    def figures(self, warehouse):
        rows = warehouse.select("select area, value from observation where value is not null")
        return dict(rows.sort("area").iter_rows())


BOOK = b"what stands in it is no matter here"
NINH_KIEU, CAI_RANG = "Phường Ninh Kiều", "Phường Cái Răng"


def test_a_filled_template_is_read_by_the_settings_of_its_own_dataset(september):
    office, warehouse = september
    assert sorted(office.figures(warehouse).values()) == [7, 41]
    assert warehouse.select("select accepted, rejected from current_load").row(0) == (103, 0)


def test_the_template_holds_the_places_checks_while_typing_and_the_period_before(september):
    office, warehouse = september
    book = load_workbook(io.BytesIO(template(office.catalog, office.dataset, OCTOBER, warehouse)))
    sheet, guide, lists = book.worksheets
    header, *rows = sheet.iter_rows(min_row=3, max_row=106, values_only=True)
    assert header == ("Xã", "Tháng", "Lượt khách", "Tình trạng", "Kỳ trước (09/2026): Lượt khách")
    assert {row[1] for row in rows} == {"10/2026"}
    assert (NINH_KIEU, 41) in {(row[0], row[4]) for row in rows}
    checks = {str(rule.sqref)[0]: rule for rule in sheet.data_validations.dataValidation}
    assert checks["A"].formula1 == "'Danh muc'!$A$2:$A$104"
    assert (checks["C"].type, checks["C"].formula1, checks["C"].formula2) == ("whole", "0", "99999")
    assert [cell.value for cell in lists["B"]][:3] == ["Tình trạng", "chính thức", "sơ bộ"]
    assert "10/11/2026" in " ".join(str(row[0].value) for row in guide.iter_rows())


# Period handed in, how the table is read and cleaned, its fields, what is filled in under which
# heading, and in which column of the records the heading is then found.
WIDE = {
    "months of a year, the year above the table, the header in the second of two rows": (
        "2026",
        "header: {find: Xã, rows: 2, at: 2}, caption: 'năm (?P<year>20\\d\\d)'",
        "unpivot: {columns: '^(T|Tháng )(?P<month>\\d+)$', into: guests}, "
        "compose: {period: '{month}/{$year}'}",
        "{name: period, type: yearmonth}",
        {"Tháng 1": "1/2026", "Tháng 12": "12/2026"},
        "period",
    ),
    "years, some of them preliminary": (
        "2026",
        "header: {find: '^x'}",
        "unpivot: {columns: '(?P<status>Sơ bộ)? ?(?P<period>20\\d\\d)$', into: guests}",
        "{name: status}, {name: period, type: year}",
        {"2026": "2026"},
        "period",
    ),
    "categories, over two rows": (
        "2026-10",
        "header: {find: Xã, rows: 2}",
        "unpivot: {columns: '^Khách (?P<category>trong nước|quốc tế)', into: guests}",
        "{name: category, categories: [{value: home, label: Khách trong nước, "
        "spellings: [trong nước]}, {value: abroad, label: Khách quốc tế, spellings: [quốc tế]}]}, "
        "{name: period, type: yearmonth, from: [Tháng]}",
        {"Khách trong nước": "trong nước", "Khách quốc tế": "quốc tế"},
        "category",
    ),
}


@pytest.mark.parametrize("shape", WIDE)
def test_a_filled_template_of_a_wide_table_is_read_as_what_its_columns_say(tmp_path, shape):
    period, read, clean, fields, filled, told = WIDE[shape]
    area = "{name: area, from: [Xã]}"
    entry = ENTRY[: ENTRY.index("  read:")] + (
        f"  read: {{{read}}}\n  clean: {{areas: {{level: commune}}, {clean}}}\n"
        f"  schema: {{fields: [{area}, {fields}, {{name: guests, type: integer}}]}}\n"
    ) + ENTRY[ENTRY.index("  indicators:") :]  # fmt: skip
    catalog = parse_catalog(HEAD + entry)
    dataset = catalog.datasets["visitors"]
    book = load_workbook(io.BytesIO(template(catalog, dataset, Period.parse(period), None)))
    sheet = book.worksheets[0]
    cells = {cell.value: cell for row in sheet.iter_rows() for cell in row if cell.value}
    row = cells.get(NINH_KIEU, sheet.cell(7, 1)).row
    sheet.cell(row, 1).value = NINH_KIEU
    for number, heading in enumerate(filled, 40):
        sheet.cell(row, cells[heading].column).value = number
    book.save(tmp_path / "filled.xlsx")
    raw = extract(tmp_path / "filled.xlsx", dataset)
    records = raw.frame.rename({f"c{at}": label for at, label in enumerate(raw.labels)})
    names = records.columns[0], told, "guests"
    assert records.select(names).rows() == [
        (NINH_KIEU, text, str(number)) for number, text in enumerate(filled.values(), 40)
    ]


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("clean: {", "clean: {groups: {into: block}, ", "clean.groups"),
        ("clean: {", "clean: {unpivot: {columns: '^(?P<sex>.)$', into: guests}, ", "no heading"),
        ("find: Tháng", "find: Đơn vị", "no column of visitors is headed"),
        ("visitors_*.xlsx", "visitors_*.csv", "no workbook"),
    ],
)
def test_a_file_of_another_shape_has_no_template_and_says_what_to_do(office, old, new, problem):
    dataset = parse_catalog(HEAD + ENTRY.replace(old, new)).datasets["visitors"]
    with pytest.raises(NoTemplate, match=problem) as refused:
        template(office.catalog.model_copy(update={"resources": [dataset]}), dataset, OCTOBER, None)
    assert "copy of the last file" in refused.value.hint


def test_the_verdict_names_the_cells_marks_them_and_says_what_would_move(september, tmp_path):
    office, _ = september
    one = office.draft(office.filled({NINH_KIEU: "bốn mươi", CAI_RANG: -3, "Phường Cái Khế": 50}))
    verdict = office.verdict(one, marked=tmp_path / "marked.xlsx")
    assert {(cell.column, cell.found, cell.problem) for cell in verdict.cells} == {
        ("Lượt khách", "bốn mươi", "Không đọc được"),
        ("Lượt khách", "-3", "Nhỏ hơn mức cho phép"),
    }
    assert (verdict.takes, verdict.accepted, verdict.rejected) == (True, 101, 2)
    assert load_workbook(tmp_path / "marked.xlsx").sheetnames[0] == "Cần sửa - To mend"
    moved = verdict.preview.figures.drop_nulls("after")
    assert moved.select("area", "before", "after").rows() == [("31120", None, 50)]
    (there,) = (office.settings.catalog.parent / "sources").iterdir()
    assert there.name == "visitors_2026-09_culture_v01.xlsx"


def test_too_many_bad_cells_stop_a_file_and_it_cannot_be_submitted(office):
    names = [
        choice.text
        for choice in form_of(office.catalog, office.dataset, OCTOBER).columns[0].choices
    ]
    one = office.draft(office.filled(dict.fromkeys(names, "?")))
    verdict = office.verdict(one)
    assert "103 of 103 records are bad" in verdict.problems[0].problem
    with pytest.raises(StepRefused, match="cannot be submitted"):
        office.submit(one, takes=verdict.takes)


def test_a_cell_is_told_once_though_two_datasets_read_it(installation):
    again = ENTRY.replace("name: visitors", "name: visitors_again").split("  indicators:")[0]
    installation.catalog.write_text(HEAD + ENTRY + again, encoding="utf-8")
    office = Office(installation)
    names = [c.text for c in form_of(office.catalog, office.dataset, OCTOBER).columns[0].choices]
    verdict = office.verdict(
        office.draft(office.filled(dict.fromkeys(names, 7) | {NINH_KIEU: "?"}))
    )
    assert (verdict.rejected, [cell.found for cell in verdict.cells]) == (2, ["?"])


def test_a_file_of_another_period_is_stopped(office):
    verdict = office.verdict(office.draft(office.filled({NINH_KIEU: 1}, SEPTEMBER)))
    assert "handed in for 2026-10" in verdict.problems[0].problem


@pytest.mark.parametrize("roles", [{"checker"}, {"checker", "admin", "publisher"}])
def test_whoever_handed_in_cannot_approve_under_any_role(office, roles):
    one = office.submit(office.draft(BOOK))
    with pytest.raises(SamePerson):
        office.store.take(
            "approved", one.number, actor("nhan", roles=frozenset(roles)), sha256=one.file.sha256
        )
    assert office.approve(one).state == "approved"


def test_whoever_drafted_what_another_submitted_cannot_approve_it(office):
    one = office.draft(BOOK)
    another = actor("lan", roles=frozenset({"maker", "checker"}))
    office.store.take("submitted", one.number, another, verdict={"takes": True})
    for name in ("nhan", "lan"):
        with pytest.raises(SamePerson):
            office.approve(one, who=name)


@pytest.mark.parametrize(
    ("account", "accounts"),
    [("nhan@example.vn", []), ("Nhan@Example.vn ", []), ("os:nhan", ["nhan@example.vn"])],
)
def test_another_name_over_the_same_account_makes_nobody_another(office, account, accounts):
    one = office.submit(office.draft(BOOK))
    person = PEOPLE.person("nhan").model_copy(update={"name": "nhan_2", "accounts": accounts})
    renamed = Actor(person, account, "page", "10.0.0.7")
    assert made_by(renamed, one)
    with pytest.raises(SamePerson):
        office.store.take("approved", one.number, renamed, sha256=one.file.sha256)


def test_whoever_drafted_the_same_file_before_cannot_approve_it_now(office):
    first = office.draft(BOOK)
    office.store.take("withdrawn", first.number, actor("nhan"), reason="Nhờ người khác nộp")
    lan = actor("lan", roles=frozenset({"maker"}))
    again = office.store.draft(lan, office.dataset, "culture", OCTOBER, name="b.xlsx", content=BOOK)
    office.store.take("submitted", again.number, lan, verdict={"takes": True})
    with pytest.raises(SamePerson):
        office.approve(again, who="nhan")


def test_whoever_replaced_a_draft_carries_the_account_of_its_maker(office):
    office.draft(BOOK)
    lan = actor("lan", roles=frozenset({"maker"}))
    mended = office.store.draft(
        lan, office.dataset, "culture", OCTOBER, name="b.xlsx", content=b"mended"
    )
    assert mended.accounts == {"nhan@example.vn", "lan@example.vn"}


@pytest.mark.parametrize("released", [False, True])
def test_what_was_approved_is_not_taken_back_by_its_maker_alone(office, released):
    one = office.said_released(BOOK) if released else office.approved(BOOK)
    with pytest.raises(SamePerson, match="take it back alone"):
        office.store.take("withdrawn", one.number, actor("nhan"), reason="Sai")
    taken = office.store.take("withdrawn", one.number, actor("lan"), reason="Sai")
    assert taken.state == "withdrawn"


def test_a_person_with_two_accounts_is_one_person():
    twice = {"sign_on": {"way": "demo"}, "people": [
        {"name": "nhan", "title": "N", "accounts": ["n@example.vn"]},
        {"name": "nhan_2", "title": "N", "accounts": ["N@EXAMPLE.vn "]},
    ]}  # fmt: skip
    with pytest.raises(ValueError, match="of two people"):
        People.model_validate(twice)


def test_another_department_may_not_touch_it(office):
    with pytest.raises(StepRefused, match="not of the department"):
        office.draft(b"PK", who="tam")
    one = office.submit(office.draft(BOOK))
    with pytest.raises(StepRefused, match="not of the department"):
        office.approve(one, who="tam")


def test_an_approval_is_of_the_file_that_was_looked_at(office):
    one = office.submit(office.draft(BOOK))
    with pytest.raises(StepRefused, match="another one"):
        office.store.take("approved", one.number, actor("lan"), sha256="0" * 64)


def test_it_stays_within_until_its_day_and_then_goes_out_by_itself(office):
    day = TODAY + dt.timedelta(days=3)
    one = office.submit(office.draft(office.filled({NINH_KIEU: 1})), release_on=day.isoformat())
    office.approve(one)
    with pytest.raises(StepRefused, match="not to be released before"):
        office.release(one)
    assert release_due(office.catalog, office.settings, office.store).files == []
    office.now = dt.datetime.combine(day, dt.time(), CAN_THO).astimezone(dt.UTC)
    (released,) = release_due(office.catalog, office.settings, office.store).files
    step = released.steps[-1]
    assert (released.state, step.who, step.via) == ("released", "schedule", "schedule")
    assert (step.account, step.origin) == (f"os:{login()}", socket.gethostname())
    assert (office.settings.catalog.parent / released.placed).exists()


def test_a_correction_is_a_version_of_its_own_a_withdrawal_leaves_and_the_history_tells(office):
    first = office.through(office.filled({NINH_KIEU: 41}))
    office.refresh(dt.date(2026, 11, 1))
    with pytest.raises(StepRefused, match="reason"):
        office.draft(office.filled({NINH_KIEU: 44}), corrects=first.number)
    second = office.through(
        office.filled({NINH_KIEU: 44}), corrects=first.number, reason="Cộng sót một khách sạn"
    )
    warehouse = office.refresh(dt.date(2026, 11, 5))
    assert (second.version, second.placed) == (2, "sources/visitors_2026-10_culture_v02.xlsx")
    assert office.store.one(first.number).state == "corrected"
    assert given_reasons(office.store) == {
        second.placed: [("2026-10 v02", "Cộng sót một khách sạn")]
    }
    assert list(office.figures(warehouse).values()) == [44]

    office.store.take("withdrawn", second.number, actor("lan"), reason="Sai đơn vị tính")
    assert office.settle().taken_out == [second.placed]
    warehouse = office.refresh()
    assert office.figures(warehouse) == {}
    known = "select value from known_on($day) where value is not null"
    days = [dt.date(2026, 11, day) for day in (1, 5, 22)]
    assert [warehouse.select(known, day=day)["value"].to_list() for day in days] == [[41], [44], []]
    assert office.store.vault.path(first.file.sha256).exists()


def test_what_is_released_is_not_withdrawn_by_its_maker_or_without_a_reason(office):
    one = office.said_released(BOOK)
    for who, roles, reason in (("nhan", {"maker"}, "Sai"), ("lan", {"checker"}, " ")):
        with pytest.raises(StepRefused):
            office.store.take(
                "withdrawn", one.number, actor(who, roles=frozenset(roles)), reason=reason
            )


def test_a_reason_of_signs_that_cannot_be_written_is_refused(office):
    one = office.draft(BOOK)
    with pytest.raises(StepRefused, match="no letters"):
        office.store.take("withdrawn", one.number, actor("nhan"), reason="\udcff")
    assert office.store.one(one.number).state == "draft"


def test_a_mended_file_takes_the_place_of_the_draft_and_its_maker_stays_one(office):
    office.draft(BOOK)
    mended = office.draft(BOOK)
    assert [one.state for one in office.store.all()] == ["withdrawn", "draft"]
    assert mended.version == 1
    office.submit(mended)
    with pytest.raises(StepRefused, match="already, submitted"):
        office.draft(BOOK)


def test_another_file_in_the_place_of_a_released_one_is_not_touched(office):
    one = office.approved(BOOK)
    there = office.settings.catalog.parent / "sources" / "visitors_2026-10_culture_v01.xlsx"
    there.parent.mkdir()
    there.write_bytes(b"mine")
    with pytest.raises(PlaceTaken):
        office.release(one)
    assert there.read_bytes() == b"mine"
    assert office.store.one(one.number).state == "approved"


def test_what_lies_in_the_place_of_one_file_does_not_keep_the_others(office):
    first, second = (office.said_released(BOOK, period=p) for p in (SEPTEMBER, OCTOBER))
    sources = office.settings.catalog.parent / "sources"
    sources.mkdir()
    (sources / "visitors_2026-09_culture_v01.xlsx").write_bytes(b"mine")
    settled = office.settle()
    assert (settled.put, [*settled.problems]) == ([second.placed], [first.number])
    given = office.submit(office.draft(BOOK, period=Period.parse("2026-08")))
    back = office.store.take("returned", given.number, actor("lan"), reason="Sai")
    assert settle_after(office.catalog, office.settings, office.store, back).state == "draft"
    gone = office.store.take("withdrawn", first.number, actor("lan"), reason="Sai")
    with pytest.raises(PlaceTaken):
        settle_after(office.catalog, office.settings, office.store, gone)


def test_two_who_settle_at_once_bring_every_file_in_once(office):
    for month in range(1, 9):
        office.said_released(BOOK, period=Period.parse(f"2026-{month:02}"))
    with ThreadPoolExecutor(2) as both:
        done = [one.result() for one in [both.submit(office.settle) for _ in range(2)]]
    assert sorted(len(settled.put) for settled in done) == [0, 8]
    assert [settled.problems for settled in done] == [{}, {}]


def test_two_refreshes_at_once_release_what_is_due_once(office):
    office.approved(office.filled({NINH_KIEU: 1}))
    with ThreadPoolExecutor(2) as both:
        asked = (office.catalog, office.settings, office.store)
        done = [one.result() for one in [both.submit(release_due, *asked) for _ in range(2)]]
    assert sorted(len(released.files) for released in done) == [0, 1]
    assert [released.problems for released in done] == [[], []]


@pytest.mark.parametrize("period", ["2026", "2026-Q4", "15/10/2026", "2026-W40"])
def test_a_period_is_of_the_frequency_by_which_the_dataset_is_handed_in(office, period):
    with pytest.raises(StepRefused, match="handed in by the month"):
        office.draft(BOOK, period=Period.parse(period))
    assert not office.store.vault.folder.exists()


def test_a_file_that_would_stop_the_refresh_of_all_stays_approved_and_says_why(office):
    two_months = office.filled({NINH_KIEU: 5}, SEPTEMBER)
    office.approved(two_months, period=SEPTEMBER)
    again = office.approved(two_months, period=OCTOBER)
    done = release_due(office.catalog, office.settings, office.store)
    assert [(one.number, why.problem) for one, why in done.held] == [
        (again.number, "among the other files it would stop a refresh: 103 of 103 records are bad; "
         "visitors allows 5.0%")
    ]  # fmt: skip
    assert [one.state for one in office.store.all()] == ["released", "approved"]
    steps = [step.step for step in office.store.one(again.number).steps]
    assert steps == ["drafted", "submitted", "approved", "held"]
    assert isinstance(done.problems[0], WouldStop)
    assert office.refresh().count("select count(*) from current_load") == 1


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd.xlsx",
        "a\\b.xlsx",
        ".hidden.xlsx",
        "báo‮xslx.exe",
        "a\n.xlsx",
        " ",
        "a" * 300,
    ],
)
def test_a_hostile_name_is_refused(office, name):
    with pytest.raises(FileRefused):
        office.store.draft(
            actor("nhan"), office.dataset, "culture", OCTOBER, name=name, content=b"PK"
        )


DDE = '<externalLink><ddeLink ddeService="cmd" ddeTopic="/c calc"/></externalLink>'
OWN_WORDS = '<?xml version="1.0"?><!DOCTYPE sst [<!ENTITY n "100">]><sst>&n;</sst>'


@pytest.mark.parametrize(
    ("parts", "problem"),
    [
        ({"xl/workbook.xml": "<x/>", "XL/Workbook.xml": "<y/>"}, "not every program"),
        ({"xl/workbook.xml": "<x/>", "xl\\workbook.xml": "<y/>"}, "not every program"),
        ({"xl/workbook.xml": "<x/>", "xl/sharedStrings.xml": OWN_WORDS}, "not every program"),
        ({"xl/workbook.xml": "<x/>", "xl/externalLinks/externalLink1.xml": DDE}, "program"),
    ],
)
def test_a_workbook_that_shows_its_checker_something_else_is_refused(office, parts, problem):
    with pytest.raises(FileRefused, match=problem):
        office.draft(zipped(parts))
    assert not office.store.all()


def test_a_bomb_a_macro_an_empty_and_a_huge_file_are_refused_and_not_kept(office):
    bomb = zipped({"xl/workbook.xml": "0" * 3_000_000})
    macro = zipped({"xl/workbook.xml": "<x/>", "xl/vbaProject.bin": "x"})
    outside = zipped({"../../evil.xml": "<x/>"})
    for content in (bomb, macro, outside, b"", b"PK" + b"0" * 20_000_000):
        with pytest.raises((FileRefused, UnreadableFile)):
            office.draft(content)
    assert office.store.all() == []
    assert list(office.store.vault.folder.glob("*")) == []


def test_every_step_says_who_when_what_and_from_where(office):
    office.said_released(BOOK)
    steps = [(e.step, e.who, e.account, e.via, e.origin) for e in office.store.journal.entries()]
    assert [step[0] for step in steps] == ["drafted", "submitted", "approved", "released"]
    assert steps[2] == ("approved", "lan", "lan@example.vn", "page", "10.0.0.7")


@pytest.mark.parametrize("change", ["edit", "drop", "swap", "twice", "blank", "return"])
def test_an_audit_that_was_changed_is_found(office, change):
    office.approved(BOOK)
    path = office.store.journal.path
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    changed = {
        "edit": [lines[0], lines[1].replace('"nhan"', '"lan"'), *lines[2:]],
        "drop": [lines[0], *lines[2:]],
        "swap": [lines[1], lines[0], *lines[2:]],
        "twice": [lines[0], lines[1].replace("{", '{"who":"lan",', 1), *lines[2:]],
        "blank": [lines[0], lines[1].replace(",", ", ", 1), *lines[2:]],
        "return": [lines[0], lines[1].replace("\n", "\r\n"), *lines[2:]],
    }[change]
    path.write_text("".join(changed), encoding="utf-8", newline="")
    with pytest.raises(BrokenAudit):
        office.store.all()


def test_a_department_can_check_its_own_lines_without_seeing_those_of_others(office):
    first, second = (office.draft(BOOK, period=period) for period in (SEPTEMBER, OCTOBER))
    office.submit(second)
    office.submit(first)
    text = exported(office.store.journal.entries(), {second.number})
    lines = [json.loads(line) for line in text.splitlines()]
    assert [[*line] == ["number", "seal"] for line in lines] == [True, False, False, True]
    for above, line in pairwise(lines[:3]):
        bare = {key: value for key, value in line.items() if key != "seal"}
        said = json.dumps(bare, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        assert line["seal"] == hashlib.sha256(said.encode()).hexdigest()
        assert line["before"] == above["seal"]


def test_a_step_cut_off_by_a_power_failure_is_no_step_and_the_next_one_fits(tmp_path):
    journal = Journal(tmp_path / "audit.jsonl")
    said = {
        "submission": "1",
        "who": "a",
        "account": "a",
        "via": "page",
        "origin": "",
        "detail": {},
    }
    with journal.writing() as writer:
        writer.add(step="drafted", **said)
    with journal.path.open("ab") as file:
        file.write(b'{"number":2,"at":"20')
    assert len(journal.entries()) == 1
    with journal.writing() as writer:
        writer.add(step="submitted", **said)
    assert [entry.step for entry in journal.entries()] == ["drafted", "submitted"]
    assert [json.loads(line)["number"] for line in exported(journal.entries()).splitlines()] == [
        1,
        2,
    ]


def test_what_is_due_is_told_before_its_day_and_again_when_it_passed(office):
    one = office.submit(office.draft(BOOK, period=SEPTEMBER))
    owed = due_files(office.catalog, PEOPLE, [one], {}, dt.date(2026, 11, 3))
    assert [(due.period, due.due, due.state, due.days) for due in owed] == [
        (OCTOBER, dt.date(2026, 11, 10), "due", 7),
        (Period.parse("2026-11"), dt.date(2026, 12, 10), "coming", 37),
    ]
    told = {}
    for day in (3, 4, 9, 10, 11, 12, 18):
        today = dt.date(2026, 11, day)
        owed = due_files(office.catalog, PEOPLE, [one], {}, today)
        (told[day],) = list(reminders(owed, office.catalog, PEOPLE)) or [None]
    assert {day for day, reminder in told.items() if reminder} == {3, 9, 11, 18}
    assert [[one.name for one in told[day].to] for day in (3, 11)] == [["nhan"], ["nhan", "lan"]]


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("visitors_*", "visitors", "needs one *"),
        ("visitors_*.xlsx", "visitors_*.json", "json is not handed in"),
        ("2026-09}", "sometime}", "is no period"),
    ],
)
def test_what_cannot_be_handed_in_is_told_at_its_line(old, new, problem):
    with pytest.raises((CatalogError, Problems)) as refused:
        parse_catalog(HEAD + ENTRY.replace(old, new))
    assert problem in str(refused.value)
