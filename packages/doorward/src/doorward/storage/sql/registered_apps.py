"""Apps that registered themselves, and initial access tokens, in SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import msgspec

from doorward.core.model.client import Client
from doorward.core.model.self_registered import InitialAccessToken, RegisteredApp
from doorward.storage.sql import app_document
from doorward.storage.sql.noun import Credential, Expiring, SqlNoun
from doorward.storage.sql.rows import found, from_row, to_row, words
from doorward.storage.sql.statements import Database, Row, Write, guarded, to_json, write
from doorward.storage.sql.text import delete, insert, select, update

_COLUMNS = "id, doc, token_hash, created_at, expires_at, initial_token_id, used_at, disabled_at"
_GET = select(_COLUMNS, "registered_apps WHERE id = ?")
_PAGE = select(_COLUMNS, "registered_apps WHERE id > ? ORDER BY id LIMIT ?")
_COUNT = "SELECT COUNT(*) FROM registered_apps"
_INSERT = insert("registered_apps", _COLUMNS)
_UPDATE = update(
    "registered_apps", "doc = ?, token_hash = ?", "id = ? AND token_hash = ? AND disabled_at IS NULL"
)
_REPLACE = update("registered_apps", "doc = ?", "id = ?")
_DISABLE = update("registered_apps", "disabled_at = ?", "id = ? AND disabled_at IS NULL")
_ENABLE = update("registered_apps", "disabled_at = NULL", "id = ? AND disabled_at IS NOT NULL")
_DELETE = delete("registered_apps", "id = ?")

_TOKEN_COLUMNS = (
    "id, name, token_hash, created_at, expires_at, most, used, redirect_hosts, grant_types, access"
)
_TOKEN = select(_TOKEN_COLUMNS, "initial_access_tokens WHERE token_hash = ?")
_TOKENS = select(_TOKEN_COLUMNS, "initial_access_tokens ORDER BY created_at, id")
_INSERT_TOKEN = insert("initial_access_tokens", _TOKEN_COLUMNS)
_USE_TOKEN = update("initial_access_tokens", "used = used + 1", "id = ? AND used < most AND expires_at > ?")
_TOKEN_ACCESS = update("initial_access_tokens", "access = ?", "id = ?")
_DELETE_TOKEN = delete("initial_access_tokens", "id = ?")

_access = msgspec.json.Decoder(dict[str, tuple[str, ...]])


class SqlRegisteredApps(SqlNoun):
    """Apps that registered themselves, by id. They are read one by one and are not part of the configuration snapshot."""

    credentials: ClassVar = (
        Credential(
            kind="registration_token",
            what="the token by which an app that registered itself changes itself",
            tables=("registered_apps",),
        ),
        Credential(
            kind="initial_access_token",
            what="a token with which apps may register",
            tables=("initial_access_tokens",),
        ),
    )
    expiring: ClassVar = (Expiring(table="registered_apps"), Expiring(table="initial_access_tokens"))

    def __init__(self, database: Database) -> None:
        self._db = database

    async def get(self, app_id: str) -> RegisteredApp | None:
        return await found(self._db, _GET, (app_id,), _app)

    async def page(self, *, after: str = "", limit: int) -> Sequence[RegisteredApp]:
        """A page of them, in the order of their ids."""
        return [_app(row) for row in await self._db.all(_PAGE, (after, limit))]

    async def count(self) -> int:
        """Their number."""
        row = await self._db.one(_COUNT, ())
        return row[0] if row else 0

    def insert(self, app: RegisteredApp) -> Write:
        return write(
            _INSERT,
            app.id,
            app_document.write(app.client),
            app.token_hash,
            app.created_at,
            app.expires_at,
            app.initial_token_id,
            app.used_at,
            app.disabled_at,
        )

    def update(self, old: RegisteredApp, new: RegisteredApp) -> Write:
        """The registration and the token. Guarded: loses when another request has rotated the token of `old`, and when the app is
        disabled or gone."""
        return guarded(_UPDATE, app_document.write(new.client), new.token_hash, old.id, old.token_hash)

    def replace(self, client: Client) -> Write:
        """The registration alone, whoever changes it at the same time."""
        return write(_REPLACE, app_document.write(client), client.id)

    def disable(self, app_id: str, at: int) -> Write:
        """Guarded: loses when it is disabled or gone."""
        return guarded(_DISABLE, at, app_id)

    def enable(self, app_id: str) -> Write:
        """Guarded: loses when it is not disabled."""
        return guarded(_ENABLE, app_id)

    def delete(self, app_id: str) -> Write:
        """Guarded: loses when it is gone."""
        return guarded(_DELETE, app_id)

    async def token(self, token_hash: bytes) -> InitialAccessToken | None:
        """The initial access token with this SHA-256."""
        return await found(self._db, _TOKEN, (token_hash,), _token)

    async def tokens(self) -> Sequence[InitialAccessToken]:
        """All initial access tokens, oldest first."""
        return [_token(row) for row in await self._db.all(_TOKENS, ())]

    def insert_token(self, token: InitialAccessToken) -> Write:
        return write(
            _INSERT_TOKEN,
            *to_row(
                token,
                redirect_hosts=" ".join(token.redirect_hosts),
                grant_types=" ".join(token.grant_types),
                access=to_json(token.access),
            ),
        )

    def use_token(self, token_id: str, now: int) -> Write:
        """Count one registration. Guarded: loses when none is left, and when the token has expired or was revoked."""
        return guarded(_USE_TOKEN, token_id, now)

    def set_token_access(self, token_id: str, access: Mapping[str, tuple[str, ...]]) -> Write:
        """What apps that register with it from now on may call."""
        return write(_TOKEN_ACCESS, to_json(access), token_id)

    def delete_token(self, token_id: str) -> Write:
        """Guarded: loses when it is gone."""
        return guarded(_DELETE_TOKEN, token_id)


def _app(row: Row) -> RegisteredApp:
    return from_row(RegisteredApp, row, client=app_document.read)


def _token(row: Row) -> InitialAccessToken:
    return from_row(InitialAccessToken, row, redirect_hosts=words, grant_types=words, access=_access.decode)
