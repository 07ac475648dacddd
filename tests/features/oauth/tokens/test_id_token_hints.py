"""ID token hints: accepted only if they are ID tokens of this server."""

from __future__ import annotations

from base64 import urlsafe_b64encode

import pytest
from msgspec.json import encode

from doorward.core.model.config_snapshot import KeyState
from doorward.features.oauth.logout.rules.logout import Hint
from tests.features import made
from tests.front_channel import Front

pytestmark = pytest.mark.anyio
CLAIMS = {"iss": made.ISSUER, "sub": "usr_ada", "aud": "app_web", "sid": "ses_one", "exp": 1}


async def test_a_hint_yields_person_session_and_app(front: Front) -> None:
    sign = front.services.signer.sign
    assert front.hint(sign(CLAIMS, typ="JWT")) == Hint(
        "usr_ada", "ses_one", ("app_web",), exp=1, published=True
    )
    several = {**CLAIMS, "aud": ["a", "b", 3], "sid": 4}
    assert front.hint(sign(several, typ="JWT")) == Hint("usr_ada", None, ("a", "b"), exp=1, published=True)


@pytest.mark.requirement(75)
async def test_a_retired_key_still_counts_and_a_revoked_key_never(front: Front) -> None:
    token = front.services.signer.sign(CLAIMS, typ="JWT")
    (key,) = [key for key in front.services.config.current().keys if key.state == "current"]
    moves: tuple[tuple[KeyState, KeyState], ...] = (
        ("current", "previous"),
        ("previous", "retired"),
        ("retired", "revoked"),
    )
    for old, new in moves:
        assert await front.store.commit(front.store.registry.move_key(key.id, old, new, front.now))
        await front.services.config.refresh()
        hint = front.hint(token)
        if new == "revoked":
            assert hint is None
        else:
            assert hint is not None
            assert hint.published == (new == "previous")


@pytest.mark.requirement(39, 75)
@pytest.mark.parametrize("typ", ["at+jwt", "logout+jwt", "statuslist+jwt", ""])
async def test_other_tokens_of_ours_are_not_hints(front: Front, typ: str) -> None:
    assert front.hint(front.services.signer.sign(CLAIMS, typ=typ)) is None


@pytest.mark.requirement(39, 75)
async def test_an_access_token_of_type_jwt_is_not_a_hint(front: Front) -> None:
    access = {**CLAIMS, "client_id": "app_web", "jti": "grt_one.x", "scope": "openid"}
    assert front.hint(front.services.signer.sign(access, typ="JWT")) is None


@pytest.mark.requirement(42, 75)
async def test_a_token_of_another_issuer_is_not_a_hint(front: Front) -> None:
    sign = front.services.signer.sign
    for claims in ({**CLAIMS, "iss": "https://other.example"}, {**CLAIMS, "sub": None}, {"sub": "usr_ada"}):
        assert front.hint(sign(claims, typ="JWT")) is None
    header, payload, signature = sign(CLAIMS, typ="JWT").split(".")

    def part(value: object) -> str:
        return urlsafe_b64encode(encode(value)).rstrip(b"=").decode()

    eve = part({**CLAIMS, "sub": "usr_eve"})
    none = part({"alg": "none", "typ": "JWT"})
    for forged in (
        f"{header}.{eve}.{signature}",
        f"{none}.{payload}.",
        f"{header}.{payload}.",
        "",
        "..",
        "a",
        "é.é.é",
        "x" * 60_000,
    ):
        assert front.hint(forged) is None
