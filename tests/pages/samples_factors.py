"""Sample data for the pages of authenticator apps and recovery codes, and for those on which all factors are shown."""

from __future__ import annotations

from typing import Any

from doorward.features.authn.factors.recovery_codes import views as recovery
from doorward.features.authn.factors.recovery_codes.views import RecoveryCard, RecoveryCodesView
from doorward.features.authn.factors.totp import views as app
from doorward.features.authn.factors.totp.views import AuthenticatorDone, AuthenticatorNewView
from doorward.web.pages.views.account import MethodCard, Methods
from doorward.web.pages.views.context import View
from doorward.web.pages.views.problems import FormProblem, Wrong
from doorward.web.pages.views.sign_in import OtherWay, TrustOffer, TypedCodeView

AT = 1_795_358_000
FLOW = "dw_as_3q2-7wX1"
CODES = (
    "K7QD-M2XW-9RTA-4HCE",
    "P3VN-8YLB-6FSD-2JQU",
    "X9MC-5TRE-1WKH-7ZAG",
    "B4HW-2NQP-8DVL-6YXS",
    "R6FJ-3ZKT-5CMA-9EUB",
    "T1LE-7GSX-4QWN-8HDV",
    "Y8CA-6RPM-2JZF-5KTQ",
    "D5UX-9BHG-3LNE-1WSR",
    "H2ZT-4KVQ-7YMC-6PFA",
    "N7SG-1EDJ-8XRW-3BLU",
)
BY_RECOVERY = "/sign-in/code?method=recovery"


def app_code(text: str, **more: Any) -> TypedCodeView:
    """The page for a code of the app, with a link to that of recovery codes."""
    other = (OtherWay(recovery.USE_LINK, BY_RECOVERY),)
    return TypedCodeView(
        account=text,
        flow=FLOW,
        method="authenticator",
        words=app.CODE_WORDS,
        **{"typed": other, **more},
    )


def recovery_code(text: str, **more: Any) -> TypedCodeView:
    """The page for a recovery code."""
    return TypedCodeView(
        account=text,
        flow=FLOW,
        method="recovery",
        action=BY_RECOVERY,
        words=recovery.CODE_WORDS,
        **more,
    )


def app_card(added_at: int | None = None) -> MethodCard:
    """The card of the authenticator app."""
    return MethodCard(
        id="authenticator",
        icon="phone",
        title=app.APP_LINK,
        text=app.CARD_OFF if added_at is None else app.CARD_ON,
        added_at=added_at,
        set_up="/account/methods/authenticator" if added_at is None else None,
        remove=None if added_at is None else "/account/methods/authenticator/remove",
        add_label=app.ADD_LABEL,
        remove_label=app.REMOVE_LABEL,
    )


def samples(text: str) -> dict[str, View]:
    """Each page, and its problems. `text` stands where a person's text does."""
    added = AuthenticatorDone.ADDED
    return {
        "second-factor": app_code(text),
        "second-factor-wrong": app_code(text, problem=FormProblem(Wrong.CODE_WRONG), typed=()),
        "second-factor-ways": app_code(text, others=(OtherWay(text, "/sign-in/toy"),)),
        "second-factor-recovery-only": recovery_code(text),
        "second-factor-recovery": recovery_code(text, typed=(OtherWay(app.USE_LINK, "/sign-in/code"),)),
        "methods": Methods(account=text, minimum=15, password_changed_at=AT - 9_000_000, cards=(app_card(),)),
        "methods-full": Methods(
            account=text,
            minimum=8,
            password_changed_at=AT - 9_000_000,
            cards=(app_card(AT - 4_000_000), RecoveryCard(left=2, made=10)),
            done=added,
        ),
        "methods-ways": Methods(
            account=text, minimum=15, cards=(app_card(),), others=(OtherWay(text, "/account/methods/toy"),)
        ),
        "methods-wrong": Methods(
            account=text,
            minimum=8,
            cards=(app_card(AT), RecoveryCard(left=9, made=10)),
            problem=FormProblem(Wrong.STALE_FORM),
            current_problem=FormProblem(Wrong.PASSWORD_MISMATCH),
            new_problem=FormProblem(Wrong.PASSWORD_GUESSABLE),
        ),
        "methods-cards": Methods(
            account=text,
            minimum=15,
            cards=(
                app_card(),
                MethodCard(
                    id="mail-codes",
                    icon="mail",
                    title="Codes by email",
                    text=text,
                    added_at=AT,
                    set_up="/account/methods/email",
                    remove="/account/methods/email/remove",
                ),
                MethodCard(id="toy", icon="device", title="Toy", text=text, set_up="/account/methods/toy"),
                RecoveryCard(left=10, made=10),
            ),
        ),
        "enrolment-authenticator": AuthenticatorNewView(
            uri="otpauth://totp/Doorward:ada%40example.com?secret=JBSWY3DPEHPK3PXP&issuer=Doorward",
            key="JBSWY3DPEHPK3PXP",
            action="/sign-in/enrol/authenticator",
            back="/sign-in/enrol",
            flow=FLOW,
            trust=TrustOffer(30 * 86_400),
        ),
        "enrolment-recovery-codes": RecoveryCodesView(
            CODES, text, done=added, onward="/sign-in/enrol", flow=FLOW
        ),
        "authenticator": AuthenticatorNewView(
            uri="otpauth://totp/Doorward:ada%40example.com?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Doorward",
            key="JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
            setup=text,
        ),
        "authenticator-wrong": AuthenticatorNewView(
            uri="otpauth://totp/x?secret=JBSWY3DPEHPK3PXP",
            key="JBSWY3DPEHPK3PXP",
            problem=FormProblem(Wrong.CODE_WRONG),
        ),
        "recovery-codes": RecoveryCodesView(codes=CODES, account=text, done=added),
    }
