"""Soak test of a released node that is killed: no new kind of factor is set up until it is forgotten, by itself, about a minute later."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.authenticator import Authenticator
from tests.flows.passkeys import try_to_add
from tests.flows.seeds import PASSWORD
from tests.found import found
from tests.released.nodes import both_nodes
from tests.released.test_new_factors import SECTIONS, held, not_yet
from tests.released.tree import extract, history
from tests.waiting import PATIENCE

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]


@pytest.mark.requirement(85)
def test_a_killed_older_node_keeps_the_gate_shut_until_it_is_forgotten(
    tmp_path: Path, postgres_url: str
) -> None:
    """docs/guides/upgrade.md, "If a node of the old version was killed"."""
    found(history())
    tree = extract(tmp_path / "tree")
    (tmp_path / "nodes").mkdir()
    with both_nodes(tmp_path / "nodes", tree, postgres_url, host="localhost", sections=SECTIONS) as nodes:
        person, phone = nodes.person(nodes.now, permitted=503), Authenticator(origin=nodes.issuer)
        assert person.sign_in(person.open("/sign-in"), "ada@example.com", PASSWORD).path == "/account"
        nodes.then.kill()
        killed = time.monotonic()
        assert not nodes.then.running
        # nobody can tell yet whether it is dead, or only does not answer and goes on in a moment
        assert not_yet(try_to_add(person, phone))
        assert held(postgres_url) == []
        # no command waits for it, and nobody does anything: the sweep finds it
        while not_yet(try_to_add(person, phone)):
            assert held(postgres_url) == []
            assert time.monotonic() - killed < 3 * PATIENCE, nodes.now.log.read_text()
            time.sleep(1)
        print({"seconds until it was forgotten": round(time.monotonic() - killed, 1)})
        assert "nodes.forgotten" in nodes.now.log.read_text()
        assert set(held(postgres_url)) & {"passkey", "security_key"}
        # from now on it would sign her in without the passkey, so it does not start
        with pytest.raises(RuntimeError, match="does not start"):
            nodes.then.start()
