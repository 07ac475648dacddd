"""Migrated databases of a PostgreSQL that tests borrow one after another: to empty one takes much less time than to make one.

What a test leaves behind is rows, which are removed. A database in which it has changed anything else, or that cannot be emptied,
is dropped, and the next test gets a new one.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from doorward.storage.sql.open import open_store
from tests.postgres import Databases

_KEEP = """
DO $$
DECLARE name text; filled boolean;
BEGIN
  CREATE SCHEMA kept;
  FOR name IN SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' LOOP
    EXECUTE format('SELECT EXISTS (SELECT FROM public.%I)', name) INTO filled;
    IF filled THEN
      EXECUTE format('CREATE TABLE kept.%I AS TABLE public.%I', name, name);
    END IF;
  END LOOP;
END $$
"""
_EMPTY = """
DO $$
DECLARE name text; filled boolean;
BEGIN
  PERFORM pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid();
  SET LOCAL lock_timeout = '5s';
  -- without the triggers that protect the audit log
  SET LOCAL session_replication_role = replica;
  FOR name IN SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' LOOP
    EXECUTE format('SELECT EXISTS (SELECT FROM public.%I)', name) INTO filled;
    IF filled THEN
      EXECUTE format('TRUNCATE public.%I CASCADE', name);
    END IF;
  END LOOP;
  FOR name IN SELECT relname FROM pg_class WHERE relnamespace = 'kept'::regnamespace AND relkind = 'r' LOOP
    EXECUTE format('INSERT INTO public.%I SELECT * FROM kept.%I', name, name);
  END LOOP;
END $$;
"""
_SHAPE = """
SELECT md5(concat_ws('|',
  (SELECT string_agg(concat_ws(' ', c.oid, relname, relkind, relowner, relacl), ',' ORDER BY c.oid)
    FROM pg_class c WHERE relnamespace = 'public'::regnamespace),
  (SELECT string_agg(concat_ws(' ', attrelid, attnum, attname, atttypid, attnotnull), ',' ORDER BY attrelid, attnum)
    FROM pg_attribute JOIN pg_class c ON c.oid = attrelid WHERE relnamespace = 'public'::regnamespace AND attnum > 0),
  (SELECT string_agg(concat_ws(' ', p.oid, prosrc, proacl), ',' ORDER BY p.oid)
    FROM pg_proc p WHERE pronamespace = 'public'::regnamespace),
  (SELECT string_agg(concat_ws(' ', oid, tgenabled), ',' ORDER BY oid) FROM pg_trigger),
  (SELECT string_agg(concat_ws(' ', oid, nspname, nspacl), ',' ORDER BY oid) FROM pg_namespace WHERE nspname !~ '^pg_'),
  (SELECT string_agg(concat_ws(' ', setrole, setconfig), ',' ORDER BY setrole) FROM pg_db_role_setting
    JOIN pg_database d ON d.oid = setdatabase WHERE datname = current_database())))
"""
"""All but rows that a test could change: tables, columns, functions, triggers, rights, settings of the database."""


def migrate(server: Databases, url: str) -> None:
    """Make the schema, as the server does at its start."""
    del server

    async def opened() -> None:
        await (await open_store(url)).close()

    # a fixture of a running event loop may ask for it
    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(opened())).result()


class Lender:
    """The databases of one server. Those of one `kind` are made, and migrated, in the same way."""

    def __init__(self, server: Databases) -> None:
        self._server = server
        self._idle: dict[str, list[tuple[str, list[str]]]] = defaultdict(list)

    @contextmanager
    def lend(self, kind: str, prepare: Callable[[Databases, str], None]) -> Generator[str]:
        """The URL of a database that is as `prepare` leaves an empty one, for the duration of the block."""
        url, shape = self._idle[kind].pop() if self._idle[kind] else self._made(prepare)
        yield url
        try:
            same = self._server.query(_EMPTY + _SHAPE, url) == shape
        except RuntimeError:
            same = False
        if same:
            self._idle[kind].append((url, shape))
        else:
            self._server.drop(url)

    def close(self) -> None:
        """Drop them."""
        for url, _ in (one for kind in self._idle.values() for one in kind):
            self._server.drop(url)

    def _made(self, prepare: Callable[[Databases, str], None]) -> tuple[str, list[str]]:
        url = self._server.create()
        prepare(self._server, url)
        self._server.query(_KEEP, url)
        return url, self._server.query(_SHAPE, url)
