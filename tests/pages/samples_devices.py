"""Sample data for the pages of remembered devices."""

from __future__ import annotations

from doorward.features.authn.factors.email_code.views import NOTHING_THERE
from doorward.features.authn.factors.passkeys.views import PasskeyStepView
from doorward.features.authn.trusted_device.views import DeviceNameView
from doorward.web.pages.views.account import DeviceLine, Devices, Done, RememberedLine
from doorward.web.pages.views.context import View
from doorward.web.pages.views.problems import FormProblem, Wrong
from doorward.web.pages.views.sent_code import CodeTarget, SentCodeView
from doorward.web.pages.views.sign_in import TrustOffer
from tests.pages.samples_factors import app_code

AT = 1_795_358_000
DAY = 86_400
FLOW = "dw_as_3q2-7wX1"
OFFER = TrustOffer(30 * DAY)


def samples(text: str) -> dict[str, View]:
    """Each page, and its problems. `text` stands where a person's text does."""
    phone = RememberedLine(
        id="dev_2",
        name=text,
        label="Safari on iPhone",
        address=None,
        added_at=AT - 9 * DAY,
        last_used=AT - DAY,
        expires_at=AT + 21 * DAY,
    )
    here = RememberedLine(
        id="dev_1",
        name=None,
        label="Chrome on macOS",
        address=None,
        added_at=AT - DAY,
        last_used=AT,
        expires_at=AT + 29 * DAY,
        current=True,
    )
    unknown = RememberedLine(
        id=text,
        name=None,
        label=None,
        address=text,
        added_at=AT,
        last_used=AT,
        expires_at=AT + DAY,
    )
    return {
        "second-factor-trust": app_code(text, trust=OFFER),
        "second-factor-trust-wrong": app_code(
            text,
            trust=TrustOffer(3600, chosen=True),
            problem=FormProblem(Wrong.CODE_WRONG),
        ),
        "sent-code-trust": SentCodeView(
            account=text,
            flow=FLOW,
            method="email_code",
            watch="/sign-in/code/delivery?kind=email_code",
            nothing_there=NOTHING_THERE,
            targets=(CodeTarget("fac_1", text),),
            sent_to=text,
            trust=OFFER,
        ),
        "passkey-step-trust": PasskeyStepView(
            options="{}", renew="/sign-in/passkey/options", flow=FLOW, account=text, trust=OFFER
        ),
        "devices-remembered": Devices(
            devices=(
                DeviceLine("ses_1", "Chrome on macOS", AT, AT - DAY, current=True, active_now=True),
                DeviceLine("ses_2", "Safari on iPhone", AT - 7200, AT - 900_000),
            ),
            apps_notice=300,
            remembered=(here, phone, unknown),
            done=Done.DEVICE_RENAMED,
        ),
        "devices-asked-again": Devices(
            devices=(DeviceLine("ses_1", "Chrome on macOS", AT, AT - DAY, current=True, active_now=True),),
            apps_notice=300,
            done=Done.DEVICE_ASKED_AGAIN,
        ),
        "device-name": DeviceNameView(
            device="dev_1",
            name=text,
            label="Chrome on macOS",
            action="/account/devices/name?device=dev_1",
            back="/account/devices",
        ),
        "device-name-long": DeviceNameView(
            device="dev_1",
            name=text,
            label=None,
            action="/account/devices/name?device=dev_1",
            back="/account/devices",
            name_problem=FormProblem(Wrong.NAME_TOO_LONG, 60),
            problem=FormProblem(Wrong.TOO_MANY_TRIES, at=AT),
        ),
    }
