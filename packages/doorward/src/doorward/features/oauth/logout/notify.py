"""Logout token that notifies an app of the end of a session, made at the time of sending (Back-Channel Logout 1.0 §2.5, R76)."""

from __future__ import annotations

from dataclasses import dataclass

from doorward.core.model.message import LogoutNotice
from doorward.core.ports.config_snapshot import ConfigSource
from doorward.core.ports.keys import TokenSigner
from doorward.core.ports.random import SecureRandom
from doorward.features.oauth.logout.rules import logout_token as rule


@dataclass(frozen=True, slots=True, kw_only=True)
class LogoutToken:
    """Makes logout tokens for the outbox, which delivers them."""

    config: ConfigSource
    signer: TokenSigner
    random: SecureRandom
    issuer: str

    def make(self, notice: LogoutNotice, *, now: int) -> tuple[str, str] | None:
        """(URI to POST to, logout token), or None if the app was deleted or has no notification URI any more."""
        client = self.config.current().clients.get(notice.client_id)
        if client is None or client.backchannel_logout_uri is None:
            return None
        said = rule.claims(notice, issuer=self.issuer, now=now, unique=self.random.token(16))
        token = self.signer.sign(said, typ=rule.TYP, alg=client.id_token_signed_alg)
        return client.backchannel_logout_uri, token
