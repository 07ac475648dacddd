"""Approximate counter: each process knows the counts of the others within the promised bound."""

from __future__ import annotations

from doorward.features.rate_limits.rules.counter import MAX_KEYS, ApproximateCounter

NOW = 1_800_000_000


def told(tallies: list[ApproximateCounter], store: dict[str, tuple[int, int]]) -> None:
    """One exchange, as every second: each counter reports and reads."""
    for tally in tallies:
        for key, tries in tally.tell(100):
            before, end = store.get(key, (0, NOW + tally.window))
            store[key] = (before + tries, end)
        for key in tally.asked(100):
            if key in store:
                tally.learn(key, *store[key])


def test_counts_of_other_processes_are_included_after_the_exchange() -> None:
    one, two = ApproximateCounter(window=900, batch=4), ApproximateCounter(window=900, batch=4)
    store: dict[str, tuple[int, int]] = {}
    for _ in range(9):
        one.note("a", NOW)
    two.note("a", NOW + 5)
    assert two.count("a", NOW + 5) == (1, NOW + 905)
    told([one, two], store)
    assert store == {"a": (9, NOW + 900)}
    assert two.count("a", NOW + 5) == (10, NOW + 900)
    assert one.count("a", NOW + 5) == (9, NOW + 900)


def test_each_process_holds_back_less_than_a_batch() -> None:
    tallies = [ApproximateCounter(window=900, batch=4) for _ in range(5)]
    store: dict[str, tuple[int, int]] = {}
    for _ in range(7):
        for tally in tallies:
            tally.note("a", NOW)
        told(tallies, store)
    assert 35 - store["a"][0] <= 5 * 3
    assert all(35 - tally.count("a", NOW)[0] <= 5 * 3 for tally in tallies)


def test_reported_counts_still_count_here_and_are_not_reported_twice() -> None:
    tally = ApproximateCounter(window=900, batch=2)
    for _ in range(3):
        tally.note("a", NOW)
    assert tally.tell(10) == [("a", 3)]
    tally.note("a", NOW)
    assert tally.count("a", NOW) == (4, NOW + 900)
    assert tally.tell(10) == []
    tally.note("a", NOW)
    assert tally.tell(10) == [("a", 2)]
    assert tally.count("a", NOW) == (5, NOW + 900)
    assert tally.tell(10) == []


def test_the_highest_counts_are_reported_first_and_the_latest_keys_are_read() -> None:
    tally = ApproximateCounter(window=900, batch=1)
    for number in range(5):
        for _ in range(number + 1):
            tally.note(f"k{number}", NOW)
    assert [key for key, _ in tally.tell(2)] == ["k3", "k4"]
    assert list(tally.asked(2)) == ["k3", "k4"]


def test_an_expired_window_counts_nothing() -> None:
    tally = ApproximateCounter(window=10, batch=1)
    tally.note("a", NOW)
    assert tally.count("a", NOW + 9) == (1, NOW + 10)
    assert tally.count("a", NOW + 10) == (0, NOW + 10)
    assert tally.note("a", NOW + 10) == (1, NOW + 20)


def test_memory_is_bounded() -> None:
    tally = ApproximateCounter(window=10, batch=1)
    for number in range(MAX_KEYS + 10):
        tally.note(f"a{number}", NOW)
    assert len(tally) == MAX_KEYS
    tally.learn("a0", 5, NOW + 10)
    assert tally.count("a0", NOW) == (0, NOW)
