"""All signals, in the order in which equal verdicts are explained."""

from __future__ import annotations

from typing import Final

from doorward.core.model.risk import RiskSignal
from doorward.features.risk.signals.breached_password import BreachedPasswordSignal
from doorward.features.risk.signals.dormant_account import DormantAccountSignal
from doorward.features.risk.signals.family_on_two_networks import FamilyOnTwoNetworksSignal
from doorward.features.risk.signals.hidden_network import HiddenNetworkSignal
from doorward.features.risk.signals.impossible_travel import ImpossibleTravelSignal
from doorward.features.risk.signals.many_accounts_from_address import ManyAccountsSignal
from doorward.features.risk.signals.many_addresses_on_account import ManyAddressesSignal
from doorward.features.risk.signals.new_country import NewCountrySignal
from doorward.features.risk.signals.new_device import NewDeviceSignal
from doorward.features.risk.signals.password_spray import PasswordSpraySignal
from doorward.features.risk.signals.recent_change import RecentChangeSignal
from doorward.features.risk.signals.refresh_replay import RefreshReplaySignal

SIGNALS: Final[tuple[RiskSignal, ...]] = (
    FamilyOnTwoNetworksSignal(),
    RefreshReplaySignal(),
    ImpossibleTravelSignal(),
    NewCountrySignal(),
    PasswordSpraySignal(),
    ManyAccountsSignal(),
    ManyAddressesSignal(),
    BreachedPasswordSignal(),
    HiddenNetworkSignal("anonymous_network", "anonymous"),
    HiddenNetworkSignal("hosting_network", "hosting"),
    RecentChangeSignal(),
    DormantAccountSignal(),
    NewDeviceSignal(),
)
