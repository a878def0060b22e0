"""Who is looking: the one function that every page asks, whatever the way of signing on."""

from dataclasses import dataclass
from typing import Any

import streamlit as st

from dashboard.sign_on import BELIEVED, WORD, current_people
from dashboard.text import Text
from etl.handin import Actor
from etl.people import DEMO, People, Person, UnknownPerson
from etl.settings import Settings

CHOSEN = "who"
LONGEST = 120


@dataclass(frozen=True)
class Visitor:
    """A person who signed on, by which account, and from where."""

    person: Person
    account: str
    origin: str

    @property
    def actor(self) -> Actor:
        """As the audit names them."""
        return Actor(self.person, self.account, "page", self.origin)


def person() -> Visitor | None:
    """Who is looking; `None` where nobody signed on, or the account is nobody's."""
    people = current_people(Settings.read())
    if people is None:
        return None
    account = account_of(people)
    if account is None:
        return None
    try:
        found = _named(people, account)
    except UnknownPerson:
        return None
    address = st.context.ip_address
    # The server says nothing of this machine, and a page without one says what it likes.
    return Visitor(found, account, address if isinstance(address, str) else "localhost")


def known() -> bool:
    """Whether there is a people file: then nobody may type who they are."""
    return current_people(Settings.read()) is not None


def typed(text: Text) -> str:
    """The name of who acts, as they type it: where there is no people file."""
    return str(st.text_input(text("person.name"), key="person", max_chars=LONGEST))


def account_of(people: People) -> str | None:
    """The account that is signed on, whoever's it may be."""
    match people.sign_on.way:
        case "demo":
            chosen = st.session_state.get(CHOSEN)
            return f"{DEMO}{chosen}" if chosen else None
        case "headers":
            return _of_the_proxy()
        case _:
            return _of_the_provider(people.sign_on.claim)


def sign_on(text: Text) -> None:
    """Where to sign on and off; in a demo the switch between people."""
    people = current_people(Settings.read())
    if people is None:
        return
    if people.sign_on.way == "demo":
        names = {one.name: _described(one, people, text) for one in people.people}
        st.selectbox(
            text("handin.who_demo"),
            list(names),
            index=None,
            format_func=lambda name: names[name],
            placeholder=text("handin.who_choose"),
            key=CHOSEN,
        )
    elif people.sign_on.way == "oidc":
        if _claims().get("is_logged_in"):
            st.button(text("handin.sign_off"), on_click=st.logout)
        else:
            st.button(text("handin.sign_on"), on_click=st.login, type="primary")


def _described(one: Person, people: People, text: Text) -> str:
    found = [people.department(name) for name in sorted(one.departments)]
    places = [text.pick(where.title, where.title_en) for where in found if where]
    roles = [text(f"role.{role}") for role in sorted(one.roles)]
    return " · ".join([one.title, ", ".join(roles), *places])


def _named(people: People, account: str) -> Person:
    if people.sign_on.way == "demo":
        return people.person(account.removeprefix(DEMO))
    return people.of_account(account)


def _of_the_proxy() -> str | None:
    """The account that the door let in; anything else under that header is not from there."""
    said = st.context.headers.get(BELIEVED) or ""
    word, _, account = said.partition(":")
    return account or None if word == WORD else None


def _of_the_provider(claim: str) -> str | None:
    """What the provider says under the claim; an e-mail only if it says that it looked."""
    claims = _claims()
    said = claims.get(claim)
    unproven = claim == "email" and claims.get("email_verified") is not True
    if not claims.get("is_logged_in") or not said or unproven:
        return None
    return str(said)


def _claims() -> dict[str, Any]:
    return dict(st.user.to_dict())
