"""Small counts: a Poisson rate that drifts, with the season of the siblings.

The rate has a gamma distribution; a discount says how fast what was seen loses its weight. Counts
that vary more than Poisson's tell less of their rate, and weigh less the more they vary: without
that, a single burst would be taken for a new level. One step ahead counts are negative binomial;
discounts count by how well they foresaw.

Source: Harvey and Fernandes (1989), Journal of Business and Economic Statistics 7(4).
"""

import numpy as np

from forecasts.lanes import Lanes
from forecasts.model import Model
from forecasts.panel import Floats

DISCOUNTS = (0.6, 0.75, 0.85, 0.92, 0.96, 0.98, 0.995)
PRIOR = 0.1
"""Counts the rate is given to begin with, so that it is never 0 for certain."""
USUAL_DISPERSION = 0.25
PRIOR_PAIRS = 12.0
"""Pairs of neighbours that the usual dispersion weighs as much as, in that of a lane."""
MOST_DISPERSION = 5.0
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
    """The rate at the end of each lane, a mean over the discounts, `(lanes,)`."""
    discount = np.array(DISCOUNTS)[:, None]
    known = np.isfinite(counts)
    counts, dispersion = np.where(known, counts, 0.0), _dispersion(counts, season)
    skipped = min(max(4, span // 2), counts.shape[1])
    lasted = np.where(known[:, :skipped], season[:, :skipped], 0).sum(axis=1)
    begun = counts[:, :skipped].sum(axis=1) / lasted + PRIOR
    rate = np.repeat(1 / (1 + dispersion * begun)[None], len(discount), axis=0)
    shape, foresaw = rate * begun, np.zeros_like(rate)
    for step in range(counts.shape[1]):
        count, usual, on = counts[:, step], season[:, step], known[:, step]
        shape, rate = (np.where(on, discount * state, state) for state in (shape, rate))
        expected = usual * shape / rate
        if step >= skipped:
            likely = _likely(count, expected, 1 / (dispersion + 1 / shape))
            foresaw += np.where(on, likely, 0.0)
        told = np.where(on, 1 / (1 + dispersion * expected), 0.0)
        shape, rate = shape + told * count, rate + told * usual
    belief = np.exp(foresaw - foresaw.max(axis=0))
    return np.asarray((belief * shape / rate).sum(axis=0) / belief.sum(axis=0))


def _dispersion(counts: Floats, season: Floats) -> Floats:
    """Variance beyond the mean, as a share of its square, `(lanes,)`: from neighbours in time.

    How far neighbours are apart does not depend on where the rate drifts to.
    """
    even = counts / season
    late, early = even[:, 1:], even[:, :-1]
    chance = (late / season[:, 1:] + early / season[:, :-1]) / 2
    excess = np.nansum((late - early) ** 2 / 2 - chance, axis=1)
    squares = np.nansum(late * early, axis=1)
    prior = PRIOR_PAIRS * np.nanmean(even, axis=1) ** 2 + PRIOR
    found = (excess + prior * USUAL_DISPERSION) / (squares + prior)
    return np.asarray(np.clip(found, 0.0, MOST_DISPERSION))


def _likely(count: Floats, expected: Floats, shape: Floats) -> Floats:
    """Log of the chance of a negative binomial count, but for what no discount changes."""
    missed = np.log1p(expected / shape)
    odds = np.log(expected / shape) - missed
    return np.asarray(_risen(shape, count) - shape * missed + count * odds)


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
