"""Attack: a page of ours inside a frame of another site, to steal a click or to use a passkey there (R11; WebAuthn Level 3 §13.4.2)."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import pytest

from tests.browsing import ISSUER, SESSION
from tests.features.authn.factors.passkeys.served import enrol, use
from tests.front_channel import Front, front_channel

pytestmark = [pytest.mark.anyio, pytest.mark.requirement(11)]


@pytest.fixture
async def front() -> AsyncGenerator[Front]:
    async with front_channel() as opened:
        yield opened


async def test_no_page_may_be_framed_nor_lend_its_passkeys_to_a_frame(front: Front) -> None:
    await front.person()
    tab = front.browser()
    pages = [await tab.get(path) for path in ("/", "/sign-in", "/sign-up", "/reset", "/nothing-here")]
    await tab.sign_in_at(await tab.get("/sign-in"))
    pages += [await tab.get(f"/account{path}") for path in ("", "/methods", "/devices", "/apps", "/activity")]
    for page in pages:
        policy = page.header("content-security-policy") or ""
        assert "frame-ancestors 'none'" in policy, page.path
        assert page.header("x-frame-options") == "DENY", page.path
        permitted = (page.header("permissions-policy") or "").split(", ")
        assert {"publickey-credentials-create=(self)", "publickey-credentials-get=(self)"} <= set(permitted)


@pytest.mark.parametrize(
    "extra",
    [
        {"crossOrigin": True},
        {"crossOrigin": True, "topOrigin": "https://evil.example"},
        {"topOrigin": ISSUER},
        {"origin": "https://evil.example"},
        {"origin": "https://auth.example.com.evil.example"},
        {"origin": "http://auth.example.com"},
    ],
)
@pytest.mark.requirement(88)
async def test_an_answer_from_a_frame_or_another_site_signs_nobody_in(
    front: Front, extra: dict[str, Any]
) -> None:
    authenticator = await enrol(front, await front.person())
    tab = front.browser()
    page = await tab.get("/sign-in")
    authenticator.extra = extra
    refused = await use(tab, page, authenticator)
    assert refused.status == 400
    assert SESSION not in tab.cookies
    (event,) = await front.audited("passkey.refused")
    assert event.detail["reason"] in {"cross_origin", "top_origin", "origin"}
