"""Readers: what they take out of each system's own layout, and that no record whatever breaks them."""

from __future__ import annotations

import io
import json
from base64 import b32decode
from collections.abc import Mapping
from typing import Any

import pytest

from doorward.adapters.hashing.imported import to_stored, verify_imported
from doorward.features.admin.error import AdminError
from doorward.features.admin.imports.fields import Fields
from doorward.features.admin.imports.hashes import read_hash_config
from doorward.features.admin.imports.index import READERS
from doorward.features.admin.imports.person import ImportedPerson
from doorward.features.admin.imports.reader import ReadingContext
from doorward.features.admin.imports.records import records
from doorward.features.admin.imports.totp_seeds import ImportedSeed, otpauth
from tests.features.admin.imports import exports

NOW = 1_800_000_000
READING = ReadingContext(now=NOW, hash_config=read_hash_config(exports.HASH_CONFIG))
ADA, PASSWORD = "ada@example.com", "pässwörd of Ada"


def read(reader: str, data: bytes, *, table: bool = False) -> list[ImportedPerson]:
    """The people of a file."""
    found = [each.members for each in records(io.BytesIO(data), table=table).each]
    people = [one(reader, members) for members in found if isinstance(members, Mapping)]
    assert len(found) == len(people)
    return [person for person in people if person is not None]


def one(reader: str, members: Mapping[str, Any]) -> ImportedPerson | None:
    """The person of one record."""
    return READERS[reader].read(Fields(members), READING)


def refusal(reader: str, members: Mapping[str, Any]) -> str:
    """The code with which a record is refused."""
    with pytest.raises(AdminError) as caught:
        one(reader, members)
    return caught.value.problem.code


def signs_in(person: ImportedPerson, password: str = PASSWORD) -> bool:
    """Whether this password is the imported one, and another is not."""
    assert person.password is not None
    assert person.password.fault() is None
    stored = to_stored(person.password)
    return verify_imported(stored, password.encode()) and not verify_imported(stored, b"another")


EXPORTS = {
    "keycloak": (exports.keycloak, False),
    "auth0": (exports.auth0, False),
    "firebase": (exports.firebase, False),
    "django": (exports.django_dump, False),
    "supabase": (exports.supabase, True),
}


@pytest.mark.parametrize("reader", EXPORTS)
def test_an_export_is_read_as_it_is(reader: str) -> None:
    make, table = EXPORTS[reader]
    people = [(f"ada{number}@example.com", PASSWORD) for number in range(4)]
    found = read(reader, make(people), table=table)
    assert [person.email for person in found] == [email for email, _ in people]
    assert all(signs_in(person) for person in found)
    assert len({person.id for person in found} - {None}) == 4
    for person in found:
        assert not person.disabled
        assert person.roles is None
        assert person.verified is (reader != "django")
        if reader != "auth0":
            assert person.created_at == 1_600_000_000
            assert person.name == "Ada Lovelace"


def test_every_system_of_the_list_has_an_export_here() -> None:
    assert set(READERS) == {"doorward", *EXPORTS}


OWN: dict[str, Any] = {
    "email": ADA,
    "email_verified": True,
    "id": "42",
    "name": "Ada L.",
    "given_name": "Ada",
    "family_name": "L.",
    "zoneinfo": "Europe/London",
    "locale": "en",
    "disabled": True,
    "created_at": "2020-01-02T03:04:05+01:00",
    "roles": ["clerk"],
    "password": "{SSHA}" + exports.b64(bytes(24)),
    "totp": f"otpauth://totp/x?secret={exports.SEED}&issuer=y",
}


def test_our_own_format_has_every_member() -> None:
    person = one("doorward", OWN)
    assert person is not None
    assert (person.id, person.name, person.given_name, person.family_name) == ("42", "Ada L.", "Ada", "L.")
    assert (person.zoneinfo, person.locale, person.disabled) == ("Europe/London", "en", True)
    assert person.created_at == 1_577_930_645
    assert person.roles == ("clerk",)
    assert person.factors == (ImportedSeed(seed=b32decode(exports.SEED)),)
    texts = {
        **OWN,
        "email_verified": "yes",
        "disabled": "f",
        "roles": "clerk, guest",
        "created_at": "1577930645",
    }
    again = one("doorward", texts)
    assert again is not None
    assert (again.verified, again.disabled, again.roles, again.created_at) == (
        True,
        False,
        ("clerk", "guest"),
        1_577_930_645,
    )


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"pasword": "x"}, "import_field_unknown"),
        ({"email": 5}, "import_field_invalid"),
        ({"email_verified": "perhaps"}, "import_field_invalid"),
        ({"name": "a\0b"}, "import_field_invalid"),
        ({"created_at": "yesterday"}, "import_field_invalid"),
        ({"created_at": -5}, "import_field_invalid"),
        ({"created_at": True}, "import_field_invalid"),
        ({"created_at": 1e300}, "import_field_invalid"),
        ({"roles": {"a": 1}}, "import_field_invalid"),
        ({"roles": [5]}, "import_field_invalid"),
        ({"password": 5}, "import_field_invalid"),
        ({"password": {"hash": "x"}}, "import_hash_damaged"),
        ({"totp": "otpauth://totp/x"}, "import_totp_invalid"),
        ({"totp": "https://example.com/?secret=AAAA"}, "import_totp_invalid"),
        ({"totp": {"secret": "!!"}}, "import_totp_invalid"),
        ({"totp": {"secret": "AAAA"}}, "import_totp_invalid"),
        ({"totp": {"seed": "AAAA"}}, "import_field_unknown"),
        ({"totp": 5}, "import_field_invalid"),
        ({"external_identities": "x"}, "import_field_invalid"),
    ],
)
def test_a_member_that_is_wrong_refuses_the_record(changes: dict[str, Any], code: str) -> None:
    assert refusal("doorward", {**OWN, **changes}) == code


def test_an_unknown_hash_is_said_and_an_identity_elsewhere_is_counted() -> None:
    person = one(
        "doorward", {**OWN, "password": "hunter2", "external_identities": [{"issuer": "i", "subject": "s"}]}
    )
    assert person is not None
    assert person.password is None
    assert person.password_unknown
    (identity,) = person.identities
    assert (identity.issuer, identity.subject) == ("i", "s")


@pytest.mark.parametrize(
    "totp",
    [
        "otpauth://hotp/x?secret=" + exports.SEED + "&counter=1",
        "otpauth://totp/x?secret=" + exports.SEED + "&algorithm=SHA256",
        "otpauth://totp/x?secret=" + exports.SEED + "&digits=8",
        {"secret": exports.SEED, "period": 60},
    ],
)
def test_an_authenticator_with_other_parameters_is_not_taken_for_one_of_ours(totp: object) -> None:
    person = one("doorward", {**OWN, "totp": [totp, {"secret": exports.SEED.lower(), "digits": 6}]})
    assert person is not None
    assert (len(person.factors), person.unusable_factors) == (1, ("totp",))


def test_a_key_uri_is_read_whatever_its_case() -> None:
    assert otpauth(f"OTPAUTH://TOTP/x?Secret={exports.SEED}&ALGORITHM=sha1&digits=6") == b32decode(
        exports.SEED
    )


def test_keycloak_credentials_are_json_inside_json_and_older_ones_are_not() -> None:
    older = json.loads(exports.keycloak_pbkdf2(PASSWORD)["secretData"])
    person = one("keycloak", exports.keycloak_person(ADA, {
        "type": "password", "hashedSaltedValue": older["value"], "salt": older["salt"], "hashIterations": 27_500,
        "algorithm": "pbkdf2-sha256",
    }))  # fmt: skip
    assert person is not None
    assert signs_in(person)
    broken = {**exports.keycloak_pbkdf2(PASSWORD), "credentialData": "{"}
    assert refusal("keycloak", exports.keycloak_person(ADA, broken)) == "import_field_invalid"
    bare = one("keycloak", exports.keycloak_person(ADA, {"type": "password"}))
    assert bare is not None
    assert bare.password_unknown


def test_keycloak_argon2_has_parameters_of_its_own() -> None:
    """keycloak#27990"""
    credential = exports.keycloak_argon2(PASSWORD)
    person = one("keycloak", exports.keycloak_person(ADA, credential))
    assert person is not None
    assert person.password is not None
    assert to_stored(person.password).startswith("argon2$argon2id$v=19$m=7168,t=5,p=1$")
    data = json.loads(credential["credentialData"])
    data["additionalParameters"]["memory"] = ["much"]
    credential["credentialData"] = json.dumps(data)
    assert refusal("keycloak", exports.keycloak_person(ADA, credential)) == "import_hash_damaged"


def test_an_unknown_algorithm_of_keycloak_is_said() -> None:
    credential = exports.keycloak_pbkdf2(PASSWORD)
    credential["credentialData"] = json.dumps({"hashIterations": 1, "algorithm": "custom-spi"})
    person = one("keycloak", exports.keycloak_person(ADA, credential))
    assert person is not None
    assert (person.password, person.password_unknown) == (None, True)


def test_keycloak_roles_second_factors_and_attributes() -> None:
    base32 = exports.keycloak_otp(exports.SEED, secretEncoding="BASE32")
    person = one("keycloak", exports.keycloak_person(
        ADA, exports.keycloak_otp(), base32, exports.keycloak_otp(algorithm="HmacSHA256"),
        {"type": "webauthn", "secretData": "{}", "credentialData": "{}"}, {"type": "password-history"},
        enabled=False, realmRoles=["default-roles-shop", "clerk"], attributes={"locale": ["de"], "zoneinfo": ["Europe/Berlin"]},
        federatedIdentities=[{"identityProvider": "google", "userId": "1", "userName": "a"}],
    ))  # fmt: skip
    assert person is not None
    assert person.factors == (ImportedSeed(seed=b"A" * 20), ImportedSeed(seed=b32decode(exports.SEED)))
    assert person.unusable_factors == ("otp", "webauthn")
    assert (person.disabled, person.roles) == (True, ("clerk",))
    assert [(one.provider, one.subject) for one in person.identities] == [("google", "1")]
    assert (person.locale, person.zoneinfo) == ("de", "Europe/Berlin")
    assert (
        refusal("keycloak", exports.keycloak_person(ADA, serviceAccountClientId="till"))
        == "import_not_a_person"
    )


def test_auth0_people_have_ids_names_and_accounts_elsewhere() -> None:
    members = {
        "user_id": "auth0|5f", "email": ADA, "email_verified": False, "name": ADA, "blocked": True, "given_name": "Ada",
        "created_at": "2020-09-13T12:26:40.123Z", "multifactor": ["guardian"],
        "identities": [{"provider": "auth0", "user_id": "5f"}, {"provider": "google-oauth2", "user_id": "1"},
            {"provider": "github", "user_id": 7}],
        "custom_password_hash": {"algorithm": "bcrypt", "hash": {"value": exports.bcrypt_of(PASSWORD)}},
    }  # fmt: skip
    person = one("auth0", members)
    assert person is not None
    assert signs_in(person)
    assert (person.id, person.name, person.disabled) == ("auth0|5f", None, True)
    assert [(one.provider, one.subject) for one in person.identities] == [
        ("google-oauth2", "1"),
        ("github", "7"),
    ]
    assert person.unusable_factors == ("guardian",)
    other = one(
        "auth0",
        {"email": ADA, "_id": "5f", "custom_password_hash": {"hash": {"encoding": "hex", "value": "00"}}},
    )
    assert other is not None
    assert (other.id, other.password_unknown) == ("auth0|5f", True)


def test_firebase_without_its_parameters_is_refused() -> None:
    record = json.loads(exports.firebase([(ADA, PASSWORD)]))["users"][0]
    with pytest.raises(AdminError):
        READERS["firebase"].read(Fields(record), ReadingContext(now=NOW))
    assert READERS["firebase"].needs_hash_config
    other = {
        **record,
        "mfaInfo": [{"phoneInfo": "+49"}, {}],
        "providerUserInfo": [{"providerId": "google.com", "rawId": "1"}],
    }
    person = one("firebase", other)
    assert person is not None
    assert (person.unusable_factors, len(person.identities)) == (("sms", "totp"), 1)
    assert (person.identities[0].provider, person.identities[0].subject) == ("google.com", "1")
    assert refusal("firebase", {**record, "passwordHash": "AAAA"}) == "import_hash_damaged"


def test_django_groups_are_roles_by_name_and_an_unusable_password_is_none() -> None:
    record = json.loads(exports.django_dump([(ADA, PASSWORD)]))[1]

    def changed(**changes: Any) -> dict[str, Any]:
        return {**record, "fields": {**record["fields"], **changes}}

    person = one("django", changed(groups=[["clerk"], "guest"], password="!kJ4x", is_active=False))
    assert person is not None
    assert (person.roles, person.password, person.password_unknown) == (("clerk", "guest"), None, False)
    assert person.disabled
    assert refusal("django", changed(groups=[3])) == "import_field_invalid"
    assert one("django", {"model": "auth.group", "pk": 1, "fields": {"name": "x"}}) is None


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"is_anonymous": "t"}, "import_not_a_person"), ({"deleted_at": "2024-01-01 00:00:00+00"}, "import_not_a_person"),
     ({"raw_user_meta_data": "{"}, "import_field_invalid")],
)  # fmt: skip
def test_supabase_rows_that_are_no_people(changes: dict[str, str], code: str) -> None:
    (found,) = [
        each.members
        for each in records(io.BytesIO(exports.supabase([(ADA, PASSWORD)], **changes)), table=True).each
    ]
    assert isinstance(found, Mapping)
    assert refusal("supabase", found) == code


def test_supabase_people_may_be_banned_unconfirmed_or_from_elsewhere() -> None:
    data = exports.supabase(
        [(ADA, PASSWORD)],
        banned_until="2100-01-01 00:00:00+00",
        email_confirmed_at="",
        raw_app_meta_data='{"providers": ["email", "google"]}',
    )
    (person,) = read("supabase", data, table=True)
    assert (person.disabled, person.verified) == (True, False)
    assert [(one.provider, one.subject) for one in person.identities] == [("google", "")]


def test_supabase_identities_come_in_a_column_of_their_own() -> None:
    rows = [
        {"provider": "email", "provider_id": "x", "identity_data": {"sub": "x"}},
        {"provider": "google", "provider_id": "1077", "identity_data": {"sub": "1077"}},
        # before `provider_id`, and as the administration's JSON
        {"provider": "github", "id": "583231", "identity_data": {"sub": "583231"}},
        {"provider": "azure", "id": "row", "identity_id": "uuid", "identity_data": {"sub": "abc"}},
        {"provider": "apple", "id": "001.a"},
    ]
    data = exports.supabase(
        [(ADA, PASSWORD)],
        raw_app_meta_data='{"providers": ["email", "google", "github", "azure", "apple", "slack"]}',
        identities=json.dumps(rows),
    )
    (person,) = read("supabase", data, table=True)
    assert [(one.provider, one.subject) for one in person.identities] == [
        ("google", "1077"), ("github", "583231"), ("azure", "abc"), ("apple", "001.a"), ("slack", ""),
    ]  # fmt: skip
    own = '[{"provider": "sso:1f9a", "provider_id": "ada@corp"}]'
    company = exports.supabase([(ADA, PASSWORD)], is_sso_user="t", identities=own)
    (person,) = read("supabase", company, table=True)
    assert [(one.provider, one.subject) for one in person.identities] == [("sso:1f9a", "ada@corp")]
