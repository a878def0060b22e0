"""The colours of `.streamlit/config.toml`, by what they mean. No colour is written elsewhere."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

CONFIG = Path(__file__).parent.parent / ".streamlit" / "config.toml"


@dataclass(frozen=True)
class Theme:
    """Colours by meaning, as in the configuration file."""

    page: str
    panel: str
    text: str
    muted: str
    faint: str
    rule: str
    grid: str
    link: str
    observed: str
    forecast: str
    series: tuple[str, ...]
    """Observed, forecast, and further series."""
    band_95: str
    band_80: str
    steps: tuple[str, ...]
    """Change on the tile map: falling, steady, and rising in three steps."""
    good: str
    good_ground: str
    bad: str
    bad_ground: str
    warning: str
    warning_ground: str
    warning_line: str
    accent_ground: str


FONT = "'Source Sans', 'Source Sans 3', sans-serif"
"""The font Streamlit ships; a family that begins a word with a digit must be quoted."""


@cache
def theme() -> Theme:
    """The theme in force."""
    found = tomllib.loads(CONFIG.read_text(encoding="utf-8"))["theme"]
    series, bands = found["chartCategoricalColors"], found["chartSequentialColors"]
    return Theme(
        page=found["backgroundColor"],
        panel=found["secondaryBackgroundColor"],
        text=found["textColor"],
        muted=found["grayTextColor"],
        faint=found["grayColor"],
        rule=found["borderColor"],
        grid=bands[0],
        link=found["linkColor"],
        observed=series[0],
        forecast=series[1],
        series=tuple(series),
        band_95=bands[1],
        band_80=bands[2],
        steps=tuple(found["chartDivergingColors"][:5]),
        good=found["greenTextColor"],
        good_ground=found["greenBackgroundColor"],
        bad=found["redTextColor"],
        bad_ground=found["redBackgroundColor"],
        warning=found["yellowTextColor"],
        warning_ground=found["yellowBackgroundColor"],
        warning_line=found["yellowColor"],
        accent_ground=found["blueBackgroundColor"],
    )


@cache
def stylesheet() -> str:
    """The rules of `style.css`, with every colour of the theme as a variable before them."""
    colours = {name: value for name, value in vars(theme()).items() if isinstance(value, str)}
    variables = ";".join(f"--{name.replace('_', '-')}:{value}" for name, value in colours.items())
    rules = (Path(__file__).parent / "style.css").read_text(encoding="utf-8")
    return f":root{{{variables}}}\n{rules}"
