"""`python -m bench.rotation`: prints the tables of the decision page, in Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bench.rotation import honest, thieves
from bench.rotation.family import NOW, RULES
from bench.rotation.thieves import DAY, HOUR, Found

_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_LINE: Final = "|---|---|---|---|"


def thefts() -> Iterator[str]:
    """One line for each thief, one column for each rule."""
    yield "| Thief | before | strict | now |"
    yield _LINE
    for name, thief in thieves.THIEVES.items():
        yield f"| {name} | {' | '.join(_theft(thieves.robbed(rule, thief)) for rule in RULES)} |"


def months() -> Iterator[str]:
    """One line for each share of lost answers, one column for each rule."""
    yield "| Answers lost | before | strict | now |"
    yield _LINE
    for loss in honest.LOSSES:
        yield f"| {loss * 100:g} % | {' | '.join(_month(honest.month(rule, loss)) for rule in RULES)} |"


def kinds() -> Iterator[str]:
    """The current rule, by how an app retries."""
    yield "| Answers lost | tries again after 5 s | after 5 minutes | when it is opened again |"
    yield _LINE
    for loss in honest.LOSSES:
        cells = (_month(honest.month(NOW, loss, [again])) for again in honest.AGAIN)
        yield f"| {loss * 100:g} % | {' | '.join(cells)} |"


def pages() -> str:
    """The text of the decision page between its two marks."""
    return "\n".join([*thefts(), "", *months(), "", *kinds()])


def _theft(found: Found) -> str:
    told = "never noticed" if found.noticed_at is None else f"ended {_moment(found.noticed_at)}"
    lines = f"; {found.late} under Activity" if found.late else ""
    return f"{found.access / HOUR:.1f} h; {told}{lines}"


def _month(kept: honest.Kept) -> str:
    lines = f"; {kept.late} under Activity" if kept.late else ""
    return f"{kept.signed_out} of {kept.lost}{lines}"


def _moment(at: int) -> str:
    week = f" of week {at // DAY // 7 + 1}" if at >= 7 * DAY else ""
    return f"{_DAYS[at // DAY % 7]} {at % DAY // HOUR}:{at % HOUR // 60:02}{week}"


if __name__ == "__main__":
    print(pages())
