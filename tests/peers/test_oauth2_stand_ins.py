"""Proof of the stand-ins for services without ID tokens: clients that nobody here wrote sign in to them unchanged."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from social_core.backends.discord import DiscordOAuth2
from social_core.backends.facebook import FacebookOAuth2
from social_core.backends.github import GithubOAuth2
from social_core.exceptions import AuthCanceled, SocialAuthBaseException

from tests.peers.test_stand_ins import ended, started
from tests.stand_ins.discord import DiscordStandIn
from tests.stand_ins.facebook import FacebookStandIn
from tests.stand_ins.github import GitHubStandIn, listed
from tests.stand_ins.serving import served
from tests.stand_ins.social import Site

pytestmark = [pytest.mark.peer, pytest.mark.anyio]
BACK = "https://site.example/complete/"


@dataclass
class Now:
    """The real time, since the client asks for it."""

    @property
    def time(self) -> int:
        return int(time.time())


def given(**settings: Any) -> Site:
    return Site(KEY="c", SECRET="s", REDIRECT=BACK, USE_PKCE=True, **settings)


async def test_githubs_stand_in_takes_the_client_of_social_auth(tmp_path: Path) -> None:
    github = GitHubStandIn(clock=Now(), client_id="c", secret="s", redirect_uris=(BACK,))
    site = given(SCOPE=["user:email"])
    person = {"id": 583231, "login": "octocat", "emails": [listed("ada@example.com")]}
    async with served(github, tmp_path, hosts=("github.com", "api.github.com")) as ca_file:
        back = await started(github, ca_file, GithubOAuth2, site, person)
        response, details = await ended(github, ca_file, GithubOAuth2, site, back)
        assert (response["id"], details["email"]) == (583231, "ada@example.com")
        assert github.refused == []
        # a code is good once, and its error has status 200
        with pytest.raises(SocialAuthBaseException):
            await ended(github, ca_file, GithubOAuth2, site, back)


@pytest.mark.parametrize("email", ["ada@example.com", None])
async def test_facebooks_stand_in_takes_the_client_of_social_auth(tmp_path: Path, email: str | None) -> None:
    facebook = FacebookStandIn(clock=Now(), client_id="c", secret="s", redirect_uris=(BACK,), version="v24.0")
    site = Site(
        KEY="c", SECRET="s", REDIRECT=BACK, SCOPE=["email"], PROFILE_EXTRA_PARAMS={"fields": "id,name,email"}
    )
    person = {"id": "10", "name": "Ada", "email": email}
    async with served(facebook, tmp_path, hosts=("www.facebook.com", "graph.facebook.com")) as ca_file:
        back = await started(facebook, ca_file, FacebookOAuth2, site, person)
        response, details = await ended(facebook, ca_file, FacebookOAuth2, site, back)
        assert (response["id"], details["email"]) == ("10", email or "")
        assert facebook.refused == []
        with pytest.raises(AuthCanceled):
            await ended(facebook, ca_file, FacebookOAuth2, site, _cancelled(facebook, site))


async def test_discords_stand_in_takes_the_client_of_social_auth(tmp_path: Path) -> None:
    discord = DiscordStandIn(clock=Now(), client_id="c", secret="s", redirect_uris=(BACK,))
    site = given(SCOPE=["email"])
    person = {"id": "80351110224678912", "username": "ada", "email": "ada@example.com", "verified": True}
    async with served(discord, tmp_path, hosts=("discord.com",)) as ca_file:
        back = await started(discord, ca_file, DiscordOAuth2, site, person)
        response, details = await ended(discord, ca_file, DiscordOAuth2, site, back)
        assert (response["id"], details["email"]) == (person["id"], "ada@example.com")
    assert discord.refused == []


def _cancelled(facebook: FacebookStandIn, site: Site) -> Any:
    url = FacebookOAuth2(site, redirect_uri=BACK).auth_url()
    facebook.hosted = True
    return facebook.cancelled(url)
