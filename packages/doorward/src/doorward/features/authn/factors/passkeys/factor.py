"""Passkeys in the sign-in flow: two kinds of proof by one kind of credential."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final, final

from msgspec import json, structs

from doorward.core.errors import OAuthError
from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.caller import Caller
from doorward.core.model.passkey import Passkey
from doorward.core.model.signin import Proof, SignIn
from doorward.features.authn.factors.passkeys.build import prove_passkey, rp_id
from doorward.features.authn.factors.passkeys.messages import NAME, NAMED
from doorward.features.authn.factors.passkeys.rules.proof import KINDS, PASSKEY, SECURITY_KEY
from doorward.features.authn.factors.passkeys.settings import PasskeyPolicy
from doorward.features.authn.factors.passkeys.views import PasskeyOffer
from doorward.features.authn.flow.factor import RememberingStep, UnsureFactors
from doorward.features.authn.flow.held import HeldFactor, NoticeName
from doorward.features.authn.flow.pages import FlowPages, with_flow
from doorward.features.authn.flow.plug import FactorPlug
from doorward.features.authn.flow.remembered import DeviceToRemember
from doorward.features.authn.flow.rules.assurance import FactorTraits
from doorward.features.authn.flow.rules.standing import stands_by
from doorward.features.services import Services
from doorward.features.sessions.browser_context import BrowserPages
from doorward.storage.sql.store import Store
from doorward.web.pages.words import N_, Words
from doorward.web.route import Route

if TYPE_CHECKING:
    from doorward.features.authn.factors.passkeys.proving import ProvePasskey

PATH: Final = "/sign-in/passkey"
STEP: Final = "passkey"


@final
class PasskeyStep(RememberingStep, frozen=True, kw_only=True):
    """The step with `passkey`, the answer of the app's own call, in the JSON sign-in."""

    proving: Callable[[], ProvePasskey]
    name: str = STEP
    field: str = STEP
    meaning: ClassVar[str] = (
        "In a JSON sign-in the answer of the authenticator to `options`, as JSON text (Web Authentication Level 3 §5.1)."
    )

    async def prove_on(
        self,
        sign_in: SignIn,
        params: Mapping[str, str],
        *,
        remember: DeviceToRemember | None,
        caller: Caller,
        now: int,
    ) -> SignIn | OAuthError:
        """The same proof as on the page; only for the person whom the sign-in knows, if it knows one."""
        return await self.proving().prove(
            sign_in,
            params[self.field],
            binding=sign_in.id,
            browser_hash=sign_in.handle_hash or b"",
            caller=caller,
            now=now,
            may_switch=False,
            remember=remember,
        )


class _Passkeys(FactorPlug, frozen=True, kw_only=True):
    """What both kinds share. `proving` is called when the first answer comes: the service needs the list of factors."""

    store: Store
    proving: Callable[[], ProvePasskey]
    path: str = PATH
    step: str = STEP

    async def described(
        self, sign_in: SignIn, account: Account | None, rows: Sequence[EnrolledFactor], now: int
    ) -> Mapping[str, Any]:
        """What the app passes to the authenticator."""
        del account, rows
        options = await self.proving().options(sign_in, browser_hash=sign_in.handle_hash or b"", now=now)
        return {"options": options}

    async def held(self, account: Account, rows: Sequence[EnrolledFactor]) -> Sequence[HeldFactor]:
        """Both kinds under one name, each with its own name and last use."""
        own = [row for row in rows if row.kind == self.traits.kind]
        if not own:
            return ()
        passkeys = {one.factor_id: one for one in await self.store.passkeys.of_account(account.id)}
        return [_held(row, passkeys.get(row.id)) for row in own]

    def named(self, one: HeldFactor) -> NoticeName:
        """By its own name."""
        return NoticeName(NAME) if one.name is None else NoticeName(NAMED, {"name": one.name})

    def stands(self, proof: Proof, account: Account, rows: Sequence[EnrolledFactor]) -> bool:
        """Whether the passkey is still there; for a proof from a session, whether one is there that was there then."""
        del account
        return stands_by(proof, rows, KINDS)


@final
class PasskeyFactor(_Passkeys, frozen=True, kw_only=True):
    """A passkey with user verification: first or second, and enough alone."""

    traits: FactorTraits = PASSKEY
    link: str = N_("Use your passkey")

    def routes(self, pages: BrowserPages, flow: FlowPages) -> Sequence[Route]:
        """The page of both kinds."""
        from doorward.features.authn.factors.passkeys.routes import PasskeyPage

        return PasskeyPage(flow=flow, prove_passkey=self.proving()).routes(pages)

    def offer(self, browser_hash: bytes, flow: str | None, now: int) -> PasskeyOffer | None:
        """Suggestions in the field for the address, and a button; any passkey may answer."""
        options = self.proving().ceremonies.to_get(
            None, binding=flow or "", browser_hash=browser_hash, now=now
        )
        return PasskeyOffer(options=json.encode(options).decode(), renew=with_flow(f"{PATH}/options", flow))

    async def unsure(self, account: Account, rows: Sequence[EnrolledFactor]) -> UnsureFactors:
        """A password manager may have made a passkey without a question: its owner need not know of it, nor have it on this device. One
        that was copied is refused, and has to be removed. Of both kinds."""
        if all(row.kind not in KINDS for row in rows):
            return UnsureFactors()
        passkeys = await self.store.passkeys.of_account(account.id)
        return UnsureFactors(
            silent=frozenset(one.factor_id for one in passkeys if one.made_silently),
            unreliable=frozenset(
                one.factor_id
                for one in passkeys
                if one.suspect_at is not None or (one.made_silently and one.last_used_at is None)
            ),
        )

    def enrolled(self, account: Account, rows: Sequence[EnrolledFactor]) -> bool:
        """Every passkey can be used so, whether or not it is asked for after a password."""
        del account
        return any(row.kind in KINDS for row in rows)

    def names(self, account: Account, rows: Sequence[EnrolledFactor], locale: str) -> Sequence[str]:
        """A passkey, by its usual name."""
        return (Words(locale).text(NAME),) if self.enrolled(account, rows) else ()

    async def lets_in(self, account: Account, rows: Sequence[EnrolledFactor]) -> bool:
        """The same, without those that are refused since a copy of them was used."""
        passkeys = await self.proving().store.passkeys.of_account(account.id)
        copied = {one.factor_id for one in passkeys if one.suspect_at is not None}
        return self.enrolled(account, [row for row in rows if row.id not in copied])


@final
class SecurityKeyFactor(_Passkeys, frozen=True, kw_only=True):
    """A passkey that its owner wants to be asked for after the password, too; user verification is not needed then."""

    traits: FactorTraits = SECURITY_KEY
    link: str = N_("Use your passkey")


def _held(row: EnrolledFactor, passkey: Passkey | None) -> HeldFactor:
    held = HeldFactor(id=row.id, kind=PASSKEY.kind, added_at=row.created_at)
    if passkey is None:
        return held
    return structs.replace(
        held,
        last_used_at=passkey.last_used_at,
        name=passkey.name or None,
        suspect_at=passkey.suspect_at,
    )


def passkey_factors(services: Services) -> tuple[FactorPlug, ...]:
    """Passkeys, and those that are asked for after a password; not offered where there are no passkeys."""
    offered = services.get(rp_id) is not None

    def proving() -> ProvePasskey:
        return services.get(prove_passkey)

    step = PasskeyStep(proving=proving)
    # without the operator's file about makers no attestation is verified, and the levels of hardware are out of reach
    attested = services.sections.of(PasskeyPolicy).metadata is not None
    return (
        PasskeyFactor(
            traits=structs.replace(PASSKEY, hardware=attested),
            store=services.store,
            proving=proving,
            json_step=step,
            offered=offered,
        ),
        SecurityKeyFactor(
            traits=structs.replace(SECURITY_KEY, hardware=attested),
            store=services.store,
            proving=proving,
            offered=offered,
        ),
    )
