"""`python -m trials.risk`: prints the tables of given seeds, or writes those of the page with `--write`.

The exit status is 1 when an aim is not reached.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from doorward.adapters import logs
from doorward.features.risk.settings import RiskPolicy
from trials.risk.report import LARGE, PAGE, SEEDS, SMALL, replaced, run, shown


def main(given: Sequence[str]) -> int:
    """Run the trial under the default policy."""
    parser = argparse.ArgumentParser(
        prog="python -m trials.risk", description="Generated months of sign-ins, judged."
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS, help="those of the tables")
    parser.add_argument("--size", type=int, nargs="+", default=[SMALL, LARGE], help="sign-ins for each seed")
    parser.add_argument(
        "--write", action="store_true", help="write the tables into docs/explain/risk-trial.md"
    )
    asked = parser.parse_args(given)
    logs.configure("error", "console")
    missed: list[str] = []
    for size in asked.size:
        result = run(asked.seeds, size, RiskPolicy())
        missed += [f"{size}: {one}" for one in result.missed()]
        print(f"\n{size} sign-ins for each of the seeds {asked.seeds}\n\n{shown(result)}")
        if asked.write:
            PAGE.write_text(replaced(PAGE.read_text("utf-8"), size, shown(result)), "utf-8")
    print("\n".join(["", *missed]) if missed else "\nAll aims are reached.")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
