"""Writer of the pinned state: what the released commit stores, and what its clients hold.

    python -m tests.released.make          # rewrites tests/released/bb61c56/sqlite and …/postgres

The tree of the released commit is extracted from git's history; its own code runs against a fresh SQLite file and a fresh
PostgreSQL.
Each folder then holds the database (compressed), the secret key, two backups and `held.json`.
"""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.postgres import postgres_server
from tests.released.tree import COMMIT, HERE, extract, sources

KEPT = ("doorward.key", "key.bak", "passphrase.bak", "held.json")


def packed(data: bytes, target: Path) -> None:
    """The compressed bytes; equal input gives equal output, without name and time."""
    with target.open("wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as out:
        out.write(data)


def write(tree: Path, database: str | None, target: Path) -> Path:
    """Run `write.py` in the released tree; returns its server's folder."""
    folder = Path(tempfile.mkdtemp(prefix="released-"))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DOORWARD_")}
    command = [sys.executable, str(HERE / "write.py"), str(folder), *([database] if database else [])]
    path = os.pathsep.join(map(str, (tree, *sources(tree))))
    subprocess.run(command, cwd=tree, env={**kept, "PYTHONPATH": path, "PYTHONUTF8": "1"}, check=True)
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for name in KEPT:
        shutil.copyfile(folder / name, target / name)
    return folder


def main() -> None:
    """Write both databases."""
    with tempfile.TemporaryDirectory() as made:
        tree = extract(Path(made))
        print(f"the tree of {COMMIT} is in {tree}")
        folder = write(tree, None, HERE / "sqlite")
        assert not (folder / "doorward.db-wal").exists()
        packed((folder / "doorward.db").read_bytes(), HERE / "sqlite" / "doorward.db.gz")
        shutil.rmtree(folder)
        with postgres_server() as server:
            url = server.create()
            shutil.rmtree(write(tree, url, HERE / "postgres"))
            dump = subprocess.run(
                [str(server.bin / "pg_dump"), "--no-owner", "--no-privileges", "-d", url],
                check=True,
                stdout=subprocess.PIPE,
            ).stdout
            packed(dump, HERE / "postgres" / "doorward.sql.gz")


if __name__ == "__main__":
    main()
