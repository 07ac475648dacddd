"""Security event tokens, signed when they are sent."""

from __future__ import annotations

from msgspec import Struct

from doorward.core.model.security_event import EventStream, SecurityEvent
from doorward.core.ports.keys import TokenSigner
from doorward.features.security_events.rules import event_token as rule


class EventTokens(Struct, frozen=True, kw_only=True):
    """Signs events. The claims of an event are the same at each try; only the key may be a newer one."""

    signer: TokenSigner
    issuer: str

    def make(self, event: SecurityEvent, stream: EventStream) -> str:
        """The token. Raises KeyError while there is no key for RS256."""
        return self.signer.sign(rule.claims(event, stream, issuer=self.issuer), typ=rule.TYP, alg=rule.ALG)
