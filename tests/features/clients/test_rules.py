"""Access to open APIs of apps that no operator registered."""

from __future__ import annotations

import pytest
from msgspec import structs

from doorward.core.model.client import RegisteredBy
from doorward.core.model.config_snapshot import ConfigSnapshot, OpenTo
from doorward.features.clients.rules import open_access, with_open_access
from tests.features import made


def opened(to: OpenTo, *names: str) -> ConfigSnapshot:
    config = made.config()
    api = structs.replace(config.apis[made.API], open_to=to, open_permissions=names)
    return structs.replace(config, apis={made.API: api})


@pytest.mark.parametrize(
    ("to", "registered_by", "may"),
    [
        ("none", "document", False),
        ("none", "app", False),
        ("documents", "document", True),
        ("documents", "app", False),
        ("registration", "document", True),
        ("registration", "app", True),
        ("registration", "operator", False),
    ],
)
def test_what_an_api_is_open_to(to: OpenTo, registered_by: RegisteredBy, may: bool) -> None:
    access = open_access(opened(to, "orders:read"), registered_by)
    assert access == ({made.API: ("orders:read",)} if may else {})


def test_a_permission_that_the_api_no_longer_has_is_left_out() -> None:
    assert open_access(opened("documents", "gone", "orders:read"), "document") == {made.API: ("orders:read",)}


def test_open_access_is_added_to_what_an_app_was_given() -> None:
    client = made.client(access={"urn:other": ("a",), made.API: ("orders:write",)})
    both = with_open_access(client, {made.API: ("orders:read", "orders:write")})
    assert both.access == {"urn:other": ("a",), made.API: ("orders:write", "orders:read")}
    assert client.access[made.API] == ("orders:write",)
