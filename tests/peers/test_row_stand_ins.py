"""Proof of the stand-ins for GitLab, LinkedIn and Slack: backends of social-auth-core sign in to them unchanged."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from social_core.backends.gitlab import GitLabOAuth2
from social_core.backends.linkedin import LinkedinOpenIdConnect
from social_core.backends.open_id_connect import OpenIdConnectAuth
from social_core.exceptions import AuthCanceled, SocialAuthBaseException

from tests.peers.test_stand_ins import ended, started
from tests.stand_ins.gitlab import GitLabStandIn
from tests.stand_ins.linkedin import LinkedInStandIn
from tests.stand_ins.openid import RefusedAtTheService, Returned
from tests.stand_ins.serving import served
from tests.stand_ins.slack import SlackStandIn
from tests.stand_ins.social import Site, begin, led_to

pytestmark = [pytest.mark.peer, pytest.mark.anyio]
BACK = "https://site.example/complete/"
OCTAVIA: dict[str, Any] = {"id": 41, "username": "octavia", "name": "Octavia", "email": "octavia@example.com"}
ADA: dict[str, Any] = {"sub": "U0R7MFMJM", "name": "Ada", "email": "ada@example.com"}


@dataclass
class Now:
    """The real time, since the client asks for it."""

    @property
    def time(self) -> int:
        return int(time.time())


def given(**settings: Any) -> Site:
    return Site(KEY="c", SECRET="s", REDIRECT=BACK, USE_UNIQUE_USER_ID=True, **settings)


async def test_gitlabs_stand_in_takes_the_gitlab_client_of_social_auth(tmp_path: Path) -> None:
    gitlab = GitLabStandIn(clock=Now(), client_id="c", secret="s", redirect_uris=(BACK,))
    site = given()
    async with served(gitlab, tmp_path, hosts=("gitlab.com",)) as ca_file:
        back = await started(gitlab, ca_file, GitLabOAuth2, site, OCTAVIA)
        response, details = await ended(gitlab, ca_file, GitLabOAuth2, site, back)
        assert (response["id"], details["email"]) == (41, "octavia@example.com")
        assert gitlab.refused == []
        # a code is good once
        fresh = await started(gitlab, ca_file, GitLabOAuth2, site, OCTAVIA)
        with pytest.raises(SocialAuthBaseException):
            await ended(gitlab, ca_file, GitLabOAuth2, site, _with_the_code_of(fresh, back))
        assert gitlab.refused == ["invalid_grant"]


async def test_gitlabs_stand_in_takes_the_openid_client_of_social_auth(tmp_path: Path) -> None:
    gitlab = GitLabStandIn(clock=Now(), client_id="c", secret="s", redirect_uris=(BACK,))
    site = given(OIDC_ENDPOINT="https://gitlab.com", USE_PKCE=True)
    async with served(gitlab, tmp_path, hosts=("gitlab.com",)) as ca_file:
        back = await started(gitlab, ca_file, OpenIdConnectAuth, site, OCTAVIA)
        response, details = await ended(gitlab, ca_file, OpenIdConnectAuth, site, back)
        assert (response["sub"], details["username"]) == ("41", "octavia")
        assert gitlab.refused == []
        with led_to(gitlab, str(ca_file)):
            denied = gitlab.cancelled(begin(OpenIdConnectAuth, site))
        with pytest.raises(AuthCanceled):
            await ended(gitlab, ca_file, OpenIdConnectAuth, site, denied)


async def test_linkedins_stand_in_takes_the_client_of_social_auth(tmp_path: Path) -> None:
    linkedin = LinkedInStandIn(clock=Now(), client_id="c", secret="s", redirect_uris=(BACK,))
    site = given()
    async with served(linkedin, tmp_path, hosts=("www.linkedin.com", "api.linkedin.com")) as ca_file:
        back = await started(linkedin, ca_file, LinkedinOpenIdConnect, site, ADA)
        response, details = await ended(linkedin, ca_file, LinkedinOpenIdConnect, site, back)
        assert (response["sub"], details["email"]) == (ADA["sub"], "ada@example.com")
        assert linkedin.refused == []
        # an app without PKCE is told that its authentication is wrong
        site.settings["USE_PKCE"] = True
        back = await started(linkedin, ca_file, LinkedinOpenIdConnect, site, ADA)
        with pytest.raises(SocialAuthBaseException):
            await ended(linkedin, ca_file, LinkedinOpenIdConnect, site, back)
        assert linkedin.refused == ["invalid_client"]


async def test_slacks_stand_in_takes_the_openid_client_of_social_auth(tmp_path: Path) -> None:
    slack = SlackStandIn(clock=Now(), client_id="c", secret="s", redirect_uris=(BACK,))
    site = given(OIDC_ENDPOINT="https://slack.com")
    async with served(slack, tmp_path, hosts=("slack.com",)) as ca_file:
        back = await started(slack, ca_file, OpenIdConnectAuth, site, ADA)
        response, details = await ended(slack, ca_file, OpenIdConnectAuth, site, back)
        assert (response["sub"], details["email"]) == (ADA["sub"], "ada@example.com")
        assert response["https://slack.com/team_id"] == slack.team
        assert slack.refused == []
        # its errors have status 200
        fresh = await started(slack, ca_file, OpenIdConnectAuth, site, ADA)
        with pytest.raises(SocialAuthBaseException):
            await ended(slack, ca_file, OpenIdConnectAuth, site, _with_the_code_of(fresh, back))
        assert slack.refused == ["invalid_grant"]
        site.settings["USE_PKCE"] = True
        with pytest.raises(RefusedAtTheService, match="code_challenge"):
            await started(slack, ca_file, OpenIdConnectAuth, site, ADA)


def _with_the_code_of(answer: Returned, used: Returned) -> Returned:
    return Returned(answer.method, answer.url, {**answer.fields, "code": used.fields["code"]})
