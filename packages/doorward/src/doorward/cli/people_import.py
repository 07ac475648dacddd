"""`doorward user import`: people from another system, with their password hashes."""

from __future__ import annotations

import csv
import os
import stat
import unicodedata
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, Final

import typer

from doorward.adapters.os_user import os_actor as actor
from doorward.cli import show
from doorward.cli.command import CommandRun, command
from doorward.cli.error import CliError
from doorward.cli.people_sessions import app
from doorward.cli.problems import sentences
from doorward.cli.progress import Bar
from doorward.core.model.decoded import NotText, decoded
from doorward.features.admin import build as admin
from doorward.features.admin.error import AdminError
from doorward.features.admin.imports.report import ImportChoices, ImportEntry, ImportReport, Unverified

if TYPE_CHECKING:
    from doorward.features.admin.imports.hashes import HashConfig

Tell = Callable[[Sequence[ImportEntry]], None]
SHOWN: Final = 20
"""Entries on a terminal; the others are in the report file and in the JSON document."""
_MOST_CONFIG: Final = 65_536
_TABLES: Final = frozenset({".csv", ".tsv"})


class ImportFormat(StrEnum):
    """The formats; an enumeration, so that the parser lists them."""

    DOORWARD = "doorward"
    KEYCLOAK = "keycloak"
    AUTH0 = "auth0"
    FIREBASE = "firebase"
    DJANGO = "django"
    SUPABASE = "supabase"


class UnverifiedChoice(StrEnum):
    """What becomes of people whose address was never proven."""

    REFUSE = "refuse"
    WITHOUT_PASSWORD = "without-password"
    VOUCH = "vouch"


class AddressChoice(StrEnum):
    """Whether people need an address."""

    REQUIRED = "required"
    OPTIONAL = "optional"


_UNVERIFIED: Final[dict[UnverifiedChoice, Unverified]] = {
    UnverifiedChoice.REFUSE: "refuse",
    UnverifiedChoice.WITHOUT_PASSWORD: "without_password",
    UnverifiedChoice.VOUCH: "vouch",
}


@command(app, "import")
def import_(
    run: CommandRun,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="JSON Lines, JSON, or a table (.csv, .tsv).")],
    origin: Annotated[
        ImportFormat,
        typer.Option(
            "--from",
            metavar="SYSTEM",
            help="Whose export it is: keycloak, auth0, firebase, django, supabase.",
        ),
    ] = ImportFormat.DOORWARD,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    report: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write a table of all refused lines and remarks there."),
    ] = None,
    update: Annotated[
        bool,
        typer.Option("--update", help="Fill what is empty in accounts that exist; never their password."),
    ] = False,
    unverified: Annotated[
        UnverifiedChoice | None,
        typer.Option(
            help="What becomes of people whose address was never proven; without-password unless named."
        ),
    ] = None,
    hash_config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The parameters of a Firebase project's passwords.")
    ] = None,
    allow_weak: Annotated[
        bool, typer.Option("--allow-weak", help="Take over hashes that are soon guessed: MD5, plain digests.")
    ] = False,
    keep_ids: Annotated[
        bool, typer.Option("--keep-ids", help="Keep the ids that apps know people by.")
    ] = False,
    create_roles: Annotated[
        bool, typer.Option("--create-roles", help="Create roles that there are not, without permissions.")
    ] = False,
    ignore_roles: Annotated[
        bool, typer.Option("--ignore-roles", help="Give everybody the default roles instead.")
    ] = False,
    drop_factors: Annotated[
        bool,
        typer.Option(
            "--drop-factors", help="Import people without second factors that cannot be taken over."
        ),
    ] = False,
    identity: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=PROVIDER",
            help="Which provider of the settings, or which issuer, a name in the export is; several times for several.",
        ),
    ] = None,
    address: Annotated[
        AddressChoice,
        typer.Option(
            help="Whether somebody without an address becomes an account, if they have one elsewhere; required leaves it to the provider's section."
        ),
    ] = AddressChoice.REQUIRED,
    drop_identities: Annotated[
        bool,
        typer.Option(
            "--drop-identities", help="Import people without accounts elsewhere that are not named."
        ),
    ] = False,
) -> None:
    """Import people with their password hashes. Interrupted, the same command goes on."""
    choices = ImportChoices(
        dry_run=dry_run,
        update=update,
        create_roles=create_roles,
        ignore_roles=ignore_roles,
        keep_ids=keep_ids,
        allow_weak=allow_weak,
        unverified=None if unverified is None else _UNVERIFIED[unverified],
        drop_factors=drop_factors,
        drop_identities=drop_identities,
        address=address.value,
        issuers=_issuers(identity or ()),
    )
    parameters = None if hash_config is None else _parameters(hash_config)
    with _opened(file) as stream, _report(report) as written, Bar(quiet=run.json) as bar:
        done = run.ask(
            lambda services: services.get(admin.people_import).run(
                actor(),
                stream,
                reader=origin.value,
                table=file.suffix.lower() in _TABLES,
                choices=choices,
                hash_config=parameters,
                progress=bar,
                tell=written,
            )
        )
    run.result(_document(done), lambda console: _told(console, done, report))
    if done.counts.refused:
        raise typer.Exit(1)


@contextmanager
def _opened(file: Path) -> Generator[BinaryIO]:
    """The file, which must be a regular one: it is read twice, and a pipe or a device might never end. Raises `CliError`."""
    try:
        # without waiting for the writer of a pipe
        number = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise CliError(f"{file} cannot be read: {error.strerror}.", "Name the file of the export.") from None
    with os.fdopen(number, "rb") as stream:
        if not stat.S_ISREG(os.fstat(number).st_mode):
            raise CliError(f"{file} is no regular file.", "Save the export to a file: it is read twice.")
        yield stream


def _issuers(given: Sequence[str]) -> dict[str, str]:
    """What is named: an issuer, or a section of the settings, by the other system's name for it. Raises `CliError`."""
    found: dict[str, str] = {}
    for one in given:
        name, _, issuer = one.partition("=")
        if not name or not issuer or name in found or ("://" in issuer and not issuer.startswith("https://")):
            raise CliError(
                f"--identity {one} is not NAME=PROVIDER, or names a provider twice.",
                "It should look like google-oauth2=google or google-oauth2=https://accounts.google.com",
                code=2,
            )
        found[name] = issuer
    return found


@contextmanager
def _report(file: Path | None) -> Generator[Tell | None]:
    """A writer into a new file that only this user may read: it names people. Never another one's, nor the target of a link. Each batch is in
    the file once it is in the database; a file in which nothing was written goes again. Raises `CliError`."""
    if file is None:
        yield None
        return
    try:
        number = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise CliError(f"{file} exists already.", "Name a new file for the report.") from None
    except OSError as error:
        raise CliError(f"{file} cannot be written: {error.strerror}.", "Name another file.") from None
    told = False
    with os.fdopen(number, "w", encoding="utf-8", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(("line", "record", "email", "result", "code", "reason", "fix"))

        def tell(entries: Sequence[ImportEntry]) -> None:
            nonlocal told
            told = True
            rows.writerows(map(_row, entries))
            stream.flush()

        try:
            yield tell
        except BaseException:
            if not told:
                file.unlink()
            raise


def _parameters(file: Path) -> HashConfig:
    # imported here: help and usage errors must not wait for cryptography
    from doorward.features.admin.imports.hashes import read_hash_config

    try:
        with file.open("rb") as stream:
            text = decoded(stream.read(_MOST_CONFIG))
    except OSError as error:
        raise CliError(
            f"{file} cannot be read: {error.strerror}.", "Name the file of the parameters."
        ) from None
    except NotText as error:
        raise CliError(f"{file} {error}.", "Write it anew as UTF-8 text.") from None
    try:
        return read_hash_config(text)
    except AdminError as refusal:
        raise CliError(*sentences(refusal.problem)) from None


def printable(text: str) -> str:
    """The text without characters that move a terminal's cursor or turn its direction: they come out of a file."""
    return "".join(
        char if char == " " or unicodedata.category(char)[0] not in "CZ" else f"\\u{ord(char):04x}"
        for char in text
    )


def cell(text: str) -> str:
    """The text for a table that a spreadsheet may open: one that would be a formula there begins with an apostrophe."""
    plain = printable(text)
    return f"'{plain}" if plain.lstrip()[:1] in {"=", "+", "-", "@"} else plain


def _row(entry: ImportEntry) -> tuple[object, ...]:
    reason, fix = sentences(entry.problem)
    result = "refused" if entry.refused else "imported"
    return (
        entry.line,
        entry.number,
        cell(entry.email),
        result,
        entry.problem.code,
        cell(reason),
        cell(fix),
    )


def _document(done: ImportReport) -> dict[str, Any]:
    entries = [
        {
            "line": entry.line,
            "record": entry.number,
            "email": printable(entry.email),
            "refused": entry.refused,
            "code": entry.problem.code,
            "reason": printable(sentences(entry.problem)[0]),
        }
        for entry in done.entries
    ]
    return {
        "sha256": done.sha256,
        "dry_run": done.dry_run,
        "resumed_after": done.resumed_after,
        "counts": done.counts,
        "roles_created": done.roles_created,
        "entries": entries,
    }


def _told(console: show.Console, done: ImportReport, report: Path | None) -> None:
    counts = done.counts
    for entry in done.entries[:SHOWN]:
        sign = "refused" if entry.refused else "imported"
        who = f" {entry.email}" if entry.email else ""
        said = f"line {entry.line}, {sign}{who}: {sentences(entry.problem)[0]}"
        console.print(show.Text(printable(said)))
    if len(done.entries) > SHOWN:
        where = "in the report" if report else "with --report FILE"
        console.print(show.Text(f"… and {len(done.entries) - SHOWN} more, all of them {where}."))
    reasons = Counter((entry.refused, entry.problem.code) for entry in done.entries)
    first = {(entry.refused, entry.problem.code): entry for entry in reversed(done.entries)}
    for key, number in reasons.most_common():
        fix = sentences(first[key].problem)[1]
        console.print(show.Text(f"{number:,} × {key[1]}" + (f" — {printable(fix)}" if fix else "")))
    names = (
        "read",
        "created",
        "updated",
        "unchanged",
        "ignored",
        "refused",
        "without_password",
        "weak",
        "authenticators",
        "identities",
    )
    rows = [(name.replace("_", " "), f"{getattr(counts, name):,}") for name in names if getattr(counts, name)]
    show.card(console, "Would be imported" if done.dry_run else "Imported", rows)
    if done.resumed_after:
        show.note(
            f"The first {done.resumed_after:,} records were done by an interrupted import; their remarks are in its report."
        )
    if done.roles_created:
        show.note(f"Roles without permissions: {printable(', '.join(done.roles_created))}")
    if counts.weak:
        show.note(f"{counts.weak:,} weak password hashes are in the database until their owners sign in.")
    if done.dry_run:
        show.done(console, "Nothing was changed.")
