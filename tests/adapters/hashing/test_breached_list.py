"""Breached password list: finds exactly the listed passwords, and reports the invalid line of a wrong file."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doorward.adapters.hashing.breached_list import BadBreachList, BreachFile, NothingListed, open_list

hashes = st.text("0123456789ABCDEF", min_size=40, max_size=40)


def write(folder: Path, lines: list[str], ending: str = "\n") -> Path:
    path = folder / "list.txt"
    path.write_bytes(ending.join(lines).encode())
    return path


@pytest.mark.requirement(78)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    listed=st.sets(hashes, min_size=1, max_size=40),
    others=st.sets(hashes, max_size=10),
    counts=st.booleans(),
    end=st.sampled_from(["\n", "\r\n"]),
    last=st.booleans(),
)
def test_exactly_the_listed_passwords_are_found(
    tmp_path: Path, listed: set[str], others: set[str], counts: bool, end: str, last: bool
) -> None:
    lines = [line + (f":{n}" if counts else "") for n, line in enumerate(sorted(listed))]
    found = BreachFile(write(tmp_path, [*lines, ""] if last else lines, end))
    assert all(found.contains(line) for line in listed)
    assert not any(found.contains(line) for line in others - listed)
    found.close()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(st.sets(hashes, min_size=1, max_size=30))
def test_a_list_of_prefixes_finds_matching_hashes(tmp_path: Path, listed: set[str]) -> None:
    found = BreachFile(write(tmp_path, sorted({line[:12] for line in listed})))
    assert all(found.contains(line) for line in listed)
    found.close()


def test_lower_case_hex_is_accepted(tmp_path: Path) -> None:
    found = BreachFile(write(tmp_path, ["5baa61e4c9b93f3f0682250b6cf8331b7ee68fd8"]))
    assert found.contains("5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8")


def test_an_empty_file_lists_nothing(tmp_path: Path) -> None:
    assert not BreachFile(write(tmp_path, [])).contains("A" * 40)
    assert not NothingListed().contains("A" * 40)
    assert open_list(None) is None


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["A" * 40, "password", "C" * 40], "line 2 is no SHA-1"),
        (["A" * 9], "line 1 is no SHA-1"),
        (["A" * 41], "line 1 is no SHA-1"),
        (["A" * 40, "", "B" * 40], "line 2 is no SHA-1"),
        (["B" * 40, "A" * 40], "Sort it: LC_ALL=C sort"),
    ],
)
def test_an_invalid_file_is_refused_with_line_and_advice(tmp_path: Path, lines: list[str], said: str) -> None:
    with pytest.raises(BadBreachList, match=said):
        BreachFile(write(tmp_path, lines))


def test_a_large_list_is_opened_and_searched_without_reading_all_of_it(tmp_path: Path) -> None:
    path = tmp_path / "large.txt"
    with path.open("wb") as file:
        for number in range(200_000):
            file.write(b"%010X%030X:1\n" % (number * 5_000_000, number))
    found = BreachFile(path)
    beginning = f"{123_456 * 5_000_000:010X}"
    assert found.contains(f"{beginning}{123_456:030X}")
    assert not found.contains(f"{beginning}{123_457:030X}")
