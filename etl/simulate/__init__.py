"""The labelled demo: what is not public is simulated, from a seed, always the same bytes."""

from etl.simulate.assumed import PARAMETERS, ROWS, STATEMENT
from etl.simulate.dossiers import Simulation, simulate_dossiers
from etl.simulate.lines import COLUMNS
from etl.simulate.service import simulate_contacts, simulate_staff

__all__ = [
    "COLUMNS",
    "PARAMETERS",
    "ROWS",
    "STATEMENT",
    "Simulation",
    "simulate_contacts",
    "simulate_dossiers",
    "simulate_staff",
]
