"""Index of the services that a section of `[providers]` can name."""

from __future__ import annotations

from typing import Final

from doorward.features.authn.providers.services.apple import APPLE
from doorward.features.authn.providers.services.discord import DISCORD
from doorward.features.authn.providers.services.entra import ENTRA
from doorward.features.authn.providers.services.facebook import FACEBOOK
from doorward.features.authn.providers.services.github import GITHUB
from doorward.features.authn.providers.services.gitlab import GITLAB
from doorward.features.authn.providers.services.google import GOOGLE
from doorward.features.authn.providers.services.linkedin import LINKEDIN
from doorward.features.authn.providers.services.oauth2 import OAUTH2
from doorward.features.authn.providers.services.openid import OPENID
from doorward.features.authn.providers.services.service import ProviderService
from doorward.features.authn.providers.services.slack import SLACK

SERVICES: Final[tuple[ProviderService, ...]] = (
    OPENID,
    OAUTH2,
    GOOGLE,
    APPLE,
    ENTRA,
    DISCORD,
    FACEBOOK,
    GITHUB,
    GITLAB,
    LINKEDIN,
    SLACK,
)
BY_NAME: Final = {one.name: one for one in SERVICES}


def service_for(section: str, chosen: str | None) -> ProviderService:
    """The service of the section with this name: the one that its setting `service` names, else the one of the same name, else any OpenID
    provider. An unknown one is treated as the latter; the check of the settings refuses it."""
    return BY_NAME.get(chosen or section, OPENID)
