"""Any OpenID provider: the service of a section that names no other."""

from __future__ import annotations

from typing import Final

from doorward.features.authn.providers.services.service import ProviderService

OPENID: Final = ProviderService(name="openid")
