"""Code exchange at the token endpoint: its form, and checks of the response."""

from __future__ import annotations

from doorward.core.errors import OAuthError
from doorward.features.oauth.token.rules import TokenResponse
from tests.features import made


def redemption(raw: str, **more: str) -> dict[str, str]:
    """The form that exchanges a code of the web app."""
    return {
        "grant_type": "authorization_code",
        "code": raw,
        "redirect_uri": made.REDIRECT,
        "code_verifier": made.VERIFIER,
        **more,
    }


def given(answer: TokenResponse | OAuthError) -> TokenResponse:
    """The tokens; fails if there are none."""
    assert isinstance(answer, TokenResponse), answer
    return answer


def refused(answer: object, code: str) -> OAuthError:
    """The refusal; fails if it is another."""
    assert isinstance(answer, OAuthError), answer
    assert answer.code == code, answer
    return answer
