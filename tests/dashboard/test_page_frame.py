"""What the page around the pages says, against the Streamlit that is installed."""

import re

import pytest

from dashboard import page_frame
from dashboard.page_frame import BUNDLE, PARTS, framed, hints


def _named(markup: str) -> list[str]:
    return re.findall(r'modulepreload" crossorigin href="\./static/js/([^"]+)"', markup)


@pytest.mark.parametrize("part", PARTS)
def test_the_code_of_a_part_is_named_before_it_is_asked_for(part):
    assert [name for name in _named(hints()) if name.startswith(f"{part}.")]


def test_what_a_named_file_imports_is_named_too_and_everything_once():
    page = (BUNDLE / "index.html").read_text(encoding="utf-8")
    named = _named(hints())
    known = set(named) | set(re.findall(r"/js/([\w.-]+\.js)", page))
    imported = {
        needed
        for name in named
        for needed in re.findall(
            r'(?:from|import)\s*"\./([\w.-]+)"', (BUNDLE / "static/js" / name).read_text("utf-8")
        )
    }
    assert imported - known == set()
    assert len(set(named)) == len(named)
    assert not set(named) & set(_named(page))


def test_our_script_comes_before_all_others_and_our_style_after_all():
    page = framed((BUNDLE / "index.html").read_text(encoding="utf-8"), "vi", "Cần Thơ")
    assert '<html lang="vi">' in page
    assert "<title>Cần Thơ</title>" in page
    assert page.index("boot.js") < page.index("/static/js/")
    assert page.rindex('rel="stylesheet"') == page.index(
        f'rel="stylesheet" href="{page_frame.STYLE}'
    )
    assert page.index('id="root"') < page.index(page_frame.STYLE)
