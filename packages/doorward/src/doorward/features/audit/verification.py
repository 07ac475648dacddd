"""Verification of the stored audit log, in pages, beside a running server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

from doorward.core.model.audit_chain import SealedLine
from doorward.features.audit.head_reader import BadHead, HeadReader
from doorward.features.audit.rules.heads import HeadClaims
from doorward.features.audit.rules.verify import ChainFault, ChainWalk
from doorward.storage.sql.store import Store

_PAGE: Final = 500
_ACCOUNTS: Final = 200


class ChainReport(Struct, frozen=True, kw_only=True):
    """What was found. `base`: the place behind which the chain begins, since older lines were removed by age. `sealed`: the number of the last sealed place, and `last_line` its line. `proven`: the last place that a trusted head
    confirms, signed at `proven_at`; lines after it are unproven. `unsealed`: lines that are not in the chain yet. `erased`: lines whose
    personal fields were erased. `untrusted`: stored heads whose key was revoked or is unknown."""

    fault: ChainFault | None
    lines: int
    base: int
    sealed: int
    last_line: str
    proven: int
    proven_at: int | None
    anchored: int
    unsealed: int
    erased: int
    untrusted: int


class ChainVerifier(Struct, frozen=True, kw_only=True):
    """Verifies the log of one server. Changes nothing."""

    store: Store
    reader: HeadReader

    async def verify(self, anchors: Sequence[HeadClaims] = ()) -> ChainReport:
        """Walk the chain to its end or the first fault. `anchors` are heads that were kept elsewhere. Raises `StoreUnavailable`."""
        chain = self.store.audit_chain
        heads, untrusted, fault = await self._heads()
        for anchor in anchors:
            stored = heads.get(anchor.seq)
            if fault is None and stored is not None and stored.hash != anchor.hash:
                fault = ChainFault(
                    what=f"the head kept elsewhere for place {anchor.seq} is another one than the stored one",
                    seq=anchor.seq,
                )
            heads.setdefault(anchor.seq, anchor)
        walk = ChainWalk(heads)
        base = walk.seq
        while fault is None and (page := await chain.after(walk.seq, _PAGE)):
            erasures = await self._erasures(page)
            for place in page:
                if (fault := walk.take(place, erasures)) is not None:
                    break
        fault = walk.end() if fault is None else walk.unexplained or fault
        if fault is None and (line := await chain.outside(walk.kept_from)) is not None:
            fault = ChainFault(
                what="the line was written past the server: it never waited to be sealed", line=line
            )
        proven = heads.get(walk.agreed)
        return ChainReport(
            fault=fault,
            lines=walk.lines,
            base=base,
            sealed=walk.seq,
            last_line=walk.last_line,
            proven=walk.agreed if proven is not None else 0,
            proven_at=None if proven is None else proven.iat,
            anchored=max((one.seq for one in anchors), default=0),
            unsealed=(await chain.backlog())[0],
            erased=walk.erased,
            untrusted=untrusted,
        )

    async def _heads(self) -> tuple[dict[int, HeadClaims], int, ChainFault | None]:
        found: dict[int, HeadClaims] = {}
        untrusted, after = 0, -1
        while page := await self.store.audit_chain.heads(after):
            for head in page:
                after = head.seq
                try:
                    read = self.reader.read(head.jws)
                except BadHead as problem:
                    if not problem.key_unknown:
                        said = (
                            f"the stored head for place {head.seq} was not signed by this server: {problem}"
                        )
                        return found, untrusted, ChainFault(what=said, seq=head.seq)
                    untrusted += 1
                    continue
                if read.seq != head.seq:
                    said = f"the stored head for place {head.seq} speaks of place {read.seq}"
                    return found, untrusted, ChainFault(what=said, seq=head.seq)
                found[head.seq] = read
        return found, untrusted, None

    async def _erasures(self, page: Sequence[SealedLine]) -> Mapping[str, str]:
        """Looked up after the page was read: an erasure and its line are committed together."""
        accounts = {
            one.line.account_id
            for one in page
            if one.line is not None and one.line.account_id and one.line.personal and one.salt is None
        }
        found: dict[str, str] = {}
        ids = sorted(accounts)
        for first in range(0, len(ids), _ACCOUNTS):
            found |= await self.store.audit_chain.erasures(ids[first : first + _ACCOUNTS])
        return found
