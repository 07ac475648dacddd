"""Logout (OpenID Connect RP-Initiated Logout): who is signed out at once, who is asked first, and the redirect."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from doorward.core.errors import OAuthError
from doorward.core.model.session import Session
from doorward.features.oauth.logout.rules.logout import Asking, Hint, SignOut, decide, named
from tests.features import made

BYE = "https://app.example.com/bye"
APP = made.client(post_logout_redirect_uris=(BYE,))
OTHER = made.public(post_logout_redirect_uris=("https://spa.example.com/bye",))
SESSION = Session(
    id="ses_one",
    secret_hash=b"s" * 32,
    account_id="usr_ada",
    created_at=made.NOW,
    seen_at=made.NOW,
    auth_time=made.NOW,
    expires_at=made.NOW + 1000,
    acr="urn:doorward:aal1",
    amr=("pwd",),
)
OLDER = structs.replace(SESSION, id="ses_old")
HINT = Hint("usr_ada", "ses_one", ("app_web",))
FRESH = structs.replace(HINT, exp=made.NOW + 1, published=True)


def ask(session: Session | None = SESSION, hint: Hint | None = None, **given: Any) -> Any:
    """The decision; what is not a parameter of the rule itself describes the requester."""
    about = {name: given.pop(name) for name in ("hinted", "browser", "blind", "safe") if name in given}
    asked = {"client_id": None, "target": None, "state": None, **given}
    asking = Asking(session=session, **about)
    client = {app.id: app for app in (APP, OTHER)}.get(named(asked["client_id"], hint) or "")
    return decide(client=client, now=made.NOW, asking=asking, hint=hint, **asked)


@pytest.mark.requirement(75)
def test_the_apps_own_hint_for_this_session_signs_out_at_once() -> None:
    assert ask(hint=HINT, target=BYE, state="x") == SignOut(
        ask=False, ends=(SESSION,), client_id="app_web", target=BYE, state="x"
    )
    assert not ask(hint=Hint("usr_ada", None, ("app_web",))).ask


@pytest.mark.requirement(75)
@pytest.mark.parametrize(
    "hint",
    [
        None,
        Hint("usr_eve", "ses_one", ("app_web",)),
        Hint("usr_ada", "ses_two", ("app_web",)),
        Hint("usr_eve", None, ()),
    ],
)
def test_without_a_hint_or_with_another_persons_or_sessions_hint_the_person_is_asked(
    hint: Hint | None,
) -> None:
    assert ask(hint=hint).ask
    assert ask(hint=hint, client_id=None if hint else "app_web", target=None if hint else BYE).ask


def test_without_a_session_nothing_is_asked() -> None:
    nothing = SignOut(ask=False, ends=(), client_id=None, target=None, state=None)
    assert ask(session=None) == nothing
    assert ask(session=None, hint=HINT, target=BYE, browser=True) == structs.replace(
        nothing, client_id="app_web", target=BYE
    )
    # an ended or expired session and another person's session are not ended
    ended = structs.replace(SESSION, ended_at=made.NOW - 1)
    for hinted in (ended, structs.replace(SESSION, expires_at=made.NOW)):
        assert ask(session=None, hint=FRESH, hinted=hinted) == structs.replace(nothing, client_id="app_web")
    eve = structs.replace(FRESH, sub="usr_eve")
    assert ask(session=None, hint=eve, hinted=SESSION).ends == ()


@pytest.mark.requirement(75, 100)
@pytest.mark.parametrize(
    ("hint", "browser", "asked"),
    [
        (FRESH, False, False),
        (FRESH, True, True),
        (structs.replace(FRESH, exp=made.NOW), False, True),
        (structs.replace(FRESH, published=False), False, True),
        (structs.replace(FRESH, published=False), True, True),
    ],
)
def test_without_the_cookie_only_a_non_browser_with_a_fresh_hint_ends_the_hints_session_at_once(
    hint: Hint, browser: bool, asked: bool
) -> None:
    decided = ask(session=None, hint=hint, hinted=SESSION, browser=browser, target=BYE)
    assert decided == SignOut(ask=asked, ends=(SESSION,), client_id="app_web", target=BYE, state=None)


@pytest.mark.requirement(75)
def test_a_hint_signed_by_a_retired_key_counts_together_with_its_sessions_cookie() -> None:
    old = structs.replace(HINT, exp=made.NOW - 86_400, published=False)
    assert not ask(hint=old, hinted=SESSION, browser=True).ask


@pytest.mark.requirement(75, 100)
def test_confirming_ends_this_browsers_session_and_the_hints_session() -> None:
    hint = structs.replace(FRESH, sid="ses_old")
    decided = ask(hint=hint, hinted=OLDER, browser=True)
    assert decided.ask
    assert decided.ends == (SESSION, OLDER)


@pytest.mark.requirement(75, 100)
def test_the_person_is_asked_where_the_browser_withholds_the_cookie() -> None:
    assert ask(session=None, browser=True, blind=True, client_id="app_web", target=BYE).ask
    assert not ask(session=None, browser=True, client_id="app_web", target=BYE).ask


def test_a_head_request_ends_nothing() -> None:
    assert ask(hint=FRESH, safe=True).ask
    assert ask(session=None, hint=FRESH, hinted=SESSION, safe=True).ask


@pytest.mark.requirement(75)
@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        BYE + "/",
        BYE + "?x",
        "//evil.example",
        "javascript:alert(1)",
        "",
        "https://spa.example.com/bye",
        "http://app.example.com/bye",
    ],
)
def test_an_address_not_registered_for_the_app_is_never_redirected_to(target: str) -> None:
    for hint, client_id in ((HINT, None), (None, "app_web"), (HINT, "app_web")):
        for session in (SESSION, None):
            refused = ask(session, hint, client_id=client_id, target=target)
            assert isinstance(refused, OAuthError)
            assert len(refused.reason + refused.fix) < 1500


@pytest.mark.requirement(75)
def test_there_is_no_redirect_to_an_app_that_did_not_identify_itself() -> None:
    for hint in (
        None,
        Hint("usr_ada", "ses_one", ()),
        Hint("usr_ada", "ses_one", ("app_web", "app_spa")),
        # the app was deleted: its hint still names the person, but its address no longer counts
        Hint("usr_ada", "ses_one", ("app_gone",)),
    ):
        decided = ask(hint=hint, target=BYE)
        assert decided.ends == (SESSION,)
        assert (decided.ask, decided.target, decided.client_id) == (hint is None, None, None)
        assert "post_logout_redirect_uri" in decided.stays


@pytest.mark.requirement(75)
def test_an_invalid_hint_never_redirects_to_the_app() -> None:
    for target in (BYE, "https://evil.example/"):
        for session in (SESSION, None):
            decided = ask(session, bad_hint=True, client_id="app_web", target=target)
            assert (decided.ask, decided.target) == (session is not None, None)
            assert "hint" in decided.stays


def test_a_contradictory_request_is_refused() -> None:
    assert isinstance(ask(hint=HINT, client_id="app_spa"), OAuthError)
    assert isinstance(ask(client_id="app_nobody"), OAuthError)


def test_the_log_names_the_nearest_address_and_the_fix() -> None:
    refused = ask(hint=HINT, target=BYE + "/")
    assert f"nearest {BYE}" in refused.reason
    # the option replaces the list, so the command includes the registered address
    assert f"doorward app set web --post-logout {BYE} --post-logout {BYE}/" in refused.fix
    long = ask(hint=HINT, target="x" * 60_000)
    assert len(long.reason + long.fix) < 1500
