"""Tests of the files that make up a named provider: one of its own, its mark, its guide, its test, and one line in the index."""

from __future__ import annotations

import re

import pytest

from doorward.features.authn.providers.services.index import SERVICES
from tests.repository.tree import DOCS, ROOT, SERVER, files

FOLDER = SERVER / "features" / "authn" / "providers" / "services"
GUIDES = DOCS / "guides" / "providers"
NAMED = sorted(one.name for one in SERVICES if "label" in one.defaults)
OF_THE_COMPANY = {
    "google": {
        "features/authn/factors/passkeys/rules/provider.py",
        "features/security_events/rules/received.py",
        "features/security_events/source_settings.py",
    },
    "apple": {
        "features/authn/factors/passkeys/rules/attestation.py",
        "features/oauth/clients/rules/private_schemes.py",
        "features/security_events/receiving.py",
        "features/security_events/rules/received.py",
        "features/security_events/source_routes.py",
        "features/security_events/source_settings.py",
    },
    "entra": {"features/authn/providers/rules/mapping.py"},
}
"""Files that name the company for something else: its passkeys, its security events, and an example in a docstring."""
LEFT_OUT = ("cli/", "features/oauth/grants/")
"""Examples in the help of commands, and issuers of workloads, which are another plug."""


def naming(name: str) -> set[str]:
    """The sources of the server that name it, without catalogues, its own file and `LEFT_OUT`."""
    word = re.compile(rf"(?<![A-Za-z]){name}(?![A-Za-z])", re.IGNORECASE)
    found = {
        path.relative_to(SERVER).as_posix()
        for path in files()
        if path.is_relative_to(SERVER) and path.suffix in {".py", ".html"} and "locale" not in path.parts
        if word.search(path.read_text("utf-8"))
    }
    own = f"features/authn/providers/services/{name}.py"
    return {path for path in found if path != own and not path.startswith(LEFT_OUT)}


@pytest.mark.parametrize("name", NAMED)
def test_a_provider_is_one_file_its_mark_its_guide_its_test_and_a_line(name: str) -> None:
    """A provider that needs more: give `ProviderService` a hook for it, so that the next one finds it."""
    assert (FOLDER / f"{name}.py").is_file()
    assert (FOLDER / "marks" / f"{name}.svg").is_file()
    label = str(next(one.defaults["label"] for one in SERVICES if one.name == name))
    others = (GUIDES / "others.md").read_text("utf-8")
    assert (GUIDES / f"{name}.md").is_file() or f"| {label} |" in others
    assert (ROOT / "tests" / "features" / "authn" / "providers" / f"test_{name}.py").is_file()
    assert naming(name) - OF_THE_COMPANY.get(name, set()) == {"features/authn/providers/services/index.py"}
    index = (FOLDER / "index.py").read_text("utf-8").splitlines()
    assert [line for line in index if name.upper() in line] == [
        f"from doorward.features.authn.providers.services.{name} import {name.upper()}",
        f"    {name.upper()},",
    ]


def test_the_files_that_name_a_company_still_do() -> None:
    assert {name: naming(name) & paths for name, paths in OF_THE_COMPANY.items()} == OF_THE_COMPANY
