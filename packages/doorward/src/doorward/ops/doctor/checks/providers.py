"""Check of external providers: whether people could sign in there now. Part of `doctor`; changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from doorward.adapters.clock import SystemClock
from doorward.adapters.random import SystemRandom
from doorward.core.model.finding import Finding, failed, passed
from doorward.settings import Settings

if TYPE_CHECKING:
    from doorward.features.authn.providers.provider import IdentityProvider


async def providers(settings: Settings) -> Finding | None:
    """What each provider answers. None: the settings have none."""
    if not settings.providers.by_name:
        return None
    now = SystemClock().now()
    known = opened(settings)
    found = [(name, await one.examine(now)) for name, one in known.items()]
    broken = [f"{name}: {one.problem}" for name, one in found if one.problem is not None]
    if broken:
        return failed(
            "; ".join(broken), "Nobody can sign in there now. Try one with doorward provider test NAME."
        )
    warned = [f"{name}: {warning}" for name, one in found for warning in one.warnings]
    said = ", ".join(f"{name} answers ({one.service.name})" for name, one in known.items())
    return passed(f"{said}. {'; '.join(warned)}" if warned else said)


def opened(settings: Settings) -> Mapping[str, IdentityProvider]:
    """The providers of these settings, without a database."""
    from doorward.features.authn.providers.build import providers_of

    return providers_of(
        settings.providers,
        issuer=settings.issuer,
        clock=SystemClock(),
        random=SystemRandom(),
        development=settings.development,
        ca_file=settings.ca_file,
    )
