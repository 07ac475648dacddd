"""Snapshot of the revocation feed: sorted records with the issuer's signature behind them. Any host may carry it."""

from collections.abc import Collection, Sequence
from hashlib import sha256
from typing import Annotated, Final

from msgspec import Meta, Struct, ValidationError, convert

from doorward_verify.algorithms import ISSUED
from doorward_verify.encoding import SAFE_INTEGER, Malformed, b64url_encode, json_object
from doorward_verify.jws import MAX_TOKEN_CHARS, verify
from doorward_verify.keyset import KeySet
from doorward_verify.revocation import KINDS, SNAPSHOT_TYP, Feed, InvalidFeed
from doorward_verify.revoked_table import RECORD_BYTES, InvalidTable, RevokedTable

MAX_SNAPSHOT_BYTES: Final = 512 * 1024 * 1024


class _Claims(Struct, frozen=True):
    iss: str
    exp: Annotated[int, Meta(ge=0, le=SAFE_INTEGER)]
    salt: str
    cursor: str
    part: str
    kinds: tuple[str, ...]
    count: int
    sha256: str


class Snapshot(Struct, frozen=True):
    """The entries of a snapshot, the kinds that are among them, and the position from which the feed goes on."""

    table: RevokedTable
    kinds: Collection[str]
    place: int


def read_snapshot(
    file: bytearray, keys: KeySet, *, part: str, salt: str, now: float, leeway: float = 60
) -> Snapshot:
    """Check a snapshot that was fetched at `now` (seconds) as the `part` of a feed with this `salt`, and keep its records, for which `file`
    itself is cut. Raises `InvalidFeed`, and `AuthError` for the signature.

    The file is the records, a line break, and a JWS of the type `revocation-snapshot+jwt` over the SHA-256 of the records (RFC 7515). Its
    `exp` ends the use of an old file, and `part` the use of the file of another API, by a host in between.
    """
    end = file.rfind(b"\n", -MAX_TOKEN_CHARS - 1)
    try:
        jws = verify(file[end + 1 :].decode("ascii"), keys, algorithms=ISSUED, types={SNAPSHOT_TYP})
        said = convert(json_object(jws.payload), _Claims)
    except (UnicodeDecodeError, Malformed, ValidationError):
        raise InvalidFeed("the snapshot has no signature that can be read") from None
    if said.iss != keys.issuer or said.salt != salt or said.part != part:
        raise InvalidFeed("the snapshot is another one than was asked for")
    if now >= said.exp + leeway:
        raise InvalidFeed("the snapshot is too old")
    place = _place(said.cursor, salt)
    del file[max(end, 0) :]
    if said.sha256 != b64url_encode(sha256(file).digest()) or len(file) != said.count * RECORD_BYTES:
        raise InvalidFeed("the snapshot's records are not those that were signed")
    if not KINDS.issuperset(said.kinds):
        raise InvalidFeed("the snapshot has entries of a kind that this version does not know")
    try:
        return Snapshot(RevokedTable(file), said.kinds, place)
    except InvalidTable as error:
        raise InvalidFeed(f"the snapshot cannot be used: {error}") from None


def beginning(feed: Feed, found: Sequence[Snapshot]) -> Feed:
    """The answer with which a view begins that has the snapshots `found`, all those that `feed` names. Raises `InvalidFeed`.

    The feed goes on from the lowest position: of the files, and of the answer itself. A part that the answer does not name had no entry
    up to there; the files may reach further, past the first entry of that part.
    """
    salt = feed.salt or ""
    place = min(_place(feed.cursor, salt), *(one.place for one in found))
    return Feed(f"{salt}.{place}", reset=True, entries=[], more=True, salt=feed.salt)


def _place(cursor: str, salt: str) -> int:
    name, _, place = cursor.rpartition(".")
    if name != salt or not (place.isascii() and place.isdigit() and len(place) < 17):
        raise InvalidFeed("the snapshot does not say from where the feed goes on")
    return int(place)
