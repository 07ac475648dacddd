"""Who is signed out at once, who is asked first, and where does it lead?"""

from __future__ import annotations

from typing import Any

import pytest

from doorward.model.refusal import Refusal
from doorward.model.session import Session
from doorward.rules.revoke.logout import Hint, SignOut, decide
from tests.rules import made

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
HINT = Hint("usr_ada", "ses_one", ("app_web",))


def ask(session: Session | None = SESSION, hint: Hint | None = None, **given: str | None) -> Any:
    asked = {"client_id": None, "target": None, "state": None, **given}
    return decide(catalog=made.catalog(APP, OTHER), session=session, hint=hint, **asked)


@pytest.mark.requirement(75)
def test_the_apps_own_hint_about_this_session_signs_out_at_once() -> None:
    assert ask(hint=HINT, target=BYE, state="x") == SignOut(
        ask=False, client_id="app_web", target=BYE, state="x"
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
def test_without_a_hint_or_with_one_about_somebody_else_the_person_is_asked(hint: Hint | None) -> None:
    assert ask(hint=hint).ask
    assert ask(hint=hint, client_id=None if hint else "app_web", target=None if hint else BYE).ask


def test_nobody_is_asked_who_is_not_signed_in() -> None:
    assert ask(session=None) == SignOut(ask=False, client_id=None, target=None, state=None)
    assert not ask(session=None, hint=HINT, target=BYE).ask


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
def test_an_address_that_is_not_this_apps_is_never_gone_to(target: str) -> None:
    for hint, client_id in ((HINT, None), (None, "app_web"), (HINT, "app_web")):
        for session in (SESSION, None):
            refused = ask(session, hint, client_id=client_id, target=target)
            assert isinstance(refused, Refusal)
            assert len(refused.because) < 1500


@pytest.mark.requirement(75)
def test_nobody_is_sent_back_to_an_app_that_did_not_say_who_it_is() -> None:
    assert isinstance(ask(target=BYE), Refusal)
    assert isinstance(ask(hint=Hint("usr_ada", "ses_one", ()), target=BYE), Refusal)
    assert isinstance(ask(hint=Hint("usr_ada", "ses_one", ("app_web", "app_spa")), target=BYE), Refusal)
    # the app is gone: its hint still says who was meant, its address no longer counts
    gone = Hint("usr_ada", "ses_one", ("app_gone",))
    assert isinstance(ask(hint=gone, target=BYE), Refusal)
    assert ask(hint=gone) == SignOut(ask=False, client_id=None, target=None, state=None)


def test_a_request_that_does_not_fit_together_is_refused() -> None:
    assert isinstance(ask(hint=HINT, client_id="app_spa"), Refusal)
    assert isinstance(ask(client_id="app_nobody"), Refusal)


def test_the_log_hears_the_nearest_address_and_the_fix() -> None:
    refused = ask(hint=HINT, target=BYE + "/")
    assert f"nearest {BYE}" in refused.because
    # the option replaces: the address that is registered stays in the command
    assert f"doorward app set web --post-logout {BYE} --post-logout {BYE}/" in refused.because
    assert len(ask(hint=HINT, target="x" * 60_000).because) < 1500
