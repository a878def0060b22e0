"""Alerts on their way to readers: by mail, and as JSON to an address of an allowed host.

Only what the screen shows leaves: sums of areas and fields, never a row of a case. Simulated series
never leave. What could not be sent stays unsent and is tried at the next look.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from dashboard.alerts import Teller
from etl.catalog import AlertReader, Catalog
from etl.errors import ForesightError
from etl.fetch.send import post, send_mail
from etl.fetch.web import Web
from etl.settings import Site
from forecasts.decisions.alert_log import Kept, to_send

LEAVES = (
    "alert", "rule", "state", "subject", "sentence", "value", "expected", "lower", "upper",
    "false_rate", "since", "rung_on", "owner",
)  # fmt: skip


@dataclass(frozen=True)
class Sent:
    """What was sent, as alert, reader and way; and what went wrong."""

    entries: tuple[tuple[str, str, str], ...]
    failures: tuple[ForesightError, ...]


def deliver(
    site: Site, catalog: Catalog, kept: Iterable[Kept], teller: Teller, *, today: date
) -> Sent:
    """Send each reader what is new to them, within their budget; one message a reader and way."""
    every = list(kept)
    entries: list[tuple[str, str, str]] = []
    failures: list[ForesightError] = []
    for reader in catalog.alerts.readers:
        mine = to_send(every, reader, today)
        for way in _ways(site, reader) if mine else ():
            try:
                _send(site, reader, way, mine, teller)
            except ForesightError as failure:
                failures.append(failure)
            else:
                entries += [(one.alert.key, reader.name, way) for one in mine]
    return Sent(tuple(entries), tuple(failures))


def _ways(site: Site, reader: AlertReader) -> list[str]:
    by_mail = bool(site.mail and site.mail.to.get(reader.name))
    return ["mail"] * by_mail + ["webhook"] * (reader.name in site.webhooks)


def _send(site: Site, reader: AlertReader, way: str, mine: list[Kept], teller: Teller) -> None:
    if way == "mail" and site.mail:
        subject = teller.text("alerts.subject_line", count=len(mine))
        to = site.mail.to[reader.name]
        send_mail(site.mail, to, subject, letter(mine, teller), silence=site.limits.silence)
        return
    records = [teller.record(one) for one in mine]
    content = [{name: row[name] for name in LEAVES} for row in records]
    post(Web(site), site.webhooks[reader.name], {"reader": reader.name, "alerts": content})


def letter(mine: Iterable[Kept], teller: Teller) -> str:
    """The text of a mail: subject and sentence of each alert, worst first."""
    parts = [
        f"{place}. {teller.subject(one.alert)}\n   {teller.sentence(one.alert)}\n"
        f"   {teller.text('alerts.owner', owner=teller.owner(one.alert))}"
        for place, one in enumerate(mine, start=1)
    ]
    return "\n\n".join([*parts, teller.text("alerts.page")]) + "\n"
