"""Sending of a code for a sign-in in which it is known who the person is; pages and JSON endpoint use it alike."""

from __future__ import annotations

from typing import final

from msgspec import Struct

from doorward.core.errors import OAuthError
from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.caller import Caller
from doorward.core.model.signin import SignIn
from doorward.features.authn.flow.factor import Factor
from doorward.features.authn.flow.proving import GONE
from doorward.features.authn.flow.risk import rows_of
from doorward.features.authn.flow.rules.sent_code import NotYet
from doorward.features.authn.flow.sent_code import CodeSent, SentCodes, SentCodeTyped, Undeliverable
from doorward.features.authn.flow.sign_in_flow import SignInFlow
from doorward.features.clients.directory import ClientDirectory
from doorward.features.rate_limits.rules.attempts import Wait
from doorward.storage.sql.store import Store


@final
class SendCode(Struct, frozen=True, kw_only=True):
    """Sends only what the sign-in accepts next: nobody who has not shown a first factor causes a message (R80)."""

    store: Store
    clients: ClientDirectory
    sign_in_flow: SignInFlow
    codes: SentCodes

    async def send(
        self,
        sign_in: SignIn,
        kind: str,
        *,
        to: str | None = None,
        locale: str,
        caller: Caller,
        now: int,
    ) -> CodeSent | NotYet | Wait | Undeliverable | OAuthError:
        """Send a code to the factor `to` (an id), or to the newest of this kind. invalid_session: no such factor may come next."""
        if sign_in.done_at is not None or now >= sign_in.expires_at:
            return GONE
        account, acceptable = await self.sign_in_flow.acceptable(sign_in, now)
        sender = sender_of(acceptable, kind)
        if account is None or sender is None:
            return GONE
        return await self._send(sign_in, account, sender, to=to, locale=locale, caller=caller, now=now)

    async def of_kind(self, sign_in: SignIn, account: Account, kind: str) -> list[EnrolledFactor]:
        """The account's factors of one kind that may be shown in this sign-in."""
        rows = await self.store.accounts.factors(account.id)
        found = rows_of(self.sign_in_flow.factors, sign_in, account, rows)
        return [row for row in found if row.kind == kind]

    async def send_only(
        self, sign_in: SignIn, acceptable: tuple[Factor, ...], *, locale: str, caller: Caller, now: int
    ) -> None:
        """Send a code at once if nothing else may come next but a backup: then the person need not ask for it. Where there is a choice,
        whoever knows the password cannot cause a message without asking for one."""
        main = [factor for factor in acceptable if not factor.traits.backup]
        if len(main) == 1 and sender_of(main, main[0].traits.kind) is not None:
            await self.send(sign_in, main[0].traits.kind, locale=locale, caller=caller, now=now)

    async def _send(
        self,
        sign_in: SignIn,
        account: Account,
        sender: SentCodeTyped,
        *,
        to: str | None,
        locale: str,
        caller: Caller,
        now: int,
    ) -> CodeSent | NotYet | Wait | Undeliverable | OAuthError:
        rows = await self.of_kind(sign_in, account, sender.kind)
        row = next((row for row in rows if row.id == to), rows[-1] if rows and to is None else None)
        if row is None:
            return GONE
        request = sign_in.request
        return await self.codes.send(
            sender.delivery,
            request=sign_in.id,
            account=account,
            factor=row,
            target=sender.delivery.target(account, row),
            locale=locale,
            app=await self.clients.name(request.client_id) if request is not None else None,
            caller=caller,
            now=now,
        )


def sender_of(factors: tuple[Factor, ...] | list[Factor], kind: str) -> SentCodeTyped | None:
    """The factor of this kind among `factors`, if its codes are sent."""
    for factor in factors:
        if factor.traits.kind == kind and isinstance(factor.typed_code, SentCodeTyped):
            return factor.typed_code
    return None
