"""Own API keys: what a signed-in person does with theirs (R73, R74, R93)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import final

from msgspec import Struct

from doorward.core.model.account import Account
from doorward.core.model.api_key import ApiKey
from doorward.core.model.caller import Caller
from doorward.core.ports.config_snapshot import ConfigSource
from doorward.core.ports.mail_queue import MailQueue, owner_mail
from doorward.core.ports.metrics import Metrics
from doorward.features.api_keys.making import ApiKeyMaker, NewApiKey
from doorward.features.api_keys.rules import draft as rule
from doorward.features.api_keys.rules.cut import of_person
from doorward.features.api_keys.rules.draft import Draft, DraftFault
from doorward.features.api_keys.settings import ApiKeyPolicy
from doorward.features.audit.service import AuditLog
from doorward.features.rate_limits.rules.attempts import Wait
from doorward.features.rate_limits.service import Throttle
from doorward.features.sessions.revoker import Revoker
from doorward.storage.sql.store import Store, Write


@final
class OwnApiKeys(Struct, frozen=True, kw_only=True):
    """The owner is the person of the session: no method takes the name of another one (CVE-2025-61928)."""

    store: Store
    config: ConfigSource
    maker: ApiKeyMaker
    policy: ApiKeyPolicy
    throttle: Throttle
    audit_log: AuditLog
    mail_queue: MailQueue
    revoker: Revoker
    metrics: Metrics

    def held(self, account: Account) -> Mapping[str, Sequence[str]]:
        """By API, what a key of this person could allow now; nothing where people may have none."""
        return of_person(account, self.config.current()) if self.policy.people else {}

    async def concern(self, account: Account) -> bool:
        """Whether there is anything to show this person: a key, or what a key could be for."""
        return bool(self.held(account)) or bool(await self.store.api_keys.of_account(account.id, limit=1))

    async def find(self, account: Account) -> Sequence[ApiKey]:
        """Their keys, newest first, ended and expired ones too."""
        return await self.store.api_keys.of_account(account.id)

    async def get(self, account: Account, key_id: str, now: int) -> ApiKey | None:
        """One of their live keys."""
        found = await self.store.api_keys.get(key_id)
        return found[0] if found and found[0].account_id == account.id and found[0].live(now) else None

    async def create(
        self, account: Account, draft: Draft, *, caller: Caller, now: int, session_id: str | None = None
    ) -> NewApiKey | DraftFault | Wait | None:
        """A new key; None if they have as many as one may have, or the session in which they ask has ended. The owner gets a mail."""
        good = rule.checked(draft, held=self.held(account), policy=self.policy)
        if isinstance(good, str):
            return good
        wait = await self.throttle.change("api_keys", account.id, now)
        if wait is not None:
            return wait
        made = self.maker.new(good, account_id=account.id, client_id=None, now=now)
        key = made.key
        writes: list[Write] = [
            self.store.api_keys.insert(key, most=self.policy.most, now=now),
            # or a key would outlive the end of everything by which this session ended
            *([] if session_id is None else [self.store.sessions.alive(session_id)]),
            self._event("api_key.created", key, caller, now),
            *self._mail("api_key_created", account, key, caller, now),
        ]
        if not await self.store.commit(*writes):
            return None
        self.metrics.inc("api_keys", "created")
        return made

    async def rotate(
        self, account: Account, key_id: str, *, overlap: int, caller: Caller, now: int
    ) -> NewApiKey | DraftFault | Wait | None:
        """Another secret for a key; None if it is gone, or people may have none any more."""
        if not self.policy.people:
            return None
        if not 0 <= overlap <= self.policy.longest_overlap:
            return "overlap"
        wait = await self.throttle.change("api_keys", account.id, now)
        if wait is not None:
            return wait
        key = await self.get(account, key_id, now)
        if key is None:
            return None
        made = self.maker.rotated(key, overlap=overlap, now=now)
        writes: list[Write] = [
            self.store.api_keys.rotate(key, made.key, now=now),
            self._event("api_key.rotated", key, caller, now),
            *self._mail("api_key_rotated", account, key, caller, now),
        ]
        if made.key.token_prefix != key.token_prefix:
            writes.append(self.revoker.tokens_of_grant(key.token_prefix, now=now))
        if not await self.store.commit(*writes):
            return None
        self.metrics.inc("api_keys", "rotated")
        return made

    async def end(self, account: Account, key_id: str, *, caller: Caller, now: int) -> bool:
        """End a key and all tokens made from it; False if it is gone."""
        key = await self.get(account, key_id, now)
        if key is None:
            return False
        ended = self.revoker.api_key(key, now=now, reason="ended_by_owner")
        if not await self.store.commit(*ended, self._event("api_key.ended", key, caller, now)):
            return False
        self.metrics.inc("api_keys", "ended")
        return True

    def _event(self, kind: str, key: ApiKey, caller: Caller, now: int) -> Write:
        return self.audit_log.write(
            kind,
            caller=caller,
            now=now,
            account_id=key.account_id,
            key=key.id,
            name=key.name,
            audience=key.audience,
            scopes=list(key.scopes),
        )

    def _mail(self, kind: str, account: Account, key: ApiKey, caller: Caller, now: int) -> list[Write]:
        api = self.config.current().apis.get(key.audience)
        name = key.audience if api is None else api.name
        mail = owner_mail(self.mail_queue, kind, account, caller, now, key=key.name, api=name)
        return [] if mail is None else [self.store.messages.insert_mail(mail)]
