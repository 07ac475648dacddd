"""Loader of `Settings`: `doorward.toml` first, `DOORWARD_*` over it, everything checked at once."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from msgspec import Struct, inspect

from doorward.core.model.decoded import NotText, decoded
from doorward.core.model.secret import Secret
from doorward.core.model.section import Section
from doorward.core.web_origin import loopback
from doorward.settings.checks import cache_problem, database_problem, issuer_problem, problems_of
from doorward.settings.environment import PREFIX, from_environment
from doorward.settings.lines import lines_of
from doorward.settings.problems import SettingsError, did_you_mean, removed
from doorward.settings.tree import NOT_SETTINGS, Settings
from doorward.settings.values import WrongValue, coerce
from doorward.storage.postgres.url import DatabaseUrl, is_postgres
from doorward.storage.sqlite.path import opened_before, sqlite_path

Given = dict[str, tuple[str, object, bool]]
"""Dotted name -> (its source, the value, whether it is text from the environment)."""


def known_settings(named: Collection[str] = ()) -> dict[str, inspect.Field]:
    """Every setting by its dotted name, in the order of the tree. `named`: the sections to which operators give names, as in
    `providers.example`."""
    found: dict[str, inspect.Field] = {}
    for top in _fields(Settings):
        if top.encode_name in NOT_SETTINGS:
            continue
        if (one := _one_of(top)) is not None:
            for section in named:
                if section.startswith(f"{top.encode_name}."):
                    found |= {f"{section}.{leaf.encode_name}": leaf for leaf in _fields(one)}
        elif isinstance(top.type, inspect.StructType):
            found |= {f"{top.encode_name}.{leaf.encode_name}": leaf for leaf in top.type.fields}
        else:
            found[top.encode_name] = top
    return found


def load(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """Read the file (None: no file), apply the environment over it, check all. Raises `SettingsError` with every problem found.

    Relative paths in the file are relative to its folder, those in the environment to the working directory.
    """
    problems: list[str] = []
    given: Given = {}
    lines: dict[str, int] = {}
    document: dict[str, Any] = {}
    if path is not None:
        document, lines = _document(path)
    known = known_settings(_named(document, environ))
    if path is not None:
        given = _from_file(path, document, lines, known, problems)
    given |= from_environment(environ, known, problems)
    values: dict[str, object] = {}
    for name, (where, value, text) in given.items():
        try:
            values[name] = _placed(name, coerce(value, known[name].type, text=text), text, path)
        except WrongValue as error:
            problems.append(f"{where}: {name} {error}.")
    if problems:
        raise SettingsError(problems)
    settings = _build(values, known, given, path)
    for problem in problems_of(settings):
        name = problem.partition(" ")[0]
        where = given[name][0] if name in given else _place(path, lines, name)
        problems.append(f"{where}: {problem}.")
    if problems:
        raise SettingsError(problems)
    return settings


def _document(path: Path) -> tuple[dict[str, Any], dict[str, int]]:
    """The file's tables, and the lines of its keys. Raises `SettingsError`."""
    try:
        text = decoded(path.read_bytes()).replace("\r\n", "\n")
    except FileNotFoundError:
        raise SettingsError([f"{path}: there is no such file."]) from None
    except OSError as error:
        raise SettingsError([f"{path}: cannot be read ({error.strerror})."]) from None
    except NotText as error:
        raise SettingsError([f"{path}: {error}."]) from None
    try:
        return tomllib.loads(text), lines_of(text)
    except tomllib.TOMLDecodeError as error:
        hint = " Text stands in quotes." if "Invalid value" in str(error) else ""
        raise SettingsError([f"{path}: is not valid TOML: {error}.{hint}"]) from None


def _named(document: Mapping[str, Any], environ: Mapping[str, str]) -> list[str]:
    """The sections that have their names from the operator: those of the file in its order, then those of variables alone."""
    found: dict[str, None] = {}
    for top in (one.encode_name for one in _fields(Settings) if _one_of(one) is not None):
        held: object = document.get(top)
        names = [str(name) for name in cast("dict[str, object]", held)] if isinstance(held, dict) else []
        found |= dict.fromkeys(f"{top}.{name}" for name in names)
        variable = re.compile(rf"{PREFIX}{top.upper()}__([A-Z0-9]+(?:_[A-Z0-9]+)*)__\w+")
        matches = [variable.fullmatch(name) for name in sorted(environ)]
        found |= dict.fromkeys(f"{top}.{match[1].lower()}" for match in matches if match is not None)
    return list(found)


def _from_file(
    path: Path,
    document: Mapping[str, Any],
    lines: Mapping[str, int],
    known: Mapping[str, inspect.Field],
    problems: list[str],
) -> Given:
    given: Given = {}
    of_names = {one.encode_name for one in _fields(Settings) if _one_of(one) is not None}
    sections = {name.partition(".")[0] for name in known if "." in name} | of_names
    tops = sections | {name for name in known if "." not in name}
    for top, value in document.items():
        where = _place(path, lines, top)
        if top not in tops:
            kind = "section" if isinstance(value, dict) else "setting"
            problems.append(
                f"{where}: there is no {kind} {top}.{did_you_mean(top, tops)}{_elsewhere(top, known)}"
            )
        elif top not in sections:
            given[top] = (where, value, False)
        elif not isinstance(value, dict):
            problems.append(f"{where}: {top} is a section; write [{top}] and its settings below.")
        elif top in of_names:
            for name, held in cast("dict[str, object]", value).items():
                if isinstance(held, dict):
                    where = f"{top}.{name}"
                    _section(path, lines, where, cast("dict[str, object]", held), known, given, problems)
                else:
                    problems.append(f"{where}: [{top}] holds a section for each name; write [{top}.NAME].")
        else:
            _section(path, lines, top, cast("dict[str, object]", value), known, given, problems)
    return given


def _section(
    path: Path,
    lines: Mapping[str, int],
    section: str,
    held: Mapping[str, object],
    known: Mapping[str, inspect.Field],
    given: Given,
    problems: list[str],
) -> None:
    """Read one section into `given`."""
    settings = {name[len(section) + 1 :] for name in known if name.startswith(f"{section}.")}
    for key, leaf in held.items():
        where = _place(path, lines, f"{section}.{key}")
        if key in settings:
            given[f"{section}.{key}"] = (where, leaf, False)
        else:
            hint = did_you_mean(key, settings) or _elsewhere(key, known)
            gone = removed(f"{section}.{key}")
            problems.append(f"{where}: {gone or f'[{section}] has no setting {key}.{hint}'}")


def _elsewhere(key: str, known: Mapping[str, inspect.Field]) -> str:
    """Suggest the right section: a right key under the wrong section is the most common mistake after misspelling."""
    homes = [name for name in known if name.partition(".")[2] == key]
    return f" It belongs to [{homes[0].partition('.')[0]}]." if homes else ""


def _place(path: Path | None, lines: Mapping[str, int], name: str) -> str:
    if path is None:
        return "settings"
    line = lines.get(name)
    return f"{path}:{line}" if line else str(path)


@cache
def _files() -> Mapping[str, frozenset[str]]:
    """The settings that name a file, by their section."""
    found: dict[str, frozenset[str]] = {}
    for top in _fields(Settings):
        cls = _one_of(top) or (top.type.cls if isinstance(top.type, inspect.StructType) else None)
        if cls is not None and issubclass(cls, Section):
            found[top.encode_name] = cls.files
    return found


def _names_a_file(name: str) -> bool:
    section, _, rest = name.partition(".")
    return name == "ca_file" or rest.rpartition(".")[2] in _files().get(section, frozenset())


def _placed(name: str, value: object, text: bool, path: Path | None) -> object:
    """The value, with a path made absolute; also the checks that need the text as written."""
    home = path.resolve().parent if path is not None and not text else Path.cwd()
    if name == "issuer" and (problem := issuer_problem(str(value))):
        raise WrongValue(problem)
    if name == "database":
        return _database(str(value), home)
    if name == "cache" and isinstance(value, Secret) and (problem := cache_problem(value.reveal())):
        raise WrongValue(problem)
    if _names_a_file(name):
        if isinstance(value, str):
            return str(home / _expanded(Path(value)))
        if isinstance(value, tuple):
            return tuple(str(home / _expanded(Path(one))) for one in cast("tuple[str, ...]", value))
    return value


def _database(written: str, home: Path) -> str:
    """The URL of a PostgreSQL database, or the file's full path. Surrounding space is stripped: it comes from a file or from
    copying."""
    database = written.strip()
    if problem := database_problem(database):
        raise WrongValue(problem)
    if is_postgres(database):
        return DatabaseUrl(database)
    path = home / _expanded(Path(sqlite_path(database)))
    # An older version opened this path for the same setting. A new and empty database beside it would look as if all accounts
    # were lost.
    for old in (opened_before(database), sqlite_path(written) if written != database else None):
        if old is not None and (there := home / _expanded(Path(old))).is_file() and not path.exists():
            raise WrongValue(
                f'names {path}, which does not exist, and versions up to 0.1 opened "{there}" for it; rename that file (with -wal and -shm '
                "beside it) to the right name while no server runs, or write its own name here"
            )
    return str(path)


def _expanded(path: Path) -> Path:
    """The text with `~` and `~user` expanded. Raises `WrongValue` where this machine has no such user."""
    try:
        return path.expanduser()
    except RuntimeError:
        raise WrongValue(f"begins with {path.parts[0]}, which is nobody's home here") from None


def _build(
    values: dict[str, object], known: Mapping[str, inspect.Field], given: Given, path: Path | None
) -> Settings:
    if "issuer" not in values:
        write = 'write issuer = "https://auth.example.com" into'
        said = "issuer is missing, the public address of this server."
        if path is not None:
            raise SettingsError([f"{path}: {said} {write.capitalize()} it, or set DOORWARD_ISSUER."])
        raise SettingsError(
            [
                f"There is no doorward.toml in {Path.cwd()}, and {said} Go to the folder with the file, name it with "
                f"--config FILE, set DOORWARD_ISSUER, or begin one: {write} a new doorward.toml."
            ]
        )
    issuer = str(values["issuer"])
    home = path.resolve().parent if path is not None else Path.cwd()
    database = values.setdefault("database", str(home / "doorward.db"))
    if values.get("server.port") is None:
        parts = urlsplit(issuer)
        values["server.port"] = (parts.port if loopback(parts.hostname) else None) or 8000
    elsewhere = (values.get("keys.unwrap_command"), values.get("keys.pkcs11_module"))
    if values.get("keys.secret_key_file") is None and elsewhere == (None, None):
        # with a database server, beside doorward.toml
        folder = home if isinstance(database, DatabaseUrl) else Path(str(database)).parent
        values["keys.secret_key_file"] = str(folder / "doorward.key")
    # the file of the secret key is made at the first start
    for name in (name for name in known if f"{name}_file" in known and name != "keys.secret_key"):
        file = values.get(f"{name}_file")
        if isinstance(file, str) and values.get(name) is None:
            values[name] = _secret_in(file, f"{name}_file", given[f"{name}_file"][0])
    tree: dict[str, Any] = {name: value for name, value in values.items() if "." not in name}
    for top in _fields(Settings):
        if not isinstance(top.type, inspect.StructType):
            continue
        start, one = f"{top.encode_name}.", _one_of(top)
        held = {name[len(start) :]: value for name, value in values.items() if name.startswith(start)}
        if one is not None:
            names = dict.fromkeys(
                name[len(start) :].partition(".")[0] for name in known if name.startswith(start)
            )
            held = {"by_name": {name: one.named(name, _below(held, name)) for name in names}}
        tree[top.encode_name] = top.type.cls(**held)
    return Settings(source=None if path is None else str(path), **tree)


def _below(held: Mapping[str, object], name: str) -> dict[str, Any]:
    """The values of the section `name`, by their names in it."""
    return {key[len(name) + 1 :]: value for key, value in held.items() if key.startswith(f"{name}.")}


def _secret_in(path: str, name: str, where: str) -> Secret:
    try:
        secret = Secret(decoded(Path(path).read_bytes()).rstrip("\r\n"))
    except OSError as error:
        raise SettingsError([f"{where}: {name} {path} cannot be read ({error.strerror})."]) from None
    except NotText as error:
        raise SettingsError([f"{where}: {name} {path} {error}."]) from None
    if not secret:
        raise SettingsError([f"{where}: {name} {path} is empty."])
    return secret


def _one_of(top: inspect.Field) -> type[Section] | None:
    """The class of the sections that this section holds, if it holds some."""
    cls = top.type.cls if isinstance(top.type, inspect.StructType) else None
    return cls.one_of if cls is not None and issubclass(cls, Section) else None


@cache
def _fields(tree: type[Struct]) -> tuple[inspect.Field, ...]:
    kind = inspect.type_info(tree)
    if not isinstance(kind, inspect.StructType):
        raise TypeError("settings are a Struct")
    return kind.fields
