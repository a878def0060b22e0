"""The part of the page of results that is about forecasts, made from the kept figures."""

from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.accuracy.cells import PROCESS
from benchmarks.accuracy.diagram import reliability_svg

Outcome = Mapping[str, Any]

ABOUT = """\
## Forecasts: how good

Made {day} on {machine}. OWA is relative to Naive2 (1.000), lower is better, and so are sMAPE, MASE,
MSIS (interval score in units of MASE) and the pinball loss over seven quantiles in the same unit;
a band of 80 % should hold 80 % of the outcomes. The last column is the OWA of the engine less that
of the method, with its 95 % bootstrap interval over series: below zero the engine is better. Times
are CPU time a series; those of the engine include its backtest and bands, those of the others are
one fit. A method that fails on a series is given the seasonal naive forecast there (silent).
"""
HEAD = (
    "| method | OWA | sMAPE | MASE | 50 % | 80 % | 95 % | MSIS 80 | MSIS 95 | pinball | below 0 "
    "| ms | silent | engine less this |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|---|"
)


HELD = ("covered_80", "covered_95")
HELD_ABOUT = """\
### What bands hold depends on the years that come

What hits all series of a set in the few years of its outcomes moves them together, so one end of a
set tells little about bands. Here the engine also forecasts the same series as they stood one
horizon and two horizons earlier, where they were long enough; means are of the ends.\
"""
HELD_HEAD = (
    "| set | 80 % holds | one earlier | two | mean | 95 % holds | one earlier | two | mean |\n"
    "|---|---|---|---|---|---|---|---|---|"
)


def pages(accuracy: Outcome | None, cells: Outcome | None, speed: Outcome | None) -> Iterator[str]:
    """The sections there are figures for."""
    if accuracy:
        yield ABOUT.format(**accuracy)
        yield from _skipped(accuracy)
        yield _overview(accuracy["collections"])
        yield _held(accuracy["collections"])
        yield _losses(accuracy["collections"])
        for collection in accuracy["collections"]:
            yield from _collection(collection)
        yield from _chances(accuracy["collections"])
    if cells:
        yield from _cells(cells)
    if speed:
        yield _speed(speed)


def _skipped(accuracy: Outcome) -> Iterator[str]:
    if accuracy["missing"]:
        yield f"Not there, so left out: {', '.join(accuracy['missing'])}.\n"
    if accuracy["quick"]:
        yield "A quick run: few series, so wide intervals.\n"


def _overview(collections: list[Outcome]) -> str:
    return _table(
        "### In short",
        "| set | series | OWA of the engine | AutoETS | SCUM, on its sample (engine there) "
        "| MASE / AutoETS | MSIS 95 / AutoETS | 80 % holds | 95 % holds |\n"
        "|---|---|---|---|---|---|---|---|---|",
        [*map(_line, collections), *_competitions(collections)],
    )


def _line(collection: Outcome) -> str:
    ours, ets = (collection["all"][name] for name in ("engine", "AutoETS"))
    sample = collection["samples"][0]
    return (
        f"| {title(collection)} | {ours['series']:,} | {ours['owa']:.3f} | {ets['owa']:.3f} "
        f"| {sample['SCUM']['owa']:.3f} ({sample['engine']['owa']:.3f}) "
        f"| {ours['mase'] / ets['mase']:.3f} | {ours['msis_95'] / ets['msis_95']:.3f} "
        f"| {ours['covered_80']:.1%} | {ours['covered_95']:.1%} |"
    )


def _competitions(collections: list[Outcome]) -> Iterator[str]:
    """The frequencies of a competition together, weighted by their series."""
    for name in dict.fromkeys(one["name"] for one in collections):
        parts = [one for one in collections if one["name"] == name]
        if len({one["frequency"] for one in parts}) < 2:
            continue
        counts = [one["all"]["engine"]["series"] for one in parts]
        ours, ets = (_weighted(parts, counts, "all", method) for method in ("engine", "AutoETS"))
        scum, there = (_weighted(parts, counts, "samples", m) for m in ("SCUM", "engine"))
        yield (
            f"| **{name}**, weighted | {sum(counts):,} | {ours:.3f} | {ets:.3f} "
            f"| {scum:.3f} ({there:.3f}) | | | | |"
        )


def _weighted(parts: list[Outcome], counts: list[int], on: str, method: str) -> float:
    figures = [part[on] if on == "all" else part[on][0] for part in parts]
    owas = [one[method]["owa"] for one in figures]
    return sum(owa * count for owa, count in zip(owas, counts, strict=True)) / sum(counts)


def _held(collections: list[Outcome]) -> str:
    """What bands held at each end of the series, and the means by frequency."""
    told = [one for one in collections if one["earlier"]]
    rows = [f"| {title(one)} | {_at_ends(_ends(one))} |" for one in told]
    for frequency in dict.fromkeys(one["frequency"] for one in told):
        ends = [end for one in told if one["frequency"] == frequency for end in _ends(one)]
        middle = {band: sum(end[band] for end in ends) / len(ends) for band in HELD}
        blank = " | ".join([" "] * 3)
        means = " | ".join(f"{blank} | **{middle[band]:.1%}**" for band in HELD)
        rows.append(f"| **all, {frequency}** | {means} |")
    return _table(HELD_ABOUT, HELD_HEAD, rows)


def _ends(collection: Outcome) -> list[Outcome]:
    return [collection["all"]["engine"], *collection["earlier"]]


def _at_ends(ends: list[Outcome]) -> str:
    """Shares at each end, and their mean, of one band after the other."""
    cells = []
    for band in HELD:
        shares = [end[band] for end in ends]
        cells += [f"{share:.1%}" for share in shares] + ["–"] * (3 - len(shares))
        cells.append(f"{sum(shares) / len(shares):.1%}")
    return " | ".join(cells)


def _losses(collections: list[Outcome]) -> str:
    """Where another method is ahead, first where chance is no explanation."""
    ahead = [
        (row["engine_less_this"], title(collection), name)
        for collection in collections
        for name, row in _widest(collection).items()
        if not name.startswith("engine") and row["engine_less_this"]["difference"] > 0
    ]
    ahead.sort(key=lambda row: (row[0]["low"] <= 0, -row[0]["difference"]))
    rows = [
        f"| {where} | {name} | {_apart(apart)} | {'perhaps' if apart['low'] <= 0 else 'no'} |"
        for apart, where, name in ahead
    ]
    return _table(
        "### Where the engine loses, and to whom",
        "| set | to | OWA behind | by chance |\n|---|---|---|---|",
        rows or ["| nowhere | | | |"],
    )


def _widest(collection: Outcome) -> dict[str, Any]:
    """Each method's figures on the most series it was asked about."""
    widest: dict[str, Any] = {}
    for figures in (collection["all"], *collection.get("samples", ())):
        widest = {**figures, **widest}
    return widest


def _collection(collection: Outcome) -> Iterator[str]:
    """All series first, then the samples on which slower methods were asked too."""
    yield f"### {title(collection)}\n"
    shown: set[str] = set()
    for figures in (collection["all"], *collection.get("samples", ())):
        count = figures["engine"]["series"]
        if new := [name for name in figures if name not in shown]:
            names = dict.fromkeys(("engine", *new))
            yield _table(f"{count:,} series.", HEAD, [_row(name, figures[name]) for name in names])
        shown |= set(figures)


def _row(name: str, row: Outcome) -> str:
    told = [f"{row[figure]:.3f}" for figure in ("owa", "smape", "mase")]
    told += [f"{row[f'covered_{band}']:.1%}" for band in (50, 80, 95)]
    told += [f"{row[figure]:.2f}" for figure in ("msis_80", "msis_95")]
    told += [f"{row['pinball']:.3f}", f"{row['below_zero']:.1%}"]
    told += [f"{row['milliseconds']:,.1f}", f"{row['silent']}"]
    apart = "" if name == "engine" else _apart(row["engine_less_this"])
    called = f"**{name}**" if name == "engine" else name
    return f"| {called} | {' | '.join(told)} | {apart} |"


def _apart(apart: Outcome) -> str:
    return f"{apart['difference']:+.3f} [{apart['low']:+.3f}, {apart['high']:+.3f}]"


def _chances(collections: list[Outcome]) -> Iterator[str]:
    annual = [one for one in collections if "chances" in one]
    if not annual:
        return
    yield (
        "### Chance of reaching a target\n\nAnnual series, the last step; targets are the last "
        "value and -2, 0, 2, 4, 6 mean yearly changes from it. The Brier score is 0 for a prophet "
        "and .25 for a coin; below it, what was said and how often it came.\n"
    )
    for one in annual:
        yield _briers(one)
        yield _reliability(one["chances"])
        yield f"![How often it came, by the chance said]({picture_of(one)})\n"


def _briers(collection: Outcome) -> str:
    """Every method on the most series it was asked about, beside the engine on the same ones."""
    every, sample = collection["chances"], collection["chances_of_sample"]
    scored = sorted((sample | every).items(), key=lambda item: float(item[1]["brier"]))
    rows = [
        f"| {name} | {row['brier']:.4f} | {_few(row)} "
        f"| {(every if name in every else sample)['engine']['brier']:.4f} |"
        for name, row in scored
    ]
    head = "| method | Brier | cases | engine on the same series |\n|---|---|---|---|"
    return _table(f"{title(collection)}.", head, rows)


def _few(row: Outcome) -> str:
    return f"{sum(cases for *_, cases in row['bins']):,}"


def _reliability(told: Outcome) -> str:
    rows = []
    for name in ("engine", "AutoETS"):
        bins = told[name]["bins"]
        rows.append(f"| {name}, said | {' | '.join(f'{said:.0%}' for said, _, _ in bins)} |")
        rows.append(f"| it came | {' | '.join(f'{came:.0%}' for _, came, _ in bins)} |")
    widest = max(row.count("|") for row in rows) - 1
    rows = [row + " |" * (widest + 1 - row.count("|")) for row in rows]
    return _table("", "| |" + " |" * (widest - 1) + "\n" + "|---" * widest + "|", rows)


def _cells(cells: Outcome) -> Iterator[str]:
    yield (
        "## Forecasts: small cells\n\nSimulated areas by fields, with many zeros; nobody counted "
        "any of it. The process itself is what one would say who knew how they were made: on "
        f"average no method loses less. Made {cells['day']} on {cells['machine']}.\n"
    )
    yield _table(
        "Pinball loss over that of the best other method:",
        "| set | zeros | best other | **engine** | the process itself |\n|---|---|---|---|---|",
        [_reached(collection) for collection in cells["collections"]],
    )
    for collection in cells["collections"]:
        yield from _collection(collection)


def _reached(collection: Outcome) -> str:
    losses = {name: float(row["pinball"]) for name, row in collection["all"].items()}
    ours, least = losses.pop("engine"), losses.pop(PROCESS)
    best = min(losses, key=lambda name: losses[name])
    ratios = f"{ours / losses[best]:.3f} | {least / losses[best]:.3f}"
    return f"| {title(collection)} | {collection['zeros']:.0%} | {best} | {ratios} |"


def _speed(speed: Outcome) -> str:
    ours, theirs = speed["engine"], speed["peer"]
    rows = [
        _cost(f"**engine**, {speed['series']:,} series", ours),
        _cost("statsforecast DOT, cross-validation of 12 windows", theirs),
        _cost(f"engine, {4 * speed['series']:,} series (once)", speed["four_cities"]),
    ]
    if speed["nation"]:
        rows.append(_cost(f"engine, {speed['nation_series']:,} series (once)", speed["nation"]))
    linear = speed["four_cities"]["cpu_seconds"] / (4 * ours["cpu_seconds"])
    along = ", ".join(speed["imported_along"]) or "none of the heavy libraries"
    head = "| what | CPU s | wall s | peak memory, MB |\n|---|---|---|---|"
    return _table(
        "## Forecasts: how fast\n\nMade-up monthly counts of "
        f"{speed['months']} months; final forecasts, rolling origins and bands, 12 ahead. Made "
        f"{speed['day']} on {speed['machine']}, median of {speed['rounds']} rounds in turn.\n",
        head,
        rows,
    ) + (
        f"\nThe engine takes {ours['cpu_seconds'] / theirs['cpu_seconds']:.2f} of the CPU time of "
        f"that peer, {ours['seconds'] / theirs['seconds']:.2f} of its wall time. Four times the "
        f"series cost {linear:.2f} times as much a series. Importing it takes "
        f"{speed['import_seconds']:.2f} s beyond polars, and brings {along}.\n"
    )


def _cost(name: str, cost: Outcome) -> str:
    return f"| {name} | {cost['cpu_seconds']:.1f} | {cost['seconds']:.1f} | {cost['peak_mb']:,} |"


def _table(above: str, head: str, rows: list[str]) -> str:
    return f"{above}\n\n{head}\n" + "\n".join(rows) + "\n"


def pictures(accuracy: Outcome | None) -> Iterator[tuple[str, str]]:
    """The reliability diagrams that the page shows: name of the file and SVG text."""
    for one in accuracy["collections"] if accuracy else ():
        if "chances" in one:
            yield picture_of(one), reliability_svg(title(one), one["chances"])


def picture_of(collection: Outcome) -> str:
    """Name of the file with the reliability diagram of a collection."""
    return f"reliability-{collection['name'].lower()}.svg"


def title(collection: Outcome) -> str:
    """The collection as it is called in tables."""
    return f"{collection['name']}, {collection['frequency']}, {collection['horizon']} ahead"
