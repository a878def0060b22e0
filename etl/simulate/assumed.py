"""What is known, borrowed, assumed and tuned: the numbers that the dossiers are drawn with.

Those per field, procedure, season and year stand in `etl/reference/simulation`, each row with its
basis; the rest are the constants below.
"""

from datetime import date
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

ROWS = 2_030_000
"""The volume at which a commune receives 416 a month from July to 19 October 2025."""
STATEMENT = "Dữ liệu mô phỏng / Simulated data"
PARAMETERS = Path(__file__).parents[1] / "reference" / "simulation"
RECORD = "SIMULATED.json"

ORIGIN = date(2021, 12, 1)  # day number 0
EPOCH = date(2022, 1, 1)
LAST = date(2026, 10, 31)
"""`rows` are those of the span from EPOCH to LAST; another span has its share of them."""
UNTIL, HORIZON = date(2028, 12, 31), date(2032, 12, 31)  # of receipt; of everything
REFERENCE = date(2025, 8, 25)
"""Middle of the span whose figures are known; sizes and shares are those of this day."""
MERGER = date(2025, 7, 1)
BOUNDARY_FREE = date(2025, 12, 22)

# Phú Thọ's 148 communes, January to September 2026 (workload_real.csv): sd of log, ratio of means.
SPREAD = 0.54
WARD_TO_RURAL = 1.56

# Assumptions from here on. Spreads are standard deviations of a logarithm.
POPULATION_CORRELATION = 0.8  # of a commune's dossiers with its people
GROWTH_SPREAD = 0.06  # between communes, per year
MIX_SPREAD = 0.25  # of a commune's mix of fields
IN_WARDS = {
    "agriculture": 0.15,
    "poverty_reduction": 0.55,
    "certification": 1.1,
    "household_business": 1.5,
    "construction": 1.6,
    "trade": 1.6,
}
"""Times as many per dossier as in rural communes."""
DRIFT_SPREAD, DRIFT_MEMORY = 0.06, 0.85  # of a commune's months; correlation of one with the next
CITY_DAY_SPREAD, CELL_SPREAD = 0.04, 0.10  # of the city's days; of a commune's field in a month
FORMER_SPREAD = 0.4  # between the former communes of one of today's
AWAY, AWAY_WEEKS, NEIGHBOURS = 0.06, 8, 4  # received at a neighbour, weeks until so many are
AFTER_15 = 0.18  # received after 15:00
POST = 0.04  # of what is not online
REFUSED, WITHDRAWN = 0.018, 0.012

# Tuned to the city's figures: resolved by 19 October, online and overdue in July 2025.
ONLINE_SHIFT = 0.014  # log odds, for the fields' own odds and the weekends
TIME_USED = (5.0, 1.1)  # beta distribution: share of the allowed time that is used
SUPPLEMENT, SUPPLEMENT_SAME_DAY = 0.08, 0.012  # asked for more papers, with a new date
SUPPLEMENT_DAYS, SUPPLEMENT_LONGEST = 23.0, 60  # about the mean; the most, working days
UNSETTLED_SUPPLEMENT, UNSETTLED_DAYS = 3.8, 120.0  # times more on 1 July 2025; then fading
UNSETTLED_LATE, LATE_PEAK_DAYS = 1.4, 45.0  # times more at the peak; days from 1 July 2025 to it
HANDOVER, HANDOVER_DAYS = 0.7, 10  # of what July 2025 would finish, done in June's last days
NEVER, NEVER_SAME_DAY = 0.004, 0.0003
LATE_SPREAD = 0.45  # between communes
LATE_AFTER_TET = 1.4  # times, for three weeks
LATE_IMPROVEMENT = 0.10  # log per year
LATE_DAYS, LATE_DAYS_SAME_DAY = 12.0, 3.0  # mean working days beyond the due date

BAD_SHARE = 0.00025  # of rows, per rule
TORN_SHARE = 0.0001  # lines with a cell too many

MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
WEEKDAYS = ["mon", "tue", "wed", "thu", "fri"]
CHANNELS = ["Trực tuyến", "Trực tiếp", "Bưu chính công ích"]
RESULTS = ["Đã trả kết quả", "Từ chối", "Rút hồ sơ"]


@cache
def parameters(name: str) -> pl.DataFrame:
    """One table of `etl/reference/simulation`, with its basis row by row."""
    return pl.read_csv(PARAMETERS / f"{name}.csv", try_parse_dates=True, infer_schema_length=None)


def floats(values: npt.ArrayLike) -> Floats:
    return np.asarray(values, dtype=np.float64)


def lognormal(rng: np.random.Generator, spread: float, size: int | tuple[int, ...]) -> Floats:
    """Factors with mean 1 and `spread` the sd of their logarithm."""
    return np.exp(rng.normal(-(spread**2) / 2, spread, size))
