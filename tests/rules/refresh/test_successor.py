"""Can only the bearer of the parent open the sealed successor?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.rules.refresh.successor import seal, unseal


@pytest.mark.requirement(17, 18)
def test_the_parent_opens_it_and_nothing_else_does() -> None:
    sealed = seal("dw_rt_parent", "dw_rt_child")
    assert unseal("dw_rt_parent", sealed) == "dw_rt_child"
    assert b"child" not in sealed
    for parent, text in (
        ("dw_rt_other", sealed),
        ("dw_rt_parent", sealed[:-1] + b"x"),
        ("dw_rt_parent", b"x" * 40),
    ):
        with pytest.raises(ValueError, match="not sealed"):
            unseal(parent, text)


@given(
    st.text(alphabet=st.characters(max_codepoint=127), min_size=1), st.text(max_size=80).filter(str.isascii)
)
def test_it_is_the_same_for_every_text(parent: str, child: str) -> None:
    assert unseal(parent, seal(parent, child)) == child
