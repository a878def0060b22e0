"""Who is at the screen: what they type, until there is a sign-on that knows them."""

import streamlit as st

from dashboard.text import Text

LONGEST = 120


def person(text: Text) -> str:
    """The name of who acts, as they type it; a sign-on would return its own and draw nothing."""
    return str(st.text_input(text("person.name"), key="person", max_chars=LONGEST))
