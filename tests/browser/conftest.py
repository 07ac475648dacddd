"""One `doorward dev` for the whole folder, a Chromium for each file; a new person, with an empty browser, for each test."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from doorward_demo.dev.folder import NAME
from tests.browser.foreign import ForeignApp, foreign_app
from tests.browser.person import Person, person
from tests.browser.watched import Checked
from tests.demo import running

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# a busy machine takes longer than the five seconds of the library, and a passing test does not wait
expect.set_options(timeout=120_000)
_numbers = itertools.count(1)
NewPerson = Callable[[], Person]


@pytest.fixture(scope="package")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[running.Dev]:
    """The real system, started and stopped as a person does it, before the worker goes on to another folder: even an idle one takes
    processor time. Its log must contain no failure afterwards."""
    with running.dev(tmp_path_factory.mktemp("browser")) as started:
        yield started
        log = (started.folder / NAME / "logs" / "server.log").read_text("utf-8")
    assert [line for line in log.splitlines() if "Traceback" in line or '"level": "error"' in line] == []


@pytest.fixture(scope="session")
def checked_in(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The folder of the states of pages that this run has checked, whichever worker did."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "checked-pages"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="package")
def checked(dev: running.Dev, checked_in: Path) -> Checked:
    """The same for the pages of `dev`."""
    places = dev.state.places
    named = {"issuer": places.issuer, "shop": places.shop, "api": places.api}
    return Checked(checked_in, {urlsplit(url).netloc: name for name, url in named.items()})


@pytest.fixture(scope="module")
def chrome(chromium: Path) -> Iterator[Browser]:
    """Debian's Chromium; a new one for each file, since two of its drivers cannot run in one process and other folders have
    theirs."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(chromium), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def kites(dev: running.Dev) -> Iterator[ForeignApp]:
    """«Kite Club», a third-party app on another site, registered by an operator's command."""
    with foreign_app() as app:
        settings = str(dev.folder / NAME / "doorward.toml")
        made = running.run(
            dev.folder,
            "app",
            "create",
            "Kite Club",
            "--redirect",
            app.callback,
            "--config",
            settings,
            "--json",
        )
        assert made.returncode == 0, made.stderr
        said = json.loads(made.stdout)
        app.issuer, app.client_id, app.secret = dev.state.places.issuer, said["id"], said["client_secret"]
        yield app


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Runs a test that uses `scripts`, as `people` does, twice: with scripts and without. The module's `IN_SOAK`, or
    `pytest.mark.in_soak(…)` of one test, names one of both, which then runs in `make soak`: "no-scripts" where the pages have forms
    alone, which scripts do not touch."""
    if "scripts" in metafunc.fixturenames:
        mark = metafunc.definition.get_closest_marker("in_soak")
        later: str | None = mark.args[0] if mark else getattr(metafunc.module, "IN_SOAK", None)
        kinds = [("scripts", True), ("no-scripts", False)]
        values = [
            pytest.param(scripts, id=kind, marks=pytest.mark.soak if kind == later else ())
            for kind, scripts in kinds
        ]
        metafunc.parametrize("scripts", values)


@pytest.fixture
def people(
    chrome: Browser, dev: running.Dev, checked: Checked, scripts: bool, request: pytest.FixtureRequest
) -> Iterator[NewPerson]:
    """Creates people. After the test, none of their browsers may have reported a fault on any page."""
    made: list[Person] = []
    foreign: tuple[str, ...] = ()
    if "kites" in request.fixturenames:
        app: ForeignApp = request.getfixturevalue("kites")
        foreign = (app.origin, app.elsewhere.removesuffix("/landed"))

    def make() -> Person:
        made.append(person(chrome, dev.state.places, checked, scripts=scripts, more=foreign))
        return made[-1]

    yield make
    wrong = [words for one in made for words in one.leave()]
    assert wrong == []


@pytest.fixture
def email() -> str:
    """An address that is not registered yet."""
    return f"person{next(_numbers)}@example.com"
