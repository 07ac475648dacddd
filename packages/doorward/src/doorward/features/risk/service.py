"""Judge of sign-ins: gathers the facts, asks the rules, and writes down what was decided."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, Final, final

from msgspec import Struct, structs

from doorward.core.model.account import Account
from doorward.core.model.bucket import Bucket
from doorward.core.model.caller import Caller
from doorward.core.model.device import describe
from doorward.core.model.risk import Assessment, RiskFacts, Whereabouts
from doorward.core.model.signin import SignIn
from doorward.core.ports.places import Places
from doorward.features.audit.service import AuditLog
from doorward.features.authn.flow.risk import Judged
from doorward.features.rate_limits.rules import attempts
from doorward.features.rate_limits.service import Throttle
from doorward.features.risk.rules.assess import assess
from doorward.features.risk.rules.history import (
    ASSESSED,
    FAILED,
    KINDS,
    LONGEST,
    SHADOWED,
    history,
    with_history,
)
from doorward.features.risk.rules.where import whereabouts
from doorward.features.risk.settings import HOUR, RiskPolicy
from doorward.features.risk.views import explained, named
from doorward.features.sessions.revoker import Revoker
from doorward.storage.sql.store import Store, Write
from doorward.web.pages.views.why import Why

MOST_LINES: Final = 100
"""Audit lines that are read of one account."""
MOST_FAILED: Final = 60
_WITHOUT_FAILED: Final = tuple(kind for kind in KINDS if kind != FAILED)
_UNLIMITED: Final = 2**31 - 1


@final
class RiskCheck(Struct, frozen=True, kw_only=True):
    """One read for a device that the account knows, three for others."""

    store: Store
    policy: RiskPolicy
    places: Places
    throttle: Throttle
    revoker: Revoker
    audit_log: AuditLog

    async def judge(self, sign_in: SignIn, account: Account, caller: Caller, now: int) -> Judged:
        """The verdict on a sign-in whose first factor was right, and what records it. Nothing is committed here."""
        if self.policy.mode == "off":
            return Judged()
        known = await self.store.sessions.device_of(caller.devices, account.id) if caller.devices else None
        facts = await self.facts(sign_in, account, caller, now, known=known is not None)
        found = assess(facts, self.policy)
        at_end = self._arrival(facts)
        if found.verdict == "allow":
            return Judged(at_end=at_end, looked_up=True, known=known)
        shadow = self.policy.mode == "shadow"
        writes = [
            self._line(
                SHADOWED if shadow else ASSESSED,
                found,
                account,
                caller,
                now,
                sign_in=sign_in.id,
                known=known is not None,
            )
        ]
        if found.verdict == "end" and not shadow:
            writes += await self.revoker.account(account.id, now=now, reason="revoked", sub_entry=True)
        verdict = "allow" if shadow else found.verdict
        return Judged(verdict, tuple(writes), at_end, looked_up=True, known=known)

    async def ended(self, account: Account, now: int) -> None:
        """End what was made while the verdict was committed."""
        await self.revoker.late(account.id, now=now, reason="revoked")

    async def because(self, sign_in: SignIn) -> tuple[Why, ...]:
        """Why this sign-in is asked for more, for somebody who has shown a first factor only: of other sign-ins, which may be the owner's,
        nothing is told. Empty if that is not in the newest lines."""
        if sign_in.account_id is None:
            return ()
        lines = await self.store.audit.of_account(
            sign_in.account_id, (ASSESSED,), since=sign_in.created_at, limit=MOST_LINES
        )
        own = next((line for line in lines if line.detail.get("sign_in") == sign_in.id), None)
        return () if own is None else explained(own.detail, to_owner=False)

    async def facts(
        self, sign_in: SignIn, account: Account, caller: Caller, now: int, *, known: bool
    ) -> RiskFacts:
        """What the signals read, as the server knows it now. `known`: the account knows the device."""
        audit, since = self.store.audit, now - LONGEST
        lines = list(await audit.of_account(account.id, _WITHOUT_FAILED, since=since, limit=MOST_LINES))

        # most of up to 160 lines come from a few addresses
        @cache
        def where(address: str | None) -> Whereabouts:
            return whereabouts(address, self.places)

        facts = RiskFacts(
            at=now,
            where=where(caller.address),
            browser=describe(caller.user_agent),
            device_known=known,
            password=any("pwd" in proof.amr for proof in sign_in.proofs),
            account_created_at=account.created_at,
        )
        if not known:
            # strangers cause these lines, so they are read apart: however many there are, they hide none of the others
            lines += await audit.of_account(account.id, (FAILED,), since=now - 24 * HOUR, limit=MOST_FAILED)
            facts = await self._counted(facts, caller, now)
        lines.sort(key=lambda line: line.id, reverse=True)
        return with_history(facts, history(lines, where, now))

    async def _counted(self, facts: RiskFacts, caller: Caller, now: int) -> RiskFacts:
        """With what the rate limits have counted for the network."""
        if not facts.where.network:
            return facts
        throttle = self.throttle
        missed, *_ = attempts.of_networks(caller.address, policy=throttle.policy, tag=throttle.tag)
        counted = await throttle.counters.counted((missed, self._arrivals(facts)), now)
        (_, misses, _), (_, accounts, _) = counted
        return structs.replace(facts, misses_from_network=misses, accounts_on_network=accounts)

    def _arrival(self, facts: RiskFacts) -> tuple[Write, ...]:
        """Counts this account for its network, once an hour, if the device is new."""
        since = facts.at - HOUR
        network = facts.where.network
        again = any(one.at > since and one.where.network == network for one in facts.past)
        if facts.device_known or not network or again:
            return ()
        bucket = self._arrivals(facts)
        return (self.store.attempts.add(bucket.key, facts.at, bucket.window),)

    def _arrivals(self, facts: RiskFacts) -> Bucket:
        return Bucket(self.throttle.tag(f"risk:arrivals:{facts.where.network}"), _UNLIMITED, HOUR)

    def _line(
        self,
        kind: str,
        found: Assessment,
        account: Account,
        caller: Caller,
        now: int,
        *,
        sign_in: str,
        known: bool,
    ) -> Write:
        return self.audit_log.write(
            kind,
            caller=caller,
            now=now,
            account_id=account.id,
            ok=found.verdict not in {"refuse", "end"},
            sign_in=sign_in,
            verdict=found.verdict,
            reasons=[one.code for one in found.reasons],
            **places_of(found),
            **({} if known else {"new_device": "yes"}),
        )


def places_of(found: Assessment) -> dict[str, Any]:
    """Both places of a verdict and the time of the earlier one, as they stand in its audit line."""
    reasons: Sequence[Any] = found.reasons
    of = next(
        (one for one in reasons if one.here and one.before), next((one for one in reasons if one.here), None)
    )
    if of is None:
        return {}
    about: dict[str, Any] = {"here": named(of.here)}
    if of.before is not None:
        about["before"] = named(of.before)
    if of.before_at is not None:
        about["before_at"] = of.before_at
    return about
