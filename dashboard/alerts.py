"""What is said of alerts: the figure, against what, since when, how sure; at most 25 words."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

import polars as pl

from dashboard.notation import Notation
from dashboard.text import Text
from etl.catalog import Catalog, Dataset
from etl.clock import local_day
from etl.warehouse import Warehouse
from forecasts.decisions.alert_log import Kept, found_in, owner
from forecasts.decisions.alert_replay import CERTAIN, TO_GOING_ON, TO_THE_WORST, Replayed
from forecasts.decisions.alert_rules import Scene, label_alert
from forecasts.decisions.alerts import OF_DATASETS, Alert
from forecasts.decisions.contacts import BEFORE, HIGH_OTHER, Watched
from forecasts.ledger import score

SHAPES = {"opened": "▲", "acknowledged": "◆", "explained": "●", "closed": "○"}
"""Each state has a shape of its own: colour alone tells nothing to some readers, and in print."""

FINDINGS = 5
"""Findings on the labels of a classifier that are told, newest first."""


@dataclass(frozen=True)
class Teller:
    """Tells of alerts in one language; `places` are names of areas by code and level."""

    text: Text
    catalog: Catalog
    places: dict[tuple[str, str], str]

    @property
    def notation(self) -> Notation:
        """Figures in the same language."""
        return Notation(self.text.lang)

    def subject(self, alert: Alert) -> str:
        """`Hồ sơ tiếp nhận, Đất đai, phường Ninh Kiều`."""
        parts = [self._title(alert)]
        if alert.category != "total":
            parts.append(self._category(alert.category))
        if alert.area:
            parts.append(self.places.get((alert.area, alert.level), alert.area))
        elif alert.level:
            parts.append(self.text(f"level.{alert.level}"))
        return ", ".join(parts)

    def sentence(self, alert: Alert) -> str:
        """The one sentence."""
        notation = self.notation
        known: dict[str, Any] = {
            "when": notation.during(alert.frequency, alert.period, alert.period_end),
            "value": self.amount(alert, alert.value),
            "expected": self.amount(alert, alert.expected, rounded=True),
            "since": notation.date(alert.since),
            "sure": self._sure(alert),
            "sure_short": self.notation.share(100 * (alert.false_rate or 0.0), 1),
        }
        more = getattr(self, f"_{alert.rule}", None)
        key, extra = more(alert) if more else (alert.rule, {})
        return self.text(f"alert_said.{key}", **known, **extra)

    def amount(self, alert: Alert, value: float | None, *, rounded: bool = False) -> str:
        """A figure of the alert with its unit."""
        entry = self.catalog.indicators.get(alert.subject)
        decimals = entry.decimals if entry else 0
        number = self.notation.rounded(value) if rounded else self.notation.number(value, decimals)
        unit = self.text.pick(entry.unit, entry.unit_en) if entry else ""
        return f"{number}%" if unit == "%" else f"{number} {unit}".strip()

    def replayed(self, one: Replayed) -> str:
        """What the rule would have rung, and what followed."""
        if not one.outcomes or one.since is None or one.until is None:
            known_anyway = one.rule in CERTAIN
            return self.text("alert_replay.certain" if known_anyway else "alert_replay.nothing")
        months = round((one.until - one.since).days / 30.44) + 1
        known = {
            "rung": self.notation.number(one.rung),
            "months": self.notation.number(months),
            "looks": self.notation.number(one.looks),
            "confirmed": self.notation.number(one.confirmed),
            "decided": self.notation.number(one.decided),
        }
        if not one.rung:
            return self.text("alert_replay.silent", **known)
        if one.rule in TO_GOING_ON:
            return self.text("alert_replay.going_on", **known)
        if one.days is None:
            return self.text("alert_replay.rung", **known)
        ahead = "worst" if one.rule in TO_THE_WORST else "ahead"
        key = ahead if one.days >= 0 else "after"
        return self.text(f"alert_replay.{key}", **known, days=self.notation.number(abs(one.days)))

    def topic(self, alert: Alert) -> str:
        """Name of its category."""
        return self._category(alert.category)

    def owner(self, alert: Alert) -> str:
        """Who answers for the figure."""
        return self.text.pick(*owner(self.catalog, alert))

    def request(self, kept: Kept) -> list[str]:
        """A *yêu cầu giải trình*: who asks whom, in which words, and the figure as it rang."""
        asked = kept.asked
        known = {
            "owner": self.owner(kept.alert),
            "subject": self.subject(kept.alert),
            "sentence": self.sentence(kept.alert),
            "rung": self.notation.date(kept.rung_on),
            "who": asked.who if asked else "",
            "day": self.notation.date(local_day(asked.at)) if asked else "",
        }
        words = f"{self.text('alerts.request.words')} {asked.text if asked else ''}"
        return [
            self.text("alerts.request.asks", **known),
            words,
            self.text("alerts.request.figure", **known),
        ]

    def record(self, kept: Kept) -> dict[str, Any]:
        """An alert and what became of it, for machines and for downloads."""
        alert, asked, answer = kept.alert, kept.asked, kept.answer
        return {
            "alert": alert.key,
            "rule": alert.rule,
            "state": kept.state,
            "subject": self.subject(alert),
            "sentence": self.sentence(alert),
            "value": alert.value,
            "expected": alert.expected,
            "lower": alert.lower,
            "upper": alert.upper,
            "p_value": alert.p_value,
            "false_rate": alert.false_rate,
            "looked_at": alert.looked_at,
            "since": alert.since,
            "rung_on": kept.rung_on,
            "owner": self.owner(alert),
            "asked": asked.text if asked else None,
            "answer": answer.text if answer else None,
            "simulated": alert.simulated,
        }

    def _title(self, alert: Alert) -> str:
        found = self._named(alert)
        return self.text.pick(found.title, found.title_en) if found else alert.subject

    def _named(self, alert: Alert) -> Any:
        kinds: dict[str, Any] = self.catalog.datasets if alert.rule in OF_DATASETS else {}
        return kinds.get(alert.subject) or self.catalog.indicators.get(alert.subject)

    def _category(self, name: str) -> str:
        for dataset in self.catalog.resources:
            for field in dataset.schema_.fields:
                for category in field.categories or []:
                    if category.value == name:
                        return self.text.pick(category.label, category.label_en)
        return name

    def _sure(self, alert: Alert) -> str:
        if alert.false_rate is None:
            return ""
        return self.text("alerts.sure", rate=self.notation.share(100 * alert.false_rate, 0))

    def _band(self, alert: Alert) -> tuple[str, dict[str, Any]]:
        low, high = alert.lower or 0.0, alert.upper or 0.0
        return "band", {"interval": self.notation.interval(low, high)}

    def _limit(self, alert: Alert) -> tuple[str, dict[str, Any]]:
        limit = next((one for one in self.catalog.alerts.limits if one.name == alert.detail), None)
        side = "below" if limit and limit.below is not None else "above"
        tenths = min(round(10 * (alert.chance or 0.0)), 9)
        return f"limit_{side}", {"bound": self.amount(alert, alert.bound), "tenths": tenths}

    def _trend(self, alert: Alert) -> tuple[str, dict[str, Any]]:
        def slope(value: float | None) -> str:
            size = self.amount(alert, abs(value or 0.0), rounded=True)
            return f"{self.notation.sign(value or 0.0)}{size}"

        return "trend", {"after": slope(alert.value), "before": slope(alert.expected)}

    def _classifier(self, alert: Alert) -> tuple[str, dict[str, Any]]:
        kind, _, version = (alert.detail or "").rpartition("_")
        share = self.notation.share
        return f"classifier_{kind}", {
            "version": version,
            "after": share(alert.value, 0),
            "before": share(alert.expected, 0),
        }

    def _late(self, alert: Alert) -> tuple[str, dict[str, Any]]:
        return "late", {"days": self.notation.number(alert.value)}

    def _drift(self, alert: Alert) -> tuple[str, dict[str, Any]]:
        kind = (alert.detail or "too_high").rpartition("_")[0]
        if alert.value is None:
            return f"drift_{alert.detail}", {}
        share = self.notation.share
        return f"drift_{kind}", {"seen": share(alert.value, 0), "nominal": share(alert.expected, 0)}


def labels_said(teller: Teller, dataset: Dataset, seen: Watched) -> list[str]:
    """Of the labels of a classifier: the share without a topic, then each finding as it rings,
    newest first.
    """
    alerts = [
        label_alert(dataset.name, dataset.simulated, one, seen.tested) for one in seen.findings
    ]
    share = teller.notation.share
    other = teller.text(
        "load.labels_other",
        weeks=BEFORE,
        share=share(None if seen.other is None else 100 * seen.other, 0),
        high=share(100 * HIGH_OTHER, 0),
    )
    told = [
        teller.text("load.labels_found", topic=teller.topic(one), said=teller.sentence(one))
        for one in reversed(alerts[-FINDINGS:])
    ]
    return [other, *(told or [teller.text("load.labels_none")])]


def would_ring(
    aside: Warehouse,
    catalog: Catalog,
    today: dt.date,
    text: Text,
    *,
    of: frozenset[str] | None = None,
    series: int | None = None,
) -> list[tuple[str, str, str]]:
    """Rule, key and sentence of what would ring on the figures of `aside`, which is thrown away.

    New figures are held against the forecasts issued before; none are made for it. `of` and
    `series` as in `Scene`.
    """
    score(aside, today=today)
    teller = Teller(text, catalog, place_names(aside.query("dashboard", "area_names"), text))
    ringing = found_in(Scene(aside, catalog, today, of, series))
    return [(one.rule, one.key, teller.sentence(one)) for one in ringing]


def place_names(areas: pl.DataFrame, text: Text) -> dict[tuple[str, str], str]:
    """Names of areas by code and level, with their kind; of rows code, level, kind, name."""
    found = {}
    for code, level, kind, name in areas.select("code", "level", "kind", "name").iter_rows():
        ward = {"phường": "kind.ward", "xã": "kind.commune"}.get(kind or "")
        words = [text(ward), name] if ward else [name]
        found[code, level] = " ".join(words if text.lang == "vi" else words[::-1])
    return found
