"""Tests that a change acknowledged by a command is effective at the very next request, on every process."""

from __future__ import annotations

import signal
import time
from concurrent.futures import ThreadPoolExecutor
from os import kill
from pathlib import Path
from secrets import token_hex
from statistics import median_low

import pytest

from doorward.adapters.os_user import os_actor
from doorward.features.admin import build as admin
from doorward.features.services import Services
from tests.engines import BOTH, POSTGRES_IN_SOAK, on
from tests.flows.apps import App, header
from tests.flows.processes import processes
from tests.flows.running import operate
from tests.flows.seeds import API, draft
from tests.flows.signing_in import tokens_by_challenge

ENGINES = BOTH
ROUNDS = 5


async def created(services: Services) -> tuple[str, str]:
    made = await services.get(admin.apps).create(
        os_actor(), draft(f"Passing {token_hex(4)}", "service"), kind="service", access=(API,)
    )
    assert made.secret is not None
    return made.client.id, made.secret.reveal()


@pytest.mark.requirement(72)
def test_a_new_app_works_everywhere_and_a_deleted_one_nowhere(
    tmp_path: Path, own_database: str | None
) -> None:
    with processes(tmp_path, 3, database=own_database) as fleet:
        for _ in range(ROUNDS):
            client_id, secret = operate(fleet.config, created)
            apps = fleet.everywhere(App(fleet.issuer, client_id, secret))
            assert [app.token(grant_type="client_credentials").status_code for app in apps] == [200] * 3

            async def removed(services: Services, client_id: str = client_id) -> None:
                await services.get(admin.apps).delete(os_actor(), client_id)

            operate(fleet.config, removed)
            assert [app.token(grant_type="client_credentials").status_code for app in apps] == [401] * 3
            for app in apps:
                app.close()


@pytest.mark.requirement(52)
def test_every_process_signs_with_the_key_that_a_command_made_current(
    tmp_path: Path, own_database: str | None
) -> None:
    with processes(tmp_path, 3, database=own_database) as fleet:
        apps = fleet.everywhere(fleet.house.service)

        async def rotated(services: Services) -> str:
            return (await services.get(admin.keys).rotate(os_actor(), force=True)).id

        for _ in range(ROUNDS):
            kid = operate(fleet.config, rotated)
            answers = [app.token(grant_type="client_credentials").json() for app in apps]
            assert [header(answer["access_token"])["kid"] for answer in answers] == [kid] * 3
        for app in apps:
            app.close()


@pytest.mark.requirement(72)
def test_a_disabled_person_is_refused_at_the_next_request(tmp_path: Path, own_database: str | None) -> None:
    with processes(tmp_path, 2, database=own_database) as fleet:
        tokens = tokens_by_challenge(fleet.house.own, "ada@example.com", "openid orders:read")
        apps, readers = fleet.everywhere(fleet.house.own), fleet.everywhere(fleet.house.reader)
        assert [reader.introspect(tokens.access)["active"] for reader in readers] == [True] * 2

        async def disabled(services: Services) -> None:
            await services.get(admin.people).disable(os_actor(), "ada@example.com")

        operate(fleet.config, disabled)
        assert [reader.introspect(tokens.access)["active"] for reader in readers] == [False] * 2
        assert [app.refresh(tokens.refresh).status_code for app in apps] == [400] * 2
        for app in (*apps, *readers):
            app.close()


@pytest.mark.requirement(72)
def test_a_process_that_was_suspended_during_a_change_does_not_answer_from_stale_memory(
    tmp_path: Path, own_database: str | None
) -> None:
    with processes(tmp_path, 2, database=own_database) as fleet:
        client_id, secret = operate(fleet.config, created)
        apps = fleet.everywhere(App(fleet.issuer, client_id, secret))
        assert [app.token(grant_type="client_credentials").status_code for app in apps] == [200] * 2
        asleep = fleet.servers[1].pid
        kill(asleep, signal.SIGSTOP)

        async def removed(services: Services) -> None:
            await services.get(admin.apps).delete(os_actor(), client_id)

        began = time.monotonic()
        operate(fleet.config, removed)
        # the command waited, but not for ever
        assert time.monotonic() - began > 0.9
        kill(asleep, signal.SIGCONT)
        assert apps[1].token(grant_type="client_credentials").status_code == 401
        assert apps[0].token(grant_type="client_credentials").status_code == 401
        for app in apps:
            app.close()


@on(POSTGRES_IN_SOAK)
@pytest.mark.requirement(72)
def test_a_process_suspended_for_ten_seconds_is_waited_for_once_and_refuses_its_queued_requests(
    tmp_path: Path, own_database: str | None
) -> None:
    with processes(tmp_path, 2, database=own_database) as fleet:
        made = [operate(fleet.config, created) for _ in range(3)]
        apps = [App(fleet.issuer, *one, base=fleet.servers[1].base) for one in made]
        assert [app.token(grant_type="client_credentials").status_code for app in apps] == [200] * 3
        asleep = fleet.servers[1].pid
        kill(asleep, signal.SIGSTOP)
        stopped, waits = time.monotonic(), list[float]()
        with ThreadPoolExecutor(12) as crowd:
            for client_id, _ in made:

                async def removed(services: Services, client_id: str = client_id) -> None:
                    began = time.monotonic()
                    await services.get(admin.apps).delete(os_actor(), client_id)
                    waits.append(time.monotonic() - began)

                operate(fleet.config, removed)
            # these are in the suspended process's sockets, and are the first requests that it reads after waking
            waiting = [
                crowd.submit(app.token, grant_type="client_credentials") for app in apps for _ in range(4)
            ]
            time.sleep(max(0.0, stopped + 10 - time.monotonic()))
            kill(asleep, signal.SIGCONT)
            assert {one.result().status_code for one in waiting} == {401}
        assert median_low(waits[1:]) < 0.9 < waits[0], waits
        # and awake it is waited for again
        client_id, secret = operate(fleet.config, created)
        again = App(fleet.issuer, client_id, secret, base=fleet.servers[1].base)
        assert again.token(grant_type="client_credentials").status_code == 200
        for app in (*apps, again):
            app.close()


def test_a_killed_process_is_waited_for_once(tmp_path: Path, own_database: str | None) -> None:
    with processes(tmp_path, 2, database=own_database) as fleet:
        fleet.servers[1].kill()
        waits: list[float] = []

        async def changed(services: Services) -> None:
            began = time.monotonic()
            await created(services)
            waits.append(time.monotonic() - began)

        for _ in range(4):
            operate(fleet.config, changed)
        assert median_low(waits[1:]) < 0.9 < waits[0], waits
