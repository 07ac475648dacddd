"""Tests of `doorward stream …`, as an operator types it."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Run


@pytest.fixture
def shop(run: Run) -> None:
    """An app that people sign in to."""
    made = run("app", "create", "Shop", "--kind", "web", "--redirect", "https://shop.example.com/cb")
    assert made.status == 0, made.err


def test_an_empty_list_says_what_to_do(run: Run) -> None:
    assert "doorward stream allow APP" in run("stream", "list").out


@pytest.mark.usefixtures("shop")
def test_a_stream_from_its_first_day_to_its_last(run: Run) -> None:
    added = run(
        "stream", "add", "shop", "--push", "https://shop.example.com/events", "--authorization-stdin",
        "--event", "session-revoked", "--subject", "complex", "--subject-in-event", "--audience", "shop",
        "--json", stdin="Bearer very-secret\n",
    )  # fmt: skip
    assert added.status == 0, added.err
    stream = added.document
    assert (stream["audience"], stream["events"], stream["subject"]) == (
        "shop",
        ["session-revoked"],
        "complex",
    )
    assert (stream["authorization"], stream["subject_in_event"], stream["status"]) == (True, True, "enabled")
    assert "sealed" not in stream
    assert "very-secret" not in added.out
    name = stream["id"]
    shown = run("stream", "show", name).out
    assert "pushed to https://shop.example.com/events" in shown
    assert "with a header of its own" in shown
    assert run("stream", "pause", name, "--reason", "moving").status == 0
    refused = run("stream", "verify", name)
    assert (refused.status, "Resume it first" in refused.err) == (1, True)
    (listed,) = run("stream", "list", "--json").document
    assert (listed["status"], listed["reason"], listed["waiting"]) == ("paused", "moving", 1), (
        "stream-updated waits"
    )
    doctor = run("doctor")
    assert f"{name} of {stream['client_id']} is paused (moving), 1 wait" in doctor.out + doctor.err
    assert run("stream", "resume", name).status == 0
    assert run("stream", "verify", name).status == 0
    again = run("stream", "verify", name)
    assert (again.status, "Wait 30 s" in again.err) == (1, True)
    assert run("stream", "remove", name, "--yes").status == 0
    gone = run("stream", "show", name)
    assert (gone.status, f"no stream {name}" in gone.err) == (1, True)


@pytest.mark.usefixtures("shop")
def test_an_app_may_manage_its_own(run: Run) -> None:
    refused = run("stream", "allow", "Shop")
    assert (refused.status, "client_credentials" in refused.err) == (1, True)
    assert run("app", "create", "Robot", "--kind", "service").status == 0
    allowed = run("stream", "allow", "Robot", "--json")
    assert allowed.status == 0, allowed.err
    (permissions,) = allowed.document["access"].values()
    assert permissions == ["ssf.read", "ssf.manage"]
    assert run("stream", "allow", "Robot").status == 1


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--push", "http://shop.example.com/e"), "does not begin with https://"),
        (("--push", "https://a:b@shop.example.com/e"), "user part"),
        (("--event", "everything"), "session-revoked"),
        (("--subject", "name"), "iss_sub, email, opaque or complex"),
        (("--authorization-stdin",), "the whole header"),
    ],
)
def test_mistakes_are_explained(run: Run, options: tuple[str, ...], said: str) -> None:
    refused = run("stream", "add", "Shop", *options, stdin="")
    assert refused.status in (1, 2)
    assert said in refused.err


@pytest.mark.usefixtures("shop")
def test_an_app_has_a_bounded_number_of_streams(run: Run) -> None:
    for _ in range(5):
        assert run("stream", "add", "Shop").status == 0
    refused = run("stream", "add", "Shop")
    assert (refused.status, "event_streams.per_app" in refused.err) == (1, True)
