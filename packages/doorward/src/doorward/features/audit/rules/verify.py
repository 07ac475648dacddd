"""Verification of the chain of the audit log: every line against its hash, every hash against the one before, heads against the chain.

What is proven: lines up to the newest trusted head were not changed, removed, inserted or put in another order since that head was signed.
Lines after it are linked, but whoever can write the database can compute new hashes: they are unproven.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, final

from msgspec import Struct

from doorward.core.model.audit_chain import SealedLine
from doorward.core.model.audit_line import FIRST, commitment, digest, link
from doorward.features.audit.rules.heads import HeadClaims

BROKEN: Final = "audit.chain_broken"
"""The kind of line that a server writes when it sees the chain change behind its back."""


class ChainFault(Struct, frozen=True, kw_only=True):
    """The first thing that is wrong: at place `seq` of the chain, about line `line`, as far as these are known."""

    what: str
    seq: int | None = None
    line: str | None = None


@final
class ChainWalk:
    """Checks places in order, beginning behind the base of the newest head. `kept_from`: the id below which lines may have been removed."""

    def __init__(self, heads: Mapping[int, HeadClaims]) -> None:
        self._heads = heads
        newest = heads[max(heads)] if heads else None
        base = None if newest is None else newest.base
        self.seq = 0 if base is None else base.seq
        self._hash: bytes = bytes.fromhex(base.hash) if base is not None and base.seq else FIRST
        self.kept_from = "" if base is None else base.before
        self.last_line = ""
        self.agreed = self.seq
        self.lines = 0
        self.unexplained: ChainFault | None = None
        self.erased = 0

    def take(self, place: SealedLine, erasures: Mapping[str, str]) -> ChainFault | None:
        """Check the next place. `erasures`: by account, the id before which its personal fields were erased."""
        at, line = place.link, place.line
        if at.seq != self.seq + 1:
            return ChainFault(what=f"place {self.seq + 1} of the chain is missing", seq=self.seq + 1)
        if at.hash != link(self._hash, at.seq, at.id, at.digest):
            return _fault("the chain's own hash does not match: a place was changed or moved", place)
        if (head := self._heads.get(at.seq)) is not None and head.hash != at.hash.hex():
            said = f"the chain is another one than the head signed for place {at.seq}: hashes were computed anew for lines after place"
            return _fault(f"{said} {self.agreed}, the last that a head confirms", place)
        if line is None:
            if at.id >= self.kept_from:
                return _fault("the line was deleted", place)
        else:
            if digest(line) != at.digest:
                return _fault("the line was changed", place)
            if line.kind == BROKEN:
                return _fault("this line says that a running server saw the chain or a line disappear", place)
            if (fault := self._personal(place, erasures)) is not None:
                return fault
        self.seq, self._hash, self.last_line = at.seq, at.hash, at.id
        self.lines += 1
        if head is not None:
            self.agreed = at.seq
        return None

    def _personal(self, place: SealedLine, erasures: Mapping[str, str]) -> ChainFault | None:
        line = place.line
        if line is None:
            return None
        if place.salt is not None and place.fields is not None:
            if line.personal == commitment(place.salt, place.fields):
                return None
            return _fault("the personal fields of the line were changed", place)
        if not line.personal or line.id < self.kept_from:
            return None
        if line.id >= erasures.get(line.account_id or "", ""):
            # the line that says so may have been cut off, and then that is what is wrong
            self.unexplained = self.unexplained or _fault(
                "the personal fields of the line were removed, and no line says that they were erased", place
            )
            return None
        self.erased += 1
        return None

    def end(self) -> ChainFault | None:
        """Check, after the last place, that the chain reaches every head, and that every erasure was announced."""
        beyond = [seq for seq in self._heads if seq > self.seq]
        if not beyond:
            return self.unexplained
        return ChainFault(
            what=f"the chain was cut: it ends at place {self.seq}, and a signed head confirms {max(beyond)} places",
            seq=self.seq + 1,
        )


def _fault(what: str, place: SealedLine) -> ChainFault:
    return ChainFault(what=what, seq=place.link.seq, line=place.link.id)
