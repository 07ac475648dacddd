"""Sample data for the pages of passkeys."""

from __future__ import annotations

from doorward.features.authn.factors.passkeys.views import (
    PasskeyNameView,
    PasskeyNewView,
    PasskeyStepView,
    PasskeyWrong,
)
from doorward.web.pages.views.account import Methods, PasskeyLine, Profile
from doorward.web.pages.views.context import View
from doorward.web.pages.views.problems import FormProblem, Wrong
from doorward.web.pages.views.sign_in import OtherWay, PasskeyOffer, SignInView, TrustOffer

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
            flow=FLOW, passkey=_OFFER, problem=FormProblem(PasskeyWrong.UNKNOWN)
        ),
        "profile-silent-passkey": Profile(email=text, silent_passkey="{}"),
        "passkey-step": PasskeyStepView(
            options=_OFFER.options,
            renew=_OFFER.renew,
            flow=FLOW,
            account=text,
            others=(OtherWay("Use a code from your authenticator app", "/sign-in/code"),),
        ),
        "passkey-step-first": PasskeyStepView(
            options=_OFFER.options,
            renew="/sign-in/passkey/options",
            problem=FormProblem(PasskeyWrong.UNKNOWN),
            signals='[{"signalName": "unknownCredential", "rpID": "auth.example.com", "credentialID": "AAAA"}]',
        ),
        "methods-passkeys": Methods(
            account=text,
            minimum=10,
            signals='[{"signalName": "allAcceptedCredentials", "rpID": "auth.example.com"}]',
            passkeys=(
                PasskeyLine(id="fac_1", name=text, created_at=1_795_358_000, backed_up=True),
                PasskeyLine(
                    id="fac_2",
                    name="",
                    created_at=1_795_358_000,
                    last_used_at=1_795_368_000,
                    copied=True,
                    switch=False,
                ),
                PasskeyLine(id="fac_3", name="YubiKey 5", created_at=1_795_358_000, second=True),
            ),
            recoverable=True,
        ),
        "methods-no-passkey": Methods(account=text, minimum=10, signals="[]", passkeys=()),
        "passkey-name": PasskeyNameView(
            factor="fac_1",
            name=text,
            provider="Bitwarden",
            action="/account/methods/passkeys/rename",
            back="/account/methods",
        ),
        "passkey-name-too-long": PasskeyNameView(
            factor="fac_1",
            name=text * 9,
            provider="",
            action="/account/methods/passkeys/rename",
            back="/account/methods",
            name_problem=FormProblem(Wrong.NAME_TOO_LONG, 40),
        ),
        "passkey-new": PasskeyNewView(
            options="{}", action="/account/methods/passkeys", back="/account/methods", account=text
        ),
        "passkey-new-in-a-sign-in": PasskeyNewView(
            options="{}",
            action="/sign-in/enrol/passkeys",
            back="/sign-in/enrol",
            account=text,
            flow=FLOW,
            trust=TrustOffer(30 * 86_400),
            problem=FormProblem(PasskeyWrong.FULL),
        ),
    }
