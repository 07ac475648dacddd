"""Tests of every command: its effect, its output in words and in JSON, and its exit status."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from doorward.core.model.account import EnrolledFactor
from doorward.storage.sql.open import open_store
from tests.cli.conftest import Run

PASSWORD = "walrus canyon velvet twelve"


def test_a_house_is_set_up_from_nothing(run: Run) -> None:
    api = run(
        "api",
        "create",
        "https://api.example.com",
        "--name",
        "orders",
        "--permission",
        "orders:read=See",
        "--json",
    )
    assert api.document["permissions"] == [{"name": "orders:read", "description": "See"}]
    role = run("role", "create", "customer", "--allow", "orders:orders:read", "--default", "--json")
    assert role.document["permissions"] == {"https://api.example.com": ["orders:read"]}
    app = run("app", "create", "web", "--redirect", "https://app.example.com/cb", "--api", "orders", "--json")
    assert app.document["client_secret"].startswith("dw_cs_")
    assert app.document["client_id"] == app.document["id"]
    assert app.document["access"] == {"https://api.example.com": ["orders:read"]}
    user = run(
        "user",
        "create",
        "ada@example.com",
        "--name",
        "Ada",
        "--password-stdin",
        "--json",
        stdin=PASSWORD + "\n",
    )
    assert user.document["roles"] == ["customer"]
    assert user.document["has_password"] is True
    for ended in (api, role, app, user):
        assert (ended.status, ended.err) == (0, "")
        assert PASSWORD not in ended.out


@pytest.mark.requirement(17)
def test_a_secret_is_shown_once_and_its_hash_never(stocked: Run) -> None:
    made = stocked("app", "rotate-secret", "web", "--yes", "--json").document
    assert made["client_secret"].startswith("dw_cs_")
    for command in (["app", "show", "web", "--json"], ["app", "list", "--json"], ["app", "show", "web"]):
        out = stocked(*command).out
        assert "dw_cs_" not in out
        assert "hash" not in out
    words = stocked("app", "rotate-secret", "web", "--yes", "--keep-old", "60")
    assert words.out.count("dw_cs_") == 1
    assert "Shown once" in words.out


def test_every_kind_of_app_can_be_created(run: Run) -> None:
    def made(*arguments: str) -> dict[str, Any]:
        ended = run("app", "create", *arguments, "--json")
        assert ended.status == 0, ended.out
        return ended.document

    web = made("web", "--redirect", "https://a.example/cb")
    assert (web["auth_method"], web["grant_types"]) == (
        "client_secret_basic",
        ["authorization_code", "refresh_token"],
    )
    spa = made("spa", "--kind", "spa", "--redirect", "https://a.example/cb")
    assert (spa["auth_method"], "client_secret" in spa) == ("none", False)
    native = made(
        "phone", "--kind", "native", "--redirect", "com.example.app:/cb", "--redirect", "http://127.0.0.1/cb"
    )
    assert (native["auth_method"], len(native["redirect_uris"])) == ("none", 2)
    service = made("svc", "--kind", "service")
    assert (service["grant_types"], service["oidc_scopes"]) == (["client_credentials"], [])
    public = made("kiosk", "--public", "--redirect", "https://a.example/cb")
    assert public["auth_method"] == "none"
    ours = made("ours", "--first-party", "--origin", "https://ours.example")
    assert (ours["first_party"], ours["origins"]) == (True, ["https://ours.example"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--redirect", "javascript:alert(1)"), "never a redirect URI"),
        (("--redirect", "https://a.example/#x"), "fragment"),
        ((), "--redirect"),
        (
            ("--redirect", "https://a.example", "--public", "--auth-method", "client_secret_post"),
            "contradict",
        ),
        (("--kind", "service", "--public"), "credential of its own"),
        (("--redirect", "https://a.example", "--scope", "orders:read"), "--api API:orders:read"),
        (("--redirect", "https://a.example", "--no-pkce", "--public"), "PKCE"),
        (("--redirect", "https://a.example", "--api", "ordrs"), "Did you mean orders"),
    ],
)
def test_an_invalid_app_is_refused_in_words_and_json(
    stocked: Run, arguments: tuple[str, ...], said: str
) -> None:
    words = stocked("app", "create", "x", *arguments)
    assert (words.status, words.out) == (1, "")
    assert words.err.startswith("✗ ")
    assert said in words.err
    told = stocked("app", "create", "x", *arguments, "--json")
    assert (told.status, told.err, set(told.document)) == (1, "", {"error", "fix"})
    assert said in f"{told.document['error']} {told.document['fix']}"


def test_an_api_chooses_how_its_tokens_are_signed_and_typed(stocked: Run) -> None:
    assert stocked("api", "show", "orders", "--json").document["token_type"] == "at+jwt"
    assert "at+jwt" in stocked("api", "show", "orders").out
    changed = stocked(
        "api", "set", "orders", "--signing-alg", "RS256", "--token-type", "JWT", "--json"
    ).document
    assert (changed["signing_alg"], changed["token_type"]) == ("RS256", "JWT")
    assert "doorward-verify refuses" in stocked("api", "show", "orders").out
    keys = stocked("keys", "list", "--json").document
    assert "RS256" in {key["alg"] for key in keys if key["state"] == "current"}
    assert stocked("api", "set", "orders").status == 1
    assert stocked("api", "set", "orders", "--token-type", "JWT").status == 1
    made = stocked("api", "create", "https://b.example.com", "--signing-alg", "Ed25519", "--json").document
    assert (made["signing_alg"], made["token_type"]) == ("Ed25519", "at+jwt")


def test_accounts_are_managed(stocked: Run) -> None:
    assert stocked("user", "show", "ADA@example.com", "--json").document["email"] == "ada@example.com"
    assert stocked("role", "create", "clerk").status == 0
    assert stocked("user", "grant-role", "ada@example.com", "clerk", "--json").document["roles"] == [
        "customer",
        "clerk",
    ]
    assert stocked("user", "revoke-role", "ada@example.com", "clerk", "--json").document["roles"] == [
        "customer"
    ]
    told = stocked(
        "user", "set", "ada@example.com", "--given-name", "Ada", "--zoneinfo", "Europe/London", "--json"
    ).document
    assert (told["given_name"], told["family_name"], told["zoneinfo"]) == ("Ada", None, "Europe/London")
    assert told["updated_at"]
    assert "Europe/London" in stocked("user", "show", "ada@example.com").out
    misspelt = stocked("user", "set", "ada@example.com", "--zoneinfo", "Europe/Lodnon")
    assert (misspelt.status, "Europe/London" in misspelt.err) == (1, True)
    assert stocked("user", "set", "ada@example.com").status == 1
    assert stocked("user", "disable", "ada@example.com", "--json").document["disabled_at"]
    assert "disabled" in stocked("user", "list").out
    assert stocked("user", "enable", "ada@example.com", "--json").document["disabled_at"] is None
    changed = stocked("user", "set-password", "ada@example.com", "--password-stdin", "--json", stdin=PASSWORD)
    assert changed.document["has_password"]
    assert stocked("user", "delete", "ada@example.com", "--yes").status == 0
    assert stocked("user", "list", "--json").document == []


def test_a_password_is_never_an_argument(stocked: Run) -> None:
    for command in (("user", "create", "bob@example.com"), ("user", "set-password", "ada@example.com")):
        ended = stocked(*command, "--password", PASSWORD)
        assert ended.status == 2
        assert "--password-stdin" in ended.err
    assert stocked("user", "set-password", "ada@example.com").status == 1
    empty = stocked("user", "create", "bob@example.com", "--password-stdin")
    assert (empty.status, "empty" in empty.err) == (1, True)
    assert (
        stocked("user", "create", "bob@example.com", "--password-stdin", "--no-password", stdin="x").status
        == 1
    )


@pytest.mark.parametrize(
    "command",
    [("user", "delete", "ada@example.com"), ("app", "delete", "web"), ("api", "delete", "orders"), ("role", "delete", "customer"), ("app", "rotate-secret", "web")],
)  # fmt: skip
def test_an_irreversible_command_asks_first(stocked: Run, command: tuple[str, ...]) -> None:
    for extra in ((), ("--json",)):
        ended = stocked(*command, *extra)
        assert ended.status == 1
        assert "--yes" in ended.out + ended.err
    assert stocked(*command, "--yes").status == 0


def test_keys_are_listed_rotated_and_revoked(stocked: Run) -> None:
    early = stocked("keys", "rotate", "--json")
    assert (early.status, "--force" in early.document["fix"]) == (1, True)
    keys = [key for key in stocked("keys", "list", "--json").document if key["alg"] == "ES256"]
    assert [key["state"] for key in keys] == ["current", "next"]
    assert "sealed" not in keys[0]
    assert "d" not in keys[0]["public_jwk"]
    assert stocked("keys", "rotate", "--force", "--json").document["id"] == keys[1]["id"]
    assert stocked("keys", "revoke", keys[0]["id"], "--yes", "--json").document["state"] == "revoked"
    assert stocked("keys", "revoke", "key_x", "--yes").status == 1


def test_apis_and_roles_are_managed(stocked: Run) -> None:
    assert stocked("api", "introspect-as", "orders", "web", "--json").document["client_id"].startswith("app_")
    assert stocked("api", "introspect-as", "orders", "--none", "--json").document["client_id"] is None
    assert stocked("api", "introspect-as", "orders").status == 1
    assert stocked("api", "show", "orders").out.count("orders:read") == 1
    assert stocked("role", "list", "--json").document[0]["default"] is True
    assert stocked("role", "delete", "customer", "--yes", "--json").document["name"] == "customer"
    assert (
        stocked("api", "delete", "orders", "--yes", "--json").document["identifier"]
        == "https://api.example.com"
    )
    assert stocked("app", "show", "web", "--json").document["access"] == {}


@pytest.mark.parametrize("what", ["user", "app", "api", "role"])
def test_an_empty_list_shows_how_to_begin_and_is_a_list_in_json(run: Run, what: str) -> None:
    words = run(what, "list")
    assert (words.status, f"doorward {what} create" in words.out) == (0, True)
    assert run(what, "list", "--json").document == []


def test_a_pipe_gets_tabs_and_complete_values(stocked: Run) -> None:
    head, line = stocked("user", "list").out.splitlines()
    assert head.split("\t")[0] == "e-mail"
    assert line.split("\t")[0] == "ada@example.com"
    assert line.split("\t")[-1].startswith("usr_")


def test_markup_in_a_name_is_shown_as_it_is(run: Run) -> None:
    run("app", "create", "[red]x[/red]", "--redirect", "https://a.example/cb")
    assert "[red]x[/red]" in run("app", "list").out
    assert "[red]x[/red]" in run("app", "show", "[red]x[/red]").out


def test_migrate_and_export_openapi_work(run: Run, house: Path) -> None:
    assert run("migrate", "--json").document == {"database": str(house / "doorward.db"), "migrated": True}
    document = run("export-openapi").document
    assert document["openapi"] == "3.1.0"
    assert document["servers"] == [{"url": "http://127.0.0.1:9000"}]
    assert run("export-openapi", "--output", "api.json").status == 0
    assert json.loads((house / "api.json").read_text()) == document
    assert run("export-openapi", "--output", "/nowhere/api.json").status == 1


def test_the_factors_of_a_lost_phone_are_shown_and_removed(stocked: Run) -> None:
    none = stocked("user", "factors", "ada@example.com", "--json").document
    assert none["authenticator"] is None
    assert none["recovery_codes"] == {"left": 0, "used": 0, "made_at": None}
    refused = stocked("user", "reset-factors", "ada@example.com", "--yes")
    assert refused.status == 1
    assert "has no second factor" in refused.err
    _with_a_phone("ada@example.com")
    shown = stocked("user", "show", "ada@example.com", "--json").document
    assert shown["factors"]["authenticator"]["last_used_at"] == 1_800_000_000
    assert shown["factors"]["recovery_codes"]["left"] == 1
    assert "sealed" not in stocked("user", "show", "ada@example.com", "--json").out
    words = stocked("user", "factors", "ada@example.com").out
    assert "1 left of 2" in words
    gone = stocked("user", "reset-factors", "ada@example.com", "--yes", "--json").document
    assert gone["authenticator"] is None
    assert stocked("user", "show", "ada@example.com", "--json").document["factors"]["authenticator"] is None
    assert stocked("user", "reset-factors", "ada@example.com", "--yes").status == 1


def test_a_reset_of_one_factor_and_a_demand_for_one_say_what_follows(stocked: Run) -> None:
    ada = "ada@example.com"
    asked = stocked("user", "require-factor", ada, "--grace", "3", "--reason", "new in finance")
    assert "sets up a second factor at the next sign-in, or within 3 days." in asked.out
    _with_a_phone(ada)
    document = stocked("user", "factors", ada, "--json").document
    assert [(one["id"], one["kind"]) for one in document["factors"]] == [("fac_1", "totp")]
    since, until = document["required"]["since"], document["required"]["grace_until"]
    assert until - since == 3 * 86_400
    assert "required" in stocked("user", "show", ada).out
    assert "at every sign-in" in stocked("user", "require-factor", ada).out
    wrong = stocked("user", "reset-factors", ada, "--yes", "--id", "fac_9")
    assert wrong.status == 1
    assert "doorward user factors ada@example.com" in wrong.err
    codes = stocked(
        "user", "reset-factors", ada, "--yes", "--kind", "recovery_code", "--reason", "found on paper"
    )
    assert "still has authenticator app; they are signed out everywhere" in codes.out
    gone = stocked("user", "reset-factors", ada, "--yes", "--id", "fac_1", "--json").document
    assert (gone["factors"], gone["authenticator"]) == ([], None)
    assert gone["required"] is not None, "the next sign-in asks for a new one"
    off = stocked("user", "require-factor", ada, "--off", "--json").document
    assert off["required"] is None
    assert stocked("user", "require-factor", ada, "--off").status == 1
    assert stocked("user", "reset-factors", ada, "--yes", "--kind", "lock").status == 2


def _with_a_phone(email: str) -> None:
    async def work() -> None:
        store = await open_store("doorward.db")
        (account,) = await store.accounts.find(email)
        at = account.created_at
        await store.commit(
            store.accounts.add_factor(
                EnrolledFactor("fac_1", account.id, "totp", at, sealed=b"seed", last_step=60_000_000)
            ),
            store.accounts.add_factor(
                EnrolledFactor("fac_2", account.id, "recovery_code", at, code_hash=b"a")
            ),
            store.accounts.add_factor(
                EnrolledFactor("fac_3", account.id, "recovery_code", at, code_hash=b"b", used_at=at)
            ),
        )
        await store.close()

    asyncio.run(work())


def test_a_role_and_an_api_are_changed_while_they_are_in_use(stocked: Run) -> None:
    stocked("api", "create", "https://till.example.com", "--name", "till", "--permission", "till:open")
    stocked("role", "create", "cashier", "--allow", "till")
    granted = stocked("user", "grant-role", "ada@example.com", "cashier", "--json").document
    assert "cashier" in granted["roles"]
    changed = stocked("api", "set", "till", "--permission", "till:count=Count the money", "--json")
    assert [one["name"] for one in changed.document["permissions"]] == ["till:open", "till:count"]
    role = stocked("role", "set", "cashier", "--allow", "till", "--default", "--name", "teller", "--json")
    assert role.document["permissions"] == {"https://till.example.com": ["till:open", "till:count"]}
    assert (role.document["name"], role.document["default"]) == ("teller", True)
    assert stocked("role", "show", "teller", "--json").document == role.document
    assert "till:open, till:count" in stocked("role", "show", "teller").out
    assert "key" not in role.document
    for command in (("user", "show", "ada@example.com"), ("user", "list")):
        assert "teller" in stocked(*command).out
        assert "rol_" not in stocked(*command).out
    narrowed = stocked("api", "set", "till", "--no-permission", "till:open", "--yes", "--json")
    assert [one["name"] for one in narrowed.document["permissions"]] == ["till:count"]
    shown = stocked("role", "show", "teller", "--json").document
    assert shown["permissions"] == {"https://till.example.com": ["till:count"]}
    gone = stocked("role", "set", "teller", "--no-allow", "till", "--no-default", "--json").document
    assert (gone["permissions"], gone["default"]) == ({}, False)
    for refused in (
        ("role", "set", "teller"),
        ("api", "set", "till"),
        ("role", "set", "nobody", "--default"),
        ("api", "set", "till", "--no-permission", "till:open", "--yes"),
        ("role", "set", "teller", "--allow", "till:nothing"),
    ):
        assert stocked(*refused).status == 1
