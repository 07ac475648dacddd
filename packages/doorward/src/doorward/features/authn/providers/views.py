"""Pages of accounts at external providers."""

from __future__ import annotations

from typing import ClassVar, Final

from markupsafe import Markup
from msgspec import Struct

from doorward.web.pages.views.fragment import Fragment
from doorward.web.pages.views.problems import Form
from doorward.web.pages.views.said import Said
from doorward.web.pages.views.sign_in import OtherWay, ProviderButton
from doorward.web.pages.words import N_

LINK: Final = N_("Use an account of another service")


class ProviderChoiceView(Form, frozen=True):
    """/sign-in/provider: each button posts `provider`, `csrf`, `flow`. `others` are the other first factors. `used_last`: the first
    provider is the one with which somebody signed in last in this browser."""

    template: ClassVar[str] = "doorward.features.authn.providers:provider_choice.html"
    providers: tuple[ProviderButton, ...]
    flow: str | None = None
    others: tuple[OtherWay, ...] = ()
    used_last: bool = False


class AccountNeededView(Form, frozen=True):
    """/sign-in/provider/account. Posts `csrf`. `email`: the address that the provider gave, "" for none; `taken`: it is confirmed, and
    an account here has it. Without a confirmation the page is the same whoever has the address (ASVS 6.3.8)."""

    template: ClassVar[str] = "doorward.features.authn.providers:account_needed.html"
    label: str
    email: str
    taken: bool
    flow: str | None = None


class ConnectPendingView(Form, frozen=True):
    """/account/connect. Posts `decision` (connect | not), `csrf`. `email`: the address of the account at the provider, "" if it gave none."""

    template: ClassVar[str] = "doorward.features.authn.providers:connect_pending.html"
    account: str
    label: str
    email: str


class ConnectedLine(Struct, frozen=True, kw_only=True):
    """An account at a provider. `id` is posted back as `factor`; times are Unix seconds. `label` None: the provider is not offered any more."""

    id: str
    email: str
    added_at: int
    label: str | None
    mark: Markup | None = None
    last_used_at: int | None = None


class ConnectedCard(Fragment, frozen=True, kw_only=True):
    """The connected accounts, among the sign-in methods and on a page of their own. Each line posts `factor`, `csrf` to
    /account/methods/providers/disconnect, each button `provider`, `csrf` to …/connect."""

    template: ClassVar[str] = "doorward.features.authn.providers:connected_card.html"
    connected: tuple[ConnectedLine, ...]
    offered: tuple[ProviderButton, ...]


class ConnectedAccountsView(Form, frozen=True):
    """/account/methods/providers."""

    template: ClassVar[str] = "doorward.features.authn.providers:connected_accounts.html"
    card: ConnectedCard
    done: Said | None = None


class DataDeletedView(Struct, frozen=True):
    """/sign-in/provider/NAME/deleted: `at` (Unix seconds) is when what was held of an account at `label` was deleted."""

    template: ClassVar[str] = "doorward.features.authn.providers:data_deleted.html"
    label: str
    at: int
