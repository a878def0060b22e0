"""The part of the page of results that is about the pages of the dashboard."""

from collections.abc import Iterator
from typing import Any

ABOUT = """\
## Pages

Made {day} on {machine}, which others used at the same time: only the ratios mean something, each
of medians measured in turn with its floor. Loads are milliseconds until everything above the fold
is painted in a real browser of 1440 × 1000, for one who was there before (warm) and one who was
not (cold), {rounds} rounds; choices are milliseconds from choosing another field to the new text
and to the last change of the chart. Sessions are {sessions} at once without a browser, each
choosing {runs} times, {pause:.0f} s apart on the average: the middle and the slowest twentieth of
their runs, the first run, the processor time of a run and the memory of a session. Bytes are those
on the wire, compressed, from the server to one visitor. **City** is the overview of an
installation with all data; **large** that of a made-up city of 103 communes, 20 fields and 20
years with a thousand indicators in its catalog. The bare pages run Streamlit as it comes, which
searches for garbage after each run; ours does so once a minute, and so may take less than they do.
{caveat}
| goal | asked | city | large |
|---|---|---|---|
{goals}

| page | warm load, ms | / bare | cold load, ms | / one chart |
|---|---|---|---|---|
{loads}

| page | text, ms | chart, ms | p50, ms | p95, ms | first, ms | CPU, ms | MB | kB first | kB later |
|---|---|---|---|---|---|---|---|---|---|
{sessions_table}
"""
TOO_EARLY = """
**Loads of this run are too low**: a page counted as painted while a part above the fold was on its
way. The benchmark has been mended since; the next run tells them anew.
"""
NAMES = {
    "bare": "bare",
    "one_chart": "bare, and one chart",
    "city": "overview, city",
    "large": "overview, large",
    "large_commune": "a commune, large",
    "large_indicator": "an indicator, large",
}
GOALS = {
    "warm load / bare page": 2.0,
    "cold load / one-chart page": 1.4,
    "choice to new text / bare": 2.5,
    "choice to new chart / bare": 3.5,
    "kB over the wire, first run": 100.0,
    "kB over the wire, later run": 100.0,
    "MB of memory a session": 1.0,
    "p95 of sessions at once / bare": 3.0,
}


def page(told: dict[str, Any]) -> str:
    """The section, with every goal and whether it is met."""
    return ABOUT.format(
        **{name: told[name] for name in ("day", "machine", "rounds")},
        **told["each"],
        caveat="" if told.get("waits_for_parts") else TOO_EARLY,
        goals="\n".join(_goals(told)),
        loads="\n".join(_loads(told["load"])),
        sessions_table="\n".join(_sessions(told)),
    )


def reached(told: dict[str, Any], name: str) -> dict[str, float]:
    """What a page came to under each of `GOALS`."""
    load, choice, wire, crowd = (told[key] for key in ("load", "choice", "bytes", "sessions"))
    figures = (
        load[name]["warm"] / load["bare"]["warm"],
        load[name]["cold"] / load["one_chart"]["cold"],
        choice[name]["text"] / choice["bare"]["text"],
        choice[name]["chart"] / choice["bare"]["text"],
        wire[name][0] / 1000,
        wire[name][1] / 1000,
        crowd[name]["megabytes"],
        crowd[name]["p95"] / crowd["bare"]["p95"],
    )
    return dict(zip(GOALS, figures, strict=True))


def _goals(told: dict[str, Any]) -> Iterator[str]:
    cities = {name: reached(told, name) for name in ("city", "large") if name in told["load"]}
    for goal, most in GOALS.items():
        cells = [_cell(cities[name][goal], most) if name in cities else "–" for name in _CITIES]
        yield f"| {goal} | ≤ {most:g} | {' | '.join(cells)} |"


_CITIES = ("city", "large")


def _cell(value: float, most: float) -> str:
    shown = f"{value:.2f}" if most < 10 else f"{value:.0f}"
    return shown if value <= most else f"**{shown}, missed**"


def _loads(load: dict[str, dict[str, float]]) -> Iterator[str]:
    for name, title in NAMES.items():
        if name in load:
            warm, cold = load[name]["warm"], load[name]["cold"]
            yield (
                f"| {title} | {warm:,.0f} | {warm / load['bare']['warm']:.2f} "
                f"| {cold:,.0f} | {cold / load['one_chart']['cold']:.2f} |"
            )


def _sessions(told: dict[str, Any]) -> Iterator[str]:
    for name, title in NAMES.items():
        if name not in told["sessions"]:
            continue
        choice, crowd, wire = (told[key][name] for key in ("choice", "sessions", "bytes"))
        chart = f"{choice['chart']:,.0f}" if "chart" in choice else "–"
        figures = [f"{crowd[key]:,.0f}" for key in ("p50", "p95", "first_p50", "cpu_ms")]
        kilobytes = " | ".join(f"{count / 1000:,.1f}" for count in wire)
        yield (
            f"| {title} | {choice['text']:,.0f} | {chart} | {' | '.join(figures)} "
            f"| {crowd['megabytes']:.2f} | {kilobytes} |"
        )
