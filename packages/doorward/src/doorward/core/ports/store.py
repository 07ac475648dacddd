"""The store: reads answer at once, writes are values that `commit` applies all together or not at all.

An action loads, asks the rules, builds its writes, and commits them in one short transaction. A write with a guard
(compare-and-swap) that loses makes `commit` answer False and leaves nothing behind: load again, decide again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.client import Client
from doorward.core.model.config_snapshot import Api, Catalog, KeyState, Role, SigningKey
from doorward.core.model.grant import AuthorizationCode, Grant, RefreshToken
from doorward.core.model.message import LogoutNotice, Outgoing, Ticket, Undelivered, UndeliveredMail
from doorward.core.model.session import Consent, Session
from doorward.core.model.wrapped_key import WrappedKey
from doorward.core.ports.audit import Audit
from doorward.core.ports.node_registry import Nodes
from doorward.core.ports.posts import Posts
from doorward.core.ports.replay_cache import Attempts
from doorward.core.ports.revocations import Revocations
from doorward.core.ports.sign_ins import SignIns
from doorward.core.ports.write import Write


class Accounts(Protocol):
    """People and their second factors."""

    async def get(self, account_id: str) -> Account | None: ...
    async def by_email(self, email: str) -> Account | None: ...
    async def find(self, text: str) -> Sequence[Account]:
        """By id or exact e-mail (case folded): what a person types on the command line."""
        ...

    async def page(self, *, after: str | None = None, limit: int = 100) -> Sequence[Account]:
        """In order of id; `after` is the last id of the page before."""
        ...

    async def count(self, *, after: str | None = None) -> int:
        """How many there are behind `after`. Reads an entry of the index for each."""
        ...

    async def factors(self, account_id: str) -> Sequence[EnrolledFactor]: ...
    def insert(self, account: Account) -> Write:
        """Guarded: loses when the e-mail address is taken."""
        ...

    def replace(self, account: Account, *, old: Account | None = None) -> Write:
        """Guarded: loses when the person is gone, and with `old` also when anything changed since it was read, so that an edit
        never undoes a disabling or a password change made in between."""
        ...

    def delete(self, account_id: str) -> Write:
        """The person, their factors, sessions, consents and sign-ins; the audit record stays."""
        ...

    def add_factor(self, factor: EnrolledFactor) -> Write: ...
    def remove_factors(self, account_id: str, kind: str) -> Write: ...
    def use_totp_step(self, factor_id: str, step: int) -> Write:
        """Guarded: loses unless `step` is later than the last one used (RFC 6238 §5.2)."""
        ...

    def use_recovery_code(self, factor_id: str, at: int) -> Write:
        """Guarded: loses when it was used."""
        ...

    def rehash(self, account_id: str, old_hash: str, new_hash: str) -> Write:
        """Guarded: loses when the password was changed in between."""
        ...


class Registry(Protocol):
    """Apps, APIs, roles, signing keys: read as one snapshot; every write raises its version."""

    async def version(self) -> int: ...
    async def load(self) -> Catalog: ...
    def unchanged(self, version: int) -> Write:
        """Guarded, and changes nothing: loses unless that is the newest version, so that what was decided on a snapshot is
        committed on it or not at all. Goes first."""
        ...

    def put_client(self, client: Client) -> Write: ...
    def delete_client(self, client_id: str) -> Write: ...
    def put_api(self, api: Api) -> Write: ...
    def delete_api(self, api_id: str) -> Write: ...
    def put_role(self, role: Role) -> Write: ...
    def delete_role(self, role_id: str) -> Write: ...
    def insert_key(self, key: SigningKey) -> Write:
        """Guarded: loses when it would be a second current or a second next key of its algorithm, so that of nodes that see one
        missing one makes it."""
        ...

    def lengthen_key(self, key_id: str, token_life: int) -> Write:
        """`token_life` grows to that many seconds; it never shrinks."""
        ...

    def move_key(self, key_id: str, old: KeyState, new: KeyState, at: int) -> Write:
        """Guarded: loses when the key is not in state `old`, so that two rotations at once make one. An algorithm has one current
        key: move the old one away first."""
        ...


class WrappedKeys(Protocol):
    """The root secret, wrapped: a database has one for ever, and a wrapping for each key-encryption key that opens it."""

    async def root(self) -> tuple[str, Sequence[WrappedKey]] | None:
        """The id of the root and its wrappings, oldest first; None when there is no root yet."""
        ...

    def insert_root(self, wrapped: WrappedKey) -> Write:
        """Guarded: loses when there is a root, so that of nodes that start at once on an empty database one makes it."""
        ...

    def put(self, wrapped: WrappedKey) -> Write:
        """One more wrapping, or the same key-encryption key's anew."""
        ...

    def remove(self, wrapped: WrappedKey) -> Write:
        """Guarded: loses when it is gone, so that of two who drop one another's wrapping one is told."""
        ...


class Sessions(Protocol):
    """Browser sessions and consents."""

    async def by_secret(self, secret_hash: bytes) -> Session | None: ...
    async def get(self, session_id: str) -> Session | None: ...
    async def live_of(self, account_id: str, now: int, limit: int | None = None) -> Sequence[Session]:
        """Last seen first; at most `limit`."""
        ...

    async def clients_in(self, session_id: str) -> Sequence[str]:
        """The apps that were given a grant in this session (they are told when it ends)."""
        ...

    async def clients_in_all(self, account_id: str, now: int) -> Sequence[tuple[str, str]]:
        """(session, app) of all live sessions of a person, each once."""
        ...

    async def consents_of(self, account_id: str) -> Sequence[Consent]: ...
    async def consent(self, account_id: str, client_id: str, audience: str) -> Consent | None: ...
    def insert(self, session: Session) -> Write: ...
    def replace_secret(self, session: Session, new: Session) -> Write:
        """A new cookie value, auth_time, acr and amr for the same sid (line 68). Guarded by the old secret hash."""
        ...

    def touch(self, session_id: str, seen_at: int) -> Write: ...
    def end(self, session_id: str, at: int, reason: str) -> Write:
        """Not guarded: ending twice is ending."""
        ...

    def end_first(self, session_id: str, at: int, reason: str) -> Write:
        """The same, guarded: loses when it has ended, so that of many who end one session at once one enters it in the view."""
        ...

    def end_of_account(self, account_id: str, at: int, reason: str, until: int, *, keep: str | None) -> Write:
        """All live sessions of a person but `keep`. Each enters the revocation view until `until`. A few statements, however many
        they are."""
        ...

    def put_consent(self, consent: Consent) -> Write: ...
    def remove_consents(self, account_id: str, client_id: str) -> Write: ...
    def remember_device(self, device_hash: bytes, account_id: str, at: int) -> Write: ...
    async def known_device(self, devices: Sequence[bytes], account_id: str) -> bytes | None:
        """Which of these the account knows; of more than `MOST_DEVICES` only the first are looked at."""
        ...

    async def devices_since(self, account_id: str, since: int, limit: int) -> int:
        """How many devices became known to the account from `since` on; counted up to `limit`."""
        ...

    def forget_devices(self, account_id: str, *, but: bytes | None) -> Write:
        """The account knows no device any more, `but` one."""
        ...


class Grants(Protocol):
    """Grants, authorization codes, refresh tokens: one row for each grant, however often it was rotated."""

    async def get(self, grant_id: str) -> Grant | None: ...
    async def code(self, code_hash: bytes) -> AuthorizationCode | None: ...
    async def refresh(self, grant_id: str) -> tuple[RefreshToken, Grant] | None:
        """The refresh token of a grant and the grant, in one round trip."""
        ...

    async def refresh_of_person(self, grant_id: str) -> tuple[RefreshToken, Grant, Account | None] | None:
        """The same with the person, as a refresh needs it; still one round trip."""
        ...

    async def live_of_account(self, account_id: str, now: int, limit: int | None = None) -> Sequence[Grant]:
        """Newest first, as of a session too; at most `limit`."""
        ...

    async def live_of_session(
        self, session_id: str, now: int, limit: int | None = None
    ) -> Sequence[Grant]: ...
    async def held_of_account(
        self, account_id: str, now: int
    ) -> Sequence[tuple[str, str, tuple[str, ...], int]]:
        """(app, audience, scopes, since when) of all live grants, each once however many grants say the same; newest first."""
        ...

    def end_of_account(self, account_id: str, at: int, reason: str, until: int, **only: str) -> Write:
        """All live grants of a person; `only` those of a `client_id`, or of a `session_id` without the offline ones, or those of
        every session `but` one, without the offline ones and those of no session. Each enters the revocation view until `until`.
        A few statements, however many they are."""
        ...

    def end_of_client(self, client_id: str, at: int, reason: str) -> Write:
        """All grants of an app that goes: the first few hundred in this commit, the rest by and by in `sweep`."""
        ...

    def insert(self, grant: Grant) -> Write:
        """Guarded when it has a place in a status list: loses when another grant holds that place."""
        ...

    def end(self, grant_id: str, at: int, reason: str) -> Write:
        """Not guarded; the refresh token of an ended grant is dead with it."""
        ...

    def end_first(self, grant_id: str, at: int, reason: str) -> Write:
        """The same, guarded: loses when it has ended, so that of many who end one grant at once one enters it in the view."""
        ...

    def insert_code(self, code: AuthorizationCode) -> Write: ...
    def redeem_code(self, code_hash: bytes, at: int) -> Write:
        """Guarded: a code is redeemed once (OAuth 2.1 §4.1.3)."""
        ...

    def insert_refresh(self, token: RefreshToken) -> Write: ...
    def spend_refresh(self, old: RefreshToken, new: RefreshToken) -> Write:
        """Guarded: `new` replaces `old` while that is still the newest and its grant lives at `new.created_at`; else it loses."""
        ...

    def repeat_late(self, token: RefreshToken, at: int) -> Write:
        """`late_at` becomes `at`. Guarded: `token` is still the newest, its `late_at` what was read, and its grant lives at `at`."""
        ...

    async def status_indexes(self, list_id: int, now: int) -> Sequence[int]:
        """The indexes of the ended grants of one status list."""
        ...

    async def status_index_taken(self, list_id: int, index: int) -> bool: ...


class Messages(Protocol):
    """Tickets, the mail outbox and logout notices."""

    async def ticket(self, ticket_id: str) -> Ticket | None: ...
    async def ticket_by_link(self, link_hash: bytes) -> Ticket | None: ...
    def insert_ticket(self, ticket: Ticket) -> Write: ...
    def replace_ticket(self, old: Ticket, new: Ticket) -> Write:
        """Guarded by (tries, proven_at, used_at, account_id) as in `old`, so that guesses count and a ticket is used once."""
        ...

    def detach_tickets(self, account_id: str) -> Write:
        """The tickets of a person become those of nobody: their codes and links open nothing any more."""
        ...

    async def due_mail(self, now: int, limit: int = 20) -> Sequence[Outgoing]: ...
    async def recent_mail(self, limit: int = 50) -> Sequence[Outgoing]: ...
    def insert_mail(self, mail: Outgoing) -> Write: ...
    def discard_mail(self, mail_id: str) -> Write: ...
    def replace_mail(self, old: Outgoing, new: Outgoing) -> Write:
        """Guarded by `next_try_at`, so that of two workers one takes it."""
        ...

    async def due_logouts(self, now: int, limit: int = 20) -> Sequence[LogoutNotice]: ...
    def insert_logout(self, notice: LogoutNotice) -> Write: ...
    def replace_logout(self, old: LogoutNotice, new: LogoutNotice) -> Write: ...
    async def undelivered_mail(self) -> UndeliveredMail | None:
        """What did not leave at the first try and has not left since; None when there is nothing."""
        ...

    async def undelivered(self) -> Sequence[Undelivered]:
        """Of each app that was not told of a log-out at the first try, what is still to be told and what was given up."""
        ...


class Store(Protocol):
    """Everything that lasts. Raises `StoreUnavailable` when the database does not answer."""

    @property
    def accounts(self) -> Accounts: ...
    @property
    def registry(self) -> Registry: ...
    @property
    def wrapped_keys(self) -> WrappedKeys: ...
    @property
    def sign_ins(self) -> SignIns: ...
    @property
    def sessions(self) -> Sessions: ...
    @property
    def grants(self) -> Grants: ...
    @property
    def revocations(self) -> Revocations: ...
    @property
    def attempts(self) -> Attempts: ...
    @property
    def nodes(self) -> Nodes: ...
    @property
    def messages(self) -> Messages: ...
    @property
    def posts(self) -> Posts: ...
    @property
    def audit(self) -> Audit: ...

    async def commit(self, *writes: Write) -> bool:
        """Apply all in one durable transaction, in order. False: a guard lost, or the row that a write hangs on is gone (a session
        of a deleted person), and nothing was written: load again, decide again. Raises `StoreConflict`, `StoreUnavailable`."""
        ...

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call `listener` after each commit of this process that others wait for: the registry or the revocations changed."""
        ...

    async def meta(self, name: str) -> str | None: ...
    def put_meta(self, name: str, value: str) -> Write: ...
    async def ready(self) -> bool:
        """Whether the database answers and its schema is the one that this program knows."""
        ...

    async def sweep(self, now: int, limit: int = 500) -> int:
        """Remove a small batch of what has expired; answers how many rows went."""
        ...

    async def close(self) -> None: ...


class StoreUnavailable(Exception):
    """The database does not answer; a face maps it to 503 with Retry-After."""


class StoreGone(StoreUnavailable):
    """The database must not be served any more, or not yet: its data is elsewhere. Nothing that is read there holds."""


class StoreConflict(Exception):
    """A change that can never be made as it stands (a second row of one id, a change of the audit record); nothing was written.
    What may happen in good use is a guard; this is a bug, or two APIs of one identifier."""
