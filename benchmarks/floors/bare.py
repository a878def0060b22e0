"""A page with nothing on it but a list to choose from and what was chosen."""

import streamlit as st

st.title("Bare")
st.write(st.selectbox("Choose", [f"option {number}" for number in range(15)], key="field"))
