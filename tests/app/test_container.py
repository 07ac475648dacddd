"""Tests of the container: each object is built once on first use, and features from outside the tree work like the others."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from pathlib import Path

import pytest
from msgspec.structs import replace

from doorward.adapters.mail.delivery import MailWorker
from doorward.adapters.metrics import PrometheusMetrics
from doorward.adapters.sending import of_worker
from doorward.app.container import Container, open_container
from doorward.app.http import http_app
from doorward.app.jobs import jobs
from doorward.features.accounts.build import sign_up
from doorward.features.audit.build import audit_log
from doorward.features.feature import BackgroundJob, Feature
from doorward.features.index import FEATURES
from doorward.features.repeated_posts.build import pages
from doorward.features.services import Services
from doorward.features.sessions.browser_context import PagePost, StalePost
from doorward.settings.tree import MailSettings, ServerSettings
from doorward.storage.sqlite.database import open_sqlite
from doorward.web.http import Request, Response, json_response
from doorward.web.route import Route, machine
from tests.containers import settings
from tests.manual_clock import ManualClock
from tests.tabs import Tab

pytestmark = pytest.mark.anyio


@pytest.fixture
async def container() -> AsyncGenerator[Container]:
    async with aclosing(await open_container(settings=settings(), clock=ManualClock())) as opened:
        yield opened


async def test_every_caller_gets_the_same_object(container: Container) -> None:
    services = container.services
    assert services.get(sign_up) is services.get(sign_up)
    assert services.get(sign_up).email_challenges.audit_log is services.get(audit_log)


async def test_a_second_process_on_the_same_adapters_builds_its_own_objects(container: Container) -> None:
    other = replace(container.services)
    assert other.store is container.services.store
    assert other.get(audit_log) is not container.services.get(audit_log)


async def test_a_given_store_stays_open() -> None:
    store = await open_sqlite(":memory:")
    async with aclosing(await open_container(settings=settings(), store=store)) as opened:
        assert opened.services.store is store
    assert await store.ready()
    await store.close()


class Visits:
    """The service of a feature outside the source tree."""

    def __init__(self, *, clock: Callable[[], int]) -> None:
        self.clock = clock
        self.waiting = True

    async def show(self, request: Request) -> Response:
        del request
        return json_response({"now": self.clock()})

    async def look(self) -> None:
        """Never called here, only listed."""


def visits(services: Services) -> Visits:
    return Visits(clock=services.clock.now)


def visit_routes(services: Services) -> Sequence[Route]:
    return [machine("/visits", "GET", services.get(visits).show)]


def visit_jobs(services: Services) -> Sequence[BackgroundJob]:
    return [BackgroundJob(name="visits", run=services.get(visits).look)]


def visits_closing(services: Services) -> None:
    services.get(visits).waiting = False


async def test_a_feature_from_outside_works_beside_the_others() -> None:
    toy = Feature(name="visits", routes=visit_routes, jobs=visit_jobs, closing=visits_closing)
    metrics, clock = PrometheusMetrics(), ManualClock()
    opened = await open_container(
        settings=settings(), clock=clock, metrics=metrics, features=(*FEATURES, toy)
    )
    async with aclosing(opened) as container:
        app = http_app(container, process_tag="t")
        page = await Tab(app, "192.0.2.1").get("/visits")
        assert (page.status, page.text) == (200, f'{{"now":{clock.time}}}')
        assert (await Tab(app, "192.0.2.1").get("/jwks")).status == 200
        names = [job.name for job in jobs(container, metrics)]
        assert {"visits", "signing keys", "shared counters", "log-out notices", "sweep"} <= set(names)
        assert len(names) == len(set(names))
        assert container.services.get(visits).waiting
        app.closing()
        assert not container.services.get(visits).waiting


async def test_a_worker_sends_its_part_of_the_mails_of_the_node() -> None:
    four = settings(
        server=ServerSettings(workers=4),
        mail=MailSettings(host="127.0.0.1", sender="a@example.com", tls="none"),
    )
    async with aclosing(await open_container(settings=four, clock=ManualClock())) as container:
        (mail,) = [job for job in jobs(container, PrometheusMetrics()) if job.name == "mail"]
        worker = getattr(mail.run, "__self__", None)
        assert isinstance(worker, MailWorker)
        assert worker.most == of_worker(4) == 12


class Notes:
    """A page of such a feature, which stores what its form sends."""

    def __init__(self) -> None:
        self.kept: list[str] = []

    async def write(self, post: PagePost) -> Response:
        self.kept.append(post.form["note"])
        return post.browser.go("/notes")

    async def write_again(self, post: StalePost) -> Response:
        return json_response({"problem": post.problem.kind}, 403)


async def test_a_page_from_outside_gets_its_checks_with_its_route() -> None:
    notes = Notes()

    def routes(services: Services) -> Sequence[Route]:
        return [services.get(pages).post("/notes", notes.write, refused=notes.write_again)]

    toy = Feature(name="notes", routes=routes)
    opened = await open_container(settings=settings(), clock=ManualClock(), features=(*FEATURES, toy))
    async with aclosing(opened) as container:
        tab = Tab(http_app(container, process_tag="t"), "192.0.2.1")
        token = (await tab.get("/sign-in")).forms["sign-in"].fields["csrf"]
        refused = await tab.post("/notes", {"note": "forged"})
        assert (refused.status, refused.text, notes.kept) == (403, '{"problem":"stale_form"}', [])
        foreign = await tab.post(
            "/notes", {"note": "forged", "csrf": token}, origin="https://evil.example", site=""
        )
        assert (foreign.status, foreign.text, notes.kept) == (403, '{"problem":"foreign_form"}', [])
        done = await tab.post("/notes", {"note": "own", "csrf": token})
        assert (done.status, done.header("location"), notes.kept) == (303, "/notes", ["own"])


ASKS_FOR_LITTLE = """
import asyncio, sys
from contextlib import aclosing
from pathlib import Path
from doorward.adapters.os_user import os_actor
from doorward.cli import main
from doorward.cli.run import opened
from doorward.features.admin import build as admin

async def listed():
    async with opened(Path("doorward.toml")) as container:
        return await container.services.get(admin.people).find(os_actor())

assert asyncio.run(listed()) == []
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


async def test_a_command_loads_no_module_that_only_a_server_needs(tmp_path: Path) -> None:
    (tmp_path / "doorward.toml").write_text('issuer = "http://127.0.0.1:9000"\ndevelopment = true\n')
    done = subprocess.run(
        [sys.executable, "-c", ASKS_FOR_LITTLE], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    loaded = set(done.stdout.split())
    assert "doorward" in loaded
    assert not loaded & {"jinja2", "httpx2", "valkey", "asyncpg", "prometheus_client", "uvicorn", "uvloop"}
