"""Files outside a grant's folder that name it: those that a new grant of its kind would have to change.

Run as `python -m tools.grant_touch [GRANT …]`; without a name it lists every grant. Files that are deleted with the grant do not count: its
folder, the storage noun and the feature of what it rests on, and every file whose own path names it. Nor do catalogues, migrations, docs
and tests. tests/repository/test_grant_touch.py holds the lists, so that none grows unseen.
"""

from __future__ import annotations

import re
import sys
from functools import cache
from pathlib import Path
from typing import Final

from tools.factor_touch import SERVER, parts, words_of_python, words_of_template

GRANTS: Final = SERVER / "features" / "oauth" / "grants"
NAMES: Final = {
    "api_key": r"grants_api_key|api_key_grants?",
    "device_code": r"device_(codes?|authorizations?|grants?|flow)|user_codes?",
    "jwt_bearer": r"grants_jwt_bearer|trusted_issuers?",
    "token_exchange": r"token_exchanges?|exchanges|exchange_(ends|policy|problem)|exchanged|impersonat\w*",
}
"""By folder: the words by which the code names the grant, within identifiers, short strings and imports. What two grants share, such as an
ID-JAG, or every access token, such as `may_act`, is no grant's. API keys are a feature of their own, which is used without the grant too."""
_LEFT_OUT: Final = frozenset({"locale", "migrations", "vendor"})
_OTHERS: Final = frozenset({"features/oauth/clients/rules/self_registered.py"})
"""Files that name grants for a purpose of their own, which a new grant does not join: what apps may have that register themselves."""


def named(text: str, grant: str) -> bool:
    """Whether an identifier, an address or a value names the grant."""
    return re.search(rf"(?<![a-z0-9])({NAMES[grant]})(?![a-z0-9])", parts(text)) is not None


@cache
def _words() -> list[tuple[Path, frozenset[str]]]:
    """The files of the server, each with its words."""
    found: list[tuple[Path, frozenset[str]]] = []
    for path in sorted(SERVER.rglob("*")):
        if path.suffix in {".py", ".html"} and not _LEFT_OUT & set(path.parts):
            words = words_of_python if path.suffix == ".py" else words_of_template
            found.append((path, frozenset(words(path.read_text("utf-8")))))
    return found


def _own(path: Path, grant: str) -> bool:
    return path.is_relative_to(GRANTS / grant) or any(
        named(part, grant) for part in path.relative_to(SERVER).with_suffix("").parts
    )


def touched(grant: str) -> list[str]:
    """The files that name the grant and are not its own, by their path below the server's package. Raises KeyError for a grant without an
    entry in `NAMES`."""
    return [
        path.relative_to(SERVER).as_posix()
        for path, words in _words()
        if not _own(path, grant)
        and path.relative_to(SERVER).as_posix() not in _OTHERS
        and any(named(word, grant) for word in words)
    ]


def main(grants: list[str]) -> int:
    for grant in grants or sorted(NAMES):
        if grant not in NAMES:
            print(f"{grant} is no grant; one of {', '.join(sorted(NAMES))}", file=sys.stderr)
            return 2
        files = touched(grant)
        print(f"{grant}: {len(files)} files outside")
        print("".join(f"    {name}\n" for name in files), end="")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
