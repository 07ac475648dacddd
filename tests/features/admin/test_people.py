"""Administration of people: creation, changes, and what ends with them."""

from __future__ import annotations

import asyncio

import pytest

from doorward.cli.problems import sentences
from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.config_snapshot import Permission
from doorward.core.model.grant import Grant
from doorward.core.model.secret import Secret
from doorward.core.model.session import Session
from doorward.features.admin.error import AdminError
from tests.features.admin.managing import OPERATOR, Desk
from tests.manual_clock import NOW

pytestmark = pytest.mark.anyio
GOOD = Secret("walrus canyon velvet twelve")


async def signed_in(desk: Desk, account: Account) -> None:
    """Two sessions and two grants, one of them offline."""
    store = desk.store
    for number in (1, 2):
        session = Session(
            id=f"ses_{number}", secret_hash=b"%d" % number * 32, account_id=account.id, created_at=NOW, seen_at=NOW,
            auth_time=NOW, expires_at=NOW + 999, acr="a", amr=("pwd",),
        )  # fmt: skip
        grant = Grant(
            id=f"grt_{number}", client_id="app_1", account_id=account.id, audience="x", scopes=(), created_at=NOW,
            expires_at=NOW + 999, auth_time=NOW, acr="a", amr=("pwd",), session_id=session.id, offline=number == 2,
        )  # fmt: skip
        assert await store.commit(store.sessions.insert(session), store.grants.insert(grant))


async def revoked(desk: Desk) -> set[tuple[str, str]]:
    _, entries = await desk.store.revocations.live(NOW)
    return {(entry.kind, entry.ref) for entry in entries}


async def test_a_person_is_created_with_default_roles_and_an_acceptable_password(desk: Desk) -> None:
    await desk.roles.create(OPERATOR, "customer", permissions=(), default=True)
    await desk.roles.create(OPERATOR, "clerk", permissions=())
    ada = await desk.people.create(OPERATOR, " Ada@Example.COM ", name="Ada  L.", password=GOOD)
    assert ada.email == "ada@example.com"
    assert ada.name == "Ada L."
    assert (await desk.people.with_role_names(OPERATOR, ada)).role_names == ("customer",)
    assert ada.password_hash is not None
    assert await desk.services.hasher.verify(ada.password_hash, GOOD)
    bob = await desk.people.create(OPERATOR, "bob@example.com", roles=["clerk"])
    assert (await desk.people.with_role_names(OPERATOR, bob)).role_names == ("clerk",)
    (created, _) = await desk.audited("account.created")
    assert created.account_id == ada.id
    assert created.detail == {"by": "operator", "actor": "os_user:grace"}


@pytest.mark.parametrize(
    ("email", "password", "said"),
    [
        ("ada", None, "email_invalid"),
        ("ada@example.com", "tiny secret", "password_too_short"),
        ("ada@example.com", "passwordpasswordpassword", "password_guessable|password_breached"),
        ("ada.lovelace@example.com", "ada.lovelace@example.com", "password_personal"),
        ("ada@example.com", "x" * 300, "password_too_long"),
        ("taken@example.com", None, "email_taken"),
        ("TAKEN@example.com", None, "email_taken"),
    ],
)
async def test_an_invalid_person_is_refused_with_the_fix(
    desk: Desk, email: str, password: str | None, said: str
) -> None:
    await desk.people.create(OPERATOR, "taken@example.com")
    with pytest.raises(AdminError, match=said) as caught:
        await desk.people.create(OPERATOR, email, password=Secret(password) if password else None)
    assert sentences(caught.value.problem)[1]
    assert password is None or password not in str(caught.value)


@pytest.mark.requirement(77)
@pytest.mark.parametrize(
    ("kind", "shorter"), [("totp", True), ("sms", True), ("email_code", False), ("security_key", False)]
)
async def test_a_password_may_be_shorter_beside_the_same_factors_as_on_the_pages(
    desk: Desk, kind: str, shorter: bool
) -> None:
    ada = await desk.people.create(OPERATOR, "ada@example.com")
    factor = EnrolledFactor("fac_1", ada.id, kind, ada.created_at)
    assert await desk.store.commit(desk.store.accounts.add_factor(factor))
    short = Secret("walrus kanyon")
    if shorter:
        assert (await desk.people.set_password(OPERATOR, ada.id, short)).password_hash is not None
    else:
        with pytest.raises(AdminError, match="password_too_short"):
            await desk.people.set_password(OPERATOR, ada.id, short)


async def test_people_are_found_by_address_and_id_and_near_misses_are_suggested(desk: Desk) -> None:
    ada = await desk.people.create(OPERATOR, "ada@example.com")
    assert await desk.people.get(OPERATOR, "ADA@example.com") == ada
    assert await desk.people.get(OPERATOR, ada.id) == ada
    with pytest.raises(AdminError, match=r"not_found: .*near='ada@example.com'"):
        await desk.people.get(OPERATOR, "adda@example.com")
    with pytest.raises(AdminError, match="person_form: given='Ada'"):
        await desk.people.get(OPERATOR, "Ada")


@pytest.mark.requirement(72)
@pytest.mark.parametrize("deed", ["disable", "delete"])
async def test_disabling_or_deleting_a_person_ends_sessions_grants_and_tokens(desk: Desk, deed: str) -> None:
    ada = await desk.people.create(OPERATOR, "ada@example.com")
    await signed_in(desk, ada)
    await (desk.people.disable if deed == "disable" else desk.people.delete)(OPERATOR, "ada@example.com")
    assert await desk.store.sessions.live_of(ada.id, NOW) == []
    assert await desk.store.grants.live_of_account(ada.id, NOW) == []
    view = await revoked(desk)
    assert {
        ("sub", ada.id),
        ("sid", "ses_1"),
        ("sid", "ses_2"),
        ("grant", "grt_1"),
        ("grant", "grt_2"),
    } <= view
    if deed == "disable":
        assert (await desk.people.get(OPERATOR, ada.id)).disabled_at == NOW
    else:
        assert await desk.store.accounts.get(ada.id) is None
        # the audit log outlives the person
        kinds = ("account.created", "account.deleted")
        told = await desk.store.audit.of_account(ada.id, kinds)
        assert [event.kind for event in told] == ["account.deleted", "account.created"]


@pytest.mark.requirement(72)
async def test_a_new_password_ends_sessions_and_grants(desk: Desk) -> None:
    ada = await desk.people.create(OPERATOR, "ada@example.com", password=GOOD)
    await signed_in(desk, ada)
    other = Secret("harbour lantern mosaic forty")
    changed = await desk.people.set_password(OPERATOR, "ada@example.com", other)
    assert changed.password_hash is not None
    assert await desk.services.hasher.verify(changed.password_hash, other)
    assert await desk.store.sessions.live_of(ada.id, NOW) == []
    assert ("sid", "ses_1") in await revoked(desk)


async def test_a_person_is_disabled_and_enabled_again(desk: Desk) -> None:
    await desk.people.create(OPERATOR, "ada@example.com")
    await desk.people.disable(OPERATOR, "ada@example.com")
    with pytest.raises(AdminError, match="person_disabled"):
        await desk.people.disable(OPERATOR, "ada@example.com")
    assert (await desk.people.enable(OPERATOR, "ada@example.com")).disabled_at is None
    with pytest.raises(AdminError, match="person_not_disabled"):
        await desk.people.enable(OPERATOR, "ada@example.com")
    assert [event.kind for event in await desk.audited()][1:] == ["account.disabled", "account.enabled"]


async def test_roles_are_granted_and_revoked(desk: Desk) -> None:
    await desk.people.create(OPERATOR, "ada@example.com", roles=[])
    await desk.roles.create(OPERATOR, "clerk", permissions=())
    ada = await desk.people.grant_role(OPERATOR, "ada@example.com", "CLERK")
    assert (await desk.people.with_role_names(OPERATOR, ada)).role_names == ("clerk",)
    with pytest.raises(AdminError, match="role_held"):
        await desk.people.grant_role(OPERATOR, "ada@example.com", "clerk")
    with pytest.raises(AdminError, match=r"not_found: .*near='clerk'"):
        await desk.people.grant_role(OPERATOR, "ada@example.com", "clrk")
    assert (await desk.people.revoke_role(OPERATOR, "ada@example.com", "clerk")).role_names == ()
    await desk.roles.delete(OPERATOR, "clerk")
    with pytest.raises(AdminError, match="not_found: noun='role', given='clerk'"):
        await desk.people.revoke_role(OPERATOR, "ada@example.com", "clerk")
    granted, taken = await desk.audited("account.role_granted") + await desk.audited("account.role_revoked")
    assert granted.detail["role"] == taken.detail["role"] == "clerk"


async def test_concurrent_changes_are_all_kept(desk: Desk) -> None:
    await desk.people.create(OPERATOR, "ada@example.com", roles=[])
    names = [f"role{number}" for number in range(5)]
    for name in names:
        await desk.roles.create(OPERATOR, name, permissions=())
    outcomes = await asyncio.gather(
        *(desk.people.grant_role(OPERATOR, "ada@example.com", name) for name in names), return_exceptions=True
    )
    kept = [name for name, outcome in zip(names, outcomes, strict=True) if isinstance(outcome, Account)]
    ada = await desk.people.with_role_names(OPERATOR, await desk.people.get(OPERATOR, "ada@example.com"))
    assert set(ada.role_names) == set(kept)
    assert kept


async def test_concurrent_creations_for_one_address_create_one_person(desk: Desk) -> None:
    outcomes = await asyncio.gather(
        *(desk.people.create(OPERATOR, "ada@example.com") for _ in range(16)), return_exceptions=True
    )
    assert sum(isinstance(outcome, Account) for outcome in outcomes) == 1
    assert len(await desk.people.find(OPERATOR)) == 1


async def test_people_are_listed_in_pages(desk: Desk) -> None:
    made = [await desk.people.create(OPERATOR, f"p{number}@example.com") for number in range(5)]
    first = await desk.people.find(OPERATOR, limit=3)
    rest = await desk.people.find(OPERATOR, after=first[-1].id, limit=3)
    assert [account.id for account in [*first, *rest]] == sorted(account.id for account in made)


async def test_a_permission_is_not_accepted_as_a_role(desk: Desk) -> None:
    await desk.apis.create(
        OPERATOR, "https://api.example.com", name="orders", permissions=[Permission("orders:read")]
    )
    with pytest.raises(AdminError, match="not_found: noun='role', given='orders:read'"):
        await desk.people.create(OPERATOR, "ada@example.com", roles=["orders:read"])


async def test_claims_about_a_person_can_be_set_and_removed(desk: Desk) -> None:
    ada = await desk.people.create(OPERATOR, "ada@example.com", name="Ada L.")
    assert ada.updated_at == NOW
    desk.clock.time += 60
    said = {"given_name": " Ada ", "family_name": "Lovelace", "zoneinfo": "Europe/London"}
    told = await desk.people.update(OPERATOR, "ada@example.com", said)
    assert (told.given_name, told.family_name, told.zoneinfo) == ("Ada", "Lovelace", "Europe/London")
    assert (told.name, told.updated_at) == ("Ada L.", NOW + 60)
    assert await desk.store.accounts.get(ada.id) == told
    (event,) = await desk.audited("account.profile_set")
    assert event.detail == {
        "by": "operator",
        "actor": "os_user:grace",
        "changed": "family_name given_name zoneinfo",
    }
    bare = await desk.people.update(OPERATOR, "ada@example.com", {"given_name": "", "zoneinfo": " "})
    assert (bare.given_name, bare.family_name, bare.zoneinfo) == (None, "Lovelace", None)
    for wrong in ({"zoneinfo": "Europe/../x"}, {"given_name": "x" * 121}, {"family_name": "Lovelace"}):
        with pytest.raises(AdminError):
            await desk.people.update(OPERATOR, "ada@example.com", wrong)


async def test_a_field_that_no_app_receives_does_not_change_updated_at(desk: Desk) -> None:
    await desk.roles.create(OPERATOR, "clerk", permissions=())
    await desk.people.create(OPERATOR, "ada@example.com")
    desk.clock.time += 60
    assert (await desk.people.disable(OPERATOR, "ada@example.com")).updated_at == NOW
    assert (await desk.people.set_password(OPERATOR, "ada@example.com", GOOD)).updated_at == NOW


async def test_somebody_without_an_address_is_managed_by_id(desk: Desk) -> None:
    ada = Account("usr_ada", None, NOW, name="Ada")
    assert await desk.store.commit(desk.store.accounts.insert(ada))
    await desk.roles.create(OPERATOR, "clerk", permissions=())
    assert (await desk.people.grant_role(OPERATOR, "usr_ada", "clerk")).role_names != ()
    with pytest.raises(AdminError, match="role_held: email='usr_ada'"):
        await desk.people.grant_role(OPERATOR, "usr_ada", "clerk")
    # a password needs a name beside it
    with pytest.raises(AdminError, match="person_without_address: who='usr_ada'") as caught:
        await desk.people.set_password(OPERATOR, "usr_ada", GOOD)
    assert sentences(caught.value.problem)[1]
    # nobody is offered as the near match of a mistyped address because of it
    with pytest.raises(AdminError, match="not_found"):
        await desk.people.get(OPERATOR, "ada@example.com")
    assert (await desk.people.disable(OPERATOR, "usr_ada")).disabled_at == NOW
    assert await desk.store.messages.due_mail(NOW) == [], "nothing is sent to nobody"
