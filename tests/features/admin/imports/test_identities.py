"""Accounts elsewhere in an import: by issuer and subject, once, and never without a proven address (R89, R90)."""

from __future__ import annotations

import io
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from doorward.features.admin import build
from doorward.features.admin.error import AdminError
from doorward.features.admin.imports.hashes import read_hash_config
from doorward.features.admin.imports.report import ImportChoices, ImportReport
from doorward.features.authn.providers.rules.identity import EXTERNAL, issuer_mark
from doorward.features.authn.providers.settings import ProviderPolicies
from tests.features.admin.imports import exports
from tests.features.admin.imports.importing import NoProgress, account, codes, imported, stream
from tests.features.admin.managing import OPERATOR, Desk
from tests.features.authn.providers.journey import Journey, journey

pytestmark = pytest.mark.anyio
GOOGLE = "https://accounts.google.com"
ADA: dict[str, Any] = {
    "email": "ada@example.com",
    "email_verified": True,
    "external_identities": [{"issuer": GOOGLE, "subject": "1"}],
}


@pytest.mark.requirement(89)
async def test_an_identity_is_connected_by_issuer_and_subject(desk: Desk) -> None:
    report = await imported(desk, [ADA])
    assert (report.counts.created, report.counts.identities, report.entries) == (1, 1, ())
    ada = await account(desk, "ada@example.com")
    (identity,) = await desk.store.external_identities.of_account(ada.id)
    assert (identity.issuer, identity.subject, identity.email) == (GOOGLE, "1", "ada@example.com")
    (row,) = await desk.store.accounts.factors(ada.id)
    assert (row.kind, row.code_hash) == (EXTERNAL, issuer_mark(GOOGLE))


@pytest.mark.requirement(89)
async def test_an_identity_that_somebody_has_is_refused(desk: Desk) -> None:
    other = {**ADA, "email": "eve@example.com"}
    report = await imported(desk, [ADA, other])
    assert codes(report) == [(2, "import_repeated")]
    assert codes(await imported(desk, [other])) == [(1, "import_identity_taken")]
    # an account that exists gets none
    bob = await desk.people.create(OPERATOR, "bob@example.com")
    more = {**ADA, "email": "bob@example.com", "external_identities": [{"issuer": GOOGLE, "subject": "2"}]}
    await imported(desk, [more], update=True)
    assert not await desk.store.external_identities.of_account(bob.id)


@pytest.mark.requirement(90)
async def test_an_address_that_was_never_proven_brings_no_identity(desk: Desk) -> None:
    """Whoever registered the address of somebody else there would go on signing in to their account."""
    report = await imported(desk, [{**ADA, "email_verified": False}])
    assert codes(report) == [(1, "import_password_withheld")]
    ada = await account(desk, "ada@example.com")
    assert not await desk.store.external_identities.of_account(ada.id)


async def test_the_other_systems_name_for_a_provider_is_never_guessed(desk: Desk) -> None:
    person = exports.keycloak_person(
        "ada@example.com",
        exports.keycloak_argon2("x"),
        federatedIdentities=[
            {"identityProvider": "google", "userId": "1", "userName": "a"},
            {"identityProvider": "corp", "userId": "2", "userName": "a"},
        ],
    )
    assert codes(await imported(desk, [person], reader="keycloak")) == [(1, "import_identities")]
    named = {"google": GOOGLE}
    report = await imported(desk, [person], reader="keycloak", issuers=named)
    (entry,) = report.entries
    assert entry.problem.parameters == {"provider": "corp"}
    report = await imported(desk, [person], reader="keycloak", issuers=named, drop_identities=True)
    assert (report.counts.created, report.counts.identities) == (1, 1)
    (event,) = [one for one in await desk.audited("accounts.imported") if "created" in one.detail]
    assert f"identity=google={GOOGLE}" in event.detail["choices"]


@pytest.mark.requirement(89)
async def test_a_section_of_the_settings_stands_for_its_issuer(there: Journey) -> None:
    (name,) = there.front.services.sections.of(ProviderPolicies).by_name
    imports = there.front.services.get(build.people_import)
    people = exports.supabase(
        [("ada@example.com", "her old password")],
        raw_app_meta_data='{"providers": ["email", "corp"]}',
        identities='[{"provider": "corp", "provider_id": "ada-there"}]',
    )

    async def run(**named: str) -> ImportReport:
        return await imports.run(
            OPERATOR,
            io.BytesIO(people),
            progress=NoProgress(),
            reader="supabase",
            table=True,
            choices=ImportChoices(issuers=named),
        )

    with pytest.raises(AdminError) as caught:
        await run(corp=f"{name}x")
    assert caught.value.problem.code == "import_provider_unknown"
    assert caught.value.problem.parameters == {"name": f"{name}x", "near": name}
    assert codes(await run()) == [(2, "import_identities")]
    assert (await run(corp=name)).counts.identities == 1
    page = await there.sign_in(
        there.front.browser(), sub="ada-there", email="other@example.org", email_verified=True
    )
    assert page.path == "/account"
    assert await there.account("other@example.org") is None


ELSEWHERE: dict[str, dict[str, Any]] = {
    "keycloak": exports.keycloak_person(
        "ada@example.com", federatedIdentities=[{"identityProvider": "corp", "userId": "ada-there"}]
    ),
    "auth0": {
        "user_id": "oidc|corp|ada-there",
        "email": "ada@example.com",
        "email_verified": True,
        "identities": [{"provider": "corp", "user_id": "ada-there", "connection": "c", "isSocial": False}],
    },
    "firebase": {
        "localId": "Zk3rT9aQ0",
        "email": "ada@example.com",
        "emailVerified": True,
        "providerUserInfo": [{"providerId": "corp", "rawId": "ada-there", "email": "ada@example.com"}],
    },
}


@pytest.mark.requirement(89)
@pytest.mark.parametrize("system", ELSEWHERE)
async def test_accounts_elsewhere_of_each_system_are_connected_where_the_operator_says_so(
    there: Journey, system: str
) -> None:
    """And never by address: without the choice the person is imported without it, and the same address at the provider signs in to
    nothing."""
    (name,) = there.front.services.sections.of(ProviderPolicies).by_name
    imports = there.front.services.get(build.people_import)

    async def run(**members: Any) -> ImportReport:
        return await imports.run(
            OPERATOR,
            stream([ELSEWHERE[system] | members]),
            progress=NoProgress(),
            reader=system,
            choices=ImportChoices(issuers={"corp": name})
            if not members
            else ImportChoices(drop_identities=True),
            hash_config=read_hash_config(exports.HASH_CONFIG) if system == "firebase" else None,
        )

    assert (await run()).counts.identities == 1
    assert (await run(email="bob@example.com")).counts.identities == 0
    tab = there.front.browser()
    page = await there.sign_in(tab, sub="ada-there", email="other@example.org", email_verified=True)
    assert page.path == "/account"
    assert await there.account("other@example.org") is None
    page = await there.sign_in(
        there.front.browser(), sub="bob-there", email="bob@example.com", email_verified=True
    )
    assert page.path != "/account"
    bob = await there.account("bob@example.com")
    assert bob is not None
    assert not await there.front.store.external_identities.of_account(bob.id)


async def test_an_account_elsewhere_without_its_subject_is_refused_by_that_name(desk: Desk) -> None:
    data = exports.supabase([("ada@example.com", "x")], raw_app_meta_data='{"providers": ["google"]}')
    report = await desk.services.get(build.people_import).run(
        OPERATOR,
        io.BytesIO(data),
        progress=NoProgress(),
        reader="supabase",
        table=True,
        choices=ImportChoices(issuers={"google": GOOGLE}),
    )
    assert codes(report) == [(2, "import_subject_missing")]


@pytest.fixture
async def there(tmp_path: Path) -> AsyncGenerator[Journey]:
    """A server with a provider."""
    async with journey(tmp_path) as opened:
        yield opened


@pytest.mark.requirement(89)
async def test_an_imported_person_signs_in_with_their_account_elsewhere(there: Journey) -> None:
    issuer = there.provider.issuer
    record = {**ADA, "external_identities": [{"issuer": issuer, "subject": "ada-there"}]}
    services = there.front.services
    report = await services.get(build.people_import).run(
        OPERATOR, stream([record]), progress=NoProgress(), choices=ImportChoices()
    )
    assert report.counts.identities == 1
    # the provider says another address by now: issuer and subject decide
    page = await there.sign_in(
        there.front.browser(), sub="ada-there", email="other@example.org", email_verified=True
    )
    assert page.path == "/account"
    ada = await there.account("ada@example.com")
    assert ada is not None
    (session,) = await there.front.store.sessions.live_of(ada.id, there.front.now)
    assert session.amr == ("fed",)
    assert await there.account("other@example.org") is None
