"""Memory of audited uses: bounded, and told again after a while."""

from __future__ import annotations

from doorward.features.oauth.grants.jwt_bearer.told import EVERY, MOST, Told

ONE = ("tis_one", "sub", "app_one")


def test_a_use_is_told_once_in_a_while() -> None:
    told = Told()
    assert told.due(ONE, 1000)
    told.note(ONE, 1000)
    assert not told.due(ONE, 1000 + EVERY - 1)
    assert told.due(ONE, 1000 + EVERY)
    assert told.due(("tis_one", "sub", "app_two"), 1000)
    # a clock that was set back does not silence it for longer
    assert told.due(ONE, 10)


def test_the_oldest_is_forgotten_beyond_the_bound() -> None:
    told = Told()
    for number in range(MOST + 1):
        told.note(("tis_one", str(number), "app_one"), 1000)
    assert told.due(("tis_one", "0", "app_one"), 1001)
    assert not told.due(("tis_one", "1", "app_one"), 1001)
