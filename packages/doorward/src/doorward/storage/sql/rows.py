"""Conversion between values and rows: the columns of a table are in the order of the fields of its type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from msgspec import Struct, structs

from doorward.core.model.account import Account
from doorward.core.model.grant import Grant, RefreshToken, Spent
from doorward.storage.sql.statements import Database, Param, Row

GRANT_COLUMNS = (
    "id, client_id, account_id, audience, scopes, created_at, expires_at, auth_time, acr, amr, session_id, offline,"
    " nonce, claims, ended_at, end_reason"
)
CODE_COLUMNS = "hash, grant_id, client_id, created_at, expires_at, redirect_uri, code_challenge, redeemed_at"
REFRESH_COLUMNS = "grant_id, family_hash, generation, hash, created_at, expires_at, recent, late_at"
REFRESH_WIDTH = 8
GRANT_WIDTH = 16

ACCOUNT_COLUMNS = (
    "id, email, created_at, name, locale, password_hash, password_changed_at, disabled_at, role_names, given_name,"
    " family_name, zoneinfo, updated_at, password_version"
)

_ROLES = 8
_EMAIL = 1
NO_ADDRESS = "NONE "
"""Begins what the column `accounts.email` holds for somebody without an address, before the id: the column is NOT NULL and unique for
programs of earlier versions. It has no "@" and capital letters, so that no typed name is it (`core/login_name.py`)."""
_claims = msgspec.json.Decoder(dict[str, Any])
_names = msgspec.json.Decoder(tuple[str, ...])
_spent = msgspec.msgpack.Decoder(tuple[Spent, ...])
_pack = msgspec.msgpack.Encoder().encode

Found = TypeVar("Found")
Value = TypeVar("Value", bound=Struct)


def to_row(value: Struct, **kept: Param) -> tuple[Param, ...]:
    """All fields of a value, in order. `kept`: column values that replace fields of that name."""
    return tuple((structs.asdict(value) | kept).values())


def from_row(kind: type[Value], row: Row, **read: Callable[[Any], Any]) -> Value:
    """A value of `kind` from all its fields, in order. `read` converts column values to fields of that name."""
    fields = dict(zip(kind.__struct_fields__, row, strict=True))
    for name, decode in read.items():
        fields[name] = decode(fields[name])
    return kind(**fields)


async def found(
    database: Database, sql: str, params: tuple[Param, ...], read: Callable[[Row], Found]
) -> Found | None:
    """What `read` makes of the only row; None where there is no row."""
    row = await database.one(sql, params)
    return None if row is None else read(row)


def words(text: str) -> tuple[str, ...]:
    """The words of a column that holds several, separated by spaces."""
    return tuple(text.split())


def to_account(row: Row, start: int = 0) -> Account:
    """An account from `ACCOUNT_COLUMNS`, which begin at `start`."""
    values = list(row[start:] if start else row)
    values[_ROLES] = _names.decode(values[_ROLES])
    if values[_EMAIL].startswith(NO_ADDRESS):
        values[_EMAIL] = None
    return Account(*values)


def stored_email(account: Account) -> str:
    """What the column `accounts.email` holds of an account."""
    return account.email if account.email is not None else NO_ADDRESS + account.id


def to_grant(row: Row, start: int = 0) -> Grant:
    """A grant from `GRANT_COLUMNS`, which begin at `start`."""
    claims = row[start + 13]
    return Grant(
        id=row[start],
        client_id=row[start + 1],
        account_id=row[start + 2],
        audience=row[start + 3],
        scopes=tuple(row[start + 4].split()),
        created_at=row[start + 5],
        expires_at=row[start + 6],
        auth_time=row[start + 7],
        acr=row[start + 8],
        amr=tuple(row[start + 9].split()),
        session_id=row[start + 10],
        offline=row[start + 11] == 1,
        nonce=row[start + 12],
        claims={} if claims == "{}" else _claims.decode(claims),
        ended_at=row[start + 14],
        end_reason=row[start + 15],
    )


def to_refresh(row: Row) -> RefreshToken:
    """A refresh token from `REFRESH_COLUMNS`, which come first."""
    return RefreshToken(
        grant_id=row[0],
        family_hash=row[1],
        generation=row[2],
        hash=row[3],
        created_at=row[4],
        expires_at=row[5],
        recent=_spent.decode(row[6]),
        late_at=row[7],
    )


def from_recent(recent: tuple[Spent, ...]) -> bytes:
    """The column `recent`."""
    return _pack(recent)
