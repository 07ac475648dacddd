"""Sample data for the pages of accounts of other services."""

from __future__ import annotations

from doorward.features.authn.providers.marks import mark_of
from doorward.features.authn.providers.services.index import SERVICES
from doorward.features.authn.providers.views import (
    AccountNeededView,
    ConnectedAccountsView,
    ConnectedCard,
    ConnectedLine,
    ConnectPendingView,
    DataDeletedView,
    ProviderChoiceView,
)
from doorward.web.pages.views.account import Done
from doorward.web.pages.views.context import View
from doorward.web.pages.views.flow import Continue
from doorward.web.pages.views.problems import FormProblem, Wrong
from doorward.web.pages.views.sign_in import OtherWay, ProviderButton, RoutedAddress, SignInView

NAMED = [one for one in SERVICES if "label" in one.defaults]
FLOW = "sin_0123456789abcdef0123456789abcdef"
AT = 1_790_000_000


def samples(text: str) -> dict[str, View]:
    """Each page, and its problems. `text` stands where a person's, an operator's or a provider's text does."""
    buttons = (
        ProviderButton("example", text),
        ProviderButton("work", "Work"),
        *(ProviderButton(one.name, str(one.defaults["label"]), mark_of(one)) for one in NAMED),
    )
    return {
        "sign-in-providers": SignInView(flow=FLOW, providers=buttons),
        "sign-in-provider-used": SignInView(flow=FLOW, providers=buttons, last_used="provider"),
        "sign-in-address-first": SignInView(flow=FLOW, providers=buttons, only_identifier=True),
        "routed-address": RoutedAddress(
            provider="work", label=text, domain="example.com", identifier=text, flow=FLOW
        ),
        "provider-choice": ProviderChoiceView(
            providers=buttons, flow=FLOW, used_last=True, others=(OtherWay("Use your password", "/sign-in"),)
        ),
        **{
            f"provider-choice-{one.value.replace('_', '-')}": ProviderChoiceView(
                providers=buttons, flow=FLOW, problem=FormProblem(one)
            )
            for one in Wrong
            if one.value.startswith("provider_")
        },
        "provider-leaving": Continue(
            url="https://accounts.example.com/authorize?a=b&c=d", app=text, because="provider"
        ),
        "account-needed": AccountNeededView(label=text, email="", taken=False, flow=FLOW),
        "account-needed-taken": AccountNeededView(label=text, email=text, taken=True, flow=FLOW),
        "connect-pending": ConnectPendingView(account=text, label=text, email=text),
        "connect-pending-refused": ConnectPendingView(
            account=text, label="Example", email="", problem=FormProblem(Wrong.PROVIDER_TAKEN)
        ),
        "provider-data-deleted": DataDeletedView(label=text, at=AT),
        "connected-accounts": ConnectedAccountsView(
            card=ConnectedCard(
                connected=(
                    ConnectedLine(
                        id="fac_1",
                        email=text,
                        added_at=AT,
                        label=text,
                        mark=mark_of(NAMED[0]),
                        last_used_at=AT,
                    ),
                    ConnectedLine(id="fac_2", email="", added_at=AT, label=None),
                ),
                offered=buttons,
            ),
            done=Done.PROVIDER_CONNECTED,
        ),
        "connected-accounts-none": ConnectedAccountsView(
            card=ConnectedCard(connected=(), offered=buttons), problem=FormProblem(Wrong.LAST_METHOD)
        ),
    }
