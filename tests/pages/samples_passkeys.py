"""Sample data for the pages of passkeys."""

from __future__ import annotations

from doorward.web.pages.views.context import View
from doorward.web.pages.views.problems import FormProblem, Wrong
from doorward.web.pages.views.sign_in import PasskeyOffer, SignInView

FLOW = "dw_as_3q2-7wX1"
_OFFER = PasskeyOffer(
    '{"challenge": "Zmlyc3Q", "rpId": "auth.example.com", "allowCredentials": []}',
    f"/sign-in/passkey/options?flow={FLOW}",
)


def samples(text: str = "ada@example.com") -> dict[str, View]:
    """Every page by name; `text` is used wherever a page shows text of others."""
    return {
        "sign-in-passkey": SignInView(flow=FLOW, identifier=text, passkey=_OFFER),
        "sign-in-passkey-unknown": SignInView(
            flow=FLOW, passkey=_OFFER, problem=FormProblem(Wrong.PASSKEY_UNKNOWN)
        ),
    }
