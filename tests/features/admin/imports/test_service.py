"""The import: what becomes an account, what is refused, and what an import never does."""

from __future__ import annotations

import json
from base64 import b32decode
from typing import Any

import pytest

from doorward.core.model.actor import ALL_RIGHTS, Actor
from doorward.core.model.secret import Secret
from doorward.features.admin.error import AdminError
from doorward.features.admin.imports import service
from doorward.features.admin.imports.hashes import read_hash_config
from doorward.features.authn.factors.totp.factor import SEED_PURPOSE
from tests.features.admin.imports import exports
from tests.features.admin.imports.importing import BCRYPT, account, codes, imported, lines
from tests.features.admin.managing import OPERATOR, Desk
from tests.manual_clock import NOW

pytestmark = pytest.mark.anyio
ADA: dict[str, Any] = {"email": "Ada@Example.com", "email_verified": True, "password": BCRYPT}
GOOD = Secret("walrus canyon velvet twelve")


async def test_a_person_becomes_an_account_with_everything(desk: Desk) -> None:
    await desk.roles.create(OPERATOR, "clerk", permissions=())
    report = await imported(desk, [{
        **ADA, "name": "Ada  L.", "given_name": "Ada", "zoneinfo": "Europe/London", "locale": "en_gb", "roles": ["CLERK"],
        "created_at": 1_600_000_000, "disabled": True, "totp": f"otpauth://totp/x?secret={exports.SEED}",
    }])  # fmt: skip
    assert report.entries == ()
    ada = await account(desk, "ada@example.com")
    assert ada.password_hash == BCRYPT
    assert (ada.name, ada.given_name, ada.zoneinfo, ada.locale) == ("Ada L.", "Ada", "Europe/London", "en-GB")
    assert (ada.created_at, ada.disabled_at, ada.password_changed_at) == (1_600_000_000, NOW, NOW)
    assert (await desk.people.with_role_names(OPERATOR, ada)).role_names == ("clerk",)
    (factor,) = await desk.store.accounts.factors(ada.id)
    assert factor.sealed is not None
    assert b32decode(exports.SEED) not in factor.sealed
    sealer = desk.services.sealer
    assert sealer.open(SEED_PURPOSE, factor.id, factor.sealed) == b32decode(exports.SEED)
    with pytest.raises(ValueError):
        sealer.open(SEED_PURPOSE, "fac_other", factor.sealed)
    assert report.counts.authenticators == report.counts.created == 1
    assert not await desk.store.messages.due_mail(NOW + 10**9)


async def test_without_roles_the_default_ones_are_given(desk: Desk) -> None:
    await desk.roles.create(OPERATOR, "customer", permissions=(), default=True)
    await imported(desk, [ADA, {**ADA, "email": "bob@example.com", "roles": []}])
    ada, bob = await account(desk, "ada@example.com"), await account(desk, "bob@example.com")
    assert (await desk.people.with_role_names(OPERATOR, ada)).role_names == ("customer",)
    assert bob.role_names == ()


async def test_every_person_and_the_whole_import_are_audited(desk: Desk) -> None:
    report = await imported(desk, [ADA, {**ADA, "email": "x"}], allow_weak=True)
    (created,) = await desk.audited("account.created")
    ada = await account(desk, "ada@example.com")
    assert created.account_id == ada.id
    assert created.detail == {"by": "operator", "actor": "os_user:grace", "imported": report.sha256[:16]}
    (whole,) = await desk.audited("accounts.imported")
    assert whole.detail == {
        "by": "operator", "actor": "os_user:grace", "imported": report.sha256, "format": "doorward",
        "choices": ["allow_weak"], "read": "2", "created": "1", "refused": "1",
    }  # fmt: skip
    assert "example" not in json.dumps(whole.detail)


async def test_a_dry_run_reports_the_same_and_changes_nothing(desk: Desk) -> None:
    records = [ADA, {**ADA, "email": "x"}, {**ADA, "email": "bob@example.com", "roles": ["clerk"]}]
    dry = await imported(desk, records, dry_run=True, create_roles=True)
    assert await desk.store.accounts.count() == 0
    assert (await desk.audited(), await desk.roles.find(OPERATOR)) == ([], [])
    assert await desk.store.meta(service.MARK + dry.sha256) is None
    wet = await imported(desk, records, create_roles=True)
    assert (dry.counts, codes(dry), dry.roles_created) == (wet.counts, codes(wet), wet.roles_created)
    assert (dry.dry_run, wet.dry_run) == (True, False)


async def test_a_broken_record_stops_nothing_and_is_named_by_its_line(desk: Desk) -> None:
    data = (
        lines([ADA])
        + b"{\n"
        + lines(
            [
                {**ADA, "email": "bob@example.com", "created_at": NOW + 9999},
                {**ADA, "email": "eve@example.com"},
            ]
        )
    )
    report = await imported(desk, data)
    assert codes(report) == [(2, "import_not_json"), (3, "import_field_invalid")]
    assert (report.counts.read, report.counts.created, report.counts.refused) == (4, 2, 2)


@pytest.mark.parametrize(
    "other", ["ADA@EXAMPLE.COM", " ada@example.com\u200b", "ada@\uff45xample.com", "ada@example.com"]
)
async def test_the_same_address_twice_is_refused_however_it_is_written(desk: Desk, other: str) -> None:
    report = await imported(desk, [ADA, {**ADA, "email": other, "password": None}], update=True)
    assert await desk.store.accounts.count() == 1
    assert codes(report)[0][0] == 2
    assert codes(report)[0][1] in {"import_repeated", "email_invalid"}
    assert (await account(desk, "ada@example.com")).password_hash == BCRYPT


async def test_an_address_that_looks_like_another_is_refused(desk: Desk) -> None:
    report = await imported(
        desk, [{**ADA, "email": "\uff41da@example.com"}, {**ADA, "email": "ada@\uff45xample.com "}]
    )
    assert codes(report) == [(1, "email_invalid")]
    assert await account(desk, "ada@example.com")


async def test_an_account_that_exists_is_refused_and_with_update_only_filled(desk: Desk) -> None:
    await desk.roles.create(OPERATOR, "clerk", permissions=())
    old = await desk.people.create(OPERATOR, "ada@example.com", name="Ada", password=GOOD)
    more = {
        **ADA, "name": "Mallory", "family_name": "L.", "locale": "de", "roles": ["clerk"], "disabled": True,
        "totp": f"otpauth://totp/x?secret={exports.SEED}", "created_at": 1,
    }  # fmt: skip
    assert codes(await imported(desk, [more])) == [(1, "email_taken")]
    assert await account(desk, "ada@example.com") == old
    report = await imported(desk, [more], update=True)
    assert (report.counts.updated, report.counts.created) == (1, 0)
    new = await account(desk, "ada@example.com")
    assert (new.name, new.family_name, new.locale) == ("Ada", "L.", "de")
    assert (new.id, new.password_hash, new.role_names) == (old.id, old.password_hash, old.role_names)
    assert (new.disabled_at, new.created_at) == (None, old.created_at)
    assert not await desk.store.accounts.factors(old.id)
    (event,) = await desk.audited("account.profile_set")
    assert event.detail["changed"] == "family_name locale"
    assert (await imported(desk, [more], update=True)).counts.unchanged == 1


async def test_an_account_without_a_password_gets_none_by_an_import(desk: Desk) -> None:
    """Whoever can write the file must not be able to choose the password of somebody who is here already."""
    await desk.people.create(OPERATOR, "ada@example.com")
    await imported(desk, [ADA], update=True)
    assert (await account(desk, "ada@example.com")).password_hash is None


async def test_an_address_that_was_never_proven_brings_no_password(desk: Desk) -> None:
    """Somebody else may have registered it there, with a password that they know."""
    record = {**ADA, "email_verified": False, "totp": f"otpauth://totp/x?secret={exports.SEED}"}
    assert codes(await imported(desk, [record], unverified="refuse")) == [(1, "import_unverified")]
    report = await imported(desk, [record])
    assert codes(report) == [(1, "import_password_withheld")]
    ada = await account(desk, "ada@example.com")
    assert ada.password_hash is None
    assert not await desk.store.accounts.factors(ada.id)
    assert report.counts.without_password == 1
    bob = {**record, "email": "bob@example.com"}
    assert codes(await imported(desk, [bob], unverified="vouch")) == []
    assert (await account(desk, "bob@example.com")).password_hash == BCRYPT


async def test_an_export_that_says_nothing_about_addresses_needs_a_choice(desk: Desk) -> None:
    data = exports.django_dump([("ada@example.com", "x")])
    with pytest.raises(AdminError) as caught:
        await imported(desk, data, reader="django")
    assert caught.value.problem.code == "import_unverified_unsaid"
    report = await imported(desk, data, reader="django", unverified="vouch")
    assert (report.counts.created, report.counts.ignored) == (1, 1)


async def test_firebase_needs_its_parameters(desk: Desk) -> None:
    data = exports.firebase([("ada@example.com", "x")])
    with pytest.raises(AdminError) as caught:
        await imported(desk, data, reader="firebase")
    assert caught.value.problem.code == "import_parameters_missing"
    await imported(desk, data, reader="firebase", hash_config=read_hash_config(exports.HASH_CONFIG))
    stored = (await account(desk, "ada@example.com")).password_hash
    assert stored is not None
    assert exports.SIGNER_KEY[:20] not in stored


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"password": "$2b$31$" + BCRYPT[7:]}, "import_hash_costly"),
        ({"password": "$2b$12$x"}, "import_hash_damaged"),
        ({"password": "{SHA}" + exports.b64(bytes(20))}, "import_hash_weak"),
        ({"password": "$1$saltsalt$" + "a" * 22}, "import_hash_weak"),
        ({"locale": "!"}, "locale_invalid"),
        ({"zoneinfo": "Nowhere/Land"}, "zone_unknown"),
        ({"name": "x" * 200}, "text_too_long"),
        ({"roles": ["nobody"]}, "import_role_unknown"),
        ({"roles": [str(number) for number in range(60)]}, "import_roles_too_many"),
        ({"external_identities": [{"issuer": "a", "subject": "1"}]}, "import_identity_invalid"),
        ({"external_identities": [{"issuer": "https://a", "subject": "é"}]}, "import_identity_invalid"),
        ({"external_identities": [{"issuer": "https://a", "subject": "x" * 256}]}, "import_identity_invalid"),
        (
            {
                "external_identities": [
                    {"issuer": "https://a", "subject": str(number)} for number in range(11)
                ]
            },
            "import_identities_too_many",
        ),
        ({"totp": {"secret": exports.SEED, "digits": 8}}, "import_factor"),
    ],
)
async def test_a_person_is_refused_as_a_whole(desk: Desk, changes: dict[str, Any], code: str) -> None:
    assert codes(await imported(desk, [{**ADA, **changes}])) == [(1, code)]
    assert await desk.store.accounts.count() == 0


async def test_weak_hashes_are_taken_only_by_choice_and_counted(desk: Desk) -> None:
    weak = {**ADA, "password": "{SSHA}" + exports.b64(bytes(24))}
    report = await imported(desk, [weak], allow_weak=True)
    assert (report.counts.created, report.counts.weak) == (1, 1)


async def test_an_unknown_hash_is_left_out_and_said(desk: Desk) -> None:
    report = await imported(desk, [{**ADA, "password": "hunter2"}])
    assert codes(report) == [(1, "import_hash_unknown")]
    assert (await account(desk, "ada@example.com")).password_hash is None
    assert "hunter2" not in repr(report)


async def test_factors_are_dropped_only_by_choice(desk: Desk) -> None:
    record = {**ADA, "totp": {"secret": exports.SEED, "digits": 8}}
    report = await imported(desk, [record], drop_factors=True)
    assert (codes(report), report.counts.created, report.counts.authenticators) == ([], 1, 0)


async def test_roles_are_created_without_permissions_and_not_without_end(desk: Desk) -> None:
    people = [
        {**ADA, "email": f"p{number}@example.com", "roles": [f"role {number}"]} for number in range(110)
    ]
    report = await imported(desk, people, create_roles=True)
    assert (report.counts.created, len(report.roles_created)) == (100, 100)
    assert {code for _, code in codes(report)} == {"import_role_unknown"}
    roles = await desk.roles.find(OPERATOR)
    assert len(roles) == 100
    assert not any(role.permissions for role in roles)
    with pytest.raises(AdminError) as caught:
        await imported(
            desk,
            people,
            create_roles=True,
            actor=Actor(kind="os_user", id="eve", rights=ALL_RIGHTS - {"roles.write"}),
        )
    assert caught.value.problem.code == "right_missing"


async def test_roles_are_ignored_by_choice(desk: Desk) -> None:
    assert codes(await imported(desk, [{**ADA, "roles": ["nobody"]}], ignore_roles=True)) == []


@pytest.mark.parametrize(
    "wrong", ["app_1", "rol_1", "usr_1", "", "a b", "é", "x" * 129, "-x", "ses_" + "0" * 32, "a\nb"]
)
async def test_an_id_that_could_be_taken_for_another_is_not_kept(desk: Desk, wrong: str) -> None:
    """The subject of an app's own tokens is its id: a person must never have one like it (R26)."""
    report = await imported(desk, [{**ADA, "id": wrong}], keep_ids=True)
    assert codes(report) == [(1, "import_id_invalid" if wrong else "import_id_missing")]


async def test_ids_are_kept_once_and_never_those_of_deleted_people(desk: Desk) -> None:
    ours = "usr_" + "0" * 32
    records = [
        {**ADA, "id": "auth0|5f"},
        {**ADA, "email": "b@example.com", "id": ours},
        {**ADA, "email": "c@example.com", "id": ours},
    ]
    report = await imported(desk, records, keep_ids=True)
    assert codes(report) == [(3, "import_repeated")]
    assert (await account(desk, "ada@example.com")).id == "auth0|5f"
    assert (await desk.people.get(OPERATOR, "auth0|5f")).email == "ada@example.com"
    again = [{**ADA, "email": "d@example.com", "id": "auth0|5f"}]
    assert codes(await imported(desk, again, keep_ids=True)) == [(1, "import_id_taken")]
    await desk.people.delete(OPERATOR, "auth0|5f")
    assert codes(await imported(desk, again, keep_ids=True)) == [(1, "import_id_deleted")]


async def test_passwords_need_the_right_for_credentials(desk: Desk) -> None:
    clerk = Actor(kind="os_user", id="eve", rights=ALL_RIGHTS - {"credentials.write"})
    report = await imported(desk, [ADA, {**ADA, "email": "b@example.com", "password": None}], actor=clerk)
    assert codes(report) == [(1, "right_missing")]
    assert report.counts.created == 1
