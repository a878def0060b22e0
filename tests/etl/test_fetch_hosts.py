"""Fetching: who may be spoken to, and who may know a secret."""

import shutil
import subprocess
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext
from typing import Any

import pytest

from etl.errors import ForesightError, Problems
from etl.fetch import refusals
from etl.fetch.arrival import FetchFailed
from etl.fetch.web import HostRefused, Web, address_problem
from etl.settings import Host, Limits, Settings, Site
from tests.etl.portals import LAND, Quiet, answer, catalog, host, run, web


def redirect(to: str) -> Callable[[BaseHTTPRequestHandler], None]:
    return lambda handler: answer(handler, status=302, Location=to)


def test_redirects_are_followed_but_not_for_ever(server, tmp_path):
    for number in range(5):
        server.answers[f"/{number}"] = redirect(f"{server.url}/{number + 1}")
    server.answers["/5"] = lambda h: answer(h, LAND)
    web(host(server)).download(f"{server.url}/0", tmp_path / "land")
    server.answers["/5"] = redirect("/0")
    with pytest.raises(FetchFailed, match="more than 5 redirects"):
        web(host(server)).download(f"{server.url}/0", tmp_path / "land")


@pytest.mark.parametrize(
    ("to", "told"),
    [
        ("http://169.254.169.254/latest/meta-data", "does not allow the host 169.254.169.254:80"),
        ("http://elsewhere.example/land.csv", "does not allow the host elsewhere.example:80"),
        ("http://localhost:1/", "does not allow the host localhost:1"),
        ("file:///etc/passwd", "no address of a resource"),
        ("http://user:word@127.0.0.1/", "no address of a resource"),
    ],
)
def test_a_redirect_off_the_list_is_not_followed(server, tmp_path, to, told):
    server.answers["/land.csv"] = redirect(to)
    with pytest.raises(FetchFailed, match=told) as error:
        web(host(server)).download(f"{server.url}/land.csv", tmp_path / "land")
    assert "word" not in str(error.value)


def test_a_redirect_to_a_listed_host_with_a_private_address_is_not_followed(server, tmp_path):
    server.answers["/land.csv"] = redirect("http://inside.example/land.csv")
    site = Site(hosts=[host(server), Host(name="inside.example", plain_http=True)])
    names = {"inside.example": ["10.0.0.8"], "127.0.0.1": ["127.0.0.1"]}
    using = Web(site, resolve=lambda name, _port: names[name])
    with pytest.raises(FetchFailed, match=r"has the address 10\.0\.0\.8, which is of a private"):
        using.download(f"{server.url}/land.csv", tmp_path / "land")


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://elsewhere.example/x", "does not allow the host elsewhere.example:443"),
        ("http://portal.example/x", "without encryption"),
        ("https://portal.example:8443/x", "does not allow the host portal.example:8443"),
        ("https://portal.example@evil.example/x", "no address of a resource"),
        ("https://evil.example\\@portal.example/x", "no address of a resource"),
        ("https://portal.example.evil.example/x", "does not allow"),
        ("ftp://portal.example/x", "no address of a resource"),
        ("https://portal.example:99999/x", "no address of a resource"),
    ],
)
def test_a_host_off_the_list_is_never_asked(url, told, tmp_path):
    with pytest.raises(HostRefused, match=told):
        web(Host(name="portal.example")).download(url, tmp_path / "x")


@pytest.mark.parametrize(
    ("address", "private", "told"),
    [
        ("93.184.215.14", False, None),
        ("2606:2800:220:1::1", False, None),
        ("127.0.0.1", False, "private"),
        ("10.1.2.3", False, "private"),
        ("192.168.1.1", False, "private"),
        ("172.16.0.1", False, "private"),
        ("100.64.0.1", False, "reserved"),
        ("::1", False, "private"),
        ("fd00::1", False, "private"),
        ("::ffff:127.0.0.1", False, "private"),
        ("::ffff:10.0.0.1", False, "private"),
        ("2002:7f00:1::", False, "private"),
        ("64:ff9b::7f00:1", False, "reserved"),
        ("240.0.0.1", False, "private"),
        ("10.1.2.3", True, None),
        ("::1", True, None),
        ("169.254.169.254", True, "no other machine"),
        ("fe80::1", True, "no other machine"),
        ("fe80::1%eth0", True, "no other machine"),
        ("::ffff:169.254.169.254", True, "no other machine"),
        ("0.0.0.0", True, "no other machine"),
        ("224.0.0.1", True, "no other machine"),
    ],
)
def test_addresses_of_other_networks_are_told_from_ours(address, private, told):
    problem = address_problem(address, private=private)
    assert problem is None if told is None else told in str(problem)


def test_one_private_address_among_several_is_enough_to_refuse(tmp_path):
    using = Web(
        Site(hosts=[Host(name="portal.example")]),
        resolve=lambda *_: ["93.184.215.14", "127.0.0.1"],
    )
    with pytest.raises(FetchFailed, match=r"127\.0\.0\.1, which is of a private network"):
        using.download("https://portal.example/x", tmp_path / "x")


def test_a_name_is_resolved_once_and_that_address_is_spoken_to(server, tmp_path):
    server.answers["/land.csv"] = lambda h: answer(h, LAND)
    asked: list[str] = []

    def resolve(name: str, _port: int) -> list[str]:
        asked.append(name)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.66"]

    named = host(server, name=f"portal.example:{server.port}")
    using = Web(Site(hosts=[named]), resolve=resolve)
    using.download(f"http://portal.example:{server.port}/land.csv", tmp_path / "land")
    assert asked == ["portal.example"]
    assert server.asked[0][1]["Host"] == f"portal.example:{server.port}"


def test_a_host_with_an_address_out_of_reach_is_reached_by_its_other(server, tmp_path):
    server.answers["/land.csv"] = lambda h: answer(h, LAND)
    limits = Limits(attempts=1)
    site = Site(hosts=[host(server)], limits=limits)
    using = Web(site, resolve=lambda *_: ["127.0.0.99", "127.0.0.1"])
    using.download(f"{server.url}/land.csv", tmp_path / "land")
    assert (tmp_path / "land").read_text(encoding="utf-8") == LAND


def test_proxies_of_the_environment_are_not_used(server, tmp_path, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    server.answers["/land.csv"] = lambda h: answer(h, LAND)
    web(host(server)).download(f"{server.url}/land.csv", tmp_path / "land")
    assert [path for path, _ in server.asked] == ["/land.csv"]


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make a certificate")
def test_a_host_must_show_who_it_is(server, tmp_path):
    def made(name: str) -> Path:
        command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout K -out C -subj /CN=x"
        words = [*command.split(), "-addext", f"subjectAltName=DNS:{name}"]
        paths = {"K": str(tmp_path / "key.pem"), "C": str(tmp_path / f"{name}.pem")}
        subprocess.run([paths.get(word, word) for word in words], check=True, capture_output=True)
        return Path(paths["C"])

    certificate = made("portal.example")
    context = SSLContext(PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, tmp_path / "key.pem")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self, LAND)

        def log_message(self, *_: Any) -> None:
            pass

    httpd = Quiet(("127.0.0.1", 0), Handler)
    httpd.socket = context.wrap_socket(httpd.socket, server_side=True)
    threading.Thread(target=httpd.serve_forever, args=(0.02,), daemon=True).start()

    def using(name: str, authority: Path | None) -> None:
        trusted = str(authority) if authority else None
        named = Host(name=f"{name}:{httpd.server_port}", private=True, authority=trusted)
        limits = Limits(attempts=1)
        found = Web(Site(hosts=[named], limits=limits), resolve=lambda *_: ["127.0.0.1"])
        found.download(f"https://{name}:{httpd.server_port}/land.csv", tmp_path / "land")

    try:
        using("portal.example", certificate)
        with pytest.raises(FetchFailed, match="cannot show who it is: self-signed certificate"):
            using("portal.example", None)
        with pytest.raises(FetchFailed, match="cannot show who it is: Hostname mismatch"):
            using("other.example", certificate)
    finally:
        httpd.shutdown()
        httpd.server_close()
    assert (tmp_path / "land").read_text(encoding="utf-8") == LAND


# Secrets


def test_a_secret_is_sent_to_its_host_and_to_no_other(servers, tmp_path, monkeypatch):
    monkeypatch.setenv("PORTAL_KEY", "s3cret-value")
    first, second = servers(), servers()
    first.answers["/land.csv"] = redirect(f"{second.url}/land.csv")
    second.answers["/land.csv"] = lambda h: answer(h, LAND)
    keyed = host(first, auth={"secret": "PORTAL_KEY"})
    web(keyed, host(second)).download(f"{first.url}/land.csv", tmp_path / "land")
    assert first.asked[0][1]["Authorization"] == "s3cret-value"
    assert "Authorization" not in second.asked[0][1]


def test_a_secret_is_in_no_copy_and_in_no_error(server, installation, monkeypatch):
    monkeypatch.setenv("PORTAL_KEY", "s3cret-value")
    keyed = web(host(server, auth={"header": "X-Key", "secret": "PORTAL_KEY"}), attempts=1)
    server.answers["/land.csv"] = lambda h: answer(h, LAND)
    run(installation, catalog(f"{server.url}/land.csv"), keyed)
    for path in (installation.home / "incoming").rglob("*"):
        assert path.is_dir() or b"s3cret" not in path.read_bytes()
    server.answers["/land.csv"] = lambda h: answer(h, h.headers["X-Key"], status=403)
    (fetched,) = run(installation, catalog(f"{server.url}/land.csv"), keyed)
    assert "the server answers 403" in fetched.problem
    assert "s3cret" not in str(fetched)


@pytest.mark.parametrize(("value", "told"), [(None, "not set"), ("a\nb: c", "not one line")])
def test_a_variable_that_cannot_be_sent_is_named(server, installation, monkeypatch, value, told):
    monkeypatch.delenv("PORTAL_KEY", raising=False)
    if value:
        monkeypatch.setenv("PORTAL_KEY", value)
    keyed = web(host(server, auth={"secret": "PORTAL_KEY"}))
    with pytest.raises(Problems, match=f"the environment variable PORTAL_KEY is {told}") as error:
        run(installation, catalog(f"{server.url}/land.csv"), keyed)
    assert "b: c" not in str(error.value)
    assert server.asked == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("hosts: [{name: p.vn, auth: {secret: Bearer abc123}}]", "hosts.0.auth.secret"),
        ("hosts: [{name: p.vn, auth: {secret: abc123}}]", "hosts.0.auth.secret"),
        ("hosts: [{name: p.vn, plain_http: true, auth: {secret: KEY}}]", "unencrypted"),
        ("hosts: [{name: 'https://abc123.vn'}]", "hosts.0.name"),
        ("databases: ['postgresql://u:abc123@h/d']", "databases.0"),
        ("host: []", "host"),
        ("hosts: [", "not YAML"),
    ],
)
def test_a_site_file_is_refused_without_repeating_what_may_be_a_secret(installation, text, told):
    installation.catalog.with_name("site.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(Problems) as error:
        installation.site()
    assert told in str(error.value)
    assert "abc123" not in str(error.value)


def test_without_a_site_file_nothing_is_allowed(installation):
    (refusal,) = refusals(catalog("https://portal.example/land.csv"), installation)
    assert "land.sources: the site does not allow the host portal.example:443" in str(refusal)
    assert "hosts: [{name: portal.example}]" in refusal.hint
    assert refusals(catalog("land.csv"), installation) == []


def test_a_check_names_a_mistake_in_the_site_file(installation):
    installation.catalog.with_name("site.yaml").write_text("hosts: [{}]", encoding="utf-8")
    (problem,) = refusals(catalog("land.csv"), installation)
    assert "site.yaml: hosts.0.name: Field required" in str(problem)


def test_the_environment_names_the_site_file(tmp_path, monkeypatch):
    monkeypatch.setenv("FORESIGHT_SITE", str(tmp_path / "other.yaml"))
    with pytest.raises(ForesightError, match="there is no site file"):
        Settings.read().site()
    (tmp_path / "other.yaml").write_text("hosts: [{name: p.vn, authority: ca.pem}]")
    assert Settings.read().site().hosts[0].authority == str(tmp_path / "ca.pem")


@pytest.mark.parametrize(
    ("address", "read", "told"),
    [
        ("https://u:abc123@portal.example/land.csv", "{}", "no user and no password"),
        ("https://portal.example/a b.csv", "{}", "this is no address"),
        ("https:///land.csv", "{}", "this is no address"),
        ("https://portal.example/download?id=3", "{}", "does not tell the format"),
        ("https://portal.example/", "{ckan: {}}", "either resource or datastore"),
        ("https://portal.example/", "{ckan: {resource: a, datastore: b}}", "either resource or"),
        ("land.csv", "{ckan: {datastore: b}}", "there is no portal"),
        ("https://portal.example/", "{ckan: {resource: ../x}, format: csv}", "pattern"),
        ("ftp://portal.example/land.csv", "{}", "leads outside"),
    ],
)
def test_an_address_that_cannot_be_is_a_mistake_of_the_catalog(address, read, told):
    with pytest.raises(Problems) as error:
        catalog(address, read)
    assert told in str(error.value)
    assert "abc123" not in str(error.value)
