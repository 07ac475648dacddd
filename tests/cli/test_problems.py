"""Tests of the problem sentences: the command line has one for each problem of administration, and only it names its options."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter
from typing import cast, get_args

import pytest
import typer.main

from doorward.cli.app import app
from doorward.cli.problems import OPTIONS, SENTENCES, sentences
from doorward.core.model.client import Client
from doorward.core.model.problem import PARAMETERS, Noun, Problem, ProblemCode, Value, problem
from doorward.core.model.trusted_issuer import TrustedIssuer
from tests.repository import tree
from tests.repository.test_cli_documented import commands

CODES: tuple[ProblemCode, ...] = get_args(ProblemCode)
_CLIENT_RULES = tree.SERVER / "features" / "oauth" / "clients" / "rules"
SPEAKERS = [
    *(tree.SERVER / "features" / "admin").glob("*.py"),
    *(tree.SERVER / "features" / "admin" / "imports").rglob("*.py"),
    tree.SERVER / "features" / "oauth" / "grants" / "jwt_bearer" / "rules" / "registration.py",
    *(
        _CLIENT_RULES / f"{name}.py"
        for name in ("registration", "kinds", "key_strength", "resource", "exchange_policy")
    ),
    tree.SERVER / "core" / "model" / "problem.py",
]


def example(code: ProblemCode) -> Problem:
    """A problem of this code; each value shows which parameter it is."""
    values: dict[str, Value] = {}
    for name in PARAMETERS[code]:
        match name:
            case "noun":
                values[name] = "api"
            case "member":
                values[name] = "redirect_uris"
            case "ids" | "offered" | "known":
                values[name] = (f"<{name}1>", f"<{name}2>")
            case "published_at" | "known_at" | "limit" | "least" | "most" | "value" | "number":
                values[name] = 1_800_000_000
            case _:
                values[name] = f"<{name}>"
    return problem(code, **values)


def test_the_catalogue_and_the_sentences_hold_every_code() -> None:
    assert set(PARAMETERS) == set(SENTENCES) == set(CODES)


@pytest.mark.parametrize("code", CODES)
def test_every_parameter_of_a_sentence_is_filled(code: ProblemCode) -> None:
    error, fix = sentences(example(code))
    assert error
    assert "{" not in error + fix
    assert error == error.strip()
    assert fix == fix.strip()


@pytest.mark.parametrize("code", CODES)
def test_a_sentence_contains_the_given_values(code: ProblemCode) -> None:
    """Every parameter appears, except those that only say where the value was."""
    silent = {"member", "noun", "near", "text", "actor"}
    asked = {name for part in SENTENCES[code] for _, name, _, _ in Formatter().parse(part) if name}
    derived = {"hint": "near", "listing": "noun", "called": "noun", "show": "noun", "option": "member", "words": "member", "example": "offered", "first": "known"}  # fmt: skip
    said = {derived.get(name, name) for name in asked}
    assert said <= set(PARAMETERS[code])
    if "uri" not in PARAMETERS[code] and not code.startswith("identifier_"):
        assert set(PARAMETERS[code]) - said <= silent


@pytest.mark.parametrize("noun", get_args(Noun))
def test_every_kind_of_object_has_its_commands(noun: Noun) -> None:
    error, fix = sentences(problem("not_found", noun=noun, given="wbe", near="web"))
    assert error.endswith("wbe. Did you mean web?")
    assert re.fullmatch(
        r"See what is there: doorward (app|api|api-key|role|user|keys|issuer|registration-token|stream) list",
        fix,
    )
    assert sentences(problem("unchanged", noun=noun, name="My app"))[1].endswith(" show 'My app'")


def test_without_a_similar_name_no_suggestion_is_made() -> None:
    error, _ = sentences(problem("not_found", noun="app", given="x", near=None))
    assert error == "There is no app x."


def test_every_option_in_a_sentence_exists() -> None:
    known = {flag for _, flags in commands(typer.main.get_command(app), "doorward") for flag in flags}
    texts = [text for pair in SENTENCES.values() for text in pair] + list(OPTIONS.values())
    named = {option for text in texts for option in re.findall(r"(?<!\S)--[a-z-]+", text)}
    assert named
    assert named <= known
    assert {
        member
        for member in OPTIONS
        if member not in (*Client.__struct_fields__, *TrustedIssuer.__struct_fields__)
    } <= {
        "apis",
        "claims",
        "uses",
        "lasts",
        "keep_old",
        "grace",
        "reason",
        "given_name",
        "family_name",
    }


def texts_of(path: Path) -> Iterator[tuple[int, str]]:
    """The text constants of a module, without docstrings."""
    module = ast.parse(path.read_text("utf-8"))
    documented = {
        id(node.value)
        for node in ast.walk(module)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(module):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documented:
            yield node.lineno, cast("str", node.value)


@pytest.mark.parametrize("path", SPEAKERS, ids=lambda path: path.stem)
def test_no_rule_or_service_names_an_option_or_a_command(path: Path) -> None:
    found = [(line, text) for line, text in texts_of(path) if re.search(r"--[a-z]|\bdoorward [a-z]", text)]
    assert found == []


def raised(path: Path) -> Iterator[tuple[str, set[str]]]:
    """The problems that a module creates: code and parameters."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in {"refused", "problem", "wrong"}:
                extra = (
                    {"member", "uri"}
                    if isinstance(node.func, ast.Attribute) and name == "wrong"
                    else set[str]()
                )
                yield str(node.args[0].value), extra | {each.arg or "" for each in node.keywords}


def test_every_created_problem_has_its_parameters_and_every_code_is_used() -> None:
    made = [each for path in SPEAKERS for each in raised(path)]
    for code, parameters in made:
        assert set(PARAMETERS[cast("ProblemCode", code)]) == parameters, code
    assert {code for code, _ in made} | {"not_found"} == set(CODES)


def test_a_problem_cannot_be_made_with_other_parameters() -> None:
    with pytest.raises(TypeError):
        problem("key_unused")
    with pytest.raises(TypeError):
        problem("keys_changed", alg="ES256")
