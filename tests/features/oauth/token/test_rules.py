"""Token response: the members of RFC 6749 §5.1, and no secrets when printed."""

from __future__ import annotations

from msgspec.json import decode, encode

from doorward.features.oauth.token.rules import TokenResponse


def test_absent_tokens_are_omitted_and_repr_shows_no_secret() -> None:
    answer = TokenResponse(access_token="hush", token_type="Bearer", expires_in=300, scope="")
    assert decode(encode(answer)) == {
        "access_token": "hush",
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "",
    }
    assert "hush" not in repr(answer)
    full = TokenResponse(
        access_token="a",
        token_type="N_A",
        expires_in=1,
        scope="s",
        refresh_token="r",
        id_token="i",
        issued_token_type="t",
    )
    assert decode(encode(full)).keys() == set(TokenResponse.__struct_fields__)
