"""Soak test of moving from a real Keycloak: its split export, with hashes of every kind that it makes, and an authenticator."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.flows.running import Running
from tests.flows.second_factor import Authenticator
from tests.flows.seeds import House
from tests.flows.signing_in import tokens_by_challenge
from tests.flows.test_imported_people import OURS, WRONG, refused, stored, take
from tests.found import found
from tests.soak.keycloak import copied, exported, keycloak
from tools import system

pytestmark = [pytest.mark.soak, pytest.mark.peer, pytest.mark.timeout(1800)]
ALGORITHMS = {
    "argon2": "",
    "sha1": "hashAlgorithm(pbkdf2) and hashIterations(20000)",
    "sha256": "hashAlgorithm(pbkdf2-sha256) and hashIterations(20000)",
    "sha512": "hashAlgorithm(pbkdf2-sha512) and hashIterations(20000)",
}
PASSWORD = "pässwörd of an old system, e\u0301crit ainsi, and longer than 72 bytes as a whole"
WITH_APP = "with-app@example.com"


@pytest.mark.requirement(79)
def test_people_of_a_real_keycloak_go_on_with_password_and_authenticator(
    tmp_path: Path, server: Running, house: House
) -> None:
    home = copied(found(system.keycloak()), tmp_path / "keycloak")
    with keycloak(home) as old:
        for name, policy in ALGORITHMS.items():
            old.add(f"{name}@example.com", f"{PASSWORD} {name}", algorithm=policy)
        old.add(WITH_APP, PASSWORD, requiredActions=["CONFIGURE_TOTP"])
        key = old.set_up_authenticator(WITH_APP, PASSWORD)
        old.add("gone@example.com", PASSWORD, enabled=False)
        old.add("unproven@example.com", PASSWORD, emailVerified=False)
        old.add("phone-only", PASSWORD, email="")
    files = exported(home, tmp_path / "export")
    assert len(files) == 4, "eight people, two in each file"
    reports = [take(server, file.read_bytes(), reader="keycloak", keep_ids=True) for file in files]
    assert sum(report.counts.created for report in reports) == 7
    assert sum(report.counts.authenticators for report in reports) == 1
    codes = sorted(entry.problem.code for report in reports for entry in report.entries)
    assert codes == ["import_email_missing", "import_password_withheld"]

    for name in ALGORITHMS:
        email, password = f"{name}@example.com", f"{PASSWORD} {name}"
        before = stored(server, email)
        assert before.password_hash is not None
        assert not before.password_hash.startswith("$argon2")
        refused(house, email, WRONG)
        assert stored(server, email).password_hash == before.password_hash
        assert tokens_by_challenge(house.own, email, "openid", password=password).claims["sub"] == before.id
        after = stored(server, email).password_hash
        assert after is not None
        assert after.startswith(OURS), "hashed anew"
        refused(house, email, WRONG)
        tokens_by_challenge(house.own, email, "openid", password=password)

    person, phone = server.person(), Authenticator(server, key)
    page = person.sign_in(person.open("/account"), WITH_APP, PASSWORD)
    code = phone.code()
    wrong = person.press(page, "second-factor", code="000000" if code != "000000" else "111111")
    assert wrong.problem is not None
    assert person.press(wrong, "second-factor", code=code).path == "/account"
    refused(house, "gone@example.com", PASSWORD)
    refused(house, "unproven@example.com", PASSWORD)
