"""Alerts on their way: to readers by mail, and as JSON to an address of an allowed host.

To the owner of a figure goes, by mail, what somebody asked to be explained.
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
from forecasts.decisions.alert_log import Kept, owner, to_send, unsent_request

LEAVES = (
    "alert", "rule", "state", "subject", "sentence", "value", "expected", "lower", "upper",
    "false_rate", "since", "rung_on", "owner",
)  # fmt: skip


@dataclass(frozen=True)
class Sent:
    """What was sent, as alert, reader or owner, and way; and what went wrong."""

    entries: tuple[tuple[str, str, str], ...]
    failures: tuple[ForesightError, ...]


def deliver(
    site: Site, catalog: Catalog, kept: Iterable[Kept], teller: Teller, *, today: date
) -> Sent:
    """Send each reader what is new to them, within their budget, one message a reader and way;
    and each owner who has an address what was asked of them.
    """
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
    for one in every:
        try:
            entries += _ask(site, one, teller)
        except ForesightError as failure:
            failures.append(failure)
    return Sent(tuple(entries), tuple(failures))


def _ask(site: Site, one: Kept, teller: Teller) -> list[tuple[str, str, str]]:
    """Mail an owner what was asked of them and not sent yet; the entry of it, or none."""
    name = next((name for name in owner(teller.catalog, one.alert) if name), "")
    if not site.mail or not site.mail.owners.get(name) or not unsent_request(one, name):
        return []
    subject = teller.text("alerts.request_line", subject=teller.subject(one.alert))
    words = "\n\n".join([*teller.request(one), _where(site, teller)]) + "\n"
    send_mail(site.mail, site.mail.owners[name], subject, words, silence=site.limits.silence)
    return [(one.alert.key, name, "mail")]


def _ways(site: Site, reader: AlertReader) -> list[str]:
    by_mail = bool(site.mail and site.mail.to.get(reader.name))
    return ["mail"] * by_mail + ["webhook"] * (reader.name in site.webhooks)


def _send(site: Site, reader: AlertReader, way: str, mine: list[Kept], teller: Teller) -> None:
    if way == "mail" and site.mail:
        subject = teller.text("alerts.subject_line", count=len(mine))
        to = site.mail.to[reader.name]
        words = f"{letter(mine, teller)}\n\n{_where(site, teller)}\n"
        send_mail(site.mail, to, subject, words, silence=site.limits.silence)
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
    return "\n\n".join(parts)


def _where(site: Site, teller: Teller) -> str:
    """Where to read on, and to answer."""
    said = teller.text("alerts.page")
    if not site.pages:
        return said
    english = "?lang=en" if teller.text.lang == "en" else ""
    return f"{said}\n{site.pages.rstrip('/')}/alerts{english}"
