"""The hand-in page: each sees their department's own, and maker and checker are two people."""

import datetime as dt
import io
import shutil
from collections.abc import Sequence

import pytest
import yaml
from conftest import HEAD
from openpyxl import load_workbook
from streamlit.testing.v1 import AppTest

from dashboard import reader as reader_module
from etl import clock, pipeline
from etl.catalog import load_catalog
from etl.clock import Clock
from etl.handin import Actor, Store, template
from etl.people import People
from etl.periods import Period
from etl.settings import Settings
from etl.warehouse import Warehouse
from forecasts.decisions.alert_replay import Case, keep, summed
from tests.dashboard.conftest import PATIENCE
from tests.dashboard.test_handin_commands import ENTRY
from tests.dashboard.test_handin_commands import PEOPLE as TWO

TODAY = dt.date(2026, 11, 22)
PEOPLE = {
    **TWO,
    "departments": [*TWO["departments"], {"name": "health", "title": "Sở Y tế"}],
    "people": [
        *TWO["people"],
        {"name": "tam", "title": "Tâm", "roles": ["maker", "checker"], "departments": ["health"]},
    ],
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """An installation with one department's dataset and an empty build."""
    folder = tmp_path_factory.mktemp("page")
    settings = Settings(home=folder / "state", catalog=folder / "data_catalog.yaml")
    settings.home.mkdir()
    settings.catalog.write_text(HEAD + ENTRY, encoding="utf-8")
    settings.people.write_text(yaml.safe_dump(PEOPLE), encoding="utf-8")
    catalog = load_catalog(settings.catalog)
    with Warehouse.build(settings.home) as build:
        plan = pipeline.plan(catalog, settings, None)
        pipeline.refresh(build, catalog, settings, plan, today=TODAY, progress=lambda _: None)
        case = Case(dt.date(2026, 1, 1), rung=True, excess=True, days=9.0)
        keep(build, [summed("late", False, [case], TODAY, 0.1)])
    return settings


@pytest.fixture
def office(made, monkeypatch):
    shutil.rmtree(made.home / "handin", ignore_errors=True)
    monkeypatch.setenv("FORESIGHT_HOME", str(made.home))
    monkeypatch.setenv("FORESIGHT_CATALOG", str(made.catalog))
    monkeypatch.setattr(reader_module, "today", lambda: TODAY)
    return made


def draft(
    settings: Settings,
    guests: object,
    month: str = "2026-10",
    more: Sequence[str] = (),
    now: Clock = clock.now,
):
    """A file that the maker dropped on the page, with one figure typed in."""
    catalog = load_catalog(settings.catalog)
    dataset, period = catalog.datasets["guests"], Period.parse(month)
    book = load_workbook(io.BytesIO(template(catalog, dataset, period, None)))
    sheet = book.worksheets[0]
    sheet["C2"] = guests
    for row, later in enumerate(more, 3):
        sheet[f"A{row}"], sheet[f"B{row}"], sheet[f"C{row}"] = sheet["A2"].value, later, guests
    content = io.BytesIO()
    book.save(content)
    person = People.model_validate(PEOPLE).person("nhan")
    return Store(settings.home, now).draft(
        Actor(person, "demo:nhan", "page", "localhost"),
        dataset,
        "culture",
        period,
        name="khach.xlsx",
        content=content.getvalue(),
    )


def page():
    from dashboard import queries, reader
    from dashboard.filters import language
    from dashboard.views import handin
    from etl.settings import Settings

    lang = language()
    handin.draw(reader.Reader(queries.current(Settings.read().home), lang, reader.today()))


def opened(who: str | None, **query: str) -> AppTest:
    test = AppTest.from_function(page, default_timeout=PATIENCE)
    for key, value in query.items():
        test.query_params[key] = value
    if who:
        test.session_state["who"] = who
    test.run()
    assert not test.exception
    return test


def headings(test: AppTest) -> list[str]:
    return [header.value for header in test.header]


def shown(test: AppTest) -> str:
    return " ".join(element.proto.body for element in test.get("html"))


def press(test: AppTest, label: str) -> AppTest:
    next(button for button in test.button if button.label == label).click().run()
    assert not test.exception
    return test


def test_until_someone_signs_on_nothing_is_shown(office):
    draft(office, 1200)
    assert headings(opened(None)) == ["Hãy đăng nhập để nộp hoặc duyệt"]


def test_a_maker_sees_what_is_due_and_hands_in_and_another_approves(office):
    draft(office, 1200)
    maker = opened("nhan")
    assert "2 tệp cần nộp, 1 quá hạn" in headings(maker)
    assert 'data-label="Ngày chậm">12<' in shown(maker)
    assert "Có thể nộp: 1 bản ghi, 1 đạt, 0 không đạt" in headings(maker)
    assert "Nếu nhận: thêm 1 số, sửa 0, rút 0" in headings(maker)
    press(maker, "Nộp")
    assert "0 tệp chờ duyệt" in headings(maker)
    assert "Duyệt" not in [button.label for button in maker.button]
    checker = opened("lan")
    assert "Công bố từ 22/11/2026" in shown(checker)
    assert 'data-label="Sau">1.200<' in shown(checker)
    press(checker, "Duyệt")
    assert checker.success[0].value == "000001: đã duyệt"
    (one,) = Store(office.home).all()
    assert [(step.who, step.via) for step in one.steps][1:] == [("nhan", "page"), ("lan", "page")]


def test_an_alert_that_the_file_would_ring_is_told_and_one_that_rings_anyway_is_not(office):
    draft(office, 1200, "2026-01", [f"{month:02}/2026" for month in range(2, 7)])
    (told,) = (warning.value for warning in opened("nhan").warning)
    assert told.startswith("Cảnh báo sẽ phát ra: Số mới nhất: tháng 6/2026")
    draft(office, 1200)
    assert not opened("nhan").warning


def test_a_bad_cell_is_told_with_its_place_and_the_file_cannot_be_submitted(office):
    draft(office, "nhiều")
    maker = opened("nhan", lang="en")
    assert "Not taken: 1 records, 0 accepted, 1 not" in headings(maker)
    assert ">C2<" in shown(maker)
    assert "nhiều" in shown(maker)
    (wrong,) = maker.error
    assert wrong.value.startswith("Things wrong: 1, more than may be left.")
    assert "Submit" not in [button.label for button in maker.button]


def test_a_step_is_dated_by_the_day_in_can_tho(office):
    night = dt.datetime(2026, 10, 31, 18, 30, tzinfo=dt.UTC)
    draft(office, 1200, now=lambda: night)
    assert "01/11/2026 01:30, nhan (localhost): đưa tệp lên" in shown(opened("nhan"))


@pytest.fixture
def declared(office):
    """Writes another people file, and puts the usual one back."""
    usual = office.people.read_text(encoding="utf-8")
    yield lambda content: office.people.write_text(content, encoding="utf-8")
    office.people.write_text(usual, encoding="utf-8")


def test_whoever_hands_in_for_two_departments_chooses_for_which(declared):
    both = {"departments": ["culture", "health"], "roles": ["maker"]}
    two = [
        {"name": "culture", "title": "Sở Văn hóa", "datasets": ["guests"]},
        {"name": "health", "title": "Sở Y tế", "datasets": ["guests"]},
    ]
    people = [{"name": "nhan", "title": "Nhân", **both}]
    declared(yaml.safe_dump({**PEOPLE, "departments": two, "people": people}))
    (which,) = [box for box in opened("nhan").selectbox if box.key == "handin_which"]
    assert which.options == [
        f"Lượt khách · {month}/2026 · {title}"
        for month in (10, 11)
        for title in ("Sở Văn hóa", "Sở Y tế")
    ]


def test_a_people_file_that_is_wrong_is_told_by_its_place_alone(declared):
    declared("sign_on: {way: demo}\npeople: [{name: lan, title: Lan, roles: [boss]}]\n")
    test = opened("lan")
    assert headings(test) == ["Tệp khai báo người dùng có lỗi, tạm thời chưa ai nộp được"]
    assert "people.yaml: people.0.roles" in shown(test)


def test_another_department_sees_nothing_of_it(office):
    draft(office, 1200)
    test = opened("tam")
    assert "0 lần nộp" in headings(test)
    assert "khach.xlsx" not in shown(test)
    assert "Lượt khách" not in shown(test)
    assert "Ngày chậm" not in shown(test)
