"""Tests of cookies: all attributes are set, and two issuers on one host do not share cookies."""

from __future__ import annotations

from typing import get_args

import pytest

from doorward.web.cookies import CookieJar, CookieKind

KINDS: tuple[CookieKind, ...] = get_args(CookieKind)
ISSUER = "https://auth.example.com"


@pytest.mark.requirement(69)
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "rt"])
def test_over_https_the_prefix_enforces_the_attributes(kind: CookieKind) -> None:
    jar = CookieJar.of(ISSUER)
    assert jar.name(kind) == f"__Host-dw_{jar.mark}_{kind}"
    line = jar.set(kind, "v", 60)
    assert line == f"{jar.name(kind)}=v; Path=/; HttpOnly; SameSite=Lax; Max-Age=60; Secure"
    assert "Max-Age" not in jar.set(kind, "v", None)
    assert jar.clear(kind) == f"{jar.name(kind)}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0; Secure"


@pytest.mark.requirement(69)
@pytest.mark.parametrize(("issuer", "path"), [(ISSUER, "/cookie"), (f"{ISSUER}/id", "/id/cookie")])
def test_the_refresh_cookie_is_sent_to_its_own_endpoints_only(issuer: str, path: str) -> None:
    jar = CookieJar.of(issuer)
    assert jar.name("rt") == f"__Secure-dw_{jar.mark}_rt"
    assert jar.set("rt", "v", None) == f"{jar.name('rt')}=v; Path={path}; HttpOnly; SameSite=Lax; Secure"
    assert f"Path={path};" in jar.clear("rt")


@pytest.mark.requirement(69)
@pytest.mark.parametrize("kind", KINDS)
def test_development_over_http_has_different_names(kind: CookieKind) -> None:
    jar = CookieJar.of("http://127.0.0.1:8000")
    line = jar.set(kind, "v", None)
    assert line.startswith(f"dw_{jar.mark}_{kind}=v;")
    assert "Secure" not in line
    assert "HttpOnly" in line


@pytest.mark.requirement(69)
def test_issuers_on_one_host_share_no_name() -> None:
    issuers = (ISSUER, f"{ISSUER}/two", f"{ISSUER}:8443", "http://127.0.0.1:1", "http://127.0.0.1:2")
    names = {CookieJar.of(issuer).name(kind) for issuer in issuers for kind in KINDS}
    assert len(names) == len(issuers) * len(KINDS)
    assert CookieJar.of(ISSUER).name("session") == CookieJar.of(ISSUER).name("session")


@pytest.mark.parametrize("kind", KINDS)
def test_the_previous_releases_name_is_read_where_the_new_one_is_missing(kind: CookieKind) -> None:
    jar = CookieJar.of(ISSUER)
    old, new = {f"__Host-dw_{kind}": "old"}, {jar.name(kind): "new"}
    assert (jar.read({}, kind), jar.aged({}, kind)) == (None, False)
    assert (jar.read(old, kind), jar.aged(old, kind)) == ("old", True)
    assert (jar.read({**old, **new}, kind), jar.aged({**old, **new}, kind)) == ("new", False)
    assert jar.clear_old(kind).startswith(f"__Host-dw_{kind}=; Path=/; ")
