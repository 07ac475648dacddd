"""A trusted issuer of each person's own, and a token that an app got for its assertion."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from msgspec import json

from doorward.core.model.trusted_issuer import JWT_BEARER, TrustedIssuer
from doorward.features.admin import build as admin
from tests.features import made
from tests.features.admin.managing import OPERATOR
from tests.front_channel import Front
from tests.stand_ins.workloads import GitHubActions

ROBOT: Final = made.public(
    id="app_robot",
    name="robot",
    redirect_uris=(),
    grant_types=(JWT_BEARER,),
    access={made.API: ("orders:read",)},
)


async def token_from_elsewhere(
    front: Front, number: int, introspecting: str
) -> tuple[str, Callable[[], Awaitable[bool]]]:
    """The URL of the issuer, and whether its token is active and its next assertion accepted. `introspecting`: the Authorization header of an
    app that may introspect."""
    url, issuers = f"https://github{number}.example", front.services.get(admin.issuers)
    elsewhere = GitHubActions(origin=url)
    trusted = TrustedIssuer(
        id="",
        name=f"GitHub {number}",
        issuer=url,
        grant_id="",
        created_at=0,
        jwks=elsewhere.jwks(),
        token_ttl=900,
    )
    await issuers.create(OPERATOR, trusted)
    await issuers.allow(OPERATOR, url, "deploy", app=ROBOT.id, claims={"repository_id": "74"})

    async def exchanged() -> dict[str, Any]:
        elsewhere.now = front.now
        return await front.token(ROBOT, {"grant_type": JWT_BEARER, "assertion": elsewhere.token(made.ISSUER)})

    earlier = await exchanged()
    assert earlier["status"] == 200, earlier

    async def works() -> bool:
        form = {"token": earlier["access_token"]}
        page = await front.browser().ask("POST", "/introspect", form=form, authorization=introspecting)
        living = bool(json.decode(page.text)["active"])
        assert ((await exchanged())["status"] == 200) is living
        return living

    return url, works
