"""Tests of the import contracts: each is broken in a copy of the sources by new code, and the violation is found."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.repository import tree

CONFIG = tree.ROOT / "pyproject.toml"
CONTRACTS = {
    contract["id"]: contract["name"]
    for contract in tomllib.loads(CONFIG.read_text("utf-8"))["tool"]["importlinter"]["contracts"]
}
# contract -> modules that break it, with their imports; a module in a new folder stands for a new feature, factor, grant or
# method
BREAKS: dict[str, dict[str, str]] = {
    "floors": {
        "doorward/core/toy.py": "import doorward.features.audit.service",
        "doorward/storage/sql/toy.py": "import doorward.adapters.clock",
        "doorward/web/toy.py": "import doorward.features.sessions",
        "doorward/features/audit/toy.py": "import doorward.app",
        "doorward/server/toy.py": "import doorward.cli.app",
    },
    "purity": {"doorward/features/toy/rules.py": "import time", "doorward/core/toy.py": "import asyncio"},
    "plugs-factors": {
        "doorward/features/authn/factors/toy/rules.py": "import doorward.features.authn.factors.totp.rules"
    },
    "plugs-grants": {
        "doorward/features/oauth/grants/toy/rules.py": "import doorward.features.oauth.grants.client_credentials.rules"
    },
    "plugs-client-auth": {
        "doorward/features/oauth/client_auth/methods/toy/rules.py": "import doorward.features.oauth.client_auth.methods.none"
    },
    "plugs-checks": {
        "doorward/features/oauth/authorize/rules/pkce.py": "import doorward.features.oauth.authorize.rules.openid"
    },
    "plugs-signals": {
        "doorward/features/risk/signals/new_device.py": "import doorward.features.risk.signals.new_country"
    },
    "features": {"doorward/features/audit/toy.py": "import doorward.features.oauth.token.rules"},
    "verifier": {"doorward_verify/toy.py": "import doorward.core.model.client"},
}


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of all packages."""
    folder = tmp_path_factory.mktemp("sources")
    for package in (tree.SERVER, tree.VERIFIER, tree.DEMO):
        shutil.copytree(package, folder / package.name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def found(sources: Path, contract: str) -> str:
    """The linter's output for one contract."""
    command = [
        str(Path(sys.executable).parent / "lint-imports"),
        "--config",
        str(CONFIG),
        "--contract",
        contract,
        # what no test has changed is not parsed again
        "--cache-dir",
        str(sources / "cache"),
    ]
    done = subprocess.run(
        command,
        cwd=sources,
        env={"PYTHONPATH": str(sources), "PATH": "/usr/bin:/bin", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def test_every_contract_has_a_violation_here() -> None:
    assert set(BREAKS) == set(CONTRACTS)


@pytest.mark.parametrize("contract", CONTRACTS)
def test_a_violation_is_found(sources: Path, contract: str) -> None:
    for module, line in BREAKS[contract].items():
        path = sources / module
        kept = path.read_text("utf-8") if path.exists() else None
        made = not path.parent.exists()
        if made:
            path.parent.mkdir(parents=True)
            (path.parent / "__init__.py").write_text("")
        path.write_text((kept or "") + f"\n{line}\n", "utf-8")
        try:
            said = found(sources, contract)
        finally:
            if made:
                shutil.rmtree(path.parent)
            elif kept is None:
                path.unlink()
            else:
                path.write_text(kept, "utf-8")
        name = module.removesuffix(".py").replace("/", ".")
        assert "1 broken" in said, f"{module}: {said}"
        assert name in said, said


def test_a_feature_missing_from_the_order_is_found(sources: Path) -> None:
    folder = sources / "doorward" / "features" / "toy"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    try:
        assert "toy" in found(sources, "features")
    finally:
        shutil.rmtree(folder)


def test_the_unchanged_copy_has_no_violation(sources: Path) -> None:
    assert "0 broken" in found(sources, "floors")
