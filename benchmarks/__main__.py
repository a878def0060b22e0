"""Run every benchmark and write its table to `benchmarks/results/`."""

import json
import sys
from pathlib import Path

from benchmarks import ingest

RESULTS = Path(__file__).parent / "results"


def main() -> None:
    """Print and keep the figures."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ingest.ROWS
    outcome = ingest.measure(rows)
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps(outcome, indent=1)
    (RESULTS / "ingest.json").write_text(text + "\n", encoding="utf-8")
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    main()
