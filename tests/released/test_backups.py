"""Tests of backups written by the released commit: restored by today's commands, and used by today's server."""

from __future__ import annotations

from base64 import b64decode
from pathlib import Path

import pytest

from doorward.adapters.keys.wrap_local import LocalWrapper
from tests.engines import BOTH, Engine
from tests.flows.apps import good, refused
from tests.flows.settings import write_settings
from tests.flows.signing_in import challenge
from tests.moving.house import done, doorward
from tests.released.held import served, written
from tests.released.tree import HERE

ENGINES = BOTH


def test_the_secret_key_has_the_id_that_it_had_in_the_released_commit(engine: Engine) -> None:
    key = b64decode((HERE / engine / "doorward.key").read_bytes())
    assert LocalWrapper(key).id.encode() in (HERE / engine / "key.bak").read_bytes()[:2000]


@pytest.mark.parametrize("name", ["key", "passphrase"])
def test_a_released_backup_is_restored_and_everybody_can_go_on(
    name: str, engine: Engine, tmp_path: Path, own_database: str | None
) -> None:
    values = written(engine)
    write_settings(tmp_path, values["issuer"], database=own_database)
    # the secret key opens the contents, whatever opens the backup itself
    for copied in ("doorward.key", f"{name}.bak"):
        (tmp_path / copied).write_bytes((HERE / engine / copied).read_bytes())
        (tmp_path / copied).chmod(0o600)
    options: list[str] = []
    if name == "passphrase":
        (tmp_path / "phrase").write_text(values["passphrase"] + "\n", "utf-8")
        (tmp_path / "phrase").chmod(0o600)
        options = ["--passphrase-file", "phrase"]
    checked = done(doorward(tmp_path, "backup", "--verify", f"{name}.bak", *options, "--json"))
    restored = done(doorward(tmp_path, "restore", f"{name}.bak", *options, "--json"))
    assert restored["tables"] == checked["tables"]
    with served(engine, tmp_path, own_database) as held:
        assert held.get("/jwks").json() == values["jwks"]
        assert held.get("/revocations", after=values["cursors"]["2"], v="2").json()["reset"] is True
        own, old = held.app("own"), held.tokens("fresh")
        good(own.refresh(old.refresh))
        refused(own.refresh(held.tokens("revoked").refresh))
        assert own.userinfo(old.access).status_code == 200
        person, page, attempt = held.browser("second_factor")
        own.redeem(attempt, person.press(page, "second-factor", code=held.phone("kit")))
        person, _, _ = held.browser("signed_in")
        assert person.open("/account").path == "/account"
        kept = values["json_second_factor"]
        answer = challenge(own, auth_session=kept["auth_session"], code=held.phone("lee"))
        assert answer.status_code == 200, answer.text
        person, page, _ = held.browser("reset_code")
        page = person.press(page, "check", code=values["codes"]["reset_code"])
        assert "new-password" in page.forms, page.words
