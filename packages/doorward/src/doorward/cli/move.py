"""`doorward move`: move from one database to another; users notice only a pause."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from doorward.cli import show
from doorward.cli.command import CommandRun
from doorward.cli.error import CliError
from doorward.cli.progress import Bar
from doorward.cli.run import connect_options, finish, settings_file
from doorward.core.model.copied import MoveResult


def move(
    run: CommandRun,
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE", help="Path or sqlite:///…, postgresql://…, or env:NAME that holds it."
        ),
    ],
    target: Annotated[
        str | None, typer.Argument(metavar="TARGET", help="The same; an empty database, or a path.")
    ] = None,
    release: Annotated[
        bool,
        typer.Option("--release", help="Only let SOURCE be served again, which has moved or was about to."),
    ] = False,
) -> None:
    """Move everything from one database to another. Interrupted, the same command goes on."""
    path = settings_file(run.config)
    # imported here: no other command needs it
    from doorward.ops.move.move import run_move, run_release

    if release:
        if target is not None:
            raise CliError("--release takes SOURCE alone.", "doorward move --release SOURCE")
        run.confirm(
            "Serve this database again? What was written since to the one that it moved to stays there."
        )
        kept = finish(lambda: run_release(connect_options(path), source))
        said = "It takes writes again." if kept else "Nothing kept it from being served."
        run.done({"released": kept}, said)
        return
    if target is None:
        raise CliError("Where to? TARGET is missing.", "doorward move SOURCE TARGET", code=2)
    with Bar(quiet=run.json) as bar:
        moved = finish(lambda: run_move(connect_options(path), source, target, bar))

    def human(console: show.Console) -> None:
        rows = [(one.table, str(one.rows), one.checksum[:16]) for one in moved.tables if one.rows]
        show.table(console, ("table", "rows on both sides", "checksum (SHA-256)"), rows, empty="")
        show.done(console, _said(moved))
        show.note(
            f"Set `database` to {moved.target} and restart the server. {moved.source} answers 503 from now on."
        )
        key = Path(moved.source).parent / "doorward.key"
        if key.exists() and key.parent != Path(moved.target).parent:
            # without the setting, the key would be looked for beside the new database or the settings file
            show.note(f"The secret key stays in {key}: name that in keys.secret_key_file.")

    run.result(moved, human)


def _said(moved: MoveResult) -> str:
    kept = f" ({moved.kept:,} of them before an interruption)" if moved.kept else ""
    return f"{moved.rows:,} rows{kept} are in {moved.target}; counts and checksums are equal."
