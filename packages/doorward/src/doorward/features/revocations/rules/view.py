"""View of the revocations of signed tokens, in memory; used by introspection and userinfo for every token."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, final

from doorward.core.model.revocation import Revocation, RevocationKind


@final
class RevocationEntries:
    """The live entries, added in the order of `seq`; an entry of the same kind and name replaces the previous one."""

    __slots__ = ("_bounded", "_named", "seq")

    def __init__(self) -> None:
        self.seq = 0
        self._named: dict[RevocationKind, dict[str, int]] = {"jti": {}, "grant": {}, "sid": {}}
        self._bounded: dict[RevocationKind, dict[str, tuple[int, int]]] = {"sub": {}, "client": {}}

    def feed(self, seq: int, entries: Iterable[Revocation]) -> None:
        """Add the entries up to `seq`."""
        for entry in entries:
            if entry.before is None:
                self._named[entry.kind][entry.ref] = entry.expires_at
            else:
                before, until = self._bounded[entry.kind].get(entry.ref, (0, 0))
                self._bounded[entry.kind][entry.ref] = (
                    max(before, entry.before),
                    max(until, entry.expires_at),
                )
        self.seq = max(self.seq, seq)

    def forget(self, now: int) -> None:
        """Drop entries that concern no live token."""
        for names in self._named.values():
            for name in [name for name, until in names.items() if until <= now]:
                del names[name]
        for bounds in self._bounded.values():
            for name in [name for name, (_, until) in bounds.items() if until <= now]:
                del bounds[name]

    def revoked(self, claims: Mapping[str, Any]) -> RevocationKind | None:
        """The kind of the entry that revokes a token with these claims, or None."""
        jti: str = claims["jti"]
        if jti in self._named["jti"]:
            return "jti"
        if jti.partition(".")[0] in self._named["grant"]:
            return "grant"
        if claims.get("sid") in self._named["sid"]:
            return "sid"
        iat: int = claims["iat"]
        if iat <= self._bounded["sub"].get(claims["sub"], (-1, 0))[0]:
            return "sub"
        if iat <= self._bounded["client"].get(claims["client_id"], (-1, 0))[0]:
            return "client"
        return None
