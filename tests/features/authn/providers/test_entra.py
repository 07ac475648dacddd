"""Sign-in with Microsoft Entra: which tenants, who somebody is there, and whose an address is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from doorward.features.authn.providers.rules.identity import issuer_mark
from tests.features import made as made_app
from tests.features.authn.providers.named import clock, named_journey
from tests.logged import captured
from tests.stand_ins.entra import CONTOSO, FABRIKAM, EntraStandIn
from tests.tabs import sent_to

pytestmark = pytest.mark.anyio
GRACE: dict[str, Any] = {
    "oid": "690222be-ff1a-4d56-abd1-7e4f7d38e474",
    "tid": CONTOSO,
    "email": "grace@contoso.com",
    "name": "Grace",
    "upn": "grace@contoso.com",
    "xms_edov": True,
}


def entra(home: str = "organizations", **values: Any) -> EntraStandIn:
    return EntraStandIn(clock=clock(), client_id="app-1", secret="s~1", home=home, **values)


@pytest.mark.requirement(89, 91)
async def test_the_template_is_filled_from_an_allowed_tenant(tmp_path: Path) -> None:
    """go-oidc#121: the metadata for all tenants have a template, which must not mean that any tenant will do."""
    there = entra()
    async with named_journey(
        tmp_path, "entra", there, tenants=(CONTOSO,), email_domains=("contoso.com", "fabrikam.com")
    ) as made:
        assert (await made.sign_in(made.front.browser(), **GRACE)).path == "/account"
        grace = await made.account("grace@contoso.com")
        assert grace is not None
        (one,) = await made.front.store.external_identities.of_account(grace.id)
        assert (one.issuer, one.subject) == (there.issuer_of(CONTOSO), GRACE["oid"])
        page = await made.sign_in(made.front.browser(), **{**GRACE, "tid": FABRIKAM})
        assert page.path.startswith("/sign-in/provider?said=not_allowed")
        assert await made.reasons() == ["ID token: tid is no tenant of the settings"]
        spoiled: list[tuple[dict[str, Any], str]] = [
            # the allowed tenant named by another one's token
            ({"iss": there.issuer_of(FABRIKAM)}, "iss is another issuer"),
            ({"iss": there.issuer_of("{tenantid}")}, "iss is another issuer"),
            ({"tid": None}, "iss is another issuer"),
            ({"tid": f"{CONTOSO}/../{FABRIKAM}"}, "iss is another issuer"),
            ({"tid": [CONTOSO]}, "iss is another issuer"),
            ({"oid": None}, "sub is missing or too long"),
        ]
        for claims, reason in spoiled:
            there.spoiled = claims
            page = await made.sign_in(made.front.browser(), **GRACE)
            assert page.path.startswith("/sign-in/provider?said="), claims
            assert (await made.front.audited("provider.refused"))[0].detail["reason"] == f"ID token: {reason}"
            # so that the limit on tries is not what refuses the next one
            made.front.clock.time += 3600
        assert there.refused == []


async def test_a_key_of_another_tenant_signs_for_nobody_here(tmp_path: Path) -> None:
    there = entra()
    async with named_journey(tmp_path, "entra", there, tenants=("*",), email_domains=("*",)) as made:
        there.key_issuer = there.issuer_of(FABRIKAM)
        await made.sign_in(made.front.browser(), **GRACE)
        assert await made.reasons() == ["ID token: the key is of another issuer"]
        assert (await made.sign_in(made.front.browser(), **{**GRACE, "tid": FABRIKAM})).path == "/account"


@pytest.mark.requirement(89)
async def test_a_person_is_known_by_the_id_in_their_tenant(tmp_path: Path) -> None:
    """`sub` is another one after a new app registration, and an address is handed on: neither is the key."""
    there = entra()
    async with named_journey(tmp_path, "entra", there, tenants=("*",), email_domains=("*",)) as made:
        assert (await made.sign_in(made.front.browser(), **GRACE)).path == "/account"
        there.spoiled = {"sub": "another app registration's", "email": "g.hopper@contoso.com"}
        assert (await made.sign_in(made.front.browser(), **GRACE)).path == "/account"
        assert await made.account("g.hopper@contoso.com") is None
        there.spoiled = {}
        heir = {**GRACE, "oid": "00000000-ff1a-4d56-abd1-7e4f7d38e474"}
        page = await made.sign_in(made.front.browser(), **heir)
        assert "connected to another account of that service" in (page.problem or "")
        # the same id in another tenant is somebody else
        other = await made.sign_in(made.front.browser(), **{**GRACE, "tid": FABRIKAM})
        assert other.path.startswith("/sign-in/provider/account")


@pytest.mark.requirement(92)
async def test_an_address_counts_where_the_tenant_owns_its_domain(tmp_path: Path) -> None:
    """An administrator of any tenant writes any address into `email`; `email_verified` is not Microsoft's."""
    there = entra()
    async with named_journey(tmp_path, "entra", there, tenants=("*",), email_domains=("*",)) as made:
        for number, (said, counts) in enumerate(
            [
                (True, True),
                ("1", True),
                ("true", True),
                (1, True),
                (None, False),
                (False, False),
                ("0", False),
                ([], False),
            ]
        ):
            email = f"grace{number}@contoso.com"
            there.spoiled = {"xms_edov": said, "email_verified": True}
            page = await made.sign_in(made.front.browser(), **{**GRACE, "oid": f"o-{number}", "email": email})
            assert (page.path == "/account") is counts, said
            assert (await made.account(email) is not None) is counts


async def test_one_tenant_has_an_address_of_its_own(tmp_path: Path) -> None:
    there = entra(CONTOSO)
    async with named_journey(tmp_path, "entra", there, tenants=(CONTOSO,), email_domains=("*",)) as made:
        assert (await made.sign_in(made.front.browser(), **GRACE)).path == "/account"


@pytest.mark.requirement(94)
async def test_a_connection_counts_while_its_tenant_is_in_the_settings(tmp_path: Path) -> None:
    there = entra()
    async with named_journey(tmp_path, "entra", there, tenants=(CONTOSO,), email_domains=("*",)) as made:
        tab, store = made.front.browser(), made.front.store
        app = await made.front.register(made_app.public(access={}, first_party=True))
        assert (await made.sign_in(tab, **GRACE)).path == "/account"
        grace = await made.account("grace@contoso.com")
        assert grace is not None
        (row,) = await store.accounts.factors(grace.id)
        assert row.code_hash == issuer_mark(there.issuer_of(CONTOSO))
        # made when the settings named another tenant, or all of them
        for earlier in (there.issuer_of(FABRIKAM), there.issuer_of("{tenantid}")):
            assert await store.commit(store.accounts.replace_hash(row, issuer_mark(earlier)))
            asked = await tab.on(await tab.get(made.front.asking(app, scope="openid")))
            assert asked.path.startswith("/sign-in"), earlier
            # its owner is found all the same, and the connection counts again
            assert sent_to(
                await made.sign_in(tab, made.front.asking(app, scope="openid"), **GRACE)
            ).startswith("https://app")
            assert sent_to(await tab.on(await tab.get(made.front.asking(app, scope="openid")))).startswith(
                "https://app"
            )
            (now,) = await store.accounts.factors(grace.id)
            assert now.code_hash == row.code_hash


async def test_more_groups_than_a_token_holds_drop_no_role(tmp_path: Path) -> None:
    """vault#7510: with too many groups the claim is missing, and `_claim_names` is there instead."""
    there = entra()
    section: dict[str, Any] = {
        "tenants": (CONTOSO,),
        "email_domains": ("*",),
        "roles_claim": "groups",
        "roles": ("g-1 -> reader",),
        "mapping": "each_sign_in",
    }
    async with named_journey(tmp_path, "entra", there, **section) as made:

        async def roles_after(**more: Any) -> tuple[str, ...]:
            assert (await made.sign_in(made.front.browser(), **GRACE, **more)).path == "/account"
            grace = await made.account("grace@contoso.com")
            assert grace is not None
            return grace.role_names

        assert await roles_after(groups=["g-1", "g-2"]) == ("reader",)
        there.overage = True
        with captured() as lines:
            assert await roles_after() == ("reader",)
        said = [each for each in lines if each["event"] == "identity_provider.roles_unknown"]
        assert [(each["provider"], each["claim"]) for each in said] == [("entra", "groups")]
        there.overage = False
        assert await roles_after(groups=["g-2"]) == ()
