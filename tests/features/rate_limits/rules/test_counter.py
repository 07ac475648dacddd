"""Approximate counter: each process knows the counts of the others within the promised bound."""

from __future__ import annotations

from doorward.features.rate_limits.rules.counter import MAX_KEYS, ApproximateCounter

NOW = 1_800_000_000


def told(counters: list[ApproximateCounter], store: dict[str, tuple[int, int]]) -> None:
    """One exchange, as every second: each counter reports and reads."""
    for counter in counters:
        for key, tries in counter.tell(100):
            before, end = store.get(key, (0, NOW + counter.window))
            store[key] = (before + tries, end)
        for key in counter.asked(100):
            if key in store:
                counter.learn(key, *store[key])


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
    counters = [ApproximateCounter(window=900, batch=4) for _ in range(5)]
    store: dict[str, tuple[int, int]] = {}
    for _ in range(7):
        for counter in counters:
            counter.note("a", NOW)
        told(counters, store)
    assert 35 - store["a"][0] <= 5 * 3
    assert all(35 - counter.count("a", NOW)[0] <= 5 * 3 for counter in counters)


def test_reported_counts_still_count_here_and_are_not_reported_twice() -> None:
    counter = ApproximateCounter(window=900, batch=2)
    for _ in range(3):
        counter.note("a", NOW)
    assert counter.tell(10) == [("a", 3)]
    counter.note("a", NOW)
    assert counter.count("a", NOW) == (4, NOW + 900)
    assert counter.tell(10) == []
    counter.note("a", NOW)
    assert counter.tell(10) == [("a", 2)]
    assert counter.count("a", NOW) == (5, NOW + 900)
    assert counter.tell(10) == []


def test_the_highest_counts_are_reported_first_and_the_latest_keys_are_read() -> None:
    counter = ApproximateCounter(window=900, batch=1)
    for number in range(5):
        for _ in range(number + 1):
            counter.note(f"k{number}", NOW)
    assert [key for key, _ in counter.tell(2)] == ["k3", "k4"]
    assert list(counter.asked(2)) == ["k3", "k4"]


def test_an_expired_window_counts_nothing() -> None:
    counter = ApproximateCounter(window=10, batch=1)
    counter.note("a", NOW)
    assert counter.count("a", NOW + 9) == (1, NOW + 10)
    assert counter.count("a", NOW + 10) == (0, NOW + 10)
    assert counter.note("a", NOW + 10) == (1, NOW + 20)


def test_memory_is_bounded() -> None:
    counter = ApproximateCounter(window=10, batch=1)
    for number in range(MAX_KEYS + 10):
        counter.note(f"a{number}", NOW)
    assert len(counter) == MAX_KEYS
    counter.learn("a0", 5, NOW + 10)
    assert counter.count("a0", NOW) == (0, NOW)
