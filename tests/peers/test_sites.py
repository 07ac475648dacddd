"""Sites on third-party clients, unmodified and configured by their own documentation: sign-in, refresh, sign-out."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.flows.running import Running
from tests.flows.seeds import House
from tests.peers.site import KINDS, site
from tests.waiting import until

pytestmark = pytest.mark.peer


@pytest.mark.requirement(24, 101)
@pytest.mark.parametrize("name", KINDS)
def test_a_site_signs_in_refreshes_and_signs_out(
    name: str, server: Running, house: House, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    del house
    node = request.getfixturevalue("node_peers") if KINDS[name].program[0].endswith(".mjs") else None
    with site(name, server, tmp_path, node) as place:
        person = server.person()
        place.sign_in(person)
        assert place.json("/")["signed_in"] is True
        said = place.json("/me")
        assert said["claims"]["email"] == "ada@example.com"
        if "userinfo" in said:
            assert said["userinfo"]["sub"] == said["claims"]["sub"]
            assert said["userinfo"]["name"] == "Ada Lovelace"
        if place.kind.renews:
            assert place.json("/refresh") == {"renewed": True}
            assert place.json("/me")["claims"]["email"] == "ada@example.com"
        if place.kind.leaves:
            left = person.open(place.leads_out(place.get(place.kind.logout)))
            assert (left.outside, left.url.rstrip("/?")) == (True, place.base), left.words[:600]
            assert place.json("/")["signed_in"] is False
            # the server asks for the password again
            again = person.open(place.leads_out(place.get(place.kind.login)))
            assert "sign-in" in again.forms, again.words[:600]


def test_mozilla_django_oidc_refreshes_without_a_page(server: Running, house: House, tmp_path: Path) -> None:
    """Its SessionRefresh uses the authorization endpoint with prompt=none when its ID token is old."""
    del house
    with site("mozilla-django-oidc", server, tmp_path) as place:
        person = server.person()
        place.sign_in(person)

        def sent_away() -> str | None:
            answer = place.get("/me")
            return place.leads_out(answer) if answer.is_redirect else None

        found: list[str] = []
        until(
            lambda: (there := sent_away()) is not None and found.append(there) is None, place.told, look=0.2
        )
        assert "prompt=none" in found[0]
        page = person.open(found[0])
        assert page.outside
        assert "code" in page.query, page.url
        place.brought(page)
        assert place.json("/")["signed_in"] is True
