"""What leaves the house on its own: a mail, or a JSON text to an address of an allowed host.

Where to, stands in the site file; a password only in the environment. Redirects are not followed: a
message goes where it was meant to go, or nowhere.
"""

import contextlib
import json
import smtplib
import ssl
import time
from collections.abc import Sequence
from email.message import EmailMessage
from typing import Any

from etl.fetch.arrival import FetchFailed
from etl.fetch.web import Web
from etl.settings import Mail, secret

ACCEPTED = range(200, 300)


def post(web: Web, url: str, content: dict[str, Any]) -> None:
    """Send `content` as JSON to `url`, once.

    Raises:
        HostRefused: `url` is not of an allowed host.
        MissingSecret: what the host wants to see is not in the environment.
        FetchFailed: it did not arrive, or was not accepted.
    """
    place = web.place(url)
    body = json.dumps(content, ensure_ascii=False, default=str).encode()
    headers = {"Content-Type": "application/json; charset=utf-8"}
    deadline = time.monotonic() + web.site.limits.seconds
    with web.asked(place, headers, deadline, method="POST", body=body) as response:
        if response.status not in ACCEPTED:
            raise FetchFailed(
                f"the server answers {response.status}",
                where=place.shown,
                hint="see that the address takes a POST of JSON",
            )


def send_mail(mail: Mail, to: Sequence[str], subject: str, text: str, *, silence: float) -> None:
    """Send a mail of plain text; `silence` is how many seconds to wait for the server.

    Raises:
        MissingSecret: the password is not in the environment.
        FetchFailed: the server did not take it for every address.
    """
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = mail.sender, ", ".join(to), subject
    message.set_content(text)
    where = f"{mail.host}:{mail.port}"
    try:
        with contextlib.closing(smtplib.SMTP(mail.host, mail.port, timeout=silence)) as server:
            if mail.starttls:
                server.starttls(context=ssl.create_default_context(cafile=mail.authority))
            if mail.user and mail.secret:
                server.login(mail.user, secret(mail.secret))
            refused = server.send_message(message)
            server.quit()
    except (smtplib.SMTPException, OSError) as error:
        raise FetchFailed(
            f"the mail was not taken: {type(error).__name__}",
            where=where,
            hint="mend `mail` in the site file, or ask whoever runs the mail server",
        ) from None
    if refused:
        raise FetchFailed(
            f"the mail was not taken for {len(refused)} addresses",
            where=where,
            hint="mend `mail` in the site file, or ask whoever runs the mail server",
        )
