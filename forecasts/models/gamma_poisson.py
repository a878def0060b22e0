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
from forecasts.recursion import Ints, still_running

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
    shared, lengths = lanes.shared, lanes.lengths
    paths = np.full((len(lengths), horizon), np.nan)
    counts = np.flatnonzero(lanes.counts & (lanes.unit < LARGEST))
    counts = counts[np.argsort(-lengths[counts], kind="stable")]
    for at in range(0, len(counts), TOGETHER):
        rows = counts[at : at + TOGETHER]
        on_logs, longest = lanes.on_logs[rows, None], int(lengths[rows[0]])
        season = np.where(on_logs, np.exp(shared[rows]), np.maximum(1 + shared[rows], SLACK))
        usual = season[:, np.arange(longest) % lanes.season]
        rate = _rate(lanes.values[rows, :longest], usual, lengths[rows], lanes.season)
        ahead = (lengths[rows, None] + np.arange(horizon)) % lanes.season
        paths[rows] = rate[:, None] * np.take_along_axis(season, ahead, axis=1)
    return paths


def _rate(counts: Floats, season: Floats, lengths: Ints, span: int) -> Floats:
    """The rate at the end of each lane, a mean over the discounts, `(lanes,)`; longest first."""
    known = np.isfinite(counts)
    counts, dispersion = np.where(known, counts, 0.0), _dispersion(counts, season)
    skipped = min(max(4, span // 2), counts.shape[1])
    lasted = np.where(known[:, :skipped], season[:, :skipped], 0).sum(axis=1)
    begun = counts[:, :skipped].sum(axis=1) / lasted + PRIOR
    states = np.zeros((3, len(DISCOUNTS), len(counts)))
    states[1] = 1 / (1 + dispersion * begun)
    states[0] = states[1] * begun
    columns = zip(counts.T.copy(), season.T.copy(), known.T, still_running(lengths), strict=True)
    for step, (count, usual, on, active) in enumerate(columns):
        idle = np.flatnonzero(~on[:active])
        kept = states[..., idle]
        told = (values[:active] for values in (count, usual, dispersion))
        _seen(states[..., :active], *told, judged=step >= skipped)
        states[..., idle] = kept
    shape, rate, foresaw = states
    belief = np.exp(foresaw - foresaw.max(axis=0))
    return np.asarray((belief * shape / rate).sum(axis=0) / belief.sum(axis=0))


def _seen(
    states: Floats, count: Floats, usual: Floats, dispersion: Floats, *, judged: bool
) -> None:
    """One count more, for `states`: shape, rate, how well they foresaw: `(3, discounts, lanes)`."""
    shape, rate, foresaw = states
    discount = np.array(DISCOUNTS)[:, None]
    shape *= discount
    rate *= discount
    odds = usual / rate
    expected = odds * shape
    excess = expected * dispersion
    if judged:
        odds += excess
        foresaw += _likely(count, expected / odds, odds)
    excess += 1
    shape += count / excess
    rate += usual / excess


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


def _likely(count: Floats, shape: Floats, odds: Floats) -> Floats:
    """Log of the chance of a negative binomial count, but for what no discount changes.

    `odds` are its mean over its shape.
    """
    likely = np.log(odds)
    likely *= count
    missed = np.log1p(odds)
    missed *= shape + count
    likely -= missed
    likely += _risen(shape, count)
    return likely


def _risen(shape: Floats, count: Floats) -> Floats:
    """Log of gamma(shape + count) / gamma(shape), but for the count itself.

    By Stirling's series from `STIRLING` on.
    """
    low = shape + STIRLING
    high = low + count
    rest = count / 12 / (low * high)
    ended = shape + count
    ended *= ended * high + 2
    ratio = shape * (shape * low + 2)
    ratio /= ended
    risen = np.log(ratio)
    risen -= rest
    risen += (high - 0.5) * np.log(high)
    risen -= (low - 0.5) * np.log(low)
    return risen


MODEL = Model(
    title="Gamma–Poisson",
    title_en="Gamma-Poisson",
    forecast=forecast,
    shared=False,
    few_zeros=False,
)
