"""A small OpenID Connect provider on this machine: it signs whoever is said on, without asking."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from urllib.parse import urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse
from starlette.routing import Route

CLIENT, SECRET = "foresight", "only-for-the-test"


class Provider:
    """Its address, and the claims of whoever signs on next."""

    def __init__(self) -> None:
        self.issuer = ""
        self.claims: dict[str, object] = {}
        self._key = RSAKey.generate_key(2048, {"kid": "test"})
        self._nonce: dict[str, str] = {}

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self.metadata),
                Route("/authorize", self.authorize),
                Route("/token", self.token, methods=["POST"]),
                Route("/keys", self.keys),
            ]
        )

    async def metadata(self, _: Request) -> JSONResponse:
        places = {"authorization": "authorize", "token": "token"}
        return JSONResponse(
            {
                "issuer": self.issuer,
                "jwks_uri": f"{self.issuer}/keys",
                "id_token_signing_alg_values_supported": ["RS256"],
                **{f"{name}_endpoint": f"{self.issuer}/{path}" for name, path in places.items()},
            }
        )

    async def authorize(self, request: Request) -> RedirectResponse:
        asked = request.query_params
        code = f"code-{len(self._nonce)}"
        self._nonce[code] = asked.get("nonce", "")
        back = urlencode({"code": code, "state": asked["state"]})
        return RedirectResponse(f"{asked['redirect_uri']}?{back}")

    async def token(self, request: Request) -> JSONResponse:
        form = await request.form()
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": self._nonce.pop(str(form["code"])),
            **self.claims,
        }
        signed = jwt.encode({"alg": "RS256", "kid": "test"}, claims, self._key)
        return JSONResponse({"access_token": "a", "token_type": "Bearer", "id_token": signed})

    async def keys(self, _: Request) -> JSONResponse:
        return JSONResponse({"keys": [self._key.as_dict(private=False)]})


@contextmanager
def provider() -> Iterator[Provider]:
    """The provider, served on a free port while the block lasts."""
    made = Provider()
    config = uvicorn.Config(made.app(), host="127.0.0.1", port=0, log_level="error")
    server = uvicorn.Server(config)
    thread = Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    made.issuer = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    yield made
    server.should_exit = True
    thread.join()
