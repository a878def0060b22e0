"""The dossiers of one month: when and where received, in which field, due when, done when."""

from dataclasses import dataclass
from datetime import date

import numpy as np

from etl.simulate.assumed import (
    AFTER_15,
    AWAY,
    AWAY_WEEKS,
    BOUNDARY_FREE,
    CELL_SPREAD,
    CITY_DAY_SPREAD,
    EPOCH,
    HANDOVER,
    HANDOVER_DAYS,
    LATE_AFTER_TET,
    LATE_DAYS,
    LATE_DAYS_SAME_DAY,
    LATE_IMPROVEMENT,
    LATE_PEAK_DAYS,
    MERGER,
    NEVER,
    NEVER_SAME_DAY,
    ONLINE_SHIFT,
    POST,
    REFUSED,
    RESULTS,
    SUPPLEMENT,
    SUPPLEMENT_DAYS,
    SUPPLEMENT_LONGEST,
    SUPPLEMENT_SAME_DAY,
    TIME_USED,
    UNSETTLED_DAYS,
    UNSETTLED_LATE,
    UNSETTLED_SUPPLEMENT,
    WITHDRAWN,
    Floats,
    Ints,
    floats,
    lognormal,
)
from etl.simulate.city import City
from etl.simulate.days import Span


@dataclass(frozen=True)
class Dossiers:
    """Dossiers in order of receipt; days are numbers of `Span`, -1 where there is none yet."""

    day: Ints
    place: Ints
    """Within its day, from 1."""
    field: Ints
    procedure: Ints
    office: Ints
    due: Ints
    finished: Ints
    channel: Ints
    result: Ints
    """In RESULTS; its length where there is none yet."""

    def __len__(self) -> int:
        return len(self.day)

    def within(self, first: int, last: int) -> "Dossiers":
        """Those received on these days; what finished after the last is still open."""
        inside = (self.day >= first) & (self.day <= last)
        kept = {name: values[inside] for name, values in vars(self).items()}
        open_ = (kept["finished"] > last) | (kept["finished"] < 0)
        kept["finished"] = np.where(open_, -1, kept["finished"])
        kept["result"] = np.where(open_, len(RESULTS), kept["result"])
        return Dossiers(**kept)


def drawn_month(rng: np.random.Generator, city: City, month: date) -> Dossiers:
    day, commune, field = _received(rng, city, month)
    office = _office(rng, city, month, day, commune, field)
    procedure = np.searchsorted(
        city.procedures["cumulated"].to_numpy(), field + _fraction(rng, len(day)), "right"
    )
    due, finished, result = _handled(rng, city, day, office[1], field, procedure)
    return Dossiers(
        day=day,
        place=np.arange(len(day)) - np.searchsorted(day, day) + 1,
        field=field,
        procedure=procedure,
        office=office[0],
        due=due,
        finished=finished,
        channel=_channel(rng, city, day, field),
        result=result,
    )


def _fraction(rng: np.random.Generator, size: int) -> Floats:
    """Uniform below 1, with room for the rounding of cumulated shares."""
    return floats(rng.random(size) * (1 - 1e-9))


def _received(rng: np.random.Generator, city: City, month: date) -> tuple[Ints, Ints, Ints]:
    """Day, commune of residence and field of each dossier, in order of receipt."""
    days = city.span.days_of(month)
    number = 12 * (month.year - EPOCH.year) + month.month - EPOCH.month
    own = city.growth_on(days) * city.drift[number]
    own *= lognormal(rng, CITY_DAY_SPREAD, (len(days), 1))
    mix = city.mix * lognormal(rng, CELL_SPREAD, city.mix.shape)
    rate = own[:, :, None] * mix * city.expected[:, days].T[:, None, :]
    counts = rng.poisson(rate)
    cells = np.repeat(np.arange(counts.size), counts.ravel())
    day, commune, field = np.unravel_index(cells, counts.shape)
    order = np.argsort(day + rng.random(len(day)))
    return days[day[order]], commune[order], field[order]


def _office(
    rng: np.random.Generator, city: City, month: date, day: Ints, commune: Ints, field: Ints
) -> tuple[Ints, Ints]:
    """The office that received each dossier, and the commune of today whose pace it has."""
    drawn = commune + _fraction(rng, len(day))
    pieces = city.pieces_of(month)
    if pieces is not None:
        piece = np.searchsorted(pieces.cumulated, drawn, "right")
        district = rng.random(len(day)) < city.fields["district_share"].to_numpy()[field]
        return np.where(district, pieces.district[piece], pieces.office[piece]), commune
    weeks = (day - city.span.number(BOUNDARY_FREE) + 1) / 7
    away = rng.random(len(day)) < AWAY * np.clip(weeks / AWAY_WEEKS, 0, 1)
    nearest, cumulated = city.neighbours
    commune = np.where(away, nearest[np.searchsorted(cumulated, drawn, "right")], commune)
    return city.today[commune], commune


def _channel(rng: np.random.Generator, city: City, day: Ints, field: Ints) -> Ints:
    """Number in CHANNELS. What comes when offices are closed comes online."""
    share = city.span.trend("online")[day]
    odds = share / (1 - share) * np.exp(city.fields["online"].to_numpy()[field] + ONLINE_SHIFT)
    online = (rng.random(len(day)) < odds / (1 + odds)) | ~city.span.working[day]
    post = rng.random(len(day)) < POST
    return np.where(online, 0, np.where(post, 2, 1))


def _handled(
    rng: np.random.Generator, city: City, day: Ints, commune: Ints, field: Ints, procedure: Ints
) -> tuple[Ints, Ints, Ints]:
    """Day due, day finished (-1: never) and number in RESULTS of each dossier."""
    span, n = city.span, len(day)
    committed = city.procedures["committed_days"].to_numpy()[procedure]
    same_day = committed == 0
    due = _due(rng, span, day, committed)
    used = np.ceil((due - span.opened[day]) * rng.beta(*TIME_USED, n)).astype(np.int64)
    late = rng.random(n) < _late_share(city, day, commune, field)
    beyond = 1 + rng.exponential(np.where(same_day, LATE_DAYS_SAME_DAY, LATE_DAYS), n)
    finished = np.where(late, due + beyond.astype(np.int64), span.opened[day] + used)
    finished = _handed_over(rng, span, day, finished)
    never = rng.random(n) < np.where(same_day, NEVER_SAME_DAY, NEVER)
    outcome = rng.random(n)
    result = np.where(outcome < REFUSED, 1, np.where(outcome < REFUSED + WITHDRAWN, 2, 0))
    return span.worked[due], np.where(never, -1, span.worked[finished]), result


def _due(rng: np.random.Generator, span: Span, day: Ints, committed: Ints) -> Ints:
    """Working day due: as `etl.calendars.add_working_days` counts, after 15:00 a day later.

    Where papers were missing, the day is the new one that the applicant was given.
    """
    same_day = committed == 0
    afternoon = (rng.random(len(day)) < AFTER_15) & span.working[day]
    due = np.where(same_day, span.opened[day] + afternoon, span.closed[day] + committed)
    since = day - span.number(MERGER)
    asked = np.where(same_day, SUPPLEMENT_SAME_DAY, SUPPLEMENT)
    asked *= 1 + UNSETTLED_SUPPLEMENT * np.exp(-since / UNSETTLED_DAYS) * (since >= 0)
    more = np.minimum(2 + rng.exponential(SUPPLEMENT_DAYS, len(day)), SUPPLEMENT_LONGEST)
    return np.where(rng.random(len(day)) < asked, due + more.astype(np.int64), due)


def _late_share(city: City, day: Ints, commune: Ints, field: Ints) -> Floats:
    """Chance of a dossier to be late, higher in some offices, after the merger and after Tết."""
    from_tet = city.span.days_from_tet[day]
    surge = np.where((from_tet >= 5) & (from_tet < 26), LATE_AFTER_TET, 1.0)
    since = np.maximum(day - city.span.number(MERGER), 0) / LATE_PEAK_DAYS
    merger = 1 + UNSETTLED_LATE * since * np.exp(1 - since)
    improvement = np.exp(-LATE_IMPROVEMENT * city.span.years[day])
    base = city.fields["late"].to_numpy()[field] * city.lateness[commune]
    return np.minimum(base * improvement * surge * merger, 0.9)


def _handed_over(rng: np.random.Generator, span: Span, day: Ints, finished: Ints) -> Ints:
    """Former offices finish before they close much of what would have been done in July 2025."""
    merger = span.number(MERGER)
    final = span.closed[merger - 1]
    in_july = (day < merger) & (finished > final) & (finished <= span.closed[merger + 30])
    hurried = in_july & (rng.random(len(day)) < HANDOVER)
    earlier = final - rng.integers(0, HANDOVER_DAYS, len(day))
    return np.where(hurried, np.clip(earlier, span.opened[day], finished), finished)
