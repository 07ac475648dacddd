"""Sign-in of imported people over HTTP: with the old password, which is rehashed, under all rules; a wrong one is refused."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest

from doorward.adapters.os_user import os_actor
from doorward.core.model.account import Account
from doorward.features.admin import build as admin
from doorward.features.admin.imports.hashes import read_hash_config
from doorward.features.admin.imports.report import ImportChoices, ImportReport
from tests.features.admin.imports import exports
from tests.features.admin.imports.importing import NoProgress, lines
from tests.flows.apps import pkce
from tests.flows.running import Running
from tests.flows.second_factor import Authenticator
from tests.flows.seeds import House
from tests.flows.signing_in import challenge, tokens_by_challenge

STRONG = True
OURS = "$argon2id$v=19$m=19456,t=2,p=1$"
WRONG = "another password entirely"
# 80 bytes, with letters that NFKC composes and expands: the other systems hashed them as they were typed
TYPED = "e\u0301cole \ufb01ne de Zu\u0308rich " + "und ein langer Satz dahinter, damit er lang ist"


def take(
    server: Running, data: bytes, *, reader: str = "doorward", table: bool = False, **choices: Any
) -> ImportReport:
    """Import a file as the command does."""
    config = read_hash_config(exports.HASH_CONFIG) if reader == "firebase" else None
    return server.operate(
        lambda services: services.get(admin.people_import).run(
            os_actor(),
            io.BytesIO(data),
            progress=NoProgress(),
            reader=reader,
            table=table,
            choices=ImportChoices(**choices),
            hash_config=config,
        )
    )


def stored(server: Running, email: str) -> Account:
    """The account as the database has it."""
    return server.operate(lambda services: services.get(admin.people).get(os_actor(), email))


def refused(house: House, email: str, password: str) -> dict[str, Any]:
    """The answer to a password that is not theirs."""
    answer = challenge(house.own, username=email, password=password, scope="openid", **_pkce())
    assert answer.status_code == 403, answer.text
    body: dict[str, Any] = answer.json()
    return {name: value for name, value in body.items() if name != "auth_session"}


def _pkce() -> dict[str, str]:
    return {"code_challenge": pkce()[1], "code_challenge_method": "S256"}


FORMATS: dict[str, tuple[Callable[[exports.People], bytes], dict[str, Any]]] = {
    "keycloak": (exports.keycloak, {}),
    "auth0": (exports.auth0, {}),
    "firebase": (exports.firebase, {}),
    "django": (exports.django_dump, {"unverified": "vouch"}),
    "supabase": (exports.supabase, {"table": True}),
}


@pytest.mark.parametrize("system", FORMATS)
@pytest.mark.requirement(79)
def test_people_of_another_system_sign_in_with_their_old_passwords(
    server: Running, house: House, system: str
) -> None:
    make, options = FORMATS[system]
    people = [
        (f"{system}{number}@example.com", f"{TYPED} {number}" if number % 2 else f"short {number}")
        for number in range(4)
    ]
    report = take(server, make(people), reader=system, **options)
    assert (report.counts.created, report.entries) == (4, ())
    unknown = refused(house, f"nobody-{system}@example.com", WRONG)
    for email, password in people:
        before = stored(server, email)
        assert before.password_hash is not None
        assert not before.password_hash.startswith("$argon2")
        assert refused(house, email, WRONG) == unknown
        assert stored(server, email).password_hash == before.password_hash
        claims = tokens_by_challenge(house.own, email, "openid", password=password).claims
        assert claims["sub"] == before.id
        after = stored(server, email)
        assert after.password_hash is not None
        assert after.password_hash.startswith(OURS)
        assert after.password_changed_at == before.password_changed_at
        assert refused(house, email, WRONG) == unknown
        tokens_by_challenge(house.own, email, "openid", password=password)


def test_hashes_of_a_unix_system_and_weak_ones_are_replaced_at_the_first_sign_in(
    server: Running, house: House
) -> None:
    import hashlib

    password = "correct horse 1"
    texts = {
        "six": exports.unix_crypt("sha512_crypt").using(rounds=1000).hash(password),
        "five": exports.unix_crypt("sha256_crypt").using(rounds=1000).hash(password),
        "one": exports.unix_crypt("md5_crypt").hash(password),
        "ssha": "{SSHA}" + exports.b64(hashlib.sha1(password.encode() + b"salt").digest() + b"salt"),
    }
    people = [
        {"email": f"{name}@example.com", "email_verified": True, "password": text}
        for name, text in texts.items()
    ]
    report = take(server, lines(people), allow_weak=True)
    assert (report.counts.created, report.counts.weak) == (4, 2)
    for name in texts:
        email = f"{name}@example.com"
        refused(house, email, WRONG)
        tokens_by_challenge(house.own, email, "openid", password=password)
        after = stored(server, email).password_hash
        assert after is not None
        assert after.startswith(OURS)


def test_an_imported_authenticator_is_asked_for_and_its_codes_work(server: Running, house: House) -> None:
    records = [
        {
            "email": "totp@example.com",
            "email_verified": True,
            "password": exports.bcrypt_of("old secret"),
            "totp": f"otpauth://totp/Old:totp@example.com?secret={exports.SEED}&issuer=Old",
        }
    ]
    assert take(server, lines(records)).counts.authenticators == 1
    person = server.person()
    page = person.sign_in(person.open("/account"), "totp@example.com", "old secret")
    assert page.path != "/account"
    phone = Authenticator(server, exports.SEED)
    code = phone.code()
    wrong = person.press(page, "second-factor", code="000000" if code != "000000" else "111111")
    assert wrong.problem is not None
    assert person.press(wrong, "second-factor", code=code).path == "/account"


def test_a_disabled_person_stays_out_and_a_role_demands_its_second_factor(
    server: Running, house: House
) -> None:
    server.operate(
        lambda services: services.get(admin.roles).create(
            os_actor(), "guarded", permissions=(), second_factor=True
        )
    )
    base = {"email_verified": True, "password": exports.bcrypt_of("old secret")}
    records = [
        {**base, "email": "off@example.com", "disabled": True},
        {**base, "email": "guarded@example.com", "roles": ["guarded"]},
    ]
    assert take(server, lines(records)).counts.created == 2
    assert "disabled" in str(refused(house, "off@example.com", "old secret"))
    assert refused(house, "off@example.com", WRONG) == refused(house, "nobody@example.com", WRONG)
    person = server.person()
    page = person.sign_in(person.open("/account"), "guarded@example.com", "old secret")
    assert page.path != "/account"


@pytest.mark.requirement(80)
def test_without_a_password_an_imported_person_looks_like_nobody_and_gets_no_mail(
    server: Running, house: House
) -> None:
    records = [{"email": "none@example.com", "password": exports.bcrypt_of("old secret")}]
    report = take(server, lines(records))
    assert [entry.problem.code for entry in report.entries] == ["import_password_withheld"]
    assert refused(house, "none@example.com", "old secret") == refused(
        house, "nobody@example.com", "old secret"
    )
    mails = server.operate(lambda services: services.store.messages.due_mail(2**40, 1000))
    assert [mail for mail in mails if mail.to == "none@example.com"] == []
