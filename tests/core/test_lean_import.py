"""Tests of imports without optional parts, on packages that are written for it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from doorward.core.lean_import import Deferred, load_deferring, load_without

SOURCES = {
    "dwlean/__init__.py": "from dwlean.first import one\nfrom dwlean.command import run, Server\n__version__ = '1'\n",
    "dwlean/first.py": "one = 1\n",
    "dwlean_other/__init__.py": "from dwlean_other.command import run\nimport dwlean_extra\n",
    "dwlean_other/command.py": "run = 1\n",
    "dwlean/command.py": "import dwlean_extra\ndef run(): return 'ran'\nclass Server: pass\n",
    "dwlean_extra.py": "",
    "dwlean_user.py": "try:\n    import dwlean_extra\nexcept ImportError:\n    dwlean_extra = None\n",
}


@pytest.fixture(autouse=True)
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, text in SOURCES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in [name for name in sys.modules if name.startswith("dwlean")]:
        del sys.modules[name]


def test_a_package_is_loaded_as_if_another_were_not_installed() -> None:
    load_without("dwlean_user", "dwlean_extra")
    assert import_module("dwlean_user").dwlean_extra is None
    assert "dwlean_extra" not in sys.modules
    assert import_module("dwlean_extra").__name__ == "dwlean_extra"


def test_what_is_loaded_already_stays_loaded() -> None:
    extra = import_module("dwlean_extra")
    load_without("dwlean_user", "dwlean_extra")
    assert import_module("dwlean_user").dwlean_extra is extra


def test_a_package_that_is_missing_is_an_error_and_hides_nothing_later() -> None:
    with pytest.raises(ImportError):
        load_without("dwlean_missing", "dwlean_extra")
    assert import_module("dwlean_extra").__name__ == "dwlean_extra"


def test_a_deferred_part_is_loaded_when_it_is_asked_for() -> None:
    load_deferring("dwlean", "command")
    package = import_module("dwlean")
    assert package.one == 1
    assert "dwlean_extra" not in sys.modules
    with pytest.raises(AttributeError):
        _ = package.nothing
    assert package.run() == "ran"
    assert package.Server is import_module("dwlean.command").Server
    assert "dwlean_extra" in sys.modules


def test_a_deferred_part_can_be_imported_by_its_own_name() -> None:
    load_deferring("dwlean", "command")
    assert import_module("dwlean.command").run() == "ran"
    from dwlean import Server  # pyright: ignore # noqa: PGH003

    assert Server is import_module("dwlean.command").Server


def test_a_deferred_module_is_loaded_with_its_first_name() -> None:
    module = Deferred("dwlean_extra")
    assert "dwlean_extra" not in sys.modules
    with pytest.raises(AttributeError):
        _ = module.nothing
    assert "dwlean_extra" in sys.modules


def test_what_a_package_imports_and_does_not_use_is_not_loaded() -> None:
    load_deferring("dwlean_other", "command", unused=("dwlean_extra",))
    assert import_module("dwlean_other").dwlean_extra.something is None
    assert "dwlean_extra" not in sys.modules
    assert import_module("dwlean_extra").__file__
