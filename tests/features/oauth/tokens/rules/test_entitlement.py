"""Entitlement of a grant: what person, app and API allow at this moment."""

from __future__ import annotations

from typing import Any

from doorward.core.model.entitlement import Entitlement
from doorward.features.oauth.clients.rules.entitle import entitle
from doorward.features.oauth.tokens.rules.entitlement import of_grant
from tests.features import made


def entitled(*, roles: tuple[str, ...] = ("reader",), **grant: Any) -> Entitlement:
    held, account, client = made.grant(**grant), made.account(role_names=roles), made.client()
    granted = entitle(
        config=made.config(),
        client=client,
        audience=held.audience,
        scopes=held.scopes,
        role_names=account.role_names,
    )
    return of_grant(held, account=account, granted=granted)


def test_scopes_permissions_and_roles_are_the_current_ones() -> None:
    now = entitled(scopes=("openid", "orders:read", "orders:write"))
    assert now.scopes == ("openid", "orders:read")
    assert now.permissions == ("orders:read",)
    assert now.roles == ("reader",)
    later = entitled(roles=(), scopes=("openid", "orders:read"))
    assert (later.scopes, later.permissions, later.roles) == (("openid",), (), ())


def test_an_offline_grant_has_no_session_id() -> None:
    assert entitled().session_id == "ses_one"
    assert entitled(offline=True).session_id is None
