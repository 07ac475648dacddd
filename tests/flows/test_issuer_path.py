"""Test of the flow with a path in the issuer and every address below it."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.flows.running import running
from tests.flows.seeds import API, PASSWORD, seed


@pytest.mark.requirement(51)
def test_the_complete_flow_below_a_path(tmp_path: Path) -> None:
    with running(tmp_path, prefix="/auth") as server:
        house = seed(server)
        origin = "{0.scheme}://{0.netloc}".format(urlsplit(server.issuer))
        with server.http() as http:
            for place in (
                f"{origin}/.well-known/oauth-authorization-server/auth",
                f"{server.issuer}/.well-known/openid-configuration",
            ):
                document = http.get(place).json()
                assert document["issuer"] == server.issuer
                assert document["token_endpoint"] == f"{server.issuer}/token"
            assert http.get(f"{origin}/jwks").status_code == 404
            assert http.get(f"{origin}/authentic/jwks").status_code == 404
        person = server.person()
        attempt = house.web.begin("openid orders:read")
        page = person.open(attempt.url)
        assert page.path == "/auth/sign-in"
        page = person.sign_up(page, "new@example.com", "sextant ribbon gravel moss")
        assert page.path == "/auth/consent"
        tokens = house.web.redeem(attempt, person.press(page, "consent", "allow"))
        with server.api(API) as api:
            assert api.verify(tokens.access).sub == tokens.claims["sub"]
            person.press(person.open("/logout"), "sign-out")
            assert api.refused_after(tokens.access)[1] == "revoked"
        page = person.sign_in(person.open("/sign-in"), "new@example.com", "sextant ribbon gravel moss")
        assert page.path == "/auth/account"
        for link in page.links.values():
            assert not link.startswith("/") or link.startswith("/auth/"), link
        house.close()
        assert server.troubles() == []
        assert PASSWORD not in server.log.getvalue()
