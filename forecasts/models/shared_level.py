"""A level that moves slowly, with the season that siblings lend each other; made for small counts.

Not on logs: the mean of few counts is the mean of the counts.
"""

from forecasts.lanes import Lanes
from forecasts.model import Model
from forecasts.panel import Floats
from forecasts.recursion import grid, smooth

TRIED = grid((0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9), (0.0,), (0.0,))
SURENESS = 1.0


def forecast(lanes: Lanes, horizon: int) -> Floats:
    """Paths in the unit of the values."""
    plain = lanes.lent
    fit = smooth(plain.level, lanes.lengths, TRIED, SURENESS)
    return plain.back_from_level(fit.ahead(horizon))


MODEL = Model(
    title="Mức gần đây, mùa vụ chung",
    title_en="Recent level, shared season",
    forecast=forecast,
    shared=True,
    few_zeros=False,
)
