"""Tests that every string that is stored, sealed, signed, hashed or used in key derivation is unchanged.

The strings in these tables are in databases, backups and browsers, and other versions on the same database depend on them. A new
entry is added here; a changed or missing entry makes stored data unreadable.
"""

from __future__ import annotations

import ast
import re
from typing import Any, get_args

from doorward.adapters.hashing import foreign, imported
from doorward.core.login_name import looked_up_as
from doorward.core.model.client import (
    IdTokenClaims,
    Pkce,
    ResponseMode,
    SigningAlgorithm,
)
from doorward.core.model.config_snapshot import KeyState, TokenType
from doorward.core.model.message import NoticeAnswer, TicketKind
from doorward.core.model.revocation import RevocationKind
from doorward.core.model.session import EndReason
from doorward.features.api_keys import messages as api_keys
from doorward.features.api_keys.views import ApiKeyDone
from doorward.features.authn import index as authn
from doorward.features.authn.directories.rules import proof as directories
from doorward.features.authn.factors.email_code import factor as email_code
from doorward.features.authn.factors.password.rules import proof as password
from doorward.features.authn.factors.recovery_codes import rules as recovery_codes
from doorward.features.authn.factors.sms.rules import phone as sms
from doorward.features.authn.factors.totp import rules as totp
from doorward.features.authn.flow.rules.vouching import FROM_AMR
from doorward.features.authn.providers.rules import identity as external
from doorward.features.oauth import index as oauth
from doorward.features.oauth.index import CLIENT_AUTH_METHODS, GRANT_TYPES
from doorward.features.rate_limits.rules.budget import Change
from doorward.features.rate_limits.sync import CounterSync
from doorward.storage.copy.tables import Kind
from doorward.storage.sql.rows import NO_ADDRESS
from doorward.web.cookies import CookieKind
from doorward.web.pages.views.account import Done
from doorward_verify.revocation import KINDS as VERIFIER_KINDS
from tests.repository import tree
from tests.repository.server_texts import SERVER, calls, parsed, texts, value

# The purposes of the server's derived keys: `Sealer.seal` and `open`, `seal_under` and `open_under`, `tag`.
SEALED_FOR = {
    "device.user_code",
    "enrol-target",
    "event-stream",
    "factor-address",
    "mail",
    "phone",
    "provider-answer",
    "signing key",
    "sms",
    "totp",
    "totp-setup",
}
SEALED_UNDER_A_SECRET_FOR = {"answered post"}
TAGGED_FOR = {
    "device.user_code",
    "answered post",
    "csrf",
    "csrf-compare",
    "done",
    "feed",
    "mail-code",
    "provider-deletion",
    "provider-nonce",
    "provider-said",
    "provider-signed-out",
    "provider-state",
    "provider-verifier",
    "refresh cookie",
    "sent-code",
    "sign-out",
    "tally",
    "throttle",
    "trusted-device",
    "webauthn",
}
SECRET_PREFIXES = {"dw_ac_", "dw_as_", "dw_cs_", "dw_dc_", "dw_iat_", "dw_rat_", "dw_rt_", "dw_state_"}

# `claims.what`: events that count once, or once in a while, over all processes
CLAIMED = {
    "event_source",
    "api_key_elsewhere",
    "assertion:",
    "audit",
    "code_after",
    "code_refused",
    "code_sent",
    "directory",
    "feed",
    "id_jag_told",
    "jwt_bearer:",
    "own_tokens",
    "provider",
    "provider_logout",
    "replayed",
    "second_factor_failed",
    "sweep",
    "two_networks",
    "webauthn",
}
ENVIRONMENT = {
    "DOORWARD_BENCH_",
    "DOORWARD_CACHE_URL",
    "DOORWARD_CHROMIUM",
    "DOORWARD_CONFIG",
    "DOORWARD_DATABASE_URL",
    "DOORWARD_DEMO_",
    "DOORWARD_KEYS_",
    "DOORWARD_METRICS__PORT",
    "DOORWARD_SERVER__",
    "DOORWARD_SERVER__WORKERS",
    "DOORWARD_TEST_",
}
# `factors.kind` and the kind and method references of proofs
FACTORS = {
    "password": ("pwd",),
    "totp": ("otp",),
    "recovery_code": ("otp",),
    "email_code": ("otp",),
    "sms": ("sms",),
    "directory": ("pwd",),
    "provider": ("fed",),
    "provider_mfa": ("fed",),
}
# in the documents of apps
GRANT_NAMES = (
    "authorization_code refresh_token client_credentials urn:doorward:grant-type:api-key"
    " urn:ietf:params:oauth:grant-type:jwt-bearer"
    " urn:ietf:params:oauth:grant-type:device_code"
    " urn:ietf:params:oauth:grant-type:token-exchange"
)
# `outgoing_mail.kind`
MESSAGE_KINDS = (
    "verify_address address_taken confirm_address address_in_use address_changed address_is_yours reset_password sign_in_by_mail sign_in_code address_code mail_codes_added mail_codes_removed password_changed new_device second_factor_added second_factor_removed"
    " second_factor_reset second_factor_required second_factor_failed recovery_codes_made recovery_code_used passkey_added passkey_removed passkey_asked_for passkey_not_asked_for passkey_copied phone_added phone_removed provider_connected provider_disconnected password_elsewhere trusted_device_copied api_key_created api_key_rotated api_key_expires refresh_replayed offline_access"
)
METHOD_NAMES = "client_secret_basic client_secret_post private_key_jwt none"
LITERALS: dict[Any, str] = {
    ResponseMode: "query form_post",
    SigningAlgorithm: "ES256 RS256 Ed25519",
    IdTokenClaims: "all asked",
    Pkce: "required or_nonce optional",
    TokenType: "at+jwt JWT",
    KeyState: "next current previous retired revoked",
    NoticeAnswer: "not_me was_me ended",
    TicketKind: "sign_up reset sign_in address waiting",
    RevocationKind: "jti grant sid sub client",
    EndReason: (
        "account_deleted account_disabled app_deleted code_reused disconnected ended_by_operator ended_by_owner password_changed"
        " password_reset refresh_token_replayed replaced reported_by_owner restored revoked second_factor_reset signed_out signed_out_by_app"
        " signed_out_by_provider too_many"
    ),
    CookieKind: "browser session device trust used locale asked at rt",
    # hashed into the keys of counters
    Change: "profile methods with_password report api_keys address",
    # the columns of a backup
    Kind: "text number bytes",
}

# hashed into the keys of counters
GUESSED = {"password", "code", "directory", "mail_code", "passkey", "provider", "user_code"}

_SEALER = {"seal": 0, "open": 0, "seal_under": 1, "open_under": 1, "tag": 0}
_ENVIRONMENT = re.compile(r"DOORWARD_[A-Z][A-Z_]*")
_SECRET = re.compile(r"dw_[a-z]+_")


def test_what_stands_for_no_address_is_unchanged_and_no_typed_name() -> None:
    assert NO_ADDRESS == "NONE "
    # as somebody would type it at the sign-in
    assert looked_up_as("NONE usr_1") != "NONE usr_1"
    assert looked_up_as("NONE usr_1@example.com") != "NONE usr_1@example.com"


def test_every_purpose_of_a_seal_or_tag_is_a_pinned_constant() -> None:
    found: dict[str, set[object]] = {"seal": set(), "under": set(), "tag": set()}
    for path, call, method, of in calls(set(_SEALER)):
        if not of.endswith("sealer"):
            continue
        purpose = call.args[_SEALER[method]]
        assert not isinstance(purpose, ast.Constant), (
            f"{tree.name(path)}:{call.lineno}: use a constant for the purpose"
        )
        kind = "tag" if method == "tag" else "under" if method.endswith("_under") else "seal"
        found[kind].add(value(path, purpose))
    assert found == {"seal": SEALED_FOR, "under": SEALED_UNDER_A_SECRET_FOR, "tag": TAGGED_FOR}


def test_kinds_of_guessed_secrets_are_pinned() -> None:
    made = [
        value(path, node.args[0])
        for path in SERVER
        for node in tree.nodes(parsed(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Guessed"
    ]
    assert sorted(made, key=str) == sorted(GUESSED)


def test_stored_forms_of_imported_password_hashes_are_pinned() -> None:
    """In `accounts.password_hash` until the first sign-in."""
    salt, digest = b"salt of sixteen!", bytes(range(32))
    text = "c2FsdCBvZiBzaXh0ZWVuIQ"
    value = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
    hashes = {
        f"$pbkdf2${1}${text}${value}": foreign.Pbkdf2("sha1", 1, salt, digest),
        f"$pbkdf2-sha256${1}${text}${value}": foreign.Pbkdf2("sha256", 1, salt, digest),
        f"$pbkdf2-sha512${1}${text}${value}": foreign.Pbkdf2("sha512", 1, salt, digest),
        f"$scrypt$ln=14,r=8,p=1${text}${value}": foreign.Scrypt(14, 8, 1, salt, digest),
        f"$firebase_scrypt$ln=14,r=8,p=1${text}${value}": foreign.FirebaseScrypt(14, 8, 1, salt, digest),
        f"$plain_digest$sha256$before${text}${value}": foreign.PlainDigest("sha256", "before", salt, digest),
        "$2b$10$x": foreign.Bcrypt("$2b$10$x"),
        "bcrypt_sha256$$2b$10$x": foreign.Bcrypt("$2b$10$x", hashed=True),
        "argon2$argon2id$v=19$x": foreign.Argon2("$argon2id$v=19$x"),
        "$6$x": foreign.UnixCrypt("$6$x"),
    }
    for stored, hashed in hashes.items():
        assert imported.to_stored(hashed) == stored
        assert imported.parse(stored) == hashed
    # of older versions too
    assert imported.parse(f"pbkdf2_sha256$1$salt of sixteen!${value}=") == foreign.Pbkdf2(
        "sha256", 1, salt, digest
    )


def test_prefixes_of_secrets_are_pinned() -> None:
    assert {text for text in texts() if _SECRET.fullmatch(text)} == SECRET_PREFIXES


def test_names_of_database_claims_are_pinned() -> None:
    found = {value(path, call.args[0]) for path, call, _, of in calls({"claim"}) if "replay_cache" in of}
    assert found == CLAIMED


def test_names_of_counters_are_pinned() -> None:
    """Hashed into the keys under which processes share their counts."""
    shared = [
        value(path, key)
        for path in SERVER
        for node in tree.nodes(parsed(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == CounterSync.__name__
        for given in [*node.args, *(word.value for word in node.keywords)]
        if isinstance(given, ast.Dict)
        for key in given.keys
        if key is not None
    ]
    assert shared == ["failures", "begun"]


def test_environment_variables_are_pinned() -> None:
    assert {text for text in texts() if _ENVIRONMENT.fullmatch(text)} == ENVIRONMENT


def test_factors_are_pinned() -> None:
    found = (
        password.TRAITS,
        totp.TRAITS,
        recovery_codes.TRAITS,
        email_code.TRAITS,
        sms.TRAITS,
        directories.TRAITS,
        external.PROVIDED,
        external.PROVIDED_TWICE,
    )
    assert {traits.kind: traits.amr for traits in found} == FACTORS
    # what sessions of earlier programs say, which stored no proofs
    assert dict(FROM_AMR) == {"password": "pwd", "totp": "otp", "recovery_code": "rc"}


def test_literals_are_pinned() -> None:
    assert {literal: " ".join(get_args(literal)) for literal in LITERALS} == LITERALS
    assert frozenset(get_args(RevocationKind)) == VERIFIER_KINDS


def test_names_in_the_documents_of_apps_are_pinned() -> None:
    assert " ".join(grant_type.name for grant_type in GRANT_TYPES) == GRANT_NAMES
    assert " ".join(method.name for method in CLIENT_AUTH_METHODS) == METHOD_NAMES


def test_kinds_of_messages_are_pinned() -> None:
    kinds = [message.kind for message in (*authn.MESSAGES, *oauth.MESSAGES, *api_keys.MESSAGES)]
    assert sorted(kinds) == sorted(MESSAGE_KINDS.split())


def test_confirmed_values_in_account_addresses_are_pinned() -> None:
    """Hashed into the word that such an address also carries."""
    kinds = (Done, *(parts.done for parts in authn.FACTORS if parts.done is not None), ApiKeyDone)
    assert [one.value for kind in kinds for one in kind] == [
        "saved",
        "address_changed",
        "password_changed",
        "provider_connected",
        "provider_disconnected",
        "session_ended",
        "other_sessions_ended",
        "device_asked_again",
        "device_ended",
        "device_renamed",
        "app_disconnected",
        "reported",
        "passkey_added",
        "passkey_asked_for",
        "passkey_not_asked_for",
        "passkey_renamed",
        "passkey_removed",
        "authenticator_added",
        "authenticator_removed",
        "mail_codes_added",
        "mail_codes_removed",
        "phone_added",
        "phone_removed",
        "api_key_ended",
    ]
