"""Accounts and their second factors in SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import ClassVar

from doorward.core.model.account import Account, EnrolledFactor
from doorward.storage.sql.noun import Credential, SqlNoun
from doorward.storage.sql.rows import ACCOUNT_COLUMNS, found, stored_email, to_account, to_row
from doorward.storage.sql.statements import Database, Param, Write, guarded, to_json, write
from doorward.storage.sql.text import insert, one_of, select, update

AT_ONCE = 200
"""The most accounts that one statement looks up."""

_GET = select(ACCOUNT_COLUMNS, "accounts WHERE id = ?")
_BY_EMAIL = select(ACCOUNT_COLUMNS, "accounts WHERE email = ?")
_FIND = select(ACCOUNT_COLUMNS, "accounts WHERE id = ? OR email IN (?, ?, ?) ORDER BY id")
_PAGE = select(ACCOUNT_COLUMNS, "accounts WHERE id > ? ORDER BY id LIMIT ?")
_BY_EMAILS = one_of(ACCOUNT_COLUMNS, "accounts", "email", AT_ONCE)
_KNOWN_IDS = one_of("id", "accounts", "id", AT_ONCE)
_COUNT = "SELECT count(*) FROM accounts WHERE id > ?"
_INSERT = insert("accounts", ACCOUNT_COLUMNS, "ON CONFLICT (email) DO NOTHING")
_CHANGES = (
    "email = ?, created_at = ?, name = ?, locale = ?, password_hash = ?, password_changed_at = ?,"
    " disabled_at = ?, role_names = ?, given_name = ?, family_name = ?, zoneinfo = ?, updated_at = ?,"
    " password_version = ?"
)
_REPLACE = update("accounts", _CHANGES, "id = ?")
_REPLACE_AS_READ = update(
    "accounts",
    _CHANGES,
    "id = ? AND email = ? AND COALESCE(name, '') = ? AND COALESCE(locale, '') = ? AND COALESCE(password_hash, '') = ?"
    " AND COALESCE(password_changed_at, -1) = ? AND COALESCE(disabled_at, -1) = ? AND COALESCE(given_name, '') = ?"
    " AND COALESCE(family_name, '') = ? AND COALESCE(zoneinfo, '') = ? AND COALESCE(updated_at, -1) = ? AND role_names = ?",
)
_SET_EMAIL = update("accounts", "email = ?, updated_at = ?", "id = ? AND email = ? AND disabled_at IS NULL")
# A plain text: `replace` may change the same row in the same commit, and PostgreSQL then runs this one on its own, after it.
_TOUCH = "UPDATE accounts SET updated_at = CASE WHEN COALESCE(updated_at, 0) < ? THEN ? ELSE updated_at + 1 END WHERE id = ?"
_REHASH = update("accounts", "password_hash = ?", "id = ? AND password_hash = ?")

_FACTOR_COLUMNS = "id, account_id, kind, created_at, sealed, code_hash, last_step, used_at"
_FACTORS = select(_FACTOR_COLUMNS, "factors WHERE account_id = ? ORDER BY created_at, id")
_ADD_FACTOR = insert("factors", _FACTOR_COLUMNS)
_REMOVE_FACTORS = "DELETE FROM factors WHERE account_id = ? AND kind = ?"
_REMOVE_FACTOR = "DELETE FROM factors WHERE id = ? AND account_id = ?"
# A plain text, which PostgreSQL runs alone and on a snapshot of its own: after the account's row was locked. Neither engine's dialect has
# a set of any size as a value that the other one has, too.
_HAS_ONLY = (
    "UPDATE accounts SET id = id WHERE id = ? AND ? = (SELECT COUNT(*) FROM factors WHERE account_id = accounts.id)"
    " AND ? = (SELECT COUNT(*) FROM factors WHERE account_id = accounts.id AND REPLACE(?, factors.id, '') <> ?)"
)
_REPLACE_KIND = update("factors", "kind = ?", "id = ? AND kind = ?")
_REPLACE_HASH = update("factors", "code_hash = ?", "id = ?")
_USE_STEP = update("factors", "last_step = ?", "id = ? AND (last_step IS NULL OR last_step < ?)")
_MARK_USED = update("factors", "used_at = ?", "id = ? AND COALESCE(used_at, -1) = ?")
_USE_CODE = update("factors", "used_at = ?", "id = ? AND used_at IS NULL")


class SqlAccounts(SqlNoun):
    """Accounts and their second factors."""

    credentials: ClassVar = (
        Credential(kind="password", what="the password", tables=("accounts",)),
        Credential(
            kind="factor", what="a second factor, a passkey, a connected account", tables=("factors",)
        ),
    )

    def __init__(self, database: Database) -> None:
        self._db = database

    async def get(self, account_id: str) -> Account | None:
        return await found(self._db, _GET, (account_id,), to_account)

    async def by_email(self, email: str) -> Account | None:
        return await found(self._db, _BY_EMAIL, (email,), to_account)

    async def by_emails(self, emails: Sequence[str]) -> Mapping[str, Account]:
        """Those that exist, by address; at most `AT_ONCE` addresses."""
        if not emails:
            return {}
        rows = await self._db.all(_BY_EMAILS, filled(emails))
        return {account.email: account for account in map(to_account, rows) if account.email is not None}

    async def known_ids(self, ids: Sequence[str]) -> Set[str]:
        """Those that accounts have; at most `AT_ONCE` ids."""
        return {row[0] for row in await self._db.all(_KNOWN_IDS, filled(ids))} if ids else frozenset()

    async def find(self, text: str) -> Sequence[Account]:
        """By id or exact e-mail address (case folded), as typed on the command line."""
        asked = text.strip()
        rows = await self._db.all(_FIND, (asked, asked, asked.lower(), asked.casefold()))
        return [to_account(row) for row in rows]

    async def page(self, *, after: str | None = None, limit: int = 100) -> Sequence[Account]:
        """In order of id; `after` is the last id of the previous page."""
        return [to_account(row) for row in await self._db.all(_PAGE, (after or "", limit))]

    async def count(self, *, after: str | None = None) -> int:
        """The number of accounts after `after`. Reads one index entry for each."""
        row = await self._db.one(_COUNT, (after or "",))
        return 0 if row is None else int(row[0])

    async def factors(self, account_id: str) -> Sequence[EnrolledFactor]:
        return [EnrolledFactor(*row) for row in await self._db.all(_FACTORS, (account_id,))]

    def insert(self, account: Account) -> Write:
        """Guarded: loses when the e-mail address is taken."""
        return guarded(_INSERT, *_row(account))

    def replace(self, account: Account, *, old: Account | None = None) -> Write:
        """Guarded: loses when the account is gone. With `old` it also loses when anything changed since `old` was read,
        so that an edit never undoes a concurrent disabling or password change."""
        params = (*_row(account)[1:], account.id)
        if old is None:
            return guarded(_REPLACE, *params)
        return guarded(
            _REPLACE_AS_READ,
            *params,
            stored_email(old),
            old.name or "",
            old.locale or "",
            old.password_hash or "",
            -1 if old.password_changed_at is None else old.password_changed_at,
            -1 if old.disabled_at is None else old.disabled_at,
            old.given_name or "",
            old.family_name or "",
            old.zoneinfo or "",
            -1 if old.updated_at is None else old.updated_at,
            to_json(old.role_names),
        )

    def touch(self, account_id: str, now: int) -> Write:
        """Change the row, so that whatever is guarded by how it was read loses."""
        return write(_TOUCH, now, now, account_id)

    def set_email(self, account: Account, email: str, *, now: int) -> Write:
        """Guarded: loses when the account is gone or disabled, or has another address than `account`. The commit raises `StoreConflict` when
        somebody has the address."""
        return guarded(_SET_EMAIL, email, now, account.id, stored_email(account))

    def add_factor(self, factor: EnrolledFactor) -> Write:
        return write(_ADD_FACTOR, *to_row(factor))

    def remove_factors(self, account_id: str, kind: str) -> Write:
        return write(_REMOVE_FACTORS, account_id, kind)

    def remove_factor(self, account_id: str, factor_id: str) -> Write:
        """Guarded: loses when it is gone."""
        return guarded(_REMOVE_FACTOR, factor_id, account_id)

    def has_only(self, account_id: str, factor_ids: Sequence[str]) -> Write:
        """Changes nothing. Guarded: loses unless the account has exactly these factors. In a commit it follows `replace`, which locks the
        account's row."""
        number, ids = len(factor_ids), " ".join(factor_ids)
        return guarded(_HAS_ONLY, account_id, number, number, ids, ids)

    def replace_kind(self, factor: EnrolledFactor, kind: str) -> Write:
        """Guarded: loses when the factor is gone, or of another kind by now."""
        return guarded(_REPLACE_KIND, kind, factor.id, factor.kind)

    def replace_hash(self, factor: EnrolledFactor, code_hash: bytes) -> Write:
        """Guarded: loses when the factor is gone."""
        return guarded(_REPLACE_HASH, code_hash, factor.id)

    def use_step(self, factor_id: str, step: int) -> Write:
        """Guarded: loses unless `step` is later than the last one used (RFC 6238 §5.2)."""
        return guarded(_USE_STEP, step, factor_id, step)

    def use_up(self, factor_id: str, at: int) -> Write:
        """Use a factor that works only once. Guarded: loses when it was used."""
        return guarded(_USE_CODE, at, factor_id)

    def mark_used(self, factor: EnrolledFactor, at: int | None) -> Write:
        """Set or clear `used_at`. Guarded: loses when the factor is gone, or somebody else set it."""
        return guarded(_MARK_USED, at, factor.id, -1 if factor.used_at is None else factor.used_at)

    def rehash(self, account_id: str, old_hash: str, new_hash: str) -> Write:
        """Guarded: loses when the password was changed in between."""
        return guarded(_REHASH, new_hash, account_id, old_hash)


def filled(values: Sequence[str]) -> tuple[str, ...]:
    """The values for a statement with `AT_ONCE` places, so that there is one statement for any number of them."""
    if len(values) > AT_ONCE:
        raise ValueError(len(values))
    return (*values, *[values[-1]] * (AT_ONCE - len(values)))


def _row(account: Account) -> tuple[Param, ...]:
    return to_row(account, email=stored_email(account), role_names=to_json(account.role_names))
