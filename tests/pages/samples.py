"""Sample data for every page, for the gallery and the tests."""

from __future__ import annotations

from doorward.features.accounts.activity import ACTIVITY_KINDS
from doorward.features.authn import index as authn
from doorward.web.pages.views.account import (
    Activity,
    ActivityLine,
    AppLine,
    Apps,
    DeviceLine,
    Devices,
    Done,
    Profile,
)
from doorward.web.pages.views.context import PageContext, View
from doorward.web.pages.views.ends import ErrorPage, Failure, Home, Outbox, OutboxMessage, Way
from doorward.web.pages.views.enrolment import EnrolmentChoice, KindOffer
from doorward.web.pages.views.flow import (
    ConsentView,
    Continue,
    FormPost,
    ScopeLine,
    SignedOut,
    SignOutAsk,
    SignOutOn,
)
from doorward.web.pages.views.problems import FormProblem, Wrong
from doorward.web.pages.views.reset import ConnectedElsewhere, ResetAsk, ResetNew
from doorward.web.pages.views.sign_in import OtherWay, ReAuth, SignInView
from doorward.web.pages.views.sign_up import CheckMail, LinkPage, SignUpView
from doorward.web.pages.views.why import Why
from tests.pages import (
    samples_addresses,
    samples_api_keys,
    samples_codes,
    samples_device_sign_in,
    samples_devices,
    samples_directories,
    samples_factors,
    samples_notices,
    samples_own_devices,
    samples_passkeys,
    samples_phones,
    samples_providers,
)

AT = 1_795_358_000
FLOW = "dw_as_3q2-7wX1"


def context(*, locale: str = "en", name: str | None = "Orders", development: bool = False) -> PageContext:
    return PageContext(
        locale=locale,
        csrf_token="c5rf-t0ken",
        brand_name="Doorward",
        issuer="https://auth.example.com",
        request_id="01JD9Z7Q8M4X",
        app_name=name,
        why=(Why("It comes from %(here)s, and an earlier one came from %(before)s.", "Berlin, DE", "PT"),),
        development=development,
    )


def samples(
    person: str = "Ada Lovelace", app: str = "Orders", text: str = "ada@example.com"
) -> dict[str, View]:
    """Every page by name; `person`, `app` and `text` are used wherever a page shows text of others."""
    scopes = (
        ScopeLine("openid"),
        ScopeLine("profile"),
        ScopeLine("orders:read", "See your orders", app),
        ScopeLine("orders:write", text, app),
        ScopeLine("offline_access"),
    )
    return samples_passkeys.samples(text) | {
        **samples_api_keys.samples(text),
        **samples_own_devices.samples(text),
        **samples_phones.samples(text),
        **samples_codes.samples(text),
        **samples_addresses.samples(text),
        **samples_directories.samples(text),
        **samples_providers.samples(text),
        **samples_devices.samples(text),
        **samples_device_sign_in.samples(text),
        **samples_notices.samples(text),
        **samples_factors.samples(text),
        "home": Home(),
        "home-signed-in": Home(account=text),
        "sign-in": SignInView(flow=FLOW, last_used="password"),
        "sign-in-wrong": SignInView(flow=FLOW, identifier=text, problem=FormProblem(Wrong.CREDENTIALS)),
        "sign-in-throttled": SignInView(
            flow=FLOW, identifier=text, problem=FormProblem(Wrong.TOO_MANY_TRIES, at=AT)
        ),
        "sign-in-empty": SignInView(
            flow=FLOW,
            identifier_problem=FormProblem(Wrong.IDENTIFIER_MISSING),
            password_problem=FormProblem(Wrong.PASSWORD_MISSING),
        ),
        "sign-in-ways": SignInView(flow=FLOW, others=(OtherWay(text, "/sign-in/toy"),)),
        "sign-in-after-reset": SignInView(flow=FLOW, identifier=text, password_reset=True),
        "sign-up": SignUpView(minimum=15, flow=FLOW),
        "sign-up-wrong": SignUpView(
            minimum=15,
            flow=FLOW,
            email=text,
            name=person,
            problem=FormProblem(Wrong.STALE_FORM),
            email_problem=FormProblem(Wrong.EMAIL_INVALID),
            password_problem=FormProblem(Wrong.PASSWORD_TOO_SHORT, number=15),
            name_problem=FormProblem(Wrong.NAME_TOO_LONG, number=120),
        ),
        "check-mail": CheckMail("sign_up", "/sign-up/check", "/sign-up/check/resend", flow=FLOW, email=text),
        "check-mail-wrong": CheckMail(
            "reset", "/reset/check", "/reset/check/resend", flow=FLOW, problem=FormProblem(Wrong.CODE_WRONG)
        ),
        "check-mail-resent": CheckMail(
            "sign_up", "/sign-up/check", "/sign-up/check/resend", resent=True, minutes=1
        ),
        "link": LinkPage("sign_up", "/verify", text, flow=FLOW),
        "link-reset": LinkPage("reset", "/reset/link", text),
        "link-wrong-browser": LinkPage("sign_up", "/verify", text, wrong_browser=True),
        "link-reset-wrong-browser": LinkPage("reset", "/reset/link", text, wrong_browser=True),
        "reset": ResetAsk(flow=FLOW),
        "reset-wrong": ResetAsk(flow=FLOW, email=text, email_problem=FormProblem(Wrong.EMAIL_INVALID)),
        "reset-new": ResetNew(account=text, minimum=15, flow=FLOW),
        "reset-new-connected": ResetNew(
            account=text,
            minimum=15,
            flow=FLOW,
            connected=(ConnectedElsewhere(text, text), ConnectedElsewhere("Work", "")),
        ),
        "reset-new-wrong": ResetNew(
            account=text,
            minimum=15,
            end_sessions=False,
            password_problem=FormProblem(Wrong.PASSWORD_BREACHED),
        ),
        "consent": ConsentView(
            app=app,
            host=text if app != "Orders" else "orders.example.com",
            account=text,
            scopes=scopes,
            lasts=30 * 86400,
            flow=FLOW,
            account_name=person,
            offline=True,
        ),
        "consent-left-out": ConsentView(
            app=app,
            host="localhost:8000",
            account=text,
            scopes=scopes[:1],
            lasts=36000,
            flow=FLOW,
            left_out=scopes[-2:],
        ),
        "consent-useless": ConsentView(
            app=app, host="localhost:8000", account=text, scopes=(), lasts=36000, flow=FLOW, useless_at=text
        ),
        "consent-unknown": ConsentView(
            app=app,
            host="tool.example.com",
            account=text,
            scopes=scopes[:1],
            lasts=36000,
            flow=FLOW,
            published_at=text if app != "Orders" else "tool.example.com",
            unknown=True,
        ),
        "consent-on-device": ConsentView(
            app=app,
            host="localhost:49152",
            account=text,
            scopes=scopes[:1],
            lasts=36000,
            flow=FLOW,
            published_at="tool.example.com",
            unknown=True,
            on_device=True,
        ),
        "consent-opened-by": ConsentView(
            app=app,
            host="cursor:",
            account=text,
            scopes=scopes[:1],
            lasts=36000,
            flow=FLOW,
            unknown=True,
            opened_by="cursor:",
        ),
        "consent-small": ConsentView(
            app=app, host="localhost:8000", account=text, scopes=(), lasts=36000, flow=FLOW
        ),
        "sign-out-by-app": SignOutAsk(account="", app=text),
        "sign-out": SignOutAsk(account=text, hidden=(("state", text), ("post_logout_redirect_uri", text))),
        "sign-out-on": SignOutOn(hidden=(("id_token_hint", text),)),
        "signed-out": SignedOut(),
        "signed-out-here": SignedOut(provider="Example", url="https://accounts.example.com/logout"),
        "continue": Continue(
            url="https://orders.example.com/callback?code=dw_ac_1&iss=https%3A%2F%2Fa", app=app
        ),
        "continue-denied": Continue(url="com.example.orders:/callback?error=access_denied", because="denied"),
        "form-post": FormPost(
            "https://orders.example.com/callback", (("code", "dw_ac_1"), ("state", text)), app=app
        ),
        "error": ErrorPage(
            Failure.BAD_REDIRECT,
            detail=f"redirect_uri not registered. Got {text}/callback/; nearest /callback (trailing slash).",
        ),
        "error-server": ErrorPage(Failure.SERVER_ERROR, ways=(Way.SIGN_IN, Way.ACCOUNT)),
        "error-no-way": ErrorPage(Failure.UNAVAILABLE, ways=()),
        **{
            f"error-{kind.value.replace('_', '-')}-all-ways": ErrorPage(kind, ways=tuple(Way))
            for kind in Failure
        },
        "confirm": ReAuth(account=text, return_to="/account/methods"),
        "confirm-other": ReAuth(account=text, return_to="/account/methods", other=True),
        "confirm-without-password": ReAuth(
            account=text, return_to="/account/methods", password=False, other=True
        ),
        "confirm-wrong": ReAuth(
            account=text, return_to="/account/methods", problem=FormProblem(Wrong.PASSWORD_MISMATCH)
        ),
        "profile": Profile(email=text, name=person, locale="de", done=Done.SAVED),
        "profile-wrong": Profile(
            email=text,
            name=person,
            name_problem=FormProblem(Wrong.NAME_TOO_LONG, number=120),
        ),
        "enrolment": EnrolmentChoice(
            account=text,
            flow=FLOW,
            because="app",
            offers=(
                KindOffer(
                    "passkey", "Passkey", "Your fingerprint, face or screen lock.", "/sign-in/enrol/passkeys"
                ),
                KindOffer("totp", "Authenticator app", "A code of an app.", "/sign-in/enrol/authenticator"),
            ),
            grace_until=AT,
        ),
        "enrolment-refused": EnrolmentChoice(
            account=text, flow=FLOW, because="policy", offers=(), problem=FormProblem(Wrong.STALE_FORM)
        ),
        "devices": Devices(
            devices=(
                DeviceLine("ses_1", "Chrome on macOS", AT, AT - 86400, current=True, active_now=True),
                DeviceLine("ses_2", "Safari on iPhone", AT - 7200, AT - 900_000, name=text, place=text),
                DeviceLine(text, text, AT - 400_000, AT - 4_000_000),
            ),
            apps_notice=300,
        ),
        "devices-many": Devices(
            devices=tuple(
                DeviceLine(
                    f"ses_{number}",
                    "Firefox on Linux" if number % 3 else None,
                    AT - number * 9000,
                    AT - number * 90_000,
                    address=None if number % 3 else text,
                    current=not number,
                )
                for number in range(12)
            ),
            apps_notice=300,
            more=True,
        ),
        "devices-none": Devices(devices=(), apps_notice=60, done=Done.OTHER_SESSIONS_ENDED),
        "apps": Apps(
            apps=(
                AppLine("app_1", app, "orders.example.com", scopes, AT - 4_000_000),
                AppLine(text, person, text, (ScopeLine("openid"),), AT - 8_000_000),
            )
        ),
        "apps-none": Apps(apps=(), done=Done.APP_DISCONNECTED),
        "activity": Activity(
            lines=tuple(
                ActivityLine(
                    f"aud_{number}",
                    kind.text if number % 4 == 0 else kind.with_app or kind.text,
                    AT - number * 50_000,
                    device="Chrome on macOS" if number % 3 else text,
                    app=app if number % 4 else None,
                    reportable=number % 2 == 0,
                )
                for number, kind in enumerate((*ACTIVITY_KINDS, *authn.ACTIVITY))
            ),
            older="/account/activity?before=aud_9",
            done=Done.REPORTED,
        ),
        "activity-none": Activity(lines=()),
        "outbox": Outbox(
            (
                OutboxMessage(
                    text,
                    f"{person}: confirm your email address",
                    f"Hello,\n\nyour code is 481 516\n\nhttps://auth.example.com/verify?token={FLOW}\n\n{text}",
                    AT,
                    "481 516",
                ),
                OutboxMessage(text, "Your password was changed", "If it was you, all is well.", AT - 60),
            )
        ),
        "outbox-empty": Outbox(),
    }
