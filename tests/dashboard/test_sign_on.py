"""Who may say who they are: trusted proxies, a demo on this machine alone, a provider."""

import asyncio
import re

import pytest
import yaml
from conftest import ROOT

from dashboard.server import serve
from dashboard.sign_on import (
    BELIEVED,
    WORD,
    DemoOutside,
    Door,
    current_people,
    unread_people,
)
from etl.errors import Problems
from etl.people import People, read_people
from etl.settings import Settings

HEADERS = {"way": "headers", "header": "X-Remote-User", "proxies": ["10.1.0.0/24"]}


@pytest.fixture
def people(tmp_path, monkeypatch):
    """Writes the people file of the installation that the door asks."""
    monkeypatch.setenv("FORESIGHT_CATALOG", str(tmp_path / "data_catalog.yaml"))
    monkeypatch.delenv("FORESIGHT_PEOPLE", raising=False)

    def write(sign_on, **more):
        content = {"sign_on": sign_on, **more}
        (tmp_path / "people.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")

    return write


def through(peer: str, *headers: tuple[str, str], kind: str = "http"):
    """What comes in at the door: the headers behind it, or what is sent back."""
    seen: dict[str, object] = {}

    async def app(scope, receive, send):
        seen["headers"] = [(k.decode(), v.decode()) for k, v in scope["headers"]]

    async def send(message):
        seen.setdefault("answer", message)

    pairs = [(name.lower().encode(), value.encode()) for name, value in headers]
    scope = {"type": kind, "headers": pairs, "client": (peer, 50000), "method": "GET", "path": "/"}
    asyncio.run(Door(app)(scope, None, send))
    return seen


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_a_trusted_proxy_says_who_it_is(people, kind):
    people(HEADERS)
    seen = through("10.1.0.7", ("X-Remote-User", "lan@example.vn"), kind=kind)
    assert seen["headers"] == [(BELIEVED, f"{WORD}:lan@example.vn")]


@pytest.mark.parametrize(
    ("peer", "headers"),
    [
        ("10.2.0.7", [("X-Remote-User", "lan")]),
        ("10.2.0.7", [("X-Remote-User", "lan"), ("X-Forwarded-For", "10.1.0.7")]),
        ("10.1.0.7", [("X-Remote-User", "lan"), ("X-Remote-User", "nhan")]),
        ("10.1.0.7", [(BELIEVED, "guess:lan")]),
        ("10.2.0.7", [(BELIEVED, f"{WORD}:lan")]),
    ],
)
def test_a_name_from_elsewhere_said_twice_or_made_up_is_taken_out(people, peer, headers):
    people(HEADERS)
    behind = dict(through(peer, *headers)["headers"])
    assert not {BELIEVED, "x-remote-user"} & behind.keys()


@pytest.mark.parametrize(
    "content", ["sign_on: {way: headers\n", "sign_on: {way: header}\n", "\xff"]
)
def test_while_the_people_file_is_wrong_pages_are_served_and_nobody_is_believed(
    people, tmp_path, content
):
    people(HEADERS)
    named = ("10.1.0.7", ("X-Remote-User", "lan@example.vn"))
    assert through(*named)["headers"] == [(BELIEVED, f"{WORD}:lan@example.vn")]
    (tmp_path / "people.yaml").write_bytes(content.encode("latin-1"))
    assert through(*named)["headers"] == []
    assert all(where.startswith("people.yaml") for where in unread_people(Settings.read()))
    assert current_people(Settings.read()) is not None
    people(HEADERS)
    assert unread_people(Settings.read()) == []


@pytest.mark.parametrize(
    ("peer", "headers", "let_in"),
    [
        ("127.0.0.1", [("Host", "localhost:8501")], True),
        ("::1", [("Host", "[::1]:8501")], True),
        ("10.0.0.9", [("Host", "localhost:8501")], False),
        ("127.0.0.1", [("Host", "foresight.example.vn")], False),
        ("127.0.0.1", [("Host", "localhost"), ("X-Forwarded-For", "10.0.0.9")], False),
    ],
)
@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_a_demo_answers_to_its_own_machine_only(people, peer, headers, let_in, kind):
    people({"way": "demo"})
    seen = through(peer, *headers, kind=kind)
    assert ("headers" in seen) is let_in
    if not let_in:
        assert seen["answer"].get("status", seen["answer"].get("code")) in (403, 1008)


@pytest.mark.parametrize("address", ["0.0.0.0", "10.0.0.5", "foresight.example.vn", "::"])
def test_a_demo_refuses_to_be_served_to_others(people, tmp_path, address):
    people({"way": "demo"})
    with pytest.raises(DemoOutside, match="anyone could be anybody"):
        serve(tmp_path, address=address)


def test_headers_are_believed_from_nobody_unless_proxies_are_named(people, tmp_path):
    people({"way": "headers"})
    with pytest.raises(Problems, match="listed proxies only"):
        read_people(Settings(home=tmp_path, catalog=tmp_path / "data_catalog.yaml"))


def test_a_person_is_found_by_any_account_however_it_is_written():
    people = People.model_validate(
        {"sign_on": {"way": "oidc"}, "people": [
            {"name": "lan", "title": "Lan", "accounts": ["Lan@Example.vn", "os:lan"]},
        ]}
    )  # fmt: skip
    assert [people.of_account(a).name for a in ("lan@example.vn ", "os:LAN")] == ["lan", "lan"]


def test_the_people_of_the_guide_and_of_the_demo_are_people():
    guide = (ROOT / "docs" / "handin.md").read_text(encoding="utf-8")
    (text,) = [b for b in re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL) if "people:" in b]
    demo = (ROOT / "deploy" / "people.demo.yaml").read_text(encoding="utf-8")
    ways = [People.model_validate(yaml.safe_load(one)).sign_on.way for one in (text, demo)]
    assert ways == ["oidc", "demo"]
