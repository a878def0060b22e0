"""AutoARIMA of statsforecast: orders chosen by AICc."""

from forecasts.model import Model, of_statsforecast

MODEL = Model(
    title="AutoARIMA",
    title_en="AutoARIMA",
    forecast=of_statsforecast("AutoARIMA"),
    slow=True,
    fewest_points=5,
    longest_season=24,
)
