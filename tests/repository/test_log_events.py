"""Tests that every log event has a dotted name, and that its page lists each event with its levels and fields."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import pytest

from tests.repository import tree

PAGE = tree.DOCS / "reference" / "log-events.md"
NAME = re.compile(r"[a-z_]+(\.[a-z_]+)+")
# These pass on what their callers name, and are found by their calls.
NOTE = tree.SERVER / "web" / "refusals.py"
PASS_ON = {NOTE, tree.SERVER / "adapters" / "operator_notices.py", tree.SERVER / "adapters" / "logs.py"}
_LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
_LOG = re.compile(r"(^|_)log(ger)?$")
_ROW = re.compile(r"^\| `([^`]+)` \| ([a-z, ]+) \| [^|]+ \|(?: ([^|]+) \|)?$", re.MULTILINE)


@dataclass
class Event:
    """What the sources log under one name, or what the page says of it."""

    levels: set[str] = field(default_factory=set[str])
    fields: set[str] = field(default_factory=set[str])


class Unreadable(Exception):
    """A place whose event or fields cannot be read from the source."""


def _constants(parsed: ast.Module) -> dict[str, str]:
    """The module's own text constants: `_EVENT = "authorization.refused"`."""
    return {
        name: text
        for node in parsed.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        for name, text in [(getattr(target, "id", ""), getattr(node.value, "value", None))]
        if isinstance(text, str)
    }


def _texts(node: ast.expr, constants: dict[str, str]) -> list[str]:
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.Name(id=name) if name in constants:
            return [constants[name]]
        case ast.IfExp(body=body, orelse=other):
            return _texts(body, constants) + _texts(other, constants)
        case _:
            raise Unreadable


def _is_log(node: ast.expr) -> bool:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return bool(_LOG.search(name))
        case ast.Call(func=function):
            return _is_log(function)
        case _:
            return False


def _calls(parsed: ast.Module) -> Iterator[tuple[ast.Call, ast.expr, str, list[ast.keyword]]]:
    """(the call, its event, its level, its keywords) of each call that logs."""
    notes = any(
        isinstance(node, ast.ImportFrom)
        and node.module == "doorward.web.refusals"
        and "note" in {each.name for each in node.names}
        for node in parsed.body
    )
    for node in tree.nodes(parsed):
        match node:
            case ast.Call(func=ast.Attribute(value=log, attr=level), args=[event, *_]):
                if level in _LEVELS and _is_log(log):
                    yield node, event, level, node.keywords
                elif level == "once":
                    yield node, event, "warning", node.keywords
            case ast.Call(func=ast.Name(id="note")) if notes:
                given = {each.arg: each.value for each in node.keywords}
                warns = getattr(given.get("warning"), "value", False)
                default = ast.Constant("request.refused")
                yield node, given.get("event", default), "warning" if warns else "info", []
            case _:
                pass


def logged(source: str) -> tuple[dict[str, Event], list[int]]:
    """(event -> levels and fields, lines that cannot be read)."""
    parsed = tree.parse(source)
    found: dict[str, Event] = {}
    unreadable: list[int] = []
    for call, event, level, keywords in _calls(parsed):
        try:
            texts = _texts(event, _constants(parsed))
            if any(each.arg is None for each in keywords):
                raise Unreadable
        except Unreadable:
            unreadable.append(call.lineno)
            continue
        names = {"error" if each.arg == "exc_info" else str(each.arg) for each in keywords}
        names |= {"error"} if level == "exception" else set()
        names |= {"client_id", "note"} if ast.unparse(call.func).endswith("once") else set()
        names |= _note_fields() if ast.unparse(call.func) == "note" else set()
        for text in texts:
            known = found.setdefault(text, Event())
            known.levels.add("error" if level == "exception" else level)
            known.fields |= names
    return found, unreadable


def _note_fields() -> set[str]:
    """The fields that `web/refusals.py` logs of every refused request."""
    for node in tree.nodes(tree.parse(NOTE.read_text("utf-8"))):
        match node:
            case ast.Assign(targets=[ast.Name(id="said")], value=ast.Dict(keys=keys)):
                return {ast.literal_eval(key) for key in keys if key is not None}
            case _:
                pass
    raise AssertionError("refusals.py has no dict `said`")


def _together(found: Iterable[dict[str, Event]]) -> dict[str, Event]:
    events: dict[str, Event] = {}
    for each in found:
        for name, event in each.items():
            known = events.setdefault(name, Event())
            known.levels |= event.levels
            known.fields |= event.fields
    return events


def _of_server() -> dict[str, Event]:
    read = {
        path: logged(path.read_text("utf-8"))
        for path in sorted(tree.SERVER.rglob("*.py"))
        if path not in PASS_ON
    }
    unreadable = {tree.name(path): lines for path, (_, lines) in read.items() if lines}
    assert not unreadable, f"log a constant event with its fields by name: {unreadable}"
    return _together(events for events, _ in read.values())


def _of_verifier() -> dict[str, Event]:
    read = {path: logged(path.read_text("utf-8")) for path in sorted(tree.VERIFIER.rglob("*.py"))}
    assert not [tree.name(path) for path, (_, lines) in read.items() if lines]
    events: list[dict[str, Event]] = []
    for found, _ in read.values():
        for text, event in found.items():
            name, colon, sentence = text.partition(": ")
            assert colon, f"a message of the verifier is `event: sentence`: {text}"
            assert sentence
            events.append({name: Event(event.levels)})
    return _together(events)


def documented(page: str) -> dict[str, Event]:
    """The rows of the page's tables."""
    rows = _ROW.findall(page)
    assert len(rows) == len({name for name, _, _ in rows}), "an event has two rows"
    return {
        name: Event(set(levels.split(", ")), set(re.findall(r"`([a-z_]+)`", fields)))
        for name, levels, fields in rows
    }


def _pages() -> tuple[str, str]:
    server, _, verifier = PAGE.read_text("utf-8").partition("## The verifier")
    return server, verifier


def test_the_page_lists_what_the_server_logs() -> None:
    assert documented(_pages()[0]) == _of_server()


def test_the_page_lists_what_the_verifier_logs() -> None:
    assert documented(_pages()[1]) == _of_verifier()


def test_every_event_has_a_dotted_name() -> None:
    events = {**_of_server(), **_of_verifier()}
    assert [name for name in events if not NAME.fullmatch(name)] == []


@pytest.mark.parametrize(
    ("source", "name", "level", "fields"),
    [
        ('_log.info("a.b", count=1)', "a.b", "info", {"count"}),
        ('self._log.exception("a.b", path=1)', "a.b", "error", {"path", "error"}),
        ('logs.logger("server").warning("a.b")', "a.b", "warning", set[str]()),
        ('log.error("a.b", exc_info=error)', "a.b", "error", {"error"}),
        ('_EVENT = "a.b"\nlog.info(_EVENT, x=1)', "a.b", "info", {"x"}),
        ('log.info("a.b" if late else "a.c", x=1)', "a.c", "info", {"x"}),
        ('notices.once("a.b", client.id, name, app=1)', "a.b", "warning", {"client_id", "app", "note"}),
        ("from doorward.web.refusals import note\nnote(refusal, request)", "request.refused", "info", None),
        (
            'from doorward.web.refusals import note\nnote(x, y, event="a.b", warning=True)',
            "a.b",
            "warning",
            None,
        ),
    ],
)
def test_an_event_is_read_from_its_call(source: str, name: str, level: str, fields: set[str] | None) -> None:
    events, unreadable = logged(source)
    assert events[name] == Event({level}, _note_fields() if fields is None else fields)
    assert unreadable == []


@pytest.mark.parametrize("call", ['log.info(f"a.{b}")', "log.info(event)", 'log.info("a.b", **told)'])
def test_an_event_that_cannot_be_read_is_found(call: str) -> None:
    assert logged(call) == ({}, [1])
