"""What does the environment say? `DOORWARD_TOKENS__ACCESS_TTL=120` is `access_ttl` of `[tokens]`; `…_FILE` names a file with the value."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path

from doorward.settings.problems import did_you_mean

PREFIX = "DOORWARD_"

# Not settings of the server: where the commands look for the file, and which browser the tests drive.
_OTHERS = frozenset({"DOORWARD_CONFIG", "DOORWARD_CHROMIUM"})
_OTHER_PREFIXES = ("DOORWARD_TEST_", "DOORWARD_DEMO_", "DOORWARD_BENCH_")
# As hosting platforms name it.
_ALIASES = {"DOORWARD_DATABASE_URL": "database", "DOORWARD_CACHE_URL": "cache"}
# An orchestrator that knows a service called "doorward" puts these into the environment of every neighbour.
_SERVICE_LINKS = re.compile(r"DOORWARD_(SERVICE_(HOST|PORT(_\w+)?)|PORT(_\d+_\w+)?)$")


def from_environment(
    environ: Mapping[str, str], known: Collection[str], problems: list[str]
) -> dict[str, tuple[str, object, bool]]:
    """Dotted name -> (variable, text, True). What is no setting is added to `problems`, with a suggestion."""
    by_variable = {PREFIX + name.upper().replace(".", "__"): name for name in known}
    by_variable |= {variable: name for variable, name in _ALIASES.items() if name in known}
    given: dict[str, tuple[str, object, bool]] = {}
    from_files: dict[str, tuple[str, object, bool]] = {}
    for variable in sorted(environ):
        if not variable.startswith(PREFIX) or variable.startswith(_OTHER_PREFIXES):
            continue
        if variable in _OTHERS or _SERVICE_LINKS.match(variable):
            continue
        if variable in by_variable:
            name = by_variable[variable]
            if name in given:
                problems.append(f"{given[name][0]} and {variable} are both set; keep one of them.")
            given[name] = (variable, environ[variable], True)
        elif variable.endswith("_FILE") and variable.removesuffix("_FILE") in by_variable:
            name = by_variable[variable.removesuffix("_FILE")]
            try:
                text = Path(environ[variable]).read_text(encoding="utf-8").rstrip("\r\n")
            except (OSError, UnicodeDecodeError) as error:
                problems.append(f"{variable}: the file cannot be read ({error}).")
            else:
                from_files[name] = (variable, text, True)
        else:
            problems.append(f"{variable}: there is no such setting.{did_you_mean(variable, by_variable)}")
    problems.extend(
        f"{given[name][0]} and {from_files[name][0]} are both set; keep one of them."
        for name in sorted(given.keys() & from_files.keys())
    )
    return from_files | given
