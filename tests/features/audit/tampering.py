"""Tamperings with a sealed audit log, by somebody who may write every table and has switched its triggers off.

Each is a function of the log, the places (their numbers and lines) and a source of chance. It must be found by the verification against a head
that was kept elsewhere. `LOG` has lines before the first head, between the heads, and after the last one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from msgspec import structs

from doorward.core.model.audit_chain import ChainLink, SealedLine
from doorward.core.model.audit_line import commitment, digest, link
from tests.features.audit.chained import Chained

TABLES: Final = {"audit": "id", "audit_personal": "id", "audit_chain": "seq", "audit_heads": "seq"}
COLUMNS: Final = (
    "at",
    "ok",
    "kind",
    "account_id",
    "client_id",
    "session_id",
    "grant_id",
    "request_id",
    "detail",
    "personal",
)


@dataclass(frozen=True)
class Scene:
    """A sealed log: its places, and those of its heads, the last of which was kept elsewhere."""

    log: Chained
    places: Sequence[SealedLine]
    heads: Sequence[int]
    anchor: str

    def some(self, chance: Random, most: int | None = None) -> SealedLine:
        """Any place, up to the number `most`."""
        return self.places[chance.randrange(most or len(self.places))]


Tampering = Callable[[Scene, Random], Awaitable[int | None]]
"""Returns the first bad place, if there is one."""


async def keep(log: Chained) -> None:
    """Copies of all tables, for `undo`."""
    for table in TABLES:
        await log.run(f"CREATE TABLE keep_{table} AS SELECT * FROM {table}")


async def undo(log: Chained) -> None:
    """Make all tables again what they were."""
    for table, key in TABLES.items():
        changed = f"SELECT {key} FROM (SELECT * FROM {table} EXCEPT SELECT * FROM keep_{table}) AS other"
        await log.run(f"DELETE FROM {table} WHERE {key} IN ({changed})")
        await log.run(f"INSERT INTO {table} SELECT * FROM keep_{table} EXCEPT SELECT * FROM {table}")
    await log.run("DELETE FROM audit_unsealed")


async def change(scene: Scene, chance: Random) -> int | None:
    """Another value in a line."""
    place, column = scene.some(chance).link, chance.choice(COLUMNS)
    value = 0 if column == "at" else 7 if column == "ok" else f'"{chance.random()}"'
    await scene.log.run(f"UPDATE audit SET {column} = ? WHERE id = ?", value, place.id)
    return place.seq


async def delete(scene: Scene, chance: Random) -> int | None:
    """A line is removed, and its place stays."""
    place = scene.some(chance).link
    await scene.log.run("DELETE FROM audit WHERE id = ?", place.id)
    return place.seq


async def delete_with_place(scene: Scene, chance: Random) -> int | None:
    """A line and its place are removed, but for the last one (see `cut`)."""
    place = scene.some(chance, len(scene.places) - 1).link
    await scene.log.run("DELETE FROM audit WHERE id = ?", place.id)
    await scene.log.run("DELETE FROM audit_chain WHERE seq = ?", place.seq)
    return place.seq


async def reorder(scene: Scene, chance: Random) -> int | None:
    """Two lines change places."""
    one, other = (scene.places[n].link for n in chance.sample(range(len(scene.places)), 2))
    await scene.log.run("DELETE FROM audit_chain WHERE seq IN (?, ?)", one.seq, other.seq)
    for seq, of in ((one.seq, other), (other.seq, one)):
        await scene.log.run("INSERT INTO audit_chain VALUES (?, ?, ?, ?)", seq, of.id, of.digest, of.hash)
    return min(one.seq, other.seq)


async def renumber(scene: Scene, chance: Random) -> int | None:
    """Everything from a place on is moved by one, as if a line had been there."""
    seq = scene.some(chance).link.seq
    await scene.log.run("UPDATE audit_chain SET seq = -seq WHERE seq >= ?", seq)
    await scene.log.run("UPDATE audit_chain SET seq = 1 - seq WHERE seq < 0")
    return seq


async def insert(scene: Scene, chance: Random) -> int | None:
    """A line that was never written, past the queue."""
    line = f"{scene.some(chance).link.id}x"
    await scene.log.run(
        "INSERT INTO audit (id, at, kind, ok, detail, personal) VALUES (?, 1, 'sign_in.succeeded', 1, '{}', '')",
        line,
    )
    await scene.log.run("DELETE FROM audit_unsealed")
    return None


async def fields(scene: Scene, chance: Random) -> int | None:
    """Other personal fields: another address."""
    place = _with_fields(scene, chance)
    await scene.log.run(
        "UPDATE audit_personal SET fields = ? WHERE id = ?",
        f'{{"address":"{chance.random()}"}}',
        place.link.id,
    )


async def salt(scene: Scene, chance: Random) -> int | None:
    """Another salt."""
    place = _with_fields(scene, chance).link
    await scene.log.run("UPDATE audit_personal SET salt = ? WHERE id = ?", b"x", place.id)
    return place.seq


async def lose_fields(scene: Scene, chance: Random) -> int | None:
    """The personal fields are removed, without an erasure."""
    place = _with_fields(scene, chance).link
    await scene.log.run("DELETE FROM audit_personal WHERE id = ?", place.id)
    return place.seq


async def cut(scene: Scene, chance: Random) -> int | None:
    """The end of the log is removed from a place before the last head on, with the heads behind it."""
    seq = 1 + chance.randrange(scene.heads[-1])
    await forget(scene, seq)
    return seq


async def recompute(scene: Scene, chance: Random) -> int | None:
    """A line before the last head is changed, and all hashes from there on are computed anew."""
    await _rewrite(scene, scene.heads[-1] - chance.randrange(40))
    return scene.heads[-1]


async def recompute_without_heads(scene: Scene, chance: Random) -> int | None:
    """The same, and the heads from there on are removed: only the one kept elsewhere is left."""
    seq = scene.heads[-1] - chance.randrange(40)
    await _rewrite(scene, seq)
    await scene.log.run("DELETE FROM audit_heads WHERE seq >= ?", seq)
    return scene.heads[-1]


async def forge_head(scene: Scene, chance: Random) -> int | None:
    """A head is changed, which nobody without the key can sign."""
    seq = chance.choice(scene.heads)
    row = next(one for one in await scene.log.store.audit_chain.heads() if one.seq == seq)
    first, body, signature = row.jws.split(".")
    forged = f"{first}.{body[:-4]}{'AAAA' if body[-4:] != 'AAAA' else 'BBBB'}.{signature}"
    await scene.log.run("UPDATE audit_heads SET jws = ? WHERE seq = ?", forged, seq)
    return seq


async def move_head(scene: Scene, chance: Random) -> int | None:
    """A true head is put at another place."""
    seq = chance.choice(scene.heads)
    await scene.log.run("UPDATE audit_heads SET seq = seq + 1 WHERE seq = ?", seq)
    return seq + 1


ALL: Final[tuple[Tampering, ...]] = (
    change,
    delete,
    delete_with_place,
    reorder,
    renumber,
    insert,
    fields,
    salt,
    lose_fields,
    cut,
    recompute,
    recompute_without_heads,
    forge_head,
    move_head,
)


def _with_fields(scene: Scene, chance: Random) -> SealedLine:
    while True:
        place = scene.some(chance)
        if place.fields is not None:
            return place


async def forget(scene: Scene, seq: int) -> None:
    """Remove everything from a place on."""
    ids = "SELECT id FROM audit_chain WHERE seq >= ?"
    for table in ("audit_personal", "audit"):
        await scene.log.run(f"DELETE FROM {table} WHERE id IN ({ids})", seq)
    await scene.log.run("DELETE FROM audit_chain WHERE seq >= ?", seq)
    await scene.log.run("DELETE FROM audit_heads WHERE seq >= ?", seq)


async def _rewrite(scene: Scene, seq: int) -> None:
    """As the program does, from the changed line at `seq` to the end."""
    place = scene.places[seq - 1]
    assert place.line is not None
    line = structs.replace(place.line, kind="sign_in.failed")
    if place.fields is not None:
        line = structs.replace(line, personal=commitment(b"mine", place.fields))
        await scene.log.run("UPDATE audit_personal SET salt = ? WHERE id = ?", b"mine", place.link.id)
    await scene.log.run(
        "UPDATE audit SET kind = ?, personal = ? WHERE id = ?", line.kind, line.personal, line.id
    )
    chained = scene.places[seq - 2].link.hash if seq > 1 else bytes(32)
    for number, one in enumerate(scene.places[seq - 1 :], seq):
        of_line = digest(line) if number == seq else one.link.digest
        chained = link(chained, number, one.link.id, of_line)
        new = ChainLink(number, one.link.id, of_line, chained)
        await scene.log.run(
            "UPDATE audit_chain SET digest = ?, hash = ? WHERE seq = ?", new.digest, new.hash, number
        )
