"""A code by mail in place of the password, where the operator allows it (`email_codes.first`).

It proves the mailbox, and nothing else: the level stays AAL1, and the other factors of the account are asked for as ever.
"""

from __future__ import annotations

import hashlib
from typing import Final, final

from msgspec import Struct, structs

from doorward.core.errors import OAuthError
from doorward.core.login_name import normalise_email
from doorward.core.model.account import Account
from doorward.core.model.caller import Caller
from doorward.core.model.message import EmailChallenge
from doorward.core.model.signin import Proof, SignIn
from doorward.features.authn.email_challenges.rules import Missed, for_ticket
from doorward.features.authn.email_challenges.service import EmailChallenges
from doorward.features.authn.flow.proving import GONE, add_proof
from doorward.features.authn.flow.rules.assurance import FactorTraits
from doorward.features.authn.flow.rules.routing import DomainRoutes, RoutedDomain
from doorward.features.rate_limits.rules.attempts import Wait
from doorward.features.rate_limits.service import Throttle
from doorward.storage.sql.store import Store

TRAITS: Final = FactorTraits(
    kind="mailbox", amr=("otp",), counts_for=frozenset({"held"}), comes_first=True, restricted=True
)


def of_mailbox(account: Account, at: int) -> Proof:
    """The proof of the account's mailbox, made at `at` (seconds)."""
    return Proof(TRAITS.kind, at, TRAITS.amr, against=_state(account))


def stands(proof: Proof, account: Account) -> bool:
    """Whether the proof still counts: until the address or the password changes. Proofs that a session vouches for have no state;
    they are compared by time."""
    if proof.against is not None:
        return proof.against == _state(account)
    return proof.at >= (account.password_changed_at or 0)


def _state(account: Account) -> int:
    text = f"{account.email}:{account.password_state}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big")


@final
class ProveMailbox(Struct, frozen=True, kw_only=True):
    """Every answer about an address is the same whether or not an account has it (R80)."""

    store: Store
    challenges: EmailChallenges
    throttle: Throttle
    routes: DomainRoutes

    @property
    def minutes(self) -> int:
        """How long a code works."""
        return self.challenges.policy.ttl // 60

    async def send(
        self,
        sign_in: SignIn,
        typed: str,
        *,
        locale: str,
        caller: Caller,
        now: int,
        replaces: EmailChallenge | None = None,
    ) -> EmailChallenge | Wait | RoutedDomain | None:
        """Send a code to an address, if an account has it. None: the text is no address, or the code to replace was used meanwhile.
        `RoutedDomain`: its people sign in at a provider alone."""
        address = normalise_email(typed)
        if address is None:
            return None
        if (routed := self.routes.only(address)) is not None:
            return routed
        account = await self.store.accounts.by_email(address)
        wait = await self.throttle.mail(address, account, caller=caller, now=now)
        if wait is not None:
            return wait
        return await self.challenges.send(
            "sign_in",
            email=address,
            account=account,
            locale=locale,
            sign_in_id=sign_in.id,
            payload=for_ticket(account),
            caller=caller,
            now=now,
            replaces=replaces,
        )

    async def waiting(self, sign_in: SignIn, ticket_id: str, caller: Caller) -> EmailChallenge | None:
        """The code that waits to be typed, if it was sent for this sign-in and browser."""
        challenge = await self.challenges.held("sign_in", ticket_id, caller.browser_hash)
        usable = challenge is not None and challenge.used_at is None and challenge.sign_in_id == sign_in.id
        return challenge if usable else None

    async def prove(
        self, sign_in: SignIn, ticket_id: str, typed: str, *, caller: Caller, now: int
    ) -> SignIn | Missed | Wait | OAuthError:
        """The sign-in as stored now, after the right code; it works once."""
        if await self.waiting(sign_in, ticket_id, caller) is None:
            return Missed("unknown")
        proven = await self.challenges.by_code("sign_in", ticket_id, typed, caller=caller, now=now)
        if isinstance(proven, Missed | Wait):
            return proven
        challenge = proven.challenge
        account = await self.store.accounts.get(challenge.account_id or "")
        if account is None or account.disabled_at is not None:
            return Missed("used")
        used = self.store.messages.replace_ticket(challenge, structs.replace(challenge, used_at=now))
        if not await self.store.commit(used):
            return Missed("used")
        audit = self.challenges.audit_log.write(
            "sign_in.mailbox_proven", caller=caller, now=now, account_id=account.id
        )
        outcome = await add_proof(self.store, sign_in, account.id, of_mailbox(account, now), now, audit)
        return GONE if isinstance(outcome, OAuthError) else outcome
