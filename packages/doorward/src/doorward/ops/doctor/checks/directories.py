"""Check of directories: whether people could sign in by each now. Part of `doctor`; changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from doorward.adapters.clock import SystemClock
from doorward.adapters.random import SystemRandom
from doorward.core.model.finding import Finding, failed, passed
from doorward.settings import Settings

if TYPE_CHECKING:
    from doorward.features.authn.directories.client import Directory


async def directories(settings: Settings) -> Finding | None:
    """What each directory answers: TLS, the bind of the service account, the base, the clock. None: the settings have none."""
    if not settings.directories.by_name:
        return None
    # imported here: most servers have no directory
    from doorward.features.authn.directories.examine import examine_directory

    found = [(name, await examine_directory(one)) for name, one in opened(settings).items()]
    broken = [f"{name}: {one.problem}" for name, one in found if one.problem is not None]
    if broken:
        return failed(
            "; ".join(broken), "Nobody can sign in by it now. Try it with doorward directory test NAME."
        )
    warned = [f"{name}: {warning}" for name, one in found for warning in one.warnings]
    said = ", ".join(f"{name} answers, with {one.people} people" for name, one in found)
    return passed(f"{said}. {'; '.join(warned)}" if warned else said)


def opened(settings: Settings) -> Mapping[str, Directory]:
    """The directories of these settings, without a database."""
    from doorward.features.authn.directories.build import directories_of

    return directories_of(
        settings.directories, clock=SystemClock(), random=SystemRandom(), ca_file=settings.ca_file
    )
