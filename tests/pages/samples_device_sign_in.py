"""Sample data for the pages on which people let devices sign in."""

from __future__ import annotations

from typing import get_args

from doorward.features.oauth.grants.device_code.views import (
    DeviceAskView,
    DeviceCodeView,
    DeviceEnd,
    DeviceEndView,
    WrongUserCode,
)
from doorward.web.pages.views.context import View
from doorward.web.pages.views.flow import ScopeLine
from doorward.web.pages.views.problems import FormProblem, Wrong

AT = 1_795_358_000
FLOW = "dw_as_3q2-7wX1"


def samples(text: str) -> dict[str, View]:
    """Each page, and its problems. `text` stands where a person's or an app's text does."""
    ends: dict[str, View] = {
        f"device-{end}": DeviceEndView(state=end, app=text) for end in get_args(DeviceEnd)
    }
    return {
        "device": DeviceCodeView(account=text),
        "device-given": DeviceCodeView(account=text, code="WDJB-MJHT", given=True),
        "device-wrong": DeviceCodeView(
            account=text, code=text, code_problem=FormProblem(WrongUserCode.UNKNOWN)
        ),
        "device-expired-code": DeviceCodeView(
            account=text, code="WDJB-MJHT", code_problem=FormProblem(WrongUserCode.EXPIRED)
        ),
        "device-used-code": DeviceCodeView(
            account=text, code="WDJB-MJHT", code_problem=FormProblem(WrongUserCode.USED)
        ),
        "device-throttled": DeviceCodeView(
            account=text, code="WDJB-MJHT", code_problem=FormProblem(Wrong.TOO_MANY_TRIES, at=AT)
        ),
        "device-stale": DeviceCodeView(account=text, code="WDJB-MJHT", problem=FormProblem(Wrong.STALE_FORM)),
        "device-ask": DeviceAskView(
            app=text,
            code="WDJB-MJHT",
            label="Linux",
            address="198.51.100.7",
            same_network=False,
            age=130,
            account=text,
            account_name=text,
            scopes=(
                ScopeLine("openid"),
                ScopeLine("offline_access"),
                ScopeLine("orders:read", text, text),
            ),
            lasts=30 * 86_400,
            offline=True,
            flow=FLOW,
            not_you=f"/sign-in?flow={FLOW}&prompt=select_account",
        ),
        "device-ask-near": DeviceAskView(
            app=text,
            code="WDJB-MJHT",
            label=None,
            address=text,
            same_network=True,
            age=3,
            account=text,
            account_name=None,
            scopes=(),
            lasts=36_000,
            offline=False,
            flow=FLOW,
            not_you=f"/sign-in?flow={FLOW}&prompt=select_account",
            unknown=True,
        ),
        "device-ask-untold": DeviceAskView(
            app=text,
            code="WDJB-MJHT",
            label="Python on macOS",
            address="2001:db8::7",
            same_network=None,
            age=61,
            account=text,
            account_name=None,
            scopes=(ScopeLine("openid"),),
            lasts=36_000,
            offline=False,
            flow=FLOW,
            not_you=f"/sign-in?flow={FLOW}&prompt=select_account",
            unknown=True,
            published_at=text,
            left_out=(ScopeLine("orders:write", text, text),),
        ),
        **ends,
        "device-refused-why": DeviceEndView(state="refused", detail=text),
    }
