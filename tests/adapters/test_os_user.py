"""Operating-system user as the actor of a command."""

from __future__ import annotations

import os
import pwd

import pytest

from doorward.adapters.os_user import os_actor
from doorward.core.model.actor import ALL_RIGHTS, Actor

ME = pwd.getpwuid(os.geteuid()).pw_name


@pytest.mark.parametrize(
    "environ", [{}, {"SUDO_USER": ""}, {"SUDO_USER": ME}, {"USER": "eve", "LOGNAME": "eve"}]
)
def test_without_sudo_the_actor_is_the_owner_of_the_process(environ: dict[str, str]) -> None:
    assert os_actor(environ) == Actor(kind="os_user", id=ME, rights=ALL_RIGHTS)


@pytest.mark.parametrize("asked", ["grace", "EXAMPLE\\grace", "grace.hopper@example.com", "host$"])
def test_behind_sudo_the_actor_is_the_calling_user_and_both_are_named(asked: str) -> None:
    assert os_actor({"SUDO_USER": asked}) == Actor(kind="os_user", id=asked, rights=ALL_RIGHTS, as_user=ME)


@pytest.mark.parametrize("asked", ["a b", "a\nb", "\udcff", "-x", "x" * 80, "a\x1b[0m", "ü"])
def test_an_invalid_user_name_is_not_recorded(asked: str) -> None:
    assert os_actor({"SUDO_USER": asked}) == Actor(kind="os_user", id=ME, rights=ALL_RIGHTS)


def test_a_user_without_a_name_is_recorded_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4_000_000_000)
    assert os_actor({}).name == "os_user:uid-4000000000"
