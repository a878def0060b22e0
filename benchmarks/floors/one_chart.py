"""The bare page, and one chart of ten points."""

import altair as alt
import polars as pl
import streamlit as st

OPTIONS = [f"option {number}" for number in range(15)]

st.title("One chart")
chosen = st.selectbox("Choose", OPTIONS, key="field")
st.write(chosen)
points = pl.DataFrame({"x": range(10), "y": [n * (OPTIONS.index(chosen) + 1) for n in range(10)]})
st.altair_chart(alt.Chart(points).mark_line().encode(x="x", y="y"))
