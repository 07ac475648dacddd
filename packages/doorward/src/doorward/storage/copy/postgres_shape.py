"""Tables, columns and keys of a PostgreSQL database, from its own catalog."""

from __future__ import annotations

from typing import Final

_HERE: Final = "n.nspname = current_schema()"
_OURS: Final = "c.relkind IN ('r', 'p') AND NOT c.relispartition"

TABLES: Final = (
    "SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"  # noqa: S608
    f" WHERE {_HERE} AND {_OURS} ORDER BY 1"
)
COLUMNS: Final = (
    "SELECT c.relname::text, a.attname::text, t.typname::text FROM pg_attribute a"  # noqa: S608
    " JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
    " JOIN pg_type t ON t.oid = a.atttypid"
    f" WHERE {_HERE} AND {_OURS} AND a.attnum > 0 AND NOT a.attisdropped ORDER BY 1, a.attnum"
)
KEYS: Final = (
    "SELECT c.relname::text, a.attname::text FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid"  # noqa: S608
    " JOIN pg_namespace n ON n.oid = c.relnamespace"
    " CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k (number, place)"
    " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number"
    f" WHERE i.indisprimary AND {_HERE} AND {_OURS} ORDER BY 1, k.place"
)
FOREIGN_KEYS: Final = (
    "SELECT c.relname::text, other.relname::text, f.conname::text, pg_get_constraintdef(f.oid)"  # noqa: S608
    " FROM pg_constraint f JOIN pg_class c ON c.oid = f.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
    " JOIN pg_class other ON other.oid = f.confrelid"
    f" WHERE f.contype = 'f' AND {_HERE} AND {_OURS} ORDER BY 1, 3"
)
