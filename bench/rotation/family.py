"""One family of refresh tokens under a virtual clock, judged only by `rules.refresh.rotation`."""

from __future__ import annotations

from typing import Final

from msgspec import Struct, structs

from doorward.core.model.client import Client
from doorward.core.model.grant import Grant, RefreshToken
from doorward.core.model.policy import TokenPolicy
from doorward.features.oauth.grants.refresh_token.rules import rotation
from doorward.features.oauth.grants.refresh_token.rules.rotation import (
    Keep,
    LateRepeat,
    Repeat,
    Replayed,
    Rotate,
)
from doorward.features.oauth.tokens.rules.refresh_format import PresentedRefreshToken

POLICY: Final = TokenPolicy()
_GRANT: Final = "grt_one"
_SECRET: Final = b"f" * 32
_PUBLIC: Final = Client(id="app_one", name="app", auth_method="none", created_at=0)
_CONFIDENTIAL: Final = structs.replace(_PUBLIC, auth_method="client_secret_basic")


class Rule(Struct, frozen=True):
    """A way to judge: the settings, and the kind of app that the rule functions receive."""

    name: str
    client: Client
    leeway: int
    strict: bool = False


BEFORE: Final = Rule("before", _CONFIDENTIAL, 10)
"""The rule for every app until now, which stays for apps that authenticate; here with 10 seconds."""
STRICT: Final = Rule("strict", _PUBLIC, POLICY.refresh_leeway, strict=True)
NOW: Final = Rule("now", _PUBLIC, POLICY.refresh_leeway)
RULES: Final = (BEFORE, STRICT, NOW)


class Family:
    """A grant from its sign-in on. A token is its position in the chain: 1, 2, 3, …; knowing the number is
    having the token."""

    def __init__(self, rule: Rule, born: int) -> None:
        self.born = born
        self.ends_at = born + POLICY.refresh_ttl
        self.late: list[int] = []
        """Times of late repeats, which the owner sees under Activity."""
        self.replayed_at: int | None = None
        """When two parties were detected: the family has ended, and the owner has received mail."""
        self._rule = rule
        self._grant = Grant(
            id=_GRANT,
            client_id=rule.client.id,
            account_id="usr_one",
            audience="https://api.example.com",
            scopes=(),
            created_at=born,
            expires_at=self.ends_at,
            auth_time=born,
            acr="",
            amr=(),
        )
        self._policy = TokenPolicy(refresh_leeway=rule.leeway, refresh_strict=rule.strict)
        self._row = RefreshToken(
            grant_id=_GRANT,
            family_hash=_SECRET,
            generation=1,
            hash=_hash(1),
            created_at=born,
            expires_at=self.ends_at,
        )

    def refresh(self, token: int, now: int) -> int | None:
        """The token in the answer, or None when the request was refused."""
        if self.replayed_at is not None:
            return None
        verdict = rotation.decide(
            PresentedRefreshToken(_GRANT, token, _SECRET, _hash(token)),
            self._row,
            self._grant,
            client=self._rule.client,
            policy=self._policy,
            now=now,
        )
        match verdict:
            case Rotate():
                # the sealed successor is never opened here, so it holds the successor itself
                new = _hash(token + 1)
                self._row = rotation.rotated(
                    self._row, new_hash=new, sealed=new, leeway=self._rule.leeway, now=now
                )
                return token + 1
            case Repeat(sealed):
                return int.from_bytes(sealed)
            case LateRepeat(sealed):
                self._row = structs.replace(self._row, late_at=now)
                self.late.append(now)
                return int.from_bytes(sealed)
            case Replayed():
                self.replayed_at = now
                return None
            case Keep():
                raise AssertionError("every app here rotates")
            case _:
                return None


def _hash(token: int) -> bytes:
    return token.to_bytes(32)
