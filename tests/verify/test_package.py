"""Imports and dependencies of the package: few dependencies, and pure files stay pure."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import doorward_verify

PACKAGE = Path(doorward_verify.__file__).parent
PURE = [
    "encoding",
    "algorithms",
    "jwk",
    "keyset",
    "jws",
    "claims",
    "verifier",
    "principal",
    "demands",
    "keycache",
]
PURE += [
    "metadata",
    "revocation",
    "revoked_table",
    "snapshot",
    "challenges",
    "cookie",
    "auth_error",
    "remembered",
]


def loaded_by(statement: str) -> set[str]:
    program = f"import sys; before = set(sys.modules); {statement}; print(*sorted(set(sys.modules) - before))"
    path = str(PACKAGE.parent)
    found = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {path!r}); {program}"],
        check=True,
        capture_output=True,
        text=True,
    )
    return set(found.stdout.split())


@pytest.mark.parametrize("module", PURE)
def test_a_pure_file_imports_no_threads_sockets_or_frameworks(module: str) -> None:
    # what the two dependencies load on their own does not count
    below = ", ".join(
        f"cryptography.hazmat.primitives.asymmetric.{name}" for name in ("ec", "rsa", "ed25519", "utils")
    )
    loaded = loaded_by(
        f"import {below}, cryptography.hazmat.primitives.hmac, cryptography.hazmat.backends.openssl.backend, urllib.parse, json, msgspec; "
        f"before = set(sys.modules); import doorward_verify.{module}"
    )
    assert not loaded & {
        "asyncio",
        "socket",
        "ssl",
        "http.client",
        "threading",
        "random",
        "secrets",
        "sqlite3",
    }
    assert not {name.split(".")[0] for name in loaded} & {"fastapi", "starlette", "pydantic", "doorward"}


def test_the_resource_server_needs_no_framework() -> None:
    loaded = loaded_by("import doorward_verify; doorward_verify.ResourceServer")
    assert "doorward_verify.resource_server" in loaded
    assert not [
        name for name in loaded if name.split(".")[0] in ("fastapi", "starlette", "pydantic", "pytest")
    ]


def test_it_depends_on_two_packages_only() -> None:
    project = tomllib.loads((PACKAGE.parents[1] / "pyproject.toml").read_text())["project"]
    assert sorted(name.split(">")[0] for name in project["dependencies"]) == ["cryptography", "msgspec"]


def test_each_public_name_exists() -> None:
    for name in doorward_verify.__all__:
        assert getattr(doorward_verify, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        doorward_verify.nothing  # noqa: B018
