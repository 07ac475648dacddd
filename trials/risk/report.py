"""The tables of the trial, and the page that holds them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from doorward.features.risk.settings import RiskPolicy
from trials.risk.attacks import ELSEWHERE, KNOWN_AGENT, NEAR, SPRAY, STUFFING, TRAVEL
from trials.risk.files import places_of
from trials.risk.groups import GROUPS
from trials.risk.judge import Tally, judged
from trials.risk.months import months
from trials.risk.table import fingerprint

PAGE: Final = Path(__file__).resolve().parents[2] / "docs/explain/risk-trial.md"
SEEDS: Final = (51, 52, 53)
"""Those that are published. They were looked at once, after the last change of rules, thresholds and generator: whoever changes one of
these takes others (docs/decisions/0156, 0180)."""
SMALL, LARGE = 5_000, 100_000
ATTACKS: Final = (SPRAY, STUFFING, TRAVEL, ELSEWHERE, NEAR, KNOWN_AGENT)
GUESSED: Final = (SPRAY, STUFFING)
TAKEN: Final = (ELSEWHERE, NEAR, KNOWN_AGENT)

ONE_IN: Final = 200
"""At most one extra question in so many honest sign-ins of each group."""
OF_GUESSED, OF_TAKEN = 0.95, 0.80
"""The least shares that are caught."""


@dataclass(frozen=True)
class Result:
    """The tallies of one table, or of several together."""

    honest: Mapping[str, Tally]
    attacks: Mapping[str, Tally]
    prints: Sequence[str]

    def missed(self) -> list[str]:
        """The aims that are not reached, as sentences that begin with their names."""
        found = [
            f"{name}: {one.asked} questions in {one.right:,} sign-ins"
            for name, one in self.honest.items()
            if one.asked * ONE_IN > one.right
        ]
        found += [f"{name}: {one.refused} refused" for name, one in self.honest.items() if one.refused]
        for name, attacks, least in (("guesses", GUESSED, OF_GUESSED), ("takeovers", TAKEN, OF_TAKEN)):
            share = caught(self.attacks[attack] for attack in attacks)
            if share < least:
                found.append(f"{name}: {share:.1%} caught")
        return found


def caught(tallies: Iterable[Tally]) -> float:
    """The share of right passwords that strangers gained nothing by."""
    held = list(tallies)
    return sum(one.asked + one.refused for one in held) / max(1, sum(one.right for one in held))


def run(seeds: Sequence[int], size: int, policy: RiskPolicy) -> Result:
    """Generate and judge tables of this size, and add them up."""
    honest: dict[str, Tally] = {label: Tally() for label, _ in GROUPS}
    attacks: dict[str, Tally] = {name: Tally() for name in ATTACKS}
    prints: list[str] = []
    for seed in seeds:
        made = months(seed, size)
        prints.append(fingerprint(made.lines))
        with tempfile.TemporaryDirectory() as folder:
            found = judged(made.lines, places_of(made.world, Path(folder)), policy)
        for held, part in zip((honest, attacks), found, strict=True):
            for name, one in part.items():
                held[name].add(one)
    return Result(honest, attacks, prints)


def shown(result: Result) -> str:
    """The tables in Markdown, and the aims that are not reached."""
    lines = ["| Honest group | Sign-ins | Questions | One in | Refused |", "|---|--:|--:|--:|--:|"]
    for name, one in result.honest.items():
        often = f"{one.right // one.asked:,}" if one.asked else "–"
        lines.append(f"| {name} | {one.right:,} | {one.asked} | {often} | {one.refused} |")
    lines += [
        "",
        "| Attack | Tried | With the right password | Caught of these | Share |",
        "|---|--:|--:|--:|--:|",
    ]
    rows = [(name, [one]) for name, one in result.attacks.items()]
    rows += [
        ("**spray and stuffing**", [result.attacks[name] for name in GUESSED]),
        ("**takeovers**", [result.attacks[name] for name in TAKEN]),
    ]
    for name, held in rows:
        tried, right = sum(one.tried for one in held), sum(one.right for one in held)
        stopped = sum(one.asked + one.refused for one in held)
        lines.append(f"| {name} | {tried:,} | {right:,} | {stopped:,} | {caught(held):.1%} |")
    prints = ", ".join(f"`{one}`" for one in result.prints)
    missed = "; ".join(result.missed()) or "none"
    return "\n".join(
        [*lines, "", f"Aims that are not reached: {missed}.", "", f"Fingerprints of the sign-ins: {prints}."]
    )


def block(size: int) -> tuple[str, str]:
    """The comments between which the tables of this size stand in the page."""
    return f"<!-- table of {size} -->", f"<!-- end of {size} -->"


def published(text: str, size: int) -> str:
    """The tables of this size in the page's text."""
    start, end = block(size)
    return text.partition(start)[2].partition(end)[0].strip()


def replaced(text: str, size: int, tables: str) -> str:
    """The page's text with other tables of this size."""
    start, end = block(size)
    before, _, rest = text.partition(start)
    return f"{before}{start}\n{tables}\n{end}{rest.partition(end)[2]}"
