"""Loader of `Settings`: `doorward.toml` first, `DOORWARD_*` over it, everything checked at once."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from msgspec import inspect

from doorward.core.model.decoded import NotText, decoded
from doorward.core.model.secret import Secret
from doorward.core.model.section import Section
from doorward.core.web_origin import loopback
from doorward.settings.checks import cache_problem, database_problem, issuer_problem, problems_of
from doorward.settings.environment import from_environment
from doorward.settings.lines import lines_of
from doorward.settings.problems import SettingsError, did_you_mean
from doorward.settings.tree import NOT_SETTINGS, Settings
from doorward.settings.values import WrongValue, coerce
from doorward.storage.postgres.url import DatabaseUrl, is_postgres
from doorward.storage.sqlite.path import opened_before, sqlite_path

Given = dict[str, tuple[str, object, bool]]
"""Dotted name -> (its source, the value, whether it is text from the environment)."""


def known_settings() -> dict[str, inspect.Field]:
    """Every setting by its dotted name, in the order of the tree."""
    found: dict[str, inspect.Field] = {}
    for top in _fields(Settings):
        if top.encode_name in NOT_SETTINGS:
            continue
        if isinstance(top.type, inspect.StructType):
            found |= {f"{top.encode_name}.{leaf.encode_name}": leaf for leaf in top.type.fields}
        else:
            found[top.encode_name] = top
    return found


def load(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """Read the file (None: no file), apply the environment over it, check all. Raises `SettingsError` with every problem found.

    Relative paths in the file are relative to its folder, those in the environment to the working directory.
    """
    known = known_settings()
    problems: list[str] = []
    given: Given = {}
    lines: dict[str, int] = {}
    if path is not None:
        given, lines = _from_file(path, known, problems)
    given |= from_environment(environ, known, problems)
    values: dict[str, object] = {}
    for name, (where, value, text) in given.items():
        try:
            values[name] = _placed(name, coerce(value, known[name].type, text=text), text, path)
        except WrongValue as error:
            problems.append(f"{where}: {name} {error}.")
    if problems:
        raise SettingsError(problems)
    settings = _build(values, given, path)
    for problem in problems_of(settings):
        name = problem.partition(" ")[0]
        where = given[name][0] if name in given else _place(path, lines, name)
        problems.append(f"{where}: {problem}.")
    if problems:
        raise SettingsError(problems)
    return settings


def _from_file(
    path: Path, known: Mapping[str, inspect.Field], problems: list[str]
) -> tuple[Given, dict[str, int]]:
    try:
        text = decoded(path.read_bytes()).replace("\r\n", "\n")
    except FileNotFoundError:
        raise SettingsError([f"{path}: there is no such file."]) from None
    except OSError as error:
        raise SettingsError([f"{path}: cannot be read ({error.strerror})."]) from None
    except NotText as error:
        raise SettingsError([f"{path}: {error}."]) from None
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        hint = " Text stands in quotes." if "Invalid value" in str(error) else ""
        raise SettingsError([f"{path}: is not valid TOML: {error}.{hint}"]) from None
    lines = lines_of(text)
    given: Given = {}
    sections = {name.partition(".")[0] for name in known if "." in name}
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
        else:
            section = {name.partition(".")[2] for name in known if name.startswith(f"{top}.")}
            for key, leaf in cast("dict[str, object]", value).items():
                where = _place(path, lines, f"{top}.{key}")
                if key in section:
                    given[f"{top}.{key}"] = (where, leaf, False)
                else:
                    hint = did_you_mean(key, section) or _elsewhere(key, known)
                    problems.append(f"{where}: [{top}] has no setting {key}.{hint}")
    return given, lines


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
def _paths() -> frozenset[str]:
    """The settings that name a file."""
    sections = [top for top in _fields(Settings) if isinstance(top.type, inspect.StructType)]
    return frozenset({"ca_file"}).union(
        f"{top.encode_name}.{name}"
        for top in sections
        if isinstance(top.type, inspect.StructType) and issubclass(top.type.cls, Section)
        for name in top.type.cls.files
    )


def _placed(name: str, value: object, text: bool, path: Path | None) -> object:
    """The value, with a path made absolute; also the checks that need the text as written."""
    home = path.resolve().parent if path is not None and not text else Path.cwd()
    if name == "issuer" and (problem := issuer_problem(str(value))):
        raise WrongValue(problem)
    if name == "database":
        return _database(str(value), home)
    if name == "cache" and isinstance(value, Secret) and (problem := cache_problem(value.reveal())):
        raise WrongValue(problem)
    if name in _paths() and isinstance(value, str):
        return str(home / _expanded(Path(value)))
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


def _build(values: dict[str, object], given: Given, path: Path | None) -> Settings:
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
    known = known_settings()
    # the file of the secret key is made at the first start
    for name in (name for name in known if f"{name}_file" in known and name != "keys.secret_key"):
        file = values.get(f"{name}_file")
        if isinstance(file, str) and values.get(name) is None:
            values[name] = _secret_in(file, f"{name}_file", given[f"{name}_file"][0])
    tree: dict[str, Any] = {name: value for name, value in values.items() if "." not in name}
    for top in _fields(Settings):
        if isinstance(top.type, inspect.StructType):
            start = f"{top.encode_name}."
            held = {name[len(start) :]: value for name, value in values.items() if name.startswith(start)}
            tree[top.encode_name] = top.type.cls(**held)
    return Settings(source=None if path is None else str(path), **tree)


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


def _fields(tree: type[Settings]) -> tuple[inspect.Field, ...]:
    kind = inspect.type_info(tree)
    if not isinstance(kind, inspect.StructType):
        raise TypeError("Settings is a Struct")
    return kind.fields
