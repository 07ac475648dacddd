"""`doorward issuer …`: trusted issuers, whose assertions become access tokens."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from shlex import quote
from typing import Annotated, Any, Final

import typer
from msgspec import to_builtins

from doorward.adapters.os_user import os_actor as actor
from doorward.cli import show
from doorward.cli.command import CommandRun, command
from doorward.cli.error import CliError
from doorward.cli.show import Rows
from doorward.core.amounts import moment
from doorward.core.model.decoded import NotText, decoded
from doorward.core.model.trusted_issuer import IssuerRule, TrustedIssuer
from doorward.features.admin import build as admin
from doorward_verify.keyset import same_algorithm

_OF_REPOSITORIES: Final = frozenset({"github-actions", "gitlab-ci"})
_NARROWER: Final = frozenset({"environment", "job_workflow_ref", "ref", "ref_path", "ref_protected", "sub"})
"""Claims that single out some of a repository's jobs."""

app = typer.Typer(no_args_is_help=True, help="Trusted issuers: of CI jobs, workloads, companies.")

IssuerName = Annotated[str, typer.Argument(metavar="ISSUER", help="Name, id or URL of the issuer.")]


@command(app)
def allow(
    run: CommandRun,
    issuer: IssuerName,
    rule: Annotated[str, typer.Argument(metavar="RULE", help="A name for the rule, as in deploy.")],
    app: Annotated[str, typer.Option(metavar="APP", help="The app that the workload acts as.")],
    claim: Annotated[list[str], typer.Option(metavar="NAME=VALUE", help="A claim with exactly this value; a name that begins with / leads into nested claims.")],
    api: Annotated[list[str] | None, typer.Option(metavar="API[:PERM,PERM…]", help="Only these of the app's permissions.")] = None,
) -> None:  # fmt: skip
    """Allow a workload. An assertion with exactly these claims is worth this app."""
    claims: dict[str, str] = {}
    for text in claim:
        name, equals, value = text.partition("=")
        if not equals or name in claims:
            raise CliError(
                f"--claim {text} is no NAME=VALUE of its own.",
                "Write --claim repository_id=123456, each name once.",
            )
        claims[name] = value
    changed = run.ask(
        lambda services: services.get(admin.issuers).allow(
            actor(), issuer, rule, app=app, claims=claims, access=api or ()
        )
    )
    run.card(of_issuer(changed), changed.name, rows(changed), said=f"{rule} is allowed as {app}.")
    if changed.preset in _OF_REPOSITORIES and claims.keys().isdisjoint(_NARROWER) and not run.json:
        show.note(
            "Every job of that repository fits, on any branch: narrow it with --claim environment=NAME or ref=REF"
        )


@command(app, yes=True)
def disallow(
    run: CommandRun,
    issuer: IssuerName,
    rule: Annotated[str, typer.Argument(metavar="RULE", help="The rule's name.")],
) -> None:
    """Remove a rule. The issuer's access tokens end now, and workloads of other rules get new ones."""
    run.confirm(f"Remove the rule {rule}? All access tokens for assertions of {issuer} end.")
    changed = run.ask(lambda services: services.get(admin.issuers).disallow(actor(), issuer, rule))
    run.done(of_issuer(changed), f"{rule} is removed.")


@command(app, "list")
def list_(run: CommandRun) -> None:
    """List trusted issuers."""
    found = run.ask(lambda services: services.get(admin.issuers).find(actor()))
    run.table(
        [of_issuer(one) for one in found],
        ("name", "issuer", "rules", "for people", "state"),
        [
            (
                one.name,
                one.issuer,
                str(len(one.rules)),
                "yes" if one.id_jag else "no",
                "disabled" if one.disabled_at is not None else "trusted",
            )
            for one in found
        ],
        empty="No issuer is trusted. Trust one: doorward issuer add github --preset github-actions",
    )


@command(app, "show")
def show_(run: CommandRun, issuer: IssuerName) -> None:
    """Show an issuer and its rules."""
    found = run.ask(lambda services: services.get(admin.issuers).get(actor(), issuer))
    run.card(of_issuer(found), found.name, rows(found))


@command(app, yes=True)
def disable(run: CommandRun, issuer: IssuerName) -> None:
    """Accept nothing of an issuer until it is enabled. Its access tokens end now."""
    run.confirm(f"Disable {issuer}? All access tokens for its assertions end.")
    changed = run.ask(lambda services: services.get(admin.issuers).disable(actor(), issuer))
    run.done(of_issuer(changed), f"{changed.name} is disabled.")


@command(app)
def enable(run: CommandRun, issuer: IssuerName) -> None:
    """Accept an issuer's assertions again."""
    changed = run.ask(lambda services: services.get(admin.issuers).enable(actor(), issuer))
    run.done(of_issuer(changed), f"{changed.name} is trusted again.")


@command(app, yes=True)
def remove(run: CommandRun, issuer: IssuerName) -> None:
    """Trust an issuer no longer. It goes with its rules; its access tokens end now."""
    run.confirm(f"Remove {issuer} with its rules? All access tokens for its assertions end.")
    gone = run.ask(lambda services: services.get(admin.issuers).delete(actor(), issuer))
    run.done(of_issuer(gone), f"{gone.name} is removed.")


@command(app, "test")
def try_out(
    run: CommandRun,
    issuer: IssuerName,
    token: Annotated[bool, typer.Option("--token-stdin", help="Read an assertion from standard input, and say what would become of it.")] = False,
) -> None:  # fmt: skip
    """Ask an issuer for its keys, and try an assertion. No token is issued, and the assertion is not used up."""
    text = _token() if token else None
    found = run.ask(lambda services: services.get(admin.issuers).examine(actor(), issuer, text))
    one, verdict = found.issuer, found.verdict
    if found.problem is not None:
        raise CliError(
            f"{one.name}: {found.problem}.",
            "Correct its address: doorward issuer set --help; or ask the issuer.",
        )
    if not any(same_algorithm(alg, allowed) for alg in found.algorithms for allowed in one.algorithms):
        raise CliError(
            f"{one.name}: its keys are for {', '.join(found.algorithms)}, and {', '.join(one.algorithms)} are accepted.",
            f"doorward issuer set {quote(one.name)} --algorithm ALG",
        )
    if verdict is not None and verdict.problem is not None:
        raise CliError(
            f"The assertion would be refused: {verdict.problem}.",
            verdict.fix or f"doorward issuer show {quote(one.name)}",
        )
    lines = [("issuer", one.issuer), ("keys", f"{found.keys}, for {', '.join(found.algorithms)}")]
    if verdict is not None:
        lines += [
            ("subject", verdict.subject or ""),
            ("acts as", verdict.app or ""),
            ("by the rules", ", ".join(verdict.rules)),
            ("at", verdict.audience or "the API of the request"),
            ("with", " ".join(verdict.scopes)),
        ]
    said = (
        f"{one.name} answers, and its keys can be used."
        if verdict is None
        else "The assertion would be accepted."
    )
    document = {
        "name": one.name,
        "issuer": one.issuer,
        "algorithms": found.algorithms,
        "keys": found.keys,
        "verdict": verdict,
    }
    run.card(document, one.name, lines, said=said)


def of_issuer(issuer: TrustedIssuer) -> dict[str, Any]:
    """A trusted issuer with its rules, without the database's own numbers."""
    document: dict[str, Any] = to_builtins(issuer)
    del document["revision"], document["grant_id"]
    return document


def _token() -> str:
    try:
        text = decoded(sys.stdin.buffer.read(65_536)).strip()
    except NotText as problem:
        raise CliError(
            f"Standard input {problem}.", "Pipe the assertion in, as the job presents it."
        ) from None
    if not text:
        raise CliError("Standard input was empty.", "Pipe the assertion in, as the job presents it.")
    return text


def rows(issuer: TrustedIssuer) -> Rows:
    """The lines of an issuer's card."""
    return [
        ("issuer", issuer.issuer),
        ("id", issuer.id),
        ("preset", issuer.preset),
        ("state", "trusted" if issuer.disabled_at is None else f"disabled since {moment(issuer.disabled_at)}"),
        ("keys", _keys(issuer)),
        ("signed with", ", ".join(issuer.algorithms)),
        ("audience", ", ".join(issuer.audiences) or "this server's issuer"),
        ("its clock", f"up to {issuer.tolerance} s ahead"),
        ("assertions", f"{'once' if issuer.single_use else 'any number of times'}, up to {issuer.max_lifetime} s old"),
        ("access tokens", f"{issuer.token_ttl} s at most{', and no longer than the assertion' if issuer.within_assertion else ''}"),
        ("speaks for people", "yes, by ID-JAG" if issuer.id_jag else "no"),
        ("rules", "\n".join(line for rule in issuer.rules for line in _rule(rule))),
        ("created", moment(issuer.created_at)),
    ]  # fmt: skip


def _keys(issuer: TrustedIssuer) -> str:
    if issuer.jwks is not None:
        return f"{len(issuer.jwks['keys'])} pinned"
    return issuer.jwks_uri or "where its metadata say"


def _rule(rule: IssuerRule) -> Sequence[str]:
    claims = ", ".join(f"{name}={value}" for name, value in rule.claims.items())
    return (f"{rule.name}: {claims}", f"  acts as {rule.client_id}{_narrowed(rule.access)}")


def _narrowed(access: Mapping[str, tuple[str, ...]]) -> str:
    said = "; ".join(f"{api}: {', '.join(names)}" for api, names in access.items())
    return f", only with {said}" if said else ""
