"""Sign-up, second half: the address is proven, the account is created, and the sign-in continues."""

from __future__ import annotations

from msgspec import Struct, structs

from doorward.core.errors import OAuthError
from doorward.core.model.account import Account
from doorward.core.model.caller import Caller
from doorward.core.model.message import EmailChallenge
from doorward.core.model.signin import SignIn
from doorward.features.audit.service import AuditLog
from doorward.features.authn.email_challenges.rules import Missed, Proven
from doorward.features.authn.factors.password.rules.proof import of_password
from doorward.features.authn.factors.password.service import add_proof
from doorward.features.authn.flow.new_account import NewAccounts
from doorward.storage.sql.store import Store


class VerifiedAddress(Struct, frozen=True):
    """The new account and its used challenge, which names the sign-in to continue, if there was one."""

    account: Account
    challenge: EmailChallenge


class VerifyAddress(Struct, frozen=True, kw_only=True):
    """Creates the account after the proof of its address, in the browser that requested the mail."""

    store: Store
    accounts: NewAccounts
    audit_log: AuditLog

    async def go_on(self, sign_in: SignIn, verified: VerifiedAddress, now: int) -> SignIn | OAuthError:
        """Count the sign-up as the proof of the password.

        The password was typed in this browser minutes ago, and the mailbox was proven since; asking for it again would prove nothing
        more. The proof carries the time of typing, so that max_age and prompt=login hold.
        """
        proof = of_password(verified.account, verified.challenge.created_at)
        return await add_proof(self.store, sign_in, verified.account.id, proof, now)

    async def accept(self, proven: Proven, *, caller: Caller, now: int) -> VerifiedAddress | Missed:
        """The account, made after the proof of its address."""
        challenge = proven.challenge
        payload = challenge.payload
        account = self.accounts.begun(
            email=challenge.email,
            now=now,
            name=payload.get("name"),
            locale=payload.get("locale"),
            password_hash=payload["password_hash"],
            # The time of choice, not of the click in the mail: proofs made since then are proofs of this password.
            password_changed_at=challenge.created_at,
        )
        created = await self.accounts.writes(account, by="sign_up", caller=caller, now=now)
        made = await self.store.commit(
            # The account holds the hash now, so the challenge's copy is removed.
            self.store.messages.replace_ticket(
                challenge, structs.replace(challenge, used_at=now, payload={})
            ),
            *(created or ()),
            self.audit_log.write("sign_up.completed", caller=caller, now=now, account_id=account.id),
        )
        # Lost race: the challenge was used, or another sign-up took the address meanwhile; in both cases this sign-up is over.
        return VerifiedAddress(account, challenge) if made else Missed("used")
