"""Logout token (OpenID Connect Back-Channel Logout): cannot be taken for another token."""

from __future__ import annotations

import pytest

from doorward.core.model.message import LogoutNotice
from doorward.features.oauth.logout.rules import logout_token
from tests.features import made


@pytest.mark.requirement(76)
def test_it_has_the_event_sub_and_sid_at_most_two_minutes_and_no_nonce() -> None:
    notice = LogoutNotice(
        id="lgo_x",
        client_id="app_web",
        account_id="usr_ada",
        session_id="ses_one",
        created_at=1,
        next_try_at=1,
    )
    said = logout_token.claims(notice, issuer=made.ISSUER, now=made.NOW, unique="u")
    assert said == {
        "iss": made.ISSUER,
        "sub": "usr_ada",
        "aud": "app_web",
        "iat": made.NOW,
        "exp": made.NOW + 120,
        "jti": "u",
        "sid": "ses_one",
        "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
    }
    assert logout_token.TYP == "logout+jwt"
