"""Settings from the environment: `DOORWARD_TOKENS__ACCESS_TTL=120` is `access_ttl` of `[tokens]`; `…_FILE` names a file with the
value."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path

from doorward.core.model.decoded import NotText, decoded
from doorward.settings.problems import did_you_mean, removed

PREFIX = "DOORWARD_"

# Not settings of the server: where the commands look for the file, and which browser the tests drive.
_OTHERS = frozenset({"DOORWARD_CONFIG", "DOORWARD_CHROMIUM"})
_OTHER_PREFIXES = ("DOORWARD_TEST_", "DOORWARD_DEMO_", "DOORWARD_BENCH_")
# As hosting platforms name it.
_ALIASES = {"DOORWARD_DATABASE_URL": "database", "DOORWARD_CACHE_URL": "cache"}
# Kubernetes adds these variables for every service in the namespace, such as "doorward" or "doorward-postgresql". The value is
# checked as well: DOORWARD_SERVER_PORT=8000 is a mistake and must be reported.
_SERVICE_LINKS: tuple[tuple[re.Pattern[str], re.Pattern[str]], ...] = (
    (re.compile(r"DOORWARD_(\w+_)?SERVICE_HOST"), re.compile(r"[0-9A-Fa-f.:]+")),
    (re.compile(r"DOORWARD_(\w+_)?SERVICE_PORT(_\w+)?"), re.compile(r"\d+")),
    (re.compile(r"DOORWARD_(\w+_)?PORT(_\d+_(TCP|UDP|SCTP))?"), re.compile(r"(tcp|udp|sctp)://\S+")),
    (re.compile(r"DOORWARD_(\w+_)?PORT_\d+_(TCP|UDP|SCTP)_(ADDR|PORT|PROTO)"), re.compile(r"\S+")),
)


def from_environment(
    environ: Mapping[str, str], known: Collection[str], problems: list[str]
) -> dict[str, tuple[str, object, bool]]:
    """Dotted name -> (variable, text, True). Unknown names are added to `problems`, with a suggestion."""
    by_variable = {PREFIX + name.upper().replace(".", "__"): name for name in known}
    by_variable |= {variable: name for variable, name in _ALIASES.items() if name in known}
    given: dict[str, tuple[str, object, bool]] = {}
    for variable in sorted(environ):
        if not variable.startswith(PREFIX) or variable.startswith(_OTHER_PREFIXES) or variable in _OTHERS:
            continue
        text = environ[variable]
        name = by_variable.get(variable) or by_variable.get(variable.removesuffix("_FILE"))
        if name is None:
            if not _of_a_service(variable, text):
                gone = removed(variable.removeprefix(PREFIX).lower().replace("__", "."))
                hint = did_you_mean(variable, by_variable)
                problems.append(f"{variable}: {gone or f'there is no such setting.{hint}'}")
            continue
        if variable not in by_variable:
            try:
                text = decoded(Path(text).read_bytes()).rstrip("\r\n")
            except OSError as error:
                problems.append(f"{variable}: the file cannot be read ({error}).")
                continue
            except NotText as error:
                problems.append(f"{variable}: the file {text} {error}.")
                continue
        if name in given:
            problems.append(f"{given[name][0]} and {variable} are both set; keep one of them.")
        given[name] = (variable, text, True)
    return given


def _of_a_service(variable: str, value: str) -> bool:
    return any(name.fullmatch(variable) and held.fullmatch(value) for name, held in _SERVICE_LINKS)
