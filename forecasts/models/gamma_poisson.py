"""Small counts: a Poisson rate that drifts, with the season of the siblings.

The rate has a gamma distribution; a discount says how fast what was seen loses its weight, and is
chosen by how well it foresaw the counts. One step ahead counts are negative binomial.

Source: Harvey and Fernandes (1989), Journal of Business and Economic Statistics 7(4).
"""

import numpy as np

from forecasts.lanes import Lanes
from forecasts.model import Model
from forecasts.panel import Floats

DISCOUNTS = (0.6, 0.7, 0.8, 0.87, 0.93, 0.97, 0.99)
PRIOR = 0.1
"""Counts the rate is given to begin with, so that it is never 0 for certain."""
TOGETHER = 1024
STIRLING = 3.0
"""Where the series is near enough: it is off by a ten-thousandth at most."""
SLACK = 0.05
"""Least share of the usual rate in a season in which siblings saw next to nothing."""
LARGEST = 50.0
"""Mean from which the chance of counts is no longer that of single cases."""


def forecast(lanes: Lanes, horizon: int) -> Floats:
    """Rate times season; NaN for what is no count."""
    places = np.arange(lanes.values.shape[1] + horizon) % lanes.season
    shared, on_logs = lanes.shared, lanes.on_logs[:, None]
    paths = np.full((len(lanes.lengths), horizon), np.nan)
    counts = np.flatnonzero(lanes.counts & (lanes.unit < LARGEST))
    for at in range(0, len(counts), TOGETHER):
        rows = counts[at : at + TOGETHER]
        season = np.where(on_logs[rows], np.exp(shared[rows]), np.maximum(1 + shared[rows], SLACK))
        rate = _rate(lanes.values[rows], season[:, places[: lanes.values.shape[1]]], lanes.season)
        ahead = (lanes.lengths[rows, None] + np.arange(horizon)) % lanes.season
        paths[rows] = rate[:, None] * np.take_along_axis(season, ahead, axis=1)
    return paths


def _rate(counts: Floats, season: Floats, span: int) -> Floats:
    """The rate at the end of each lane, with the discount that foresaw best, `(lanes,)`."""
    discount = np.array(DISCOUNTS)[:, None]
    skipped = min(max(4, span // 2), counts.shape[1])
    begun = np.where(np.isfinite(counts[:, :skipped]), counts[:, :skipped], 0)
    lasted = np.where(np.isfinite(counts[:, :skipped]), season[:, :skipped], 0)
    shape = np.repeat((begun.sum(axis=1) / lasted.sum(axis=1) + PRIOR)[None], len(discount), axis=0)
    rate, foresaw = np.ones_like(shape), np.zeros_like(shape)
    for step in range(counts.shape[1]):
        count, usual = counts[:, step], season[:, step]
        on = np.isfinite(count)
        count = np.where(on, count, 0.0)
        shape, rate = (np.where(on, discount * state, state) for state in (shape, rate))
        if step >= skipped:
            # What is the same for all discounts is left out.
            log_hit = np.log(rate + usual)
            likely = _risen(shape, count) + shape * (np.log(rate) - log_hit) - count * log_hit
            foresaw += np.where(on, likely, 0.0)
        shape, rate = shape + count, rate + np.where(on, usual, 0.0)
    best, lanes = foresaw.argmax(axis=0), np.arange(len(counts))
    return np.asarray(shape[best, lanes] / rate[best, lanes])


def _risen(shape: Floats, count: Floats) -> Floats:
    """Log of gamma(shape + count) / gamma(shape), by Stirling's series from `STIRLING` on."""
    low, high = shape + STIRLING, shape + count + STIRLING
    begun = shape * (shape + 1) * (shape + 2)
    ended = (shape + count) * (shape + count + 1) * (shape + count + 2)
    series = (high - 0.5) * np.log(high) - (low - 0.5) * np.log(low) + (low - high)
    return np.asarray(series + (1 / high - 1 / low) / 12 + np.log(begun / ended))


MODEL = Model(
    title="Gamma–Poisson",
    title_en="Gamma-Poisson",
    forecast=forecast,
    shared=False,
    few_zeros=False,
)
