"""Documented errors of the OpenID providers with a name, at their page and at their token endpoint: what the person sees, and what is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from msgspec.json import encode

from doorward_verify.jwk import signing_key
from doorward_verify.jws import sign
from tests.features.authn.providers.named import clock, named_journey
from tests.stand_ins.apple import KEY_ID, SIX_MONTHS, TEAM, AppleStandIn, p8
from tests.stand_ins.entra import CONTOSO, EntraStandIn
from tests.stand_ins.gitlab import GitLabStandIn
from tests.stand_ins.google import GoogleStandIn
from tests.stand_ins.linkedin import LinkedInStandIn
from tests.stand_ins.openid import CODE_TTL, OpenIdStandIn, RefusedAtTheService
from tests.stand_ins.slack import SlackStandIn

pytestmark = pytest.mark.anyio
CANCELLED, UNAVAILABLE, REFUSED = "cancelled", "unavailable", "refused"
COMMON = {
    "access_denied": CANCELLED,
    "login_required": CANCELLED,
    "interaction_required": CANCELLED,
    "consent_required": CANCELLED,
    "server_error": UNAVAILABLE,
    "temporarily_unavailable": UNAVAILABLE,
    "invalid_request": REFUSED,
    "invalid_scope": REFUSED,
    "unauthorized_client": REFUSED,
    "unsupported_response_type": REFUSED,
}
ANSWERS = {
    "google": {**COMMON, "admin_policy_enforced": REFUSED, "org_internal": REFUSED},
    "apple": {**COMMON, "user_cancelled_authorize": CANCELLED, "invalid_client": REFUSED},
    "entra": {**COMMON, "invalid_resource": REFUSED, "invalid_client": REFUSED},
    "gitlab": {**COMMON, "invalid_redirect_uri": REFUSED},
    "linkedin": {
        **COMMON,
        "user_cancelled_login": CANCELLED,
        "user_cancelled_authorize": CANCELLED,
        "unauthorized_scope_error": REFUSED,
    },
    "slack": {**COMMON, "invalid_team_for_non_distributed_app": REFUSED},
}
SLACKS = {"invalid_grant": "invalid_code", "invalid_client": "bad_client_secret"}
PEOPLE: dict[str, dict[str, Any]] = {
    "google": {"sub": "1", "email": "grace@gmail.com"},
    "apple": {"sub": "1", "email": "grace@icloud.com"},
    "entra": {"oid": "o-1", "tid": CONTOSO, "email": "grace@contoso.com", "xms_edov": True},
    "gitlab": {"id": 41, "username": "grace", "email": "grace@example.net"},
    "linkedin": {"sub": "782bbtaQ", "email": "grace@example.net"},
    "slack": {"sub": "U0R7MFMJM", "email": "grace@example.net"},
}
PLAIN = {"google": GoogleStandIn, "gitlab": GitLabStandIn, "linkedin": LinkedInStandIn, "slack": SlackStandIn}


def service(name: str, folder: Path) -> tuple[OpenIdStandIn, dict[str, Any]]:
    """The stand-in, and its section."""
    if name in PLAIN:
        return PLAIN[name](clock=clock(), client_id="c", secret="s"), {}
    if name == "entra":
        return EntraStandIn(clock=clock(), client_id="c", secret="s"), {"tenants": (CONTOSO,)}
    pem, key = p8()
    (folder / "key.p8").write_text(pem)
    made = AppleStandIn(clock=clock(), client_id="c", secret="", client_key=key)
    return made, {"team_id": TEAM, "key_id": KEY_ID, "client_key_file": str(folder / "key.p8")}


@pytest.mark.parametrize("name", ANSWERS)
async def test_each_error_of_their_page_has_its_sentence(tmp_path: Path, name: str) -> None:
    there, section = service(name, tmp_path)
    async with named_journey(tmp_path, name, there, **section) as made:
        for error, why in ANSWERS[name].items():
            tab = made.front.browser()
            back = there.failed(await made.leave(tab), error, error_description="a@b.example <b>")
            page = await made.arrive(tab, back)
            assert page.path.startswith(f"/sign-in/provider?said={why}"), error
            assert page.problem
            assert "a@b.example" not in page.text
        refused = [error for error, why in ANSWERS[name].items() if why == REFUSED]
        assert len(await made.reasons()) == len(refused)


@pytest.mark.parametrize("name", ANSWERS)
async def test_each_error_of_their_token_endpoint_is_written(tmp_path: Path, name: str) -> None:
    there, section = service(name, tmp_path)
    async with named_journey(tmp_path, name, there, email_domains=("*",), **section) as made:

        async def reason_after(back: Any, tab: Any) -> str:
            page = await made.arrive(tab, back)
            assert page.path.startswith("/sign-in/provider?said=refused")
            return str((await made.front.audited("provider.refused"))[0].detail["reason"])

        said, words = "the token endpoint refused the code: ", SLACKS if name == "slack" else {}
        tab = made.front.browser()
        back = there.approved(await made.leave(tab), **PEOPLE[name])
        made.front.clock.time += CODE_TTL + 1
        assert await reason_after(back, tab) == said + words.get("invalid_grant", "invalid_grant")
        tab = made.front.browser()
        back = there.approved(await made.leave(tab), **PEOPLE[name])
        if isinstance(there, AppleStandIn):
            there.client_key = p8()[1]
        else:
            there.secret = "another"
        assert await reason_after(back, tab) == said + words.get("invalid_client", "invalid_client")
        assert there.refused == ["invalid_grant", "invalid_client"]


@pytest.mark.parametrize("name", ANSWERS)
async def test_what_the_stand_in_does_not_know_is_refused_there(tmp_path: Path, name: str) -> None:
    """So that the tests beside this one say something: each of these requests would be refused by the service, or is not documented."""
    there, section = service(name, tmp_path)
    async with named_journey(tmp_path, name, there, **section) as made:
        url = await made.leave(made.front.browser())
        challenged = name not in {"linkedin", "slack"}
        assert ("code_challenge" in there.asked(url)) is challenged
        path = urlsplit(url).path
        for wrong in (
            f"{url}&prompt=register",
            f"{url}&state=twice",
            f"{url}&resource=x",
            url.replace("client_id=c", "client_id=d"),
            url.replace("callback", "callbacks"),
            url.replace("response_type=code", "response_type=token"),
            url.replace("code_challenge_method=S256", "code_challenge_method=plain")
            if challenged
            else f"{url}&code_challenge={'a' * 43}&code_challenge_method=plain",
            url.replace(path, f"{path}x", 1),
        ):
            assert wrong != url
            with pytest.raises((RefusedAtTheService, AssertionError)):
                there.asked(wrong)


def test_the_stand_in_takes_no_secret_that_apple_would_refuse() -> None:
    _, key = p8()
    there = AppleStandIn(clock=clock(), client_id="c", secret="", client_key=key, origin="https://a.example")
    now = there.clock.time
    good = {"iss": TEAM, "iat": now, "exp": now + 300, "aud": there.issuer, "sub": "c"}
    assert there.good_secret(sign(encode(good), key, typ="JWT"))
    assert there.good_secret(sign(encode({**good, "exp": now + SIX_MONTHS}), key, typ="JWT"))
    for changes in (
        {"exp": now + SIX_MONTHS + 1},
        {"exp": now},
        {"iat": now + 1},
        {"iss": "ANOTHER"},
        {"aud": "https://auth.example.com"},
        {"sub": "d"},
        {"jti": "x"},
    ):
        assert not there.good_secret(sign(encode({**good, **changes}), key, typ="JWT")), changes
    assert not there.good_secret(sign(encode(good), signing_key(key.key, kid="another"), typ="JWT"))
    assert not there.good_secret(sign(encode(good), p8()[1], typ="JWT"))
    for wrong in ("", "s", "a.b.c"):
        assert not there.good_secret(wrong)
