"""The JSON sign-in with the password of a directory: the same rule as on the pages (R85)."""

from __future__ import annotations

from pathlib import Path

import pytest

from doorward.features.authn.directories.views import DirectoryProblem
from tests.features.oauth.first_party.test_challenge_routes import APP, BEGIN, call
from tests.front_channel import front_channel
from tests.slapd import PASSWORD, person, slapd

pytestmark = pytest.mark.anyio


@pytest.mark.requirement(85)
async def test_the_json_sign_in_asks_the_directory_too(tmp_path: Path) -> None:
    with slapd(tmp_path, load=person("bob", mail="bob@example.com")) as corp:
        async with front_channel(directories=corp.settings(lockout_threshold=0)) as front:
            await front.register(APP)
            wrong = await call(front, {**BEGIN, "username": "bob", "password": "wrong"})
            assert (wrong["status"], wrong["error"]) == (403, "access_denied")
            given = await call(front, {**BEGIN, "username": "bob", "password": PASSWORD})
            assert given["status"] == 200, given
            assert given["authorization_code"]
            corp.kill()
            away = await call(front, {**BEGIN, "username": "bob", "password": PASSWORD})
            assert away["error"] == "temporarily_unavailable"
            assert away["error_description"] == DirectoryProblem.UNAVAILABLE.words[0]
