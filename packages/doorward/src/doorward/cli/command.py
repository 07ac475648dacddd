"""Commands of the command line: their shared options, and one way to run work, to confirm and to show."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Awaitable, Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Concatenate, Final, ParamSpec, TypeVar, final

import typer

from doorward.cli import show
from doorward.cli.error import CliError
from doorward.cli.run import read_settings, settings_file, with_container, with_services

if TYPE_CHECKING:
    from doorward.app.container import Container
    from doorward.features.services import Services
    from doorward.settings import Settings

Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        envvar="DOORWARD_CONFIG",
        show_envvar=False,
        help="The settings file; without it doorward.toml in this folder, if there is one.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]

P = ParamSpec("P")
T = TypeVar("T")
_SHARED: Final = {"yes": (Yes, False), "config": (Config, None), "json": (Json, False)}


@final
class CommandRun:
    """One run of a command, with the values of the shared options."""

    def __init__(self, *, config: Path | None, json: bool, yes: bool = False) -> None:
        self.config = config
        self.json = json
        self._yes = yes

    def ask(self, work: Callable[[Services], Awaitable[T]]) -> T:
        """The result of `work`, which gets the services of a container. Raises `OperatorError`."""
        return with_services(self.config, work)

    def ask_container(self, work: Callable[[Container], Awaitable[T]]) -> T:
        """The same with the container itself. Raises `OperatorError`."""
        return with_container(self.config, work)

    def settings(self) -> Settings:
        """The settings. Raises `CliError`."""
        return read_settings(settings_file(self.config))

    def confirm(self, question: str) -> None:
        """Ask before an action that cannot be undone. Raises `CliError` when the answer is no, or nobody can be asked."""
        if self._yes:
            return
        if self.json or not sys.stdin.isatty():
            raise CliError("This cannot be undone, and nobody can be asked here.", "Add --yes.")
        if not typer.confirm(question, err=True):
            raise CliError("Nothing was changed.")

    def result(self, document: object, human: show.Human) -> None:
        """Show the result: `document` with `--json`, else what `human` prints."""
        show.result(document, human, as_json=self.json)

    def done(self, document: object, text: str) -> None:
        """Show the result as one sentence."""
        self.result(document, lambda console: show.done(console, text))

    def card(self, document: object, title: str, rows: show.Rows, *, said: str = "") -> None:
        """Show one object and its fields; `said` is what happened to it."""

        def human(console: show.Console) -> None:
            if said:
                show.done(console, said)
            show.card(console, title, rows)

        self.result(document, human)

    def table(
        self, documents: object, columns: Sequence[str], rows: Sequence[Sequence[str]], *, empty: str
    ) -> None:
        """Show objects, one per line; `empty` says what to do when there is none."""
        self.result(documents, lambda console: show.table(console, columns, rows, empty=empty))


def shared(run: Callable[Concatenate[CommandRun, P], None], *, yes: bool = False) -> Callable[..., None]:
    """The function that the parser calls: the command's own options, then `--yes` where `yes` is set, `--config` and `--json`."""
    _, *own = inspect.signature(run, eval_str=True).parameters.values()
    behind = [
        inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default, annotation=kind)
        for name, (kind, default) in _SHARED.items()
        if yes or name != "yes"
    ]
    call: Callable[..., None] = run

    @wraps(call)
    def started(**given: Any) -> None:
        options = {each.name: given.pop(each.name) for each in behind}
        call(CommandRun(**options), **given)

    parameters = [*own, *behind]
    vars(started)["__signature__"] = inspect.Signature(parameters)
    started.__annotations__ = {each.name: each.annotation for each in parameters}
    return started


def command(
    app: typer.Typer, name: str | None = None, *, yes: bool = False
) -> Callable[[Callable[Concatenate[CommandRun, P], None]], Callable[..., None]]:
    """Add a command to `app`."""
    return lambda run: app.command(name)(shared(run, yes=yes))
