"""The login through a provider, over HTTP and the page's socket, to a page that knows who looks."""

import warnings

import httpx
import pytest
import yaml
from streamlit import config
from streamlit.auth_util import encode_provider_token
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.secrets import secrets_singleton

from tests.dashboard.provider import CLIENT, SECRET, provider
from tests.dashboard.test_handin_page import PEOPLE, made

with warnings.catch_warnings():  # of its next HTTP client, which nothing else here needs yet
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

__all__ = ["made"]

PLACE = "http://localhost:8501"


@pytest.fixture(scope="module")
def served(made, tmp_path_factory):
    """The dashboard as it is served, its secrets naming a provider on this machine."""
    nhan, *others = PEOPLE["people"]
    people = [{**nhan, "accounts": ["nhan@example.vn"]}, *others]
    signed = {**PEOPLE, "sign_on": {"way": "oidc"}, "people": people}
    made.people.write_text(yaml.safe_dump(signed), encoding="utf-8")
    secrets = tmp_path_factory.mktemp("secrets") / "secrets.toml"
    with pytest.MonkeyPatch.context() as patch, provider() as oidc:
        patch.setenv("FORESIGHT_HOME", str(made.home))
        patch.setenv("FORESIGHT_CATALOG", str(made.catalog))
        secrets.write_text(
            f'[auth]\nredirect_uri = "{PLACE}/oauth2callback"\n'
            'cookie_secret = "a long secret that is only for this test"\n'
            f'client_id = "{CLIENT}"\nclient_secret = "{SECRET}"\n'
            f'server_metadata_url = "{oidc.issuer}/.well-known/openid-configuration"\n',
            encoding="utf-8",
        )
        config.set_option("secrets.files", [str(secrets)])
        secrets_singleton._reset()
        from dashboard.server import app

        with TestClient(app, base_url=PLACE, client=("127.0.0.1", 50000)) as browser:
            yield browser, oidc
        secrets_singleton._reset()
        config.set_option("secrets.files", [])


def shown(browser: TestClient) -> str:
    """What the hand-in page shows to this browser: its headings and markup."""
    browser.get("/_stcore/health")
    xsrf = browser.cookies["_streamlit_xsrf"]
    found: list[str] = []
    with browser.websocket_connect(
        "ws://localhost:8501/_stcore/stream",
        subprotocols=["streamlit", xsrf],
        headers={"Origin": PLACE},
    ) as socket:
        ask = BackMsg()
        ask.rerun_script.page_name = "handin"
        socket.send_bytes(ask.SerializeToString())
        while True:
            message = ForwardMsg.FromString(socket.receive_bytes())
            found.append(str(message.delta.new_element))
            if message.WhichOneof("type") == "script_finished":
                return " ".join(found)


def sign_on(browser: TestClient) -> None:
    """To the provider and back, as a browser is led."""
    token = encode_provider_token("default")
    away = browser.get(f"/auth/login?provider={token}", follow_redirects=False)
    back = httpx.get(away.headers["location"]).headers["location"]
    assert browser.get(back, follow_redirects=False).status_code == 302


def test_a_login_leads_to_the_page_of_that_person(served):
    browser, oidc = served
    browser.cookies.clear()
    assert "chưa được khai báo" in shown(browser)
    oidc.claims = {"sub": "1", "email": "nhan@example.vn", "email_verified": True}
    sign_on(browser)
    assert "Đang làm việc: Nhân" in shown(browser)


@pytest.mark.parametrize(
    "claims",
    [
        {"sub": "2", "email": "nobody@example.vn", "email_verified": True},
        {"sub": "3", "email": "nhan@example.vn", "email_verified": False},
        {"sub": "4", "email": "nhan@example.vn"},
    ],
)
def test_an_account_of_nobody_or_an_address_nobody_proved_is_nobody(served, claims):
    browser, oidc = served
    browser.cookies.clear()
    oidc.claims = claims
    sign_on(browser)
    assert "chưa được khai báo" in shown(browser)
