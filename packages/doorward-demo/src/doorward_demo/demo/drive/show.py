"""Output of the drive: text with each request and answer in short, or one line of JSON per step."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, Protocol

import msgspec
from rich.console import Console
from rich.text import Text

from doorward_demo.demo.decoded import Decoded
from doorward_demo.demo.drive.failed import NotAsItShouldBe
from doorward_demo.demo.drive.steps import Step
from doorward_demo.demo.drive.wire import Exchange, shortened


class Show(Protocol):
    """Receives the events of the drive."""

    def begins(self, number: int, step: Step) -> None:
        """A step begins."""
        ...

    def exchange(self, exchange: Exchange) -> None:
        """A request was answered."""
        ...

    def token(self, name: str, token: Decoded) -> None:
        """A token was received."""
        ...

    def mail(self, subject: str, lines: Sequence[str]) -> None:
        """A mail was read: its subject, whom it is to and when it came, and its text."""
        ...

    def holds(self, step: Step, ms: float, detail: str) -> None:
        """The step passed."""
        ...

    def fails(self, step: Step, ms: float, failed: NotAsItShouldBe) -> None:
        """The step failed."""
        ...

    def ends(self, steps: int, seconds: float) -> None:
        """All steps passed."""
        ...


class AsJson:
    """Prints one line per step on standard output, as soon as it is finished."""

    def begins(self, number: int, step: Step) -> None:
        """Print nothing yet."""

    def exchange(self, exchange: Exchange) -> None:
        """Print nothing."""

    def token(self, name: str, token: Decoded) -> None:
        """Print nothing."""

    def mail(self, subject: str, lines: Sequence[str]) -> None:
        """Print nothing."""

    def holds(self, step: Step, ms: float, detail: str) -> None:
        """Print ok."""
        self._line(step, ok=True, ms=ms, detail=detail)

    def fails(self, step: Step, ms: float, failed: NotAsItShouldBe) -> None:
        """Print not ok."""
        self._line(step, ok=False, ms=ms, detail=str(failed))

    def ends(self, steps: int, seconds: float) -> None:
        """Print nothing: the last step printed the last line."""

    def _line(self, step: Step, *, ok: bool, ms: float, detail: str) -> None:
        line = {"step": step.name, "ok": ok, "ms": round(ms, 1), "detail": detail}
        sys.stdout.buffer.write(msgspec.json.encode(line) + b"\n")
        sys.stdout.buffer.flush()


class ForPeople:
    """Prints colours on a terminal, and the same text in a pipe."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, soft_wrap=True)

    def begins(self, number: int, step: Step) -> None:
        """Print its number and title."""
        self._console.print(Text(f"\n{number:>2}  {step.title}", style="bold"))

    def exchange(self, exchange: Exchange) -> None:
        """Print the request, its fields, the status and the answer."""
        line = Text("    → ", style="dim") + Text(f"{exchange.method} {exchange.address}")
        self._console.print(line)
        if exchange.sent:
            self._console.print(Text(f"      {_joined(exchange.sent)}", style="dim"))
        style = "green" if exchange.status < 400 else "yellow"
        answer = Text("    ← ", style="dim") + Text(str(exchange.status), style=style)
        self._console.print(answer + Text(f"  {_joined(exchange.said)}", style="dim"))

    def token(self, name: str, token: Decoded) -> None:
        """Print header and payload."""
        self._console.print(Text(f"      {name}: ", style="dim") + Text(_compact(token.header), style="cyan"))
        self._console.print(Text("      ") + Text(_compact(token.payload), style="cyan"))

    def mail(self, subject: str, lines: Sequence[str]) -> None:
        """Print the whole mail."""
        self._console.print(Text(f"      {subject}", style="bold cyan"))
        for line in lines:
            self._console.print(Text(f"      {line}", style="cyan"))

    def holds(self, step: Step, ms: float, detail: str) -> None:
        """Print the result and the duration."""
        self._console.print(
            Text("    ✓ ", style="green") + Text(detail) + Text(f"  {ms:.0f} ms", style="dim")
        )

    def fails(self, step: Step, ms: float, failed: NotAsItShouldBe) -> None:
        """Print the expected and the actual result."""
        self._console.print(Text("    ✗ ", style="red") + Text(f"Expected {failed.expected}."))
        self._console.print(Text(f"      Came: {failed.came}"))

    def ends(self, steps: int, seconds: float) -> None:
        """Print the count."""
        self._console.print(
            Text("\n✓ ", style="green")
            + Text(f"All {steps} steps are as they should be, in {seconds:.1f} s.")
        )


def _joined(pairs: tuple[tuple[str, str], ...]) -> str:
    return "  ".join(
        f"«{value}»" if name == "page" else f"… {value}" if name == "…" else f"{name}={value}"
        for name, value in pairs
    )


def _compact(document: dict[str, Any]) -> str:
    shown = {name: shortened(value) if isinstance(value, str) else value for name, value in document.items()}
    return msgspec.json.encode(shown).decode()
