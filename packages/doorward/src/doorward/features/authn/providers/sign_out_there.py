"""Log-out at the provider after one here (OpenID Connect RP-Initiated Logout 1.0), and the way back to the app."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, final
from urllib.parse import urlencode

from msgspec import Struct

from doorward.core.ports.keys import Sealer
from doorward.features.authn.flow.factor import PROVIDER_PATH
from doorward.features.authn.providers.provider import ProviderUnavailable
from doorward.features.sessions.browser_context import BrowserPages, PageVisit
from doorward.storage.sql.store import Store
from doorward.web.http import Response, redirect
from doorward.web.route import Route
from doorward_verify.encoding import Malformed, b64url_decode, b64url_encode

if TYPE_CHECKING:
    from doorward.features.authn.providers.openid import OpenIdProvider

SIGNED_OUT: Final = "/signed-out"
STATE_PURPOSE: Final = "provider-signed-out"
_MAX_STATE: Final = 6000


class SignOutThere(Struct, frozen=True, kw_only=True):
    """Where a browser is signed out at the provider of this name. `always`: it goes there without being asked."""

    name: str
    label: str
    url: str
    always: bool


def back_path(name: str) -> str:
    """The path of the post_logout_redirect_uri to register at this provider."""
    return f"{PROVIDER_PATH}/{name}/signed-out"


@final
class ProviderSignOut(Struct, frozen=True, kw_only=True):
    """Finds the provider to leave to. No ID token is stored, so its request has `client_id` and no hint (§2), and the provider may ask."""

    store: Store
    providers: Mapping[str, OpenIdProvider]
    sealer: Sealer
    issuer: str

    async def of_session(self, session_id: str, target: str | None) -> SignOutThere | None:
        """The provider by which somebody signed in to this session. `target`: where the app wants them afterwards, which was checked
        before; None: the page here. None: there is no such provider, it has no log-out, or its settings do not want it."""
        issuers = {
            issuer for issuer, _ in await self.store.external_identities.issuers_of_session(session_id)
        }
        for name, provider in self.providers.items():
            vouched = provider.service.vouches_for(provider.policy)
            if not issuers.isdisjoint(vouched) and provider.policy.log_out != "never":
                return await self.named(name, target)
        return None

    async def named(self, name: str, target: str | None) -> SignOutThere | None:
        """The same for a provider of this name. Also None while its metadata cannot be had: whoever signs out here is not kept waiting."""
        provider = self.providers.get(name)
        if provider is None or provider.policy.log_out == "never":
            return None
        try:
            endpoint = (await provider.documents.metadata()).end_session_endpoint
        except ProviderUnavailable:
            return None
        if endpoint is None:
            return None
        asked = {
            "client_id": provider.policy.client_id,
            "post_logout_redirect_uri": f"{self.issuer}{back_path(name)}",
            **({"state": self._state(name, target)} if target is not None else {}),
        }
        url = f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}"
        always = provider.policy.log_out == "always"
        return SignOutThere(name=name, label=provider.policy.label, url=url, always=always)

    def target(self, name: str, state: str) -> str | None:
        """Where the browser goes on after this provider. None: this server did not make the state for it."""
        said, _, tag = state[:_MAX_STATE].partition(".")
        if not hmac.compare_digest(tag.encode("utf-8", "replace"), self._tag(name, said).encode()):
            return None
        try:
            return b64url_decode(said).decode()
        except (Malformed, UnicodeDecodeError):
            return None

    def _state(self, name: str, target: str) -> str:
        said = b64url_encode(target.encode())
        return f"{said}.{self._tag(name, said)}"

    def _tag(self, name: str, said: str) -> str:
        return self.sealer.tag(STATE_PURPOSE, f"{name} {said}")

    def routes(self, pages: BrowserPages) -> Sequence[Route]:
        """The way back from each provider."""
        return [self._back(pages, name) for name in self.providers]

    def _back(self, pages: BrowserPages, name: str) -> Route:
        async def come_back(visit: PageVisit) -> Response:
            """After the log-out at an external provider: to the app that asked for it, else to the page that says so."""
            target = self.target(name, visit.query.get("state", ""))
            return visit.browser.go(SIGNED_OUT) if target is None else redirect(target)

        return pages.get(back_path(name), come_back, takes="state")
