"""The state of a view, kept in the URL by stable codes: a link restores it in either language.

Streamlit's own `bind` writes the label shown, which changes with the language. Here the code goes
into the URL and into the session; a default is left out, and an unknown code falls back to it.
"""

from collections.abc import Callable, Sequence

import streamlit as st

from dashboard.text import LANGUAGES, Text


def language() -> str:
    """The language asked for; to be called before any text is chosen."""
    return remembered("lang", LANGUAGES, LANGUAGES[0])


def remembered(name: str, options: Sequence[str], default: str) -> str:
    """The value of `name` by URL, else by session, else `default`; both are brought into line.

    The URL wins when it says something new: a link opened, or the browser's back button. Moving to
    another page clears it, and then the session remembers.
    """
    asked = st.query_params.get(name)
    state, written, kept = st.session_state, f"written_{name}", f"kept_{name}"
    if asked is not None and asked != state.get(written):
        state[name] = asked
    elif name not in state and kept in state:
        # Streamlit forgets the state of a widget on the way to another page.
        state[name] = state[kept]
    if state.get(name) not in options:
        state[name] = default
    value = state[kept] = str(state[name])
    _write(name, value, default)
    state[written] = st.query_params.get(name)
    return value


def _write(name: str, value: str, default: str) -> None:
    if value != default:
        if st.query_params.get(name) != value:
            st.query_params[name] = value
    elif name in st.query_params:
        del st.query_params[name]


def switch_language(text: Text) -> None:
    """The other language at one tap; the page and its view stay."""
    st.segmented_control(
        text("language.label"),
        LANGUAGES,
        key="lang",
        format_func=lambda code: text(f"language.{code}"),
        label_visibility="collapsed",
        required=True,
    )


def choose(
    name: str,
    label: str,
    options: Sequence[str],
    titled: Callable[[str], str],
) -> str:
    """A list to choose one code from, the first unless the URL says another."""
    remembered(name, options, options[0])
    chosen = st.selectbox(label, options, key=name, format_func=titled, placeholder=label)
    return str(chosen if chosen in options else options[0])
