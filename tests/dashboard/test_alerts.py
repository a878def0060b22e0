"""What is said of alerts, how it reaches people, and that nothing simulated ever does."""

import datetime as dt
import json
import shutil
import socketserver
import ssl
import subprocess
from dataclasses import asdict, replace
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import polars as pl
import pytest
import yaml
from click.testing import CliRunner
from streamlit.testing.v1 import AppTest

from dashboard import reader as reader_module
from dashboard.alert_delivery import LEAVES, deliver
from dashboard.alerts import Teller
from dashboard.cli import main
from dashboard.text import Text
from etl.catalog import parse_catalog
from etl.errors import ForesightError
from etl.people import login
from etl.settings import Host, Mail, Settings, Site
from etl.warehouse import Warehouse
from forecasts.decisions.alert_log import Entry, Kept, _floats, alerts, note, possible
from forecasts.decisions.alert_replay import Case, Replayed, keep, summed
from forecasts.decisions.alerts import RULES, Alert
from tests.conftest import HEAD
from tests.dashboard.conftest import PATIENCE, TODAY
from tests.dashboard.invented import CATALOG, write_build
from tests.dashboard.servers import Post, serving
from tests.dashboard.test_cli import ENTRY
from tests.dashboard.test_handin_commands import PEOPLE
from tests.dashboard.test_pages import _markup, script

MOST_WORDS = 25
NOW = dt.datetime(2026, 11, 22, 8, 0, tzinfo=dt.UTC)
LIMITS = """
alerts:
  limits:
  - {name: high, title: Cao, title_en: High, indicator: applications_received, above: 90000}
  - {name: low, title: Thấp, title_en: Low, indicator: applications_received, below: 90000}
"""
KNOWN = parse_catalog(CATALOG + LIMITS)
ASKED = Entry(NOW, "asked", "An", "Vì sao [a|b]?")
DAY = dt.date(2026, 10, 1)


def alert(rule: str = "band", **given) -> Alert:
    said = {
        "simulated": False,
        "subject": "dossiers" if rule == "late" else "applications_received",
        "area": "" if rule in ("late", "drift") else "90001",
        "level": "" if rule == "late" else "commune",
        "category": "total",
        "frequency": "month",
        "period": DAY,
        "period_end": dt.date(2026, 10, 31),
        "since": DAY,
        "surprise": 4.0,
        "value": 123456.0,
        "expected": 98765.0,
        "lower": 90000.0,
        "upper": 110000.0,
        "chance": 0.93,
        "bound": 90000.0,
        "false_rate": None if rule in ("late", "limit") else 0.1,
        "looked_at": 2000,
    }
    return Alert(rule=rule, **(said | given))


SAID = {
    **{rule: alert(rule) for rule in RULES if rule not in ("limit", "drift", "classifier")},
    "labels drift": alert("classifier", subject="dossiers", detail="drift_2.0"),
    "new labels": alert("classifier", subject="dossiers", detail="new_version_2.0"),
    "too many other": alert("classifier", subject="dossiers", detail="other_2.0"),
    "above": alert("limit", detail="high"),
    "below": alert("limit", detail="low"),
    "too narrow": alert("drift", detail="too_narrow_80", value=61.0, expected=80.0),
    "too wide": alert("drift", detail="too_wide_50", value=81.0, expected=50.0),
    "too low": alert("drift", detail="too_low", value=None, false_rate=1 / 465),
    "too high": alert("drift", detail="too_high", value=None, false_rate=1 / 465),
}


def teller(lang: str = "vi") -> Teller:
    return Teller(Text(lang), KNOWN, {("90001", "commune"): "phường Bịa Đặt 1"})


def kept(one: Alert, *log: Entry) -> Kept:
    return Kept(one, TODAY, log)


@pytest.mark.parametrize("case", SAID)
@pytest.mark.parametrize("lang", ["vi", "en"])
def test_every_sentence_is_whole_and_has_at_most_25_words(case, lang):
    said = teller(lang).sentence(SAID[case])
    assert said.endswith(".")
    assert "{" not in said
    assert len(said.split()) <= MOST_WORDS, said


def test_a_sentence_says_the_figure_against_what_and_how_sure():
    assert teller("en").sentence(alert()) == (
        "123,456 hồ sơ in Oct 2026, against 90,000–110,000 forecast before (95%); "
        "at most 10% of such alerts are false."
    )
    assert "tối đa 10% cảnh báo loại này là sai" in teller().sentence(alert())


def replayed(rung: int, days: float | None, *, quiet: int = 10) -> Replayed:
    cases = [Case(dt.date(2025, 1 + n % 12, 28), n < rung, True, days) for n in range(rung + quiet)]
    return summed("band", False, cases, TODAY, 0.1)


REPLAYS = [replayed(7, 9.0), replayed(7, -9.0), replayed(7, None), replayed(0, None)]
REPLAYS += [replayed(0, None, quiet=0), replace(replayed(7, 61.0), rule="rising")]


@pytest.mark.parametrize("lang", ["vi", "en"])
@pytest.mark.parametrize("one", REPLAYS)
def test_a_replay_is_told_in_one_sentence(one, lang):
    said = teller(lang).replayed(one)
    assert said.endswith(".")
    assert len(said.split()) <= MOST_WORDS, said


def test_the_replay_says_how_often_and_how_far_ahead():
    assert teller("en").replayed(replayed(7, 9.0)) == (
        "Would have rung 7 times in 12 months; 7 of 7 before a real excess, 9 days ahead."
    )


def test_of_a_rise_the_replay_says_how_long_before_its_worst():
    rise = replace(replayed(7, 61.0), rule="backlog")
    assert teller("en").replayed(rise) == (
        "Would have rung 7 times in 12 months; 7 of 7 before a real excess, 61 days before its "
        "worst."
    )


def test_why_what_is_late_may_ring_though_nothing_of_it_could_be_replayed():
    late = summed("late", False, [], TODAY, 0.1)
    assert "is a fact, held against the promised day" in teller("en").replayed(late)
    assert "fact" not in teller("en").replayed(summed("backlog", False, [], TODAY, 0.1))


def test_a_request_names_the_owner_and_the_figure_as_it_stood():
    asks, words, figure = teller().request(kept(alert(), ASKED))
    assert asks.startswith("Kính gửi Người bịa: ngày 22/11/2026, An đề nghị giải trình về Hồ sơ")
    assert words == "Nội dung yêu cầu: Vì sao [a|b]?"
    assert figure.startswith("Số liệu giữ nguyên như khi báo ngày 22/11/2026. 123.456")


# --- on their way ------------------------------------------------------------------------------


class Hook(BaseHTTPRequestHandler):
    """An address that takes JSON."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.taken.append(json.loads(body))
        self.send_response(204 if self.path == "/alerts" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hook():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    server.taken = []
    with serving(server) as port:
        yield port, server.taken


def mail_of(port: int, to: str = "lanhdao@example.vn") -> Mail:
    return Mail(
        host="127.0.0.1", port=port, sender="canhbao@example.vn", starttls=False,
        to={"leaders": [to]},
    )  # fmt: skip


def hooked(port: int, path: str = "/alerts") -> Site:
    host = Host(name=f"127.0.0.1:{port}", private=True, plain_http=True)
    return Site(hosts=[host], webhooks={"leaders": f"http://127.0.0.1:{port}{path}"})


def test_a_mail_goes_to_the_reader_with_the_sentence_and_the_owner(mails):
    port, taken = mails
    sent = deliver(Site(mail=mail_of(port)), KNOWN, [kept(alert())], teller(), today=TODAY)
    assert sent.entries == ((alert().key, "leaders", "mail"),)
    mail = message_from_bytes(taken[0], policy=policy.default)
    assert mail["Subject"] == "Cảnh báo sớm: 1 việc cần xem"
    assert teller().sentence(alert()) in mail.get_content().replace("\n", " ")
    assert "Chủ quản: Người bịa" in mail.get_content()


@pytest.fixture(scope="module")
def own_certificate(tmp_path_factory):
    """A certificate for 127.0.0.1 that nobody but itself vouches for, and its key."""
    folder = tmp_path_factory.mktemp("certificate")
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
        "-subj /CN=mail.example.vn -addext subjectAltName=IP:127.0.0.1 "
        "-keyout key.pem -out certificate.pem"
    )
    subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
    return folder / "certificate.pem", folder / "key.pem"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes a certificate with openssl")
@pytest.mark.parametrize("vouched", [True, False])
def test_a_mail_travels_encrypted_and_only_to_a_server_somebody_vouches_for(
    own_certificate, tmp_path, vouched
):
    certificate, key = own_certificate
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    (tmp_path / "city-ca.pem").write_bytes(certificate.read_bytes())
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Post) as server:
        server.mails, server.encryption, server.encrypted = [], context, False
        with serving(server) as port:
            (tmp_path / "site.yaml").write_text(
                f"mail: {{host: 127.0.0.1, port: {port}, sender: a@example.vn, "
                f"{'authority: city-ca.pem, ' if vouched else ''}to: {{leaders: [b@example.vn]}}}}",
                encoding="utf-8",
            )
            site = Settings(home=tmp_path, catalog=tmp_path / "data_catalog.yaml").site()
            sent = deliver(site, KNOWN, [kept(alert())], teller(), today=TODAY)
        assert server.encrypted == vouched
        assert len(server.mails) == len(sent.entries) == vouched
    told = [failure.problem for failure in sent.failures]
    assert told == [] if vouched else ["the mail was not taken: SSLCertVerificationError"]


def test_a_webhook_takes_figures_of_sums_and_nothing_else(hook):
    port, taken = hook
    sent = deliver(hooked(port), KNOWN, [kept(alert())], teller(), today=TODAY)
    assert [way for _, _, way in sent.entries] == ["webhook"]
    (content,) = taken
    assert content["reader"] == "leaders"
    assert tuple(content["alerts"][0]) == LEAVES


def test_simulated_alerts_and_what_was_sent_before_never_leave(mails):
    port, taken = mails
    before = kept(alert("rising"), Entry(NOW, "sent", "leaders", "mail"))
    every = [kept(alert(simulated=True)), before]
    sent = deliver(Site(mail=mail_of(port)), KNOWN, every, teller(), today=TODAY)
    assert (sent.entries, sent.failures, taken) == ((), (), [])


def asked_of(owner: str, port: int) -> Site:
    addresses = {owner: ["chuquan@example.vn"]}
    mail = mail_of(port).model_copy(update={"to": {}, "owners": addresses})
    return Site(mail=mail, pages="https://dieuhanh.example.vn/")


def test_what_is_asked_goes_to_the_owner_once_with_the_words_the_figure_and_the_way_back(mails):
    port, taken = mails
    site, asked = asked_of("Người bịa", port), kept(alert(), ASKED)
    sent = deliver(site, KNOWN, [asked], teller(), today=TODAY)
    assert sent.entries == ((alert().key, "Người bịa", "mail"),)
    mail = message_from_bytes(taken[0], policy=policy.default)
    assert mail["To"] == "chuquan@example.vn"
    assert mail["Subject"].startswith("Yêu cầu giải trình: Hồ sơ tiếp nhận")
    said = mail.get_content()
    assert all(part in said for part in teller().request(asked))
    assert said.endswith("https://dieuhanh.example.vn/alerts\n")
    once = kept(alert(), ASKED, Entry(NOW + dt.timedelta(hours=1), "sent", "Người bịa", "mail"))
    assert deliver(site, KNOWN, [once], teller(), today=TODAY).entries == ()


@pytest.mark.parametrize(
    ("one", "owner"),
    [
        (lambda: kept(alert(simulated=True), ASKED), "Người bịa"),
        (lambda: kept(alert(), ASKED, Entry(NOW, "explained", "Bình", "Vì")), "Người bịa"),
        (lambda: kept(alert()), "Người bịa"),
        (lambda: kept(alert(), ASKED), "Ai khác"),
    ],
    ids=["simulated", "answered", "not asked", "no address"],
)
def test_no_owner_is_written_to_of_what_is_simulated_answered_or_not_asked(mails, one, owner):
    port, taken = mails
    sent = deliver(asked_of(owner, port), KNOWN, [one()], teller(), today=TODAY)
    assert (sent.entries, sent.failures, taken) == ((), (), [])


def test_a_host_that_is_not_allowed_is_not_spoken_to(hook):
    port, taken = hook
    site = Site(webhooks={"leaders": f"http://127.0.0.1:{port}/alerts"})
    sent = deliver(site, KNOWN, [kept(alert())], teller(), today=TODAY)
    assert sent.entries == ()
    assert "does not allow the host" in str(sent.failures[0])
    assert taken == []


def test_what_is_not_taken_stays_unsent_and_is_told(mails, hook):
    site = hooked(hook[0], "/elsewhere").model_copy(
        update={"mail": mail_of(mails[0], "nobody@example.vn")}
    )
    sent = deliver(site, KNOWN, [kept(alert())], teller(), today=TODAY)
    assert sent.entries == ()
    assert [failure.problem for failure in sent.failures] == [
        "the mail was not taken: SMTPRecipientsRefused",
        "the server answers 404",
    ]


def test_a_password_never_travels_in_the_open():
    with pytest.raises(ValueError, match="unencrypted"):
        Mail(host="a.vn", sender="a@a.vn", starttls=False, user="a", secret="MAIL_PASSWORD")


def test_a_password_that_is_not_set_is_told_by_its_name(monkeypatch):
    from etl.settings import secret

    monkeypatch.delenv("MAIL_PASSWORD", raising=False)
    with pytest.raises(ForesightError, match="MAIL_PASSWORD"):
        secret("MAIL_PASSWORD")


# --- on the screen and by command --------------------------------------------------------------


@pytest.fixture
def ringing(tmp_path):
    """An invented build in which two real alerts and a simulated one are open."""
    write_build(tmp_path, TODAY)
    found = [alert(), alert("break"), alert("rising", simulated=True, subject="revenue")]
    rows = [{**asdict(one), "alert": one.key, "run": 1, "rung_on": TODAY} for one in found]
    with Warehouse.build(tmp_path) as warehouse:
        warehouse.write("alert", pl.DataFrame(rows, schema_overrides=_floats()))
        note(warehouse, [(one.key, "opened", "foresight", "") for one in found], NOW)
        keep(warehouse, [replayed(7, 9.0)])
    return tmp_path


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_the_page_shows_alerts_their_way_and_the_replay_of_their_rule(ringing, lang, monkeypatch):
    monkeypatch.setenv("FORESIGHT_HOME", str(ringing))
    monkeypatch.setattr(reader_module, "today", lambda: TODAY)
    test = AppTest.from_function(script, kwargs={"page": "alerts"}, default_timeout=PATIENCE)
    test.query_params["lang"] = lang
    test.run()
    assert not test.exception
    shown = _markup(test)
    assert teller(lang).sentence(alert()) in shown
    assert teller(lang).replayed(replayed(7, 9.0)) in shown
    headers = [header.value for header in test.header]
    assert Text(lang)("alerts.simulated") in headers


def test_on_the_page_somebody_asks_answers_and_closes(ringing, monkeypatch):
    monkeypatch.setenv("FORESIGHT_HOME", str(ringing))
    monkeypatch.setattr(reader_module, "today", lambda: TODAY)
    page = AppTest.from_function(script, kwargs={"page": "alerts"}, default_timeout=PATIENCE).run()

    def step(event: str, words: str = "", who: str = "An") -> str:
        page.radio(key="alert_event").set_value(event)
        page.text_area(key="alert_words").set_value(words)
        page.text_input(key="person").set_value(who)
        page.button[0].click().run()
        assert not page.exception
        return _markup(page)

    page.selectbox(key="alert").set_value(alert().key).run()
    assert "chưa ghi ai thực hiện" in step("acknowledged", who=" ")
    asked = step("asked", "Vì sao?")
    assert "An đề nghị giải trình về Hồ sơ tiếp nhận" in asked
    assert "An: yêu cầu giải trình: Vì sao?" in asked
    answered = step("explained", "Chiến dịch cấp đổi", "Bình")
    assert "Bình: đã giải trình: Chiến dịch cấp đổi" in answered
    assert page.radio(key="alert_event").options == ["Đóng"]
    step("closed")
    (done,) = [one for one in run(ringing, "list", "--all")["alerts"] if one["state"] == "closed"]
    assert (done["alert"], done["value"]) == (alert().key, 123456.0)
    assert (done["asked"], done["answer"]) == ("Vì sao?", "Chiến dịch cấp đổi")


def test_where_people_sign_on_a_step_bears_their_name_and_not_a_typed_one(
    ringing, tmp_path, monkeypatch
):
    people = tmp_path / "people.yaml"
    people.write_text(yaml.safe_dump(PEOPLE), encoding="utf-8")
    monkeypatch.setenv("FORESIGHT_PEOPLE", str(people))
    monkeypatch.setenv("FORESIGHT_HOME", str(ringing))
    monkeypatch.setattr(reader_module, "today", lambda: TODAY)
    page = AppTest.from_function(script, kwargs={"page": "alerts"}, default_timeout=PATIENCE).run()
    assert Text("vi")("alerts.nobody") in _markup(page)
    assert not page.radio
    page.selectbox(key="who").set_value("lan").run()
    assert not page.text_input
    page.selectbox(key="alert").set_value(alert().key).run()
    page.radio(key="alert_event").set_value("acknowledged")
    page.button[0].click().run()
    assert "Lan: đã nhận" in _markup(page)


def test_of_a_simulated_alert_no_explanation_can_be_asked_anywhere():
    assert possible(kept(alert())) == ["acknowledged", "asked", "explained", "closed"]
    assert possible(kept(alert(simulated=True))) == ["acknowledged", "explained", "closed"]


def run(home, *words: str) -> dict:
    given = ["--home", str(home), "--today", TODAY.isoformat(), "--lang", "vi", "--json", "alerts"]
    done = CliRunner().invoke(main, [*given, *words])
    return {"code": done.exit_code, **(json.loads(done.stdout) if done.stdout else {})}


def test_the_commands_bring_an_alert_from_open_to_closed(ringing):
    listed = run(ringing, "list")["alerts"]
    assert [one["rule"] for one in listed] == ["band", "break"]
    key = alert().key
    assert run(ringing, "acknowledge", key, "--who", "An")["state"] == "acknowledged"
    asked = run(ringing, "ask", key, "--who", "An", "--text", "Vì sao?")
    assert (asked["asked"], asked["answer"], asked["value"]) == ("Vì sao?", None, 123456.0)
    told = run(ringing, "explain", key, "--who", "Bình", "--text", "Chiến dịch cấp đổi")
    assert (told["asked"], told["answer"]) == ("Vì sao?", "Chiến dịch cấp đổi")
    assert run(ringing, "close", key, "--who", "An")["state"] == "closed"
    assert run(ringing, "close", key, "--who", "An")["code"] == 1
    assert [one["rule"] for one in run(ringing, "list")["alerts"]] == ["break"]


def test_with_a_people_file_a_command_is_that_of_the_account_and_of_nobody_named(
    ringing, tmp_path, monkeypatch
):
    people = tmp_path / "people.yaml"
    monkeypatch.setenv("FORESIGHT_PEOPLE", str(people))
    key = alert().key
    assert run(ringing, "acknowledge", key)["errors"][0]["hint"] == "hãy cho biết tên: --who TÊN"
    mine = {"name": "lan", "title": "Lan", "accounts": [f"os:{login()}"]}
    known = {"sign_on": {"way": "oidc"}, "people": [mine]}
    people.write_text(yaml.safe_dump(known), encoding="utf-8")
    assert run(ringing, "acknowledge", key, "--who", "Chủ tịch")["code"] == 1
    assert run(ringing, "acknowledge", key)["state"] == "acknowledged"
    with Warehouse.open(ringing) as warehouse:
        (noted,) = [entry.who for one in alerts(warehouse) for entry in one.log[1:]]
    assert noted == "Lan"


def test_nobody_is_asked_about_simulated_figures_by_command(ringing):
    key = alert("rising", simulated=True, subject="revenue").key
    refused = run(ringing, "ask", key, "--who", "An", "--text", "Vì sao?")
    assert refused["code"] == 1
    assert refused["errors"][0]["problem"] == "số liệu của cảnh báo này là mô phỏng"


def test_a_look_opens_sends_once_and_says_what_was_sent(tmp_path, mails):
    write_build(tmp_path, TODAY)
    with Warehouse.build(tmp_path) as warehouse:
        keep(warehouse, [replayed(7, 9.0)])
        one = alert()
        rows = [{**asdict(one), "alert": one.key, "run": 1, "rung_on": TODAY}]
        warehouse.write("alert", pl.DataFrame(rows, schema_overrides=_floats()))
    (tmp_path / "site.yaml").write_text(
        f"mail: {{host: 127.0.0.1, port: {mails[0]}, sender: a@example.vn, starttls: false,"
        " to: {leaders: [b@example.vn]}}",
        encoding="utf-8",
    )
    given = ["--home", str(tmp_path), "--catalog", str(tmp_path / "data_catalog.yaml")]
    given += ["--today", TODAY.isoformat(), "--json", "alerts", "look"]
    first, again = (json.loads(CliRunner().invoke(main, given).stdout) for _ in range(2))
    assert [one.key, "leaders", "mail"] in first["sent"]
    assert again["sent"] == []
    assert len(mails[1]) == 1


def refreshed(folder, day: str, months: int) -> dict:
    """What a refresh on this day says of alerts, of so many months of visitors since 2023."""
    rows = [
        f"Cần Thơ (mới),{n % 12 + 1:02}/{2023 + n // 12},{1000 + 10 * n}" for n in range(months)
    ]
    text = "\n".join(["Nơi,Tháng,Lượt khách", *rows]) + "\n"
    (folder / "visitors.csv").write_text(text, encoding="utf-8")
    given = ["--home", str(folder / "state"), "--catalog", str(folder / "data_catalog.yaml")]
    done = CliRunner().invoke(main, [*given, "--today", day, "--json", "refresh"])
    assert done.exit_code == 0, done.output
    return json.loads(done.output.splitlines()[-1])


def planned_on(folder, day: str) -> list[dict]:
    given = ["--home", str(folder / "state"), "--catalog", str(folder / "data_catalog.yaml")]
    done = CliRunner().invoke(main, [*given, "--today", day, "--json", "plan"])
    assert done.exit_code == 0, done.output
    return json.loads(done.output.splitlines()[-1])["alerts that would ring"]


def test_each_refresh_looks_by_itself_and_sends_only_where_the_site_says_so(tmp_path, mails):
    # What is late is late with forecasts or without, and without them a refresh is short.
    plain, _, _ = ENTRY.partition("  forecast:")
    (tmp_path / "data_catalog.yaml").write_text(HEAD + plain, encoding="utf-8")
    assert "alerts" not in refreshed(tmp_path, "2026-02-01", 36)
    with Warehouse.build(tmp_path / "state") as warehouse:
        keep(warehouse, [replace(replayed(7, 9.0), rule="late")])
    assert refreshed(tmp_path, "2026-02-02", 36)["alerts"] == {"new": []}
    (tmp_path / "site.yaml").write_text(
        f"mail: {{host: 127.0.0.1, port: {mails[0]}, sender: a@example.vn, starttls: false,"
        " to: {leaders: [b@example.vn]}}\nsend_alerts: true",
        encoding="utf-8",
    )
    planned = planned_on(tmp_path, "2026-11-22")
    # Nothing came, and so much time went by that this is news.
    (late,) = (told := refreshed(tmp_path, "2026-11-22", 36)["alerts"])["new"]
    assert late.startswith("late:visitors:")
    assert [(one["rule"], one["alert"]) for one in planned] == [("late", late)]
    assert told["sent"] == [[late, "leaders", "mail"]]
    assert refreshed(tmp_path, "2026-11-23", 36)["alerts"]["new"] == []
    assert len(mails[1]) == 1


def test_rules_are_held_against_history_once_and_then_left_alone(tmp_path):
    plain, _, _ = ENTRY.partition("  forecast:")
    (tmp_path / "data_catalog.yaml").write_text(HEAD + plain, encoding="utf-8")
    refreshed(tmp_path, "2026-11-22", 36)
    given = ["--home", str(tmp_path / "state"), "--today", "2026-11-22", "alerts"]
    first, again = (CliRunner().invoke(main, [*given, "replay", "--once"]) for _ in range(2))
    assert (first.exit_code, again.exit_code, again.output) == (0, 0, "")
    assert "alerts: 0 new" in first.output
    told = json.loads(CliRunner().invoke(main, ["--json", *given, "list"]).output)
    assert {one["rule"] for one in told["rules"]} >= {"band", "late", "trend"}
