"""Marks of footnotes behind names: "Xã Phong Điền (1)", "Ô Môn (*)", "Tổng thu ¹".

They are no part of the name. Behind a figure they are none of ours: "1.234 (1)" is unreadable.
"""

import re

_MARKS = re.compile(r"(?:\s*\(\s*(?:\d{1,2}|\*{1,3})\s*\)|\s*(?:\*{1,3}|[¹²³⁰⁴-⁹]{1,2}))+\s*$")


def without_mark(text: str) -> str:
    """`text` without the marks of footnotes at its end; what is nothing but a mark stays."""
    return _MARKS.sub("", text) or text
