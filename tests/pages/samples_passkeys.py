"""Sample data for the pages of passkeys."""

from __future__ import annotations

from doorward.features.authn.factors.passkeys.views import (
    PasskeyCard,
    PasskeyLine,
    PasskeyNameView,
    PasskeyNewView,
    PasskeyOffer,
    PasskeyStepView,
    PasskeyWrong,
    SilentPasskey,
)
from doorward.features.authn.factors.recovery_codes.views import RecoveryCard
from doorward.web.pages.views.account import Methods, Profile
from doorward.web.pages.views.context import View
from doorward.web.pages.views.problems import FormProblem, Wrong
from doorward.web.pages.views.sign_in import OtherWay, SignInView, TrustOffer
from tests.pages.samples_factors import app_card

FLOW = "dw_as_3q2-7wX1"
_OFFER = PasskeyOffer(
    options='{"challenge": "Zmlyc3Q", "rpId": "auth.example.com", "allowCredentials": []}',
    renew=f"/sign-in/passkey/options?flow={FLOW}",
)


def samples(text: str = "ada@example.com") -> dict[str, View]:
    """Every page by name; `text` is used wherever a page shows text of others."""
    return {
        "sign-in-passkey": SignInView(flow=FLOW, identifier=text, offers=(_OFFER,)),
        "sign-in-passkey-unknown": SignInView(
            flow=FLOW, offers=(_OFFER,), problem=FormProblem(PasskeyWrong.UNKNOWN)
        ),
        "profile-silent-passkey": Profile(email=text, offers=(SilentPasskey(options="{}"),)),
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
            cards=(
                PasskeyCard(
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
                ),
                app_card(),
                RecoveryCard(),
            ),
        ),
        "methods-no-passkey": Methods(
            account=text, minimum=10, cards=(PasskeyCard(signals="[]", passkeys=()), app_card())
        ),
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
