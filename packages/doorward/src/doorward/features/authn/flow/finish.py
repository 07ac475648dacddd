"""The end of a sign-in: session, grant and code come into being in one transaction, or none of them does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from msgspec import Struct, structs

from doorward.core.model.account import Account
from doorward.core.model.caller import Caller
from doorward.core.model.client import Client
from doorward.core.model.device import describe
from doorward.core.model.digest import digest
from doorward.core.model.grant import AuthorizationCode, Grant
from doorward.core.model.policy import SessionPolicy, TokenPolicy
from doorward.core.model.request import AuthRequest
from doorward.core.model.session import EndReason, Session
from doorward.core.model.signin import SignIn
from doorward.core.ports.mail_queue import Postman
from doorward.core.ports.metrics import Meter
from doorward.core.ports.random import Chance
from doorward.core.ports.store import Store, Write
from doorward.features.audit.service import Record
from doorward.features.authn.flow.outcomes import Finished, Stale
from doorward.features.authn.flow.rules.assurance import Achieved
from doorward.features.oauth.authorize.rules.response import success
from doorward.features.oauth.clients.rules.entitle import Granted
from doorward.features.oauth.tokens.rules.refresh_life import refresh_life
from doorward.features.revocations.rules import status_index
from doorward.features.sessions.ending import Ending
from doorward.features.sessions.rules import session as session_rule

CODE_PREFIX: Final = "dw_ac_"
NEW_ACCOUNT = 3600
"""For how many seconds after an account was made a new device is no news to its owner."""

DAY = 86_400
MOST_TOLD = 20
"""Mails about new devices that one person gets in a day. Whoever knows the password causes each, and after twenty its owner knows."""

MOST_SESSIONS = 1000
"""Of one person; with the next one, the one that was seen longest ago ends. Whoever ends all of somebody's sessions holds up
everybody else's sign-out meanwhile, and tells the apps of each: how many they are is not left to who signs in."""


class Asked(Struct, frozen=True):
    """What an app asked for, and what of it is given."""

    request: AuthRequest
    client: Client
    granted: Granted


@dataclass(frozen=True, slots=True)
class Finish:
    """Builds all writes of the end, and commits them. The sign-in's own row is the guard: it ends once."""

    store: Store
    chance: Chance
    postman: Postman
    ending: Ending
    record: Record
    meter: Meter
    tokens: TokenPolicy
    sessions: SessionPolicy
    issuer: str

    async def __call__(
        self,
        sign_in: SignIn,
        *,
        account: Account,
        reached: Achieved,
        asked: Asked | None,
        old: Session | None,
        devices: tuple[bytes, ...],
        caller: Caller,
        now: int,
        first: Sequence[Write] = (),
    ) -> Finished | Stale:
        """`old` is the browser's live session, `asked` None for a sign-in to the account pages. `first` is what the commit
        begins with: a sign-in that begins and ends in one call is stored by no commit of its own."""
        writes: list[Write] = [
            *first,
            self.store.sign_ins.replace(sign_in, structs.replace(sign_in, done_at=now)),
        ]
        session, secret, more, ended = await self._session(sign_in, account, reached, old, caller, now)
        writes += more
        device_secret = None
        if secret is not None:
            # Changes nothing, but loses when the person was disabled, or chose another password, after they were read: no
            # session comes out of a proof that no longer is one (line 72).
            writes.append(self.store.accounts.replace(account, old=account))
            writes.append(
                self.record.write(
                    "sign_in.succeeded",
                    caller=caller,
                    now=now,
                    account_id=account.id,
                    session_id=session.id,
                    method=" ".join(reached.amr),
                )
            )
            # Every way in tells the owner of a new device. A page's app is known to who sits there; a JSON sign-in's is not.
            app = asked.client.name if asked is not None and sign_in.handle_hash is not None else None
            device_secret, more = await self._device(account, devices, app, caller, now)
            writes += more
        response = code = None
        if asked is not None:
            request, client = asked.request, asked.client
            code = f"{CODE_PREFIX}{self.chance.token()}"
            grant = await self._grant(asked, session, reached, now)
            writes += [
                self.store.grants.insert(grant),
                self.store.grants.insert_code(
                    self._code(code, grant, request, now, sign_in.handle_hash is None)
                ),
                self.record.write(
                    "code.issued",
                    caller=caller,
                    now=now,
                    account_id=account.id,
                    session_id=session.id,
                    client_id=client.id,
                    grant_id=grant.id,
                ),
            ]
            response = success(
                redirect_uri=request.redirect_uri,
                mode=request.response_mode,
                state=request.state,
                issuer=self.issuer,
                code=code,
                app_name=client.name,
            )
        if not await self.store.commit(*writes):
            return Stale(sign_in)
        for gone, reason in ended:
            await self.ending.late_in(gone, now=now, reason=reason)
        if secret is not None:
            self.meter.count("sign_ins", "succeeded")
        return Finished(sign_in, account, session, response, code, secret, device_secret)

    async def _session(
        self,
        sign_in: SignIn,
        account: Account,
        reached: Achieved,
        old: Session | None,
        caller: Caller,
        now: int,
    ) -> tuple[Session, str | None, list[Write], list[tuple[Session, EndReason]]]:
        """The session to go on in, its new cookie value if it has one, the writes, and which sessions end by them and why.

        It is the old one untouched, the old one under a new cookie value (step-up), or a new one: the cookie's value changes
        whenever something was proven (line 68).
        """
        mine = old if old is not None and old.account_id == account.id else None
        if mine is not None and mine.id == sign_in.session_id and not _more(reached, mine):
            # Writes nothing new, but loses when the session ends in this very moment: no grant is born in a dead session.
            alive = self.store.sessions.replace_secret(mine, structs.replace(mine, seen_at=now))
            return mine, None, [alive], []
        secret = self.chance.token()
        if mine is not None:
            renewed = structs.replace(
                mine,
                secret_hash=digest(secret),
                auth_time=reached.auth_time,
                acr=reached.acr,
                amr=reached.amr,
                seen_at=now,
            )
            return renewed, secret, [self.store.sessions.replace_secret(mine, renewed)], []
        ended: list[tuple[Session, EndReason]] = [(old, "replaced")] if old is not None else []
        live = await self.store.sessions.live_of(account.id, now, limit=MOST_SESSIONS)
        if len(live) == MOST_SESSIONS:
            ended.append((live[-1], "too_many"))
        writes = [
            write
            for gone, reason in ended
            for write in await self.ending.session(gone, now=now, reason=reason)
        ]
        _, absolute = session_rule.limits(self.sessions, reached.acr)
        session = Session(
            id=self.chance.new_id("ses"),
            secret_hash=digest(secret),
            account_id=account.id,
            created_at=now,
            seen_at=now,
            auth_time=reached.auth_time,
            expires_at=now + absolute,
            acr=reached.acr,
            amr=reached.amr,
            user_agent=caller.user_agent,
            address=caller.address,
        )
        return session, secret, [*writes, self.store.sessions.insert(session)], ended

    async def _device(
        self, account: Account, devices: tuple[bytes, ...], app: str | None, caller: Caller, now: int
    ) -> tuple[str | None, list[Write]]:
        """From now on this device is known to the account: its tries are counted by themselves, so that nobody elsewhere can
        lock the owner out (line 81). The secret by which it is known is this person's alone."""
        if devices and await self.store.sessions.known_device(devices, account.id) is not None:
            return None, []
        secret = self.chance.token()
        writes = [self.store.sessions.remember_device(digest(secret), account.id, now)]
        told = await self.store.sessions.devices_since(account.id, now - DAY, MOST_TOLD)
        if now - account.created_at >= NEW_ACCOUNT and told < MOST_TOLD:
            mail = self.postman.write(
                "new_device",
                to=account.email,
                locale=account.locale,
                now=now,
                values={"at": now, "device": describe(caller.user_agent), "app": app},
            )
            writes.append(self.store.messages.insert_mail(mail))
        return secret, writes

    async def _grant(self, asked: Asked, session: Session, reached: Achieved, now: int) -> Grant:
        request, scopes = asked.request, asked.granted.scopes
        offline = "offline_access" in scopes
        ends = now + refresh_life(asked.client, self.tokens)
        number, index = await self._status(now) if self.tokens.status_list else (None, None)
        return Grant(
            id=self.chance.new_id("grt"),
            client_id=asked.client.id,
            account_id=session.account_id,
            audience=request.audience,
            # What was agreed to: entitle() may cut it further at every issue, and never widens it (line 21).
            scopes=scopes,
            created_at=now,
            expires_at=ends if offline else min(ends, session_rule.absolute_end(session, self.sessions)),
            auth_time=reached.auth_time,
            acr=reached.acr,
            amr=reached.amr,
            session_id=session.id,
            offline=offline,
            nonce=request.nonce,
            claims=request.claims,
            status_list=number,
            status_index=index,
        )

    async def _status(self, now: int) -> tuple[int, int]:
        tries = 0
        while True:
            number = status_index.list_for(now, tries)
            index = self.chance.below(status_index.SIZE)
            if not await self.store.grants.status_index_taken(number, index):
                return number, index
            tries += 1

    def _code(
        self, code: str, grant: Grant, request: AuthRequest, now: int, redirected: bool
    ) -> AuthorizationCode:
        return AuthorizationCode(
            hash=digest(code),
            grant_id=grant.id,
            client_id=grant.client_id,
            created_at=now,
            expires_at=now + self.tokens.code_ttl,
            redirect_uri=request.redirect_uri if redirected and request.redirect_uri_given else None,
            code_challenge=request.code_challenge,
        )


def _more(reached: Achieved, session: Session) -> bool:
    """Whether something was proven that the session does not know of. Times alone do not tell: a second factor may follow the
    password within a second."""
    known = reached.acr == session.acr and set(reached.amr) <= set(session.amr)
    return not known or reached.auth_time != session.auth_time
