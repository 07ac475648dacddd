"""Row of an exchange: equal combinations share one, and everything that a token rests on ends it."""

from __future__ import annotations

from typing import Any

from doorward.core.model.token_exchange import Exchange
from doorward.features.oauth.grants.token_exchange.rules import resting
from doorward.features.oauth.grants.token_exchange.rules.presented import PresentedToken
from doorward.features.oauth.grants.token_exchange.rules.resting import Upstream
from tests.features import made


def token(**changes: Any) -> PresentedToken:
    values: dict[str, Any] = {
        "prefix": "grt_one",
        "subject": "usr_ada",
        "client_id": "app_web",
        "audience": made.API,
        "scopes": (),
        "until": made.NOW,
    }
    return PresentedToken(**{**values, **changes})


EVE = token(prefix="grt_eve", subject="usr_eve", client_id="app_desk")
ALONE = token(prefix="grt_random", subject="app_web")
ACT = {"sub": "app_api", "act": {"sub": "usr_old"}}


def named(**changes: Any) -> str:
    given: dict[str, Any] = {
        "subject": token(),
        "actor": None,
        "act": ACT,
        "target": "https://b",
        "client_id": "app_api",
        **changes,
    }
    return resting.combination(given.pop("subject"), given.pop("actor"), **given)


def test_a_combination_differs_with_each_of_its_parts() -> None:
    others = [
        named(subject=token(prefix="grt_two")),
        named(subject=token(subject="usr_bob")),
        named(subject=token(client_id="app_other")),
        named(actor=EVE),
        named(actor=token(prefix="grt_eve2", subject="usr_eve", client_id="app_desk")),
        named(act=None),
        named(act={"sub": "app_api"}),
        named(target="https://c"),
        named(client_id="app_else"),
    ]
    assert len({named(), *others}) == len(others) + 1
    assert named() == named(subject=token(scopes=("s",), until=5))


def test_tokens_that_an_app_got_for_itself_share_a_row() -> None:
    """They begin with another random id each time: otherwise each would make a row."""
    again = token(prefix="grt_other", subject="app_web")
    assert named(subject=ALONE) == named(subject=again)


def test_everything_ends_the_row() -> None:
    row = Exchange(
        id="exg_old",
        combination="c",
        root="grt_root/usr_ada",
        account_id=None,
        subject="usr_ada",
        actor=None,
        client_id="app_web",
        created_at=0,
        expires_at=1,
    )
    upstream = Upstream(row, ("exg_old", "grt_root", "app_first"))
    found = resting.ends(
        "exg_new",
        token(prefix="exg_old"),
        EVE,
        act=ACT,
        client_id="app_api",
        upstream=[upstream],
    )
    assert set(found) == {
        *("exg_new", "app_api", "usr_old", "usr_ada", "app_web", "exg_old"),
        *("usr_eve", "app_desk", "grt_eve", "grt_root", "app_first"),
    }
    assert len(found) == len(set(found))
    alone = resting.ends("exg_new", ALONE, None, act=None, client_id="app_api", upstream=[])
    assert set(alone) == {"exg_new", "app_api", "app_web"}
    assert resting.root(token(prefix="exg_old"), upstream) == "grt_root/usr_ada"
    assert resting.root(token(), None) == "grt_one/usr_ada"
    assert resting.root(ALONE, None) == "/app_web"
