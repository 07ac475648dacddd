"""`doorward risk …`: why sign-ins were judged so, and trying a policy on past ones."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from doorward.adapters.os_user import os_actor as actor
from doorward.cli.command import CommandRun, command
from doorward.cli.error import CliError
from doorward.core.amounts import moment
from doorward.core.model.risk import VERDICTS

if TYPE_CHECKING:
    from doorward.features.risk.rules.replay import Tried
    from doorward.features.risk.settings import RiskPolicy

app = typer.Typer(no_args_is_help=True, help="Risk of sign-ins: explain verdicts, and try a policy.")
_DAY = 86_400
_SHOWN = 50


@command(app, "explain")
def explain(
    run: CommandRun,
    who: Annotated[str, typer.Argument(metavar="WHO", help="E-mail address or id.")],
) -> None:
    """Explain the last verdicts on somebody's sign-ins. Newest first, with both places."""

    # imported here: help must not wait for it
    from doorward.features.admin.risk import risk
    from doorward.features.risk.views import in_english

    account, lines = run.ask(lambda services: services.get(risk).explain(actor(), who))
    run.table(
        [
            {"id": one.id, "at": one.at, "kind": one.kind, "address": one.address, **one.detail}
            for one in lines
        ],
        ("when", "verdict", "address", "why", "event"),
        [
            (
                moment(one.at),
                str(one.detail.get("verdict")) + (" (shadow)" if one.kind == "risk.shadowed" else ""),
                one.address or "",
                in_english(one.detail),
                one.id,
            )
            for one in lines
        ],
        empty=f"No sign-in of {account.known_as} looked dangerous.",
    )


@command(app, "replay")
def replay(
    run: CommandRun,
    since: Annotated[
        str, typer.Option("--since", metavar="DAYS", help="How far back, in days, as in 30d.")
    ] = "30d",
    policy: Annotated[
        Path | None,
        typer.Option(
            "--policy",
            metavar="FILE",
            help="A TOML file with a section [risk], in place of that of the settings.",
        ),
    ] = None,
) -> None:
    """Try a policy on past sign-ins. Shows what it would have said, and what differs from the settings. Nothing is changed."""

    # imported here: help must not wait for it
    from doorward.features.admin.risk import risk

    days = since.removesuffix("d")
    if not (days.isascii() and days.isdigit() and 0 < int(days) <= 3650):
        raise CliError(f"--since {since} is no number of days.", "Write it as in --since 30d.", code=2)
    changed = None if policy is None else _policy(policy)
    found = run.ask(lambda services: services.get(risk).replay(actor(), int(days) * _DAY, changed))
    now, then = Counter(one.now.verdict for one in found), Counter(one.changed.verdict for one in found)
    others = [one for one in found if (one.differs if policy else one.now.verdict != "allow")]
    document = {
        "sign_ins": len(found),
        "settings": {verdict: now[verdict] for verdict in VERDICTS},
        "policy": None if policy is None else {verdict: then[verdict] for verdict in VERDICTS},
        "shown": [_document(one) for one in others],
    }
    rows = [("sign-ins", str(len(found)))]
    for verdict in VERDICTS:
        counts = str(now[verdict]) if policy is None else f"{now[verdict]} → {then[verdict]}"
        rows.append((verdict, counts))
    rows += [("changed" if policy else "judged", _said(one)) for one in others[-_SHOWN:]]
    if len(others) > _SHOWN:
        rows.append(("more", f"{len(others) - _SHOWN} earlier ones: --json shows all"))
    run.card(document, f"the last {days} days", rows)


def _said(one: Tried) -> str:
    line = one.attempt.line
    verdict = f"{one.now.verdict} → {one.changed.verdict}" if one.differs else one.now.verdict
    return f"{moment(line.at)}  {line.account_id}  {line.address or ''}  {verdict}\n{_why(one)}"


def _why(one: Tried) -> str:
    from doorward.features.risk.service import places_of
    from doorward.features.risk.views import in_english

    found = one.changed if one.changed.reasons else one.now
    return in_english({"reasons": [reason.code for reason in found.reasons], **places_of(found)})


def _document(one: Tried) -> dict[str, Any]:
    line = one.attempt.line
    return {
        "event": line.id,
        "at": line.at,
        "account_id": line.account_id,
        "address": line.address,
        "ended": one.attempt.ended,
        "settings": one.now.verdict,
        "policy": one.changed.verdict,
        "reasons": [reason.code for reason in one.changed.reasons or one.now.reasons],
        "why": _why(one),
    }


def _policy(path: Path) -> RiskPolicy:
    import tomllib

    import msgspec

    from doorward.features.risk.settings import RiskPolicy

    try:
        section = tomllib.loads(path.read_text("utf-8")).get("risk", {})
        return msgspec.convert(section, RiskPolicy)
    except OSError as problem:
        raise CliError(
            f"{path} cannot be read: {problem.strerror}.", "Name a file with a section [risk]."
        ) from None
    except (ValueError, tomllib.TOMLDecodeError) as problem:
        raise CliError(f"{path}: {problem}.", "See [risk] in docs/reference/settings.md.") from None
