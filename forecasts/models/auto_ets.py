"""AutoETS of statsforecast: every form of exponential smoothing, chosen by AICc."""

from forecasts.model import Model, of_statsforecast

MODEL = Model(
    title="AutoETS",
    title_en="AutoETS",
    forecast=of_statsforecast("AutoETS"),
    slow=True,
    fewest_points=4,
    longest_season=24,
)
