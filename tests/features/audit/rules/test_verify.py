"""Verification of single places: what is a fault, and what age and erasures explain."""

from __future__ import annotations

from msgspec import structs

from doorward.core.model.audit_chain import ChainLink, SealedLine
from doorward.core.model.audit_line import FIRST, NOTHING, ChainedLine, commitment, digest, link
from doorward.features.audit.rules.heads import Base, HeadClaims
from doorward.features.audit.rules.verify import BROKEN, ChainWalk

SALT, FIELDS = b"s" * 16, '{"address":"203.0.113.7"}'


def line(number: int, *, personal: str = NOTHING, kind: str = "k") -> ChainedLine:
    return ChainedLine(f"aud_{number}", number, kind, 1, "usr_ada", None, None, None, None, "{}", personal)


def chain(*lines: ChainedLine, start: int = 1, after: bytes = FIRST) -> list[SealedLine]:
    places = []
    for seq, one in enumerate(lines, start):
        after = link(after, seq, one.id, digest(one))
        places.append(
            SealedLine(link=ChainLink(seq, one.id, digest(one), after), line=one, salt=None, fields=None)
        )
    return places


def head(place: SealedLine, base: Base | None = None) -> HeadClaims:
    at = place.link
    return HeadClaims(iss="i", iat=1, seq=at.seq, hash=at.hash.hex(), base=base or Base())


def said(places: list[SealedLine], *heads: HeadClaims, erasures: dict[str, str] | None = None) -> str:
    walk = ChainWalk({one.seq: one for one in heads})
    for place in places:
        if (fault := walk.take(place, erasures or {})) is not None:
            return fault.what
    fault = walk.end()
    return "" if fault is None else fault.what


def test_a_chain_as_it_was_written_has_no_fault() -> None:
    places = chain(line(1), line(2), line(3))
    assert said(places, head(places[1])) == ""


def test_each_kind_of_change_is_a_fault() -> None:
    places = chain(line(1), line(2), line(3))
    changed = structs.replace(places[1], line=line(2, kind="other"))
    assert said([places[0], changed, places[2]]) == "the line was changed"
    assert said([places[0], structs.replace(places[1], line=None), places[2]]) == "the line was deleted"
    assert said([places[0], places[2]]) == "place 2 of the chain is missing"
    swapped = structs.replace(places[1], link=structs.replace(places[2].link, seq=2), line=places[2].line)
    assert "was changed or moved" in said([places[0], swapped])
    assert "the chain was cut" in said(places[:1], head(places[2]))
    other = chain(line(1), line(2, kind="other"), line(3))
    assert "another one than the head signed for place 3" in said(other, head(places[2]))


def test_a_line_of_a_server_that_saw_the_chain_break_is_a_fault() -> None:
    assert "a running server saw" in said(chain(line(1), line(2, kind=BROKEN)))


def test_personal_fields_are_bound_and_may_be_missing_only_after_an_erasure() -> None:
    (place,) = chain(line(5, personal=commitment(SALT, FIELDS)))
    whole = structs.replace(place, salt=SALT, fields=FIELDS)
    assert said([whole]) == ""
    assert "personal fields of the line were changed" in said([structs.replace(whole, fields="{}")])
    assert "no line says that they were erased" in said([place])
    assert "no line says that they were erased" in said([place], erasures={"usr_ada": "aud_5"})
    assert "no line says that they were erased" in said([place], erasures={"usr_bob": "b"})
    assert said([place], erasures={"usr_ada": "aud_6"}) == ""


def test_lines_removed_by_age_are_missing_only_below_a_signed_beginning() -> None:
    places = chain(line(1), line(2), line(3), line(4))
    gone = [structs.replace(places[2], line=None), places[3]]
    base = Base(seq=2, hash=places[1].link.hash.hex(), before="aud_4")
    assert said(gone, head(places[3], base)) == ""
    assert said(gone, head(places[3], structs.replace(base, before="aud_3"))) == "the line was deleted"
    assert "place 1 of the chain is missing" in said(gone)
    wrong = structs.replace(base, hash="00" * 32)
    assert "was changed or moved" in said(gone, head(places[3], wrong))
