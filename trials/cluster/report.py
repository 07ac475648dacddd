"""Report of the trial: the promised figures, and a table to read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from rich.table import Table

from trials.cluster.figures import PROMISES, SMALL
from trials.cluster.ledger import CliError
from trials.cluster.storm import DETECTION, Storm
from trials.cluster.trial import Found

Row = tuple[str, str]
_HELD = ("key_rotation_holds_max_s", "key_revocation_holds_max_s", "app_deletion_holds_max_s")


def values(found: Found) -> dict[str, float]:
    """The promised figures by name, without those that were not measured."""
    ledger, aftermath = found.ledger, found.aftermath
    said: dict[str, float] = {
        "node_kills": found.storm.kills,
        "failovers": int(found.storm.promoted is not None),
        "people_signed_in": found.plan.people + found.plan.browsers,
        "requests": found.asked_in_storm.total(),
        "doubly_spent": found.record.doubly_spent,
        "errors_not_503": len(ledger.wrong) + ledger.errors["connection broken"] + ledger.without_retry_after,
        "errors_not_healed": sum(trouble.healed is None for trouble in ledger.troubles),
    }
    if aftermath is not None:
        said["logged_out"] = len(aftermath.signed_out)
        said["spent_tokens_taken"] = aftermath.spent_taken
        said["families_outliving_a_replay"] = aftermath.family_lived
    recovery = recoveries(found.storm, found.troubles)
    if found.storm.promoted is not None:
        said["failover_recovery_max_s"] = max(recovery, default=0.0)
    said |= {name: max(held.since_commit) for name, held in zip(_HELD, found.held, strict=False)}
    late = [seconds for held in found.held_late for seconds in held.since_commit]
    if late:
        said["after_failover_holds_max_s"] = max(late)
    return {name: round(value, 3) for name, value in said.items()}


def missed(said: dict[str, float], *, small: bool) -> list[str]:
    """The promises that were not kept, or not measured."""
    asked = [one for one in PROMISES if not small or one.name in SMALL]
    return [one.name for one in asked if one.name not in said or not one.kept(said[one.name])]


def recoveries(storm: Storm, troubles: Sequence[CliError]) -> list[float]:
    """For each request affected by the failover: seconds from the kill of the primary until its answer."""
    killed, promoted = storm.primary_killed, storm.promoted
    if killed is None or promoted is None:
        return []
    caught = [one for one in troubles if one.at < promoted + 1.0 and (one.healed or killed) > killed]
    return [one.healed - killed for one in caught if one.healed is not None]


def rows(found: Found) -> list[Row]:
    """What was done and the results, as text."""
    ledger, storm, aftermath = found.ledger, found.storm, found.aftermath
    plan = found.plan
    standby = "asynchronous" if plan.forgetful else "synchronous"
    where = "each with an address of its own" if found.kind == "namespaces" else "on ports of 127.0.0.1"
    said: list[Row] = [
        ("machines", f"{plan.nodes} nodes, {found.proxy}, primary and {standby} standby, {where}"),
        (
            "people signed in",
            f"{plan.people} with a chain of refresh tokens, {plan.browsers} with a browser session",
        ),
        ("the storm", f"{storm.lasted:.0f} s"),
        ("nodes killed / started again", f"{storm.kills} / {storm.restarts}, away for {_spread(storm.down)}"),
        ("… ready again after the start", _spread(found.starts)),
        ("requests in the storm", _counts(found.asked_in_storm)),
        ("refresh tokens exchanged", f"{found.record.spent:,}"),
        ("errors", _counts(ledger.errors) or "none"),
        (
            "… requests that met one",
            f"{len(found.troubles):,}; healed after {_spread(_healing(found.troubles))}",
        ),
        ("… not healed by a retry", str(sum(one.healed is None for one in ledger.troubles))),
        ("… of another kind, or without Retry-After", str(len(ledger.wrong) + ledger.without_retry_after)),
        ("codes redeemed unheard, fetched anew", str(ledger.begun_anew)),
    ]
    if storm.primary_killed is not None and storm.promoted is not None:
        gone = storm.promoted - storm.primary_killed
        said.append(("no primary", f"{gone:.1f} s, of which {DETECTION:g} s until the standby was promoted"))
        caught = recoveries(storm, found.troubles)
        said.append(("… answered after", f"{_spread(caught)} from the kill, {len(caught)} requests"))
    if aftermath is not None:
        said.append(("people signed out", str(len(aftermath.signed_out))))
        said.append(("tokens with two successors", str(found.record.doubly_spent)))
        tried = aftermath.spent_tried
        said.append(
            (
                "spent tokens presented",
                f"{tried}: {aftermath.spent_taken} taken, {aftermath.family_lived} families lived on",
            )
        )
    for held in found.held:
        said.append((held.what, f"{_fine(held.since_commit)} after the commit"))
        early = sum(seconds <= 0 for seconds in held.since_done)
        said.append(("… before the command said done", f"{early} of {len(held.since_done)} times"))
    late = [seconds for held in found.held_late for seconds in held.since_commit]
    if late:
        said.append(("the same after storm and failover", f"{_fine(late)} after the commit"))
    said.append(("in all", f"{found.took:.0f} s"))
    return said


def table(found: Found) -> Table:
    """The rows as a table for the terminal."""
    shown = Table(title="Three nodes, one PostgreSQL, and who dies", title_justify="left", show_header=False)
    shown.add_column("", no_wrap=True)
    shown.add_column("")
    for what, text in rows(found):
        shown.add_row(what, text)
    return shown


def markdown(found: Found) -> str:
    """The rows as a table for docs/explain/cluster-trial.md."""
    lines = ["| What | |", "|---|---|", *(f"| {what} | {text} |" for what, text in rows(found))]
    return "\n".join(lines) + "\n"


def promised(said: dict[str, float], *, small: bool) -> Table:
    """The promised figures, with their floors."""
    shown = Table(title="Promised", title_justify="left")
    for heading in ("figure", "value", "floor", "aim", ""):
        shown.add_column(heading, justify="left" if heading in {"figure", ""} else "right")
    for one in PROMISES:
        if small and one.name not in SMALL:
            continue
        value = said.get(one.name)
        bound = "≤ " if one.at_most else "≥ "
        failed = one.name in missed(said, small=small)
        verdict = (
            "not measured" if value is None else ("[red]✗[/] " if failed else "[green]✓[/] ") + one.meaning
        )
        number = "–" if value is None else f"{value:g}"
        shown.add_row(one.name, number, f"{bound}{one.floor:g}", f"{bound}{one.aim:g}", verdict)
    return shown


def complaints(found: Found) -> list[str]:
    """Errors as text, the first of each kind: the start of an investigation."""
    aftermath = found.aftermath
    said = [*found.ledger.wrong[:10], *(aftermath.signed_out[:10] if aftermath else ())]
    return said + [f"logged: {line[:400]}" for line in found.logged[:10]]


def _healing(troubles: Sequence[CliError]) -> list[float]:
    return [one.healed - one.at for one in troubles if one.healed is not None]


def _spread(seconds: Sequence[float]) -> str:
    if not seconds:
        return "–"
    return f"{median(seconds):.1f} s in the median, {max(seconds):.1f} s at most"


def _fine(seconds: Sequence[float]) -> str:
    if not seconds:
        return "–"
    return f"{median(seconds):.3f} s in the median, {max(seconds):.3f} s at most ({len(seconds)} times)"


def _counts(counter: Mapping[Any, int]) -> str:
    return ", ".join(f"{count:,} {what}" for what, count in Counter(counter).most_common())
