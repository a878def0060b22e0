"""What the page around the pages says before a script runs: the policy, the style, what to fetch.

Streamlit fetches the code of a part when the part arrives, shows a grey bar in its place, and lets
what it fetched in late, while it waits for others. Parts that nearly every page has are therefore
named in the page itself: the browser fetches them while the rest starts. The style sheet stands
there for the same reason: no figure is ever seen without it.
"""

import base64
import hashlib
import re
from functools import cache
from pathlib import Path

import streamlit as st
from starlette.requests import Request
from starlette.responses import Response

from dashboard.theme import stylesheet

BOOT = '<script src="/app/static/boot.js"></script>'
BUNDLE = Path(st.__file__).parent / "static"
"""Streamlit's page, and below it the code of its parts."""
PARTS = ("Html", "ButtonGroup", "DownloadButton", "Selectbox", "ArrowVegaLiteChart")
"""Of the first screen, from its top to its bottom, as their files are called."""
STYLE = "/app/style.css"
IMPORTED = re.compile(r"""(?:from|import)\s*"\./([\w.-]+\.js)\"""")


@cache
def content_policy() -> str:
    """The content security policy: this machine only, and the inline scripts of the page."""
    inline = re.findall(r"<script>(.*?)</script>", _page(), flags=re.DOTALL)
    hashes = [
        base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in inline
    ]
    scripts = " ".join(["'self'", *(f"'sha256-{value}'" for value in hashes)])
    return (
        f"default-src 'self'; script-src {scripts}; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' ws: wss:; "
        "worker-src 'self' blob:; frame-src 'self' blob:; frame-ancestors 'self'; "
        "base-uri 'self'; form-action 'self'; object-src 'none'"
    )


def framed(page: str, lang: str, title: str) -> str:
    """Streamlit's page in a language, with our script before all others and our style after."""
    hint = f"{hints()}</head>"
    # At the end, after all styles of Streamlit: of two that say as much, ours holds.
    link = f'<link rel="stylesheet" href="{STYLE}?{_digest()}"></body>'
    page = page.replace('<html lang="en">', f'<html lang="{lang}">', 1)
    page = page.replace("<title>Streamlit</title>", f"<title>{title}</title>", 1)
    page = page.replace("<head>", f"<head>{BOOT}", 1).replace("</head>", hint, 1)
    return page.replace("</body>", link, 1)


@cache
def hints() -> str:
    """Links that name the code of `PARTS` and all it imports, less what the page names itself."""
    named = set(re.findall(r"/js/([\w.-]+\.js)", _page()))
    return "".join(
        f'<link rel="modulepreload" crossorigin href="./static/js/{name}">'
        for name in _needed()
        if name not in named
    )


async def style(request: Request) -> Response:
    """The style sheet, asked for by its content: a browser keeps it until it is another."""
    kept = "public, max-age=31536000, immutable" if request.url.query == _digest() else "no-cache"
    return Response(stylesheet(), media_type="text/css", headers={"cache-control": kept})


def _page() -> str:
    return (BUNDLE / "index.html").read_text(encoding="utf-8")


@cache
def _digest() -> str:
    return hashlib.sha256(stylesheet().encode()).hexdigest()[:16]


def _needed() -> list[str]:
    """File names of the parts and of what they import, each once, in the order of the parts."""
    folder = BUNDLE / "static" / "js"
    waiting = [path.name for part in PARTS for path in sorted(folder.glob(f"{part}.*.js"))]
    found: dict[str, None] = {}
    while waiting:
        name = waiting.pop(0)
        if name not in found:
            found[name] = None
            waiting = IMPORTED.findall((folder / name).read_text(encoding="utf-8")) + waiting
    return list(found)
