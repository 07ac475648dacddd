"""Sign-up, first half: address, password and mail. The account is created only after the address is proven (R90)."""

from __future__ import annotations

from msgspec import Struct

from doorward.core.login_name import new_email, normalise_name
from doorward.core.model.account import Account
from doorward.core.model.caller import Caller
from doorward.core.model.message import EmailChallenge
from doorward.core.model.secret import Secret
from doorward.core.ports.passwords import PasswordHasher
from doorward.features.authn.email_challenges.service import EmailChallenges
from doorward.features.authn.factors.password.policy import JudgePassword
from doorward.features.authn.factors.password.rules.password import Weak, prepare
from doorward.features.authn.flow.offered import OfferedFactors
from doorward.features.authn.flow.rules.routing import DomainRoutes, RoutedDomain
from doorward.features.rate_limits.rules.attempts import Wait
from doorward.features.rate_limits.service import Throttle
from doorward.storage.sql.store import Store


class Amiss(Struct, frozen=True):
    """Errors of the form. None of them depends on whether the account exists. `beyond_ascii`: the address is valid, but has non-ASCII
    letters and this server cannot send mail to it."""

    email: bool = False
    beyond_ascii: bool = False
    name: bool = False
    password: Weak | None = None


class SignUp(Struct, frozen=True, kw_only=True):
    """Checks and stores the data of the account and sends code and link. `beyond_ascii`: whether this server can send mail to addresses
    with non-ASCII letters before the @."""

    store: Store
    hasher: PasswordHasher
    judge: JudgePassword
    throttle: Throttle
    email_challenges: EmailChallenges
    factors: OfferedFactors
    routes: DomainRoutes
    beyond_ascii: bool = True

    async def begin(
        self,
        *,
        email: str,
        password: Secret,
        name: str,
        locale: str,
        sign_in_id: str | None,
        caller: Caller,
        now: int,
    ) -> EmailChallenge | Amiss | Wait | RoutedDomain:
        """A challenge whether or not the address is taken, after the same work (R80). `RoutedDomain`: people of this domain sign up at a
        provider alone. Raises `HashingBusy`."""
        if (routed := self.routes.only(email)) is not None:
            return routed
        address, called = new_email(email), normalise_name(name)
        # Cheap checks are not rate-limited. The strength estimate costs more than a hash and anybody may request one, so it is.
        weak = self.judge.measure(password, second_factor=False)
        unreached = address is not None and not self.beyond_ascii and not address.isascii()
        if address is None or unreached or called is None or weak is not None:
            return Amiss(email=address is None, beyond_ascii=unreached, name=called is None, password=weak)
        wait = await self.throttle.estimate(caller.address, now)
        if wait is not None:
            return wait
        weak = await self.judge.judge(password, email=address, name=called, second_factor=False)
        if weak is not None:
            return Amiss(password=weak)
        account = await self.store.accounts.by_email(address)
        wait = await self.throttle.mail(address, account, caller=caller, now=now)
        if wait is not None:
            return wait
        hashed = await self.hasher.hash(Secret(prepare(password.reveal())))
        challenge = await self.email_challenges.send(
            "sign_up",
            email=address,
            account=account,
            locale=locale,
            sign_in_id=sign_in_id,
            payload={"password_hash": hashed, "name": called or None, "locale": locale},
            caller=caller,
            now=now,
            ways=await self._ways(account, locale),
        )
        if challenge is None:
            raise AssertionError("a new ticket has no guard to lose")
        return challenge

    async def again(self, ticket_id: str, *, caller: Caller, now: int) -> EmailChallenge | Wait | None:
        """Send another mail for the same sign-up; the earlier code and link stop working. None: there is nothing to send again."""
        old = await self.email_challenges.held("sign_up", ticket_id, caller.browser_hash)
        if old is None or old.used_at is not None:
            return None
        account = await self.store.accounts.by_email(old.email)
        wait = await self.throttle.mail(old.email, account, caller=caller, now=now)
        if wait is not None:
            return wait
        return await self.email_challenges.send(
            "sign_up",
            email=old.email,
            account=account,
            locale=str(old.payload.get("locale") or ""),
            sign_in_id=old.sign_in_id,
            payload=old.payload,
            caller=caller,
            now=now,
            replaces=old,
            ways=await self._ways(account, str(old.payload.get("locale") or "")),
        )

    async def _ways(self, account: Account | None, locale: str) -> tuple[str, ...]:
        """What the owner of the address signs in with, if they have no password; read for a free address too, in the same time (R80)."""
        rows = await self.store.accounts.factors(account.id if account is not None else "")
        spoken = account.locale if account is not None and account.locale else locale
        return self.factors.instead_of_password(account, rows, spoken)
