"""Seed data of development: created once, updated when an address changed, and never lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec import structs

from doorward.adapters.os_user import os_actor
from doorward.cli.run import opened
from doorward.features.admin import build as admin
from doorward.features.services import Services
from doorward_demo.dev.folder import REFRESH_LEEWAY, Folder
from doorward_demo.dev.people import PEOPLE
from doorward_demo.dev.places import Places
from doorward_demo.dev.seed import FOREIGN_AUDIENCE, seed
from doorward_demo.dev.state import Credential, DemoApps, State, read, write

pytestmark = pytest.mark.anyio


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    folder = Folder(tmp_path)
    folder.path.mkdir()
    folder.prepare(Places(8000))
    return folder


async def everything(services: Services) -> tuple[object, ...]:
    return (
        await services.get(admin.apps).find(os_actor()),
        await services.get(admin.apis).find(os_actor()),
        await services.get(admin.roles).find(os_actor()),
        await services.get(admin.people).find(os_actor()),
    )


async def test_a_second_time_changes_nothing(folder: Folder) -> None:
    async with opened(folder.settings) as container:
        services = container.services
        first = await seed(services, os_actor(), Places(8000), None)
        before = await everything(services)
        assert await seed(services, os_actor(), Places(8000), first) == first
        assert await everything(services) == before


async def test_roles_and_permissions_of_the_seeded_people(folder: Folder) -> None:
    async with opened(folder.settings) as container:
        services = container.services
        apps = await seed(services, os_actor(), Places(8000), None)
        roles = {role.name: role for role in await services.get(admin.roles).find(os_actor())}
        assert roles["customer"].permissions == {"http://localhost:8002": ("orders:read",)}
        assert roles["customer"].default
        assert roles["clerk"].permissions == {"http://localhost:8002": ("orders:read", "orders:write")}
        assert not roles["clerk"].default
        people = {
            person.email: (await services.get(admin.people).with_role_names(os_actor(), person)).role_names
            for person in await services.get(admin.people).find(os_actor())
        }
        assert people == {person.email: person.roles for person in PEOPLE}
        shop, driver, report = [
            await services.get(admin.apps).get(os_actor(), app.client_id)
            for app in (apps.shop, apps.driver, apps.report)
        ]
        assert shop.confidential
        assert shop.pkce == "required"
        assert not shop.first_party, "people see the consent page"
        assert apps.shop.secret is not None
        assert not driver.confidential
        assert apps.driver.secret is None
        assert report.access == {"http://localhost:8002": ("orders:read",), FOREIGN_AUDIENCE: ("stock:read",)}
        assert set(driver.access) == {"http://localhost:8002"}


async def test_other_ports_move_addresses_and_keep_secrets(folder: Folder) -> None:
    async with opened(folder.settings) as container:
        services = container.services
        first = await seed(services, os_actor(), Places(8000), None)
        assert await seed(services, os_actor(), Places(9000), first) == first
        shop = await services.get(admin.apps).get(os_actor(), first.shop.client_id)
        assert shop.redirect_uris == ("http://localhost:9001/callback",)
        assert shop.backchannel_logout_uri == "http://localhost:9001/backchannel-logout"
        assert {"http://localhost:9002", FOREIGN_AUDIENCE} == {
            a.identifier for a in await services.get(admin.apis).find(os_actor())
        }
        assert shop.access == {"http://localhost:9002": ("orders:read", "orders:write")}
        roles = {role.name: role for role in await services.get(admin.roles).find(os_actor())}
        assert set(roles["clerk"].permissions) == {"http://localhost:9002"}
        assert roles["customer"].default


class OlderPlaces(Places, frozen=True):
    """The addresses of an older `doorward dev`."""

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def shop(self) -> str:
        return f"http://127.0.0.1:{self.port + 1}"

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.port + 2}"


async def test_an_older_folder_moves_from_the_address_to_the_name(folder: Folder) -> None:
    older = OlderPlaces(8000)
    folder.prepare(older)
    async with opened(folder.settings) as container:
        first = await seed(container.services, os_actor(), older, None)
        alice = await container.services.get(admin.people).get(os_actor(), "alice@example.com")
    write(
        folder.state,
        State(
            pid=1,
            ready=False,
            places=older,
            apps=first,
            foreign_audience=FOREIGN_AUDIENCE,
            refresh_leeway=REFRESH_LEEWAY,
        ),
    )
    known = read(folder.state)
    assert known is not None
    assert known.apps == first
    folder.prepare(Places(8000))
    async with opened(folder.settings) as container:
        services = container.services
        assert services.issuer == "http://localhost:8000"
        assert await seed(services, os_actor(), Places(8000), known.apps) == first
        for app in await services.get(admin.apps).find(os_actor()):
            assert "127.0.0.1" not in repr(app)
        for api in await services.get(admin.apis).find(os_actor()):
            assert "127.0.0.1" not in repr(api)
        for role in await services.get(admin.roles).find(os_actor()):
            assert set(role.permissions) == {"http://localhost:8002"}
        shop = await services.get(admin.apps).get(os_actor(), first.shop.client_id)
        assert shop.redirect_uris == ("http://localhost:8001/callback",)
        assert shop.access == {"http://localhost:8002": ("orders:read", "orders:write")}
        again = await services.get(admin.people).get(os_actor(), "alice@example.com")
        assert again.id == alice.id


async def test_a_lost_secret_is_replaced(folder: Folder) -> None:
    async with opened(folder.settings) as container:
        services = container.services
        first = await seed(services, os_actor(), Places(8000), None)
        second = await seed(services, os_actor(), Places(8000), None)
        assert second.shop.client_id == first.shop.client_id
        assert second.shop.secret not in {None, first.shop.secret}
        stranger = structs.replace(first, shop=Credential("app_of_another_database", "dw_cs_x"))
        assert (
            await seed(services, os_actor(), Places(8000), stranger)
        ).shop.client_id == first.shop.client_id


async def test_manual_changes_are_kept(folder: Folder) -> None:
    async with opened(folder.settings) as container:
        services = container.services
        apps = await seed(services, os_actor(), Places(8000), None)
        await services.get(admin.people).disable(os_actor(), "alice@example.com")
        await services.get(admin.people).grant_role(os_actor(), "carol@example.com", "clerk")
        await seed(services, os_actor(), Places(8000), apps)
        assert (await services.get(admin.people).get(os_actor(), "alice@example.com")).disabled_at is not None
        carol = await services.get(admin.people).with_role_names(
            os_actor(), await services.get(admin.people).get(os_actor(), "carol@example.com")
        )
        assert carol.role_names == ("clerk",)


def test_credentials_do_not_print_their_secrets() -> None:
    apps = DemoApps(
        shop=Credential("app_1", "dw_cs_secret"),
        driver=Credential("app_2"),
        report=Credential("app_3"),
        device=Credential("app_4"),
    )
    assert "dw_cs_secret" not in repr(apps)
