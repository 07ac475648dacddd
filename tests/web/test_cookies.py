"""Is every cookie of ours out of the reach of scripts, of other sites and of sibling domains?"""

from __future__ import annotations

import pytest

from doorward.web.cookies import CookieJar, CookieKind

KINDS: list[CookieKind] = ["browser", "session", "device", "locale", "at", "rt"]


@pytest.mark.requirement(69)
@pytest.mark.parametrize("kind", KINDS)
def test_over_https_every_cookie_is_bound_to_this_host(kind: CookieKind) -> None:
    jar = CookieJar(secure=True)
    assert jar.name(kind) == f"__Host-dw_{kind}"
    assert jar.set(kind, "v", 60) == f"__Host-dw_{kind}=v; Path=/; HttpOnly; SameSite=Lax; Max-Age=60; Secure"
    assert "Max-Age" not in jar.set(kind, "v", None)
    assert jar.clear(kind) == f"__Host-dw_{kind}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0; Secure"


@pytest.mark.requirement(69)
@pytest.mark.parametrize("kind", KINDS)
def test_over_http_on_this_machine_the_names_are_others(kind: CookieKind) -> None:
    jar = CookieJar(secure=False)
    line = jar.set(kind, "v", None)
    assert line == f"dw_{kind}=v; Path=/; HttpOnly; SameSite=Lax"
