"""Parts of directories: all that their folder adds to the server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from doorward.features.authn.directories.build import (
    directory_cards,
    directory_routes,
    password_sources,
    recheck_directories,
)
from doorward.features.authn.directories.factor import directory_factors
from doorward.features.authn.directories.messages import PasswordElsewhere
from doorward.features.authn.directories.settings import DirectoryPolicies
from doorward.features.authn.flow.plug import FactorParts
from doorward.features.feature import BackgroundJob
from doorward.features.services import Services


def _jobs(services: Services) -> Sequence[BackgroundJob]:
    """None where the settings name no directory."""
    if not services.sections.of(DirectoryPolicies).by_name:
        return ()
    return (BackgroundJob(name="directories", run=services.get(recheck_directories).run),)


DIRECTORIES: Final = FactorParts(
    factors=directory_factors,
    card=directory_cards,
    messages=(PasswordElsewhere,),
    routes=directory_routes,
    jobs=_jobs,
    sources=password_sources,
)
