"""Configuration in SQL: apps, APIs and roles as documents, keys as rows; every change increments one version number."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from doorward.core.model.client import Client
from doorward.core.model.config_snapshot import Api, ConfigSnapshot, KeyState, Role, StoredSigningKey
from doorward.storage.sql import app_document
from doorward.storage.sql.noun import Credential, SqlNoun
from doorward.storage.sql.rows import from_row, to_row
from doorward.storage.sql.statements import Database, Param, Step, Write, guarded, to_json, told_by
from doorward.storage.sql.text import insert, select, update

_VERSION = "SELECT value + 0 FROM counters WHERE name = 'registry'"
RAISE: Step = (update("counters", "value = value + 1", "name = 'registry'"), (), None)
# an update, since only that locks the row until the commit
_UNCHANGED = "UPDATE counters SET value = value WHERE name = 'registry' AND value + 0 = ?"

_CLIENTS = "SELECT doc FROM clients ORDER BY id"
_APIS = "SELECT doc FROM apis ORDER BY id"
_ROLES = "SELECT doc FROM roles ORDER BY id"
_WANTED = "SELECT DISTINCT events FROM event_streams WHERE status <> 'disabled' ORDER BY events"
_PUT_CLIENT = insert("clients", "id, doc", "ON CONFLICT (id) DO UPDATE SET doc = excluded.doc")
_PUT_API = insert(
    "apis",
    "id, identifier, doc",
    "ON CONFLICT (id) DO UPDATE SET identifier = excluded.identifier, doc = excluded.doc",
)
_PUT_ROLE = insert(
    "roles", "id, name, doc", "ON CONFLICT (id) DO UPDATE SET name = excluded.name, doc = excluded.doc"
)
_DELETE_CLIENT = "DELETE FROM clients WHERE id = ?"
_DELETE_API = "DELETE FROM apis WHERE id = ?"
_DELETE_ROLE = "DELETE FROM roles WHERE id = ?"

_KEY_COLUMNS = "id, alg, state, public_jwk, sealed, created_at, activated_at, retired_at, token_life"
_KEYS = select(_KEY_COLUMNS, "signing_keys ORDER BY created_at, id")
# one row for each algorithm and state; any other conflict is a bug and not a race
_INSERT_KEY = insert("signing_keys", _KEY_COLUMNS)
_INSERT_CURRENT = insert("signing_keys", _KEY_COLUMNS, "ON CONFLICT (alg) WHERE state = 'current' DO NOTHING")
_INSERT_NEXT = insert("signing_keys", _KEY_COLUMNS, "ON CONFLICT (alg) WHERE state = 'next' DO NOTHING")
_MOVE_KEY = update("signing_keys", "state = ?", "id = ? AND state = ?")
_ACTIVATE_KEY = update("signing_keys", "state = ?, activated_at = ?", "id = ? AND state = ?")
_LENGTHEN = update("signing_keys", "token_life = ?", "id = ? AND token_life < ?")
_RETIRE_KEY = update(
    "signing_keys", "state = ?, retired_at = COALESCE(retired_at, ?)", "id = ? AND state = ?"
)

_api = msgspec.json.Decoder(Api)
_role = msgspec.json.Decoder(Role)


class SqlRegistry(SqlNoun):
    """Apps, APIs, roles and signing keys, read as one snapshot; every write increments its version."""

    credentials: ClassVar = (
        Credential(kind="client_secret", what="the secret or key of an app", tables=("clients",)),
    )
    no_credentials: ClassVar = {
        "apis": "configuration",
        "roles": "configuration",
        "signing_keys": "the server's own keys, sealed: doorward keys revoke",
        "counters": "numbers of versions",
    }

    def __init__(self, database: Database) -> None:
        self._db = database
        self._version = told_by(database.history, _VERSION)
        self._unchanged = told_by(database.history, _UNCHANGED)

    async def version(self) -> int:
        row = await self._db.one(self._version, ())
        return row[0] if row else 0

    async def load(self) -> ConfigSnapshot:
        version, clients, apis, roles, keys, streams = await self._db.snapshot(
            (self._version, ()), (_CLIENTS, ()), (_APIS, ()), (_ROLES, ()), (_KEYS, ()), (_WANTED, ())
        )
        return ConfigSnapshot(
            version=version[0][0],
            clients={c.id: c for c in (app_document.read(row[0]) for row in clients)},
            apis={a.identifier: a for a in (_api.decode(row[0]) for row in apis)},
            roles={r.name: r for r in (_role.decode(row[0]) for row in roles)},
            keys=tuple(from_row(StoredSigningKey, row, public_jwk=msgspec.json.decode) for row in keys),
            event_kinds=frozenset(kind for row in streams for kind in row[0].split()),
        )

    def unchanged(self, version: int) -> Write:
        """Guarded no-op: loses unless `version` is the newest, so that a decision made on a snapshot is committed on
        that snapshot or not at all. Must be the first write."""
        return guarded(self._unchanged, version)

    def put_client(self, client: Client) -> Write:
        return _change(_PUT_CLIENT, client.id, app_document.write(client))

    def delete_client(self, client_id: str) -> Write:
        return _change(_DELETE_CLIENT, client_id)

    def put_api(self, api: Api) -> Write:
        return _change(_PUT_API, api.id, api.identifier, to_json(api))

    def delete_api(self, api_id: str) -> Write:
        return _change(_DELETE_API, api_id)

    def put_role(self, role: Role) -> Write:
        return _change(_PUT_ROLE, role.id, role.name, to_json(role))

    def delete_role(self, role_id: str) -> Write:
        return _change(_DELETE_ROLE, role_id)

    def insert_key(self, key: StoredSigningKey) -> Write:
        """Guarded: loses when the algorithm already has a current or a next key, so that only one of several nodes
        makes a missing key."""
        return _change(
            {"current": _INSERT_CURRENT, "next": _INSERT_NEXT}.get(key.state, _INSERT_KEY),
            *to_row(key, public_jwk=to_json(key.public_jwk)),
            must=1,
        )

    def lengthen_key(self, key_id: str, token_life: int) -> Write:
        """Raise `token_life` to that many seconds; it never shrinks."""
        return _change(_LENGTHEN, token_life, key_id, token_life)

    def move_key(self, key_id: str, old: KeyState, new: KeyState, at: int) -> Write:
        """Guarded: loses when the key is not in state `old`, so that two concurrent rotations make one. An algorithm
        has one current key: move the old one away first."""
        match new:
            case "next":
                return _change(_MOVE_KEY, new, key_id, old, must=1)
            case "current":
                return _change(_ACTIVATE_KEY, new, at, key_id, old, must=1)
            case "previous" | "retired" | "revoked":
                return _change(_RETIRE_KEY, new, at, key_id, old, must=1)


def _change(sql: str, *params: Param, must: int | None = None) -> Write:
    return Write(((sql, params, must), RAISE))
