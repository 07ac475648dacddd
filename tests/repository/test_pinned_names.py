"""Tests that names visible outside a program's memory are constants, and that none is derived from a class or module name."""

from __future__ import annotations

import ast
import re
from typing import Any

import pytest
from msgspec import Struct, structs

from doorward.adapters.valkey import (
    change_notifier as valkey_change_notifier,
)
from doorward.adapters.valkey import (
    connection as valkey_link,
)
from doorward.adapters.valkey import (
    counters as valkey_counters,
)
from doorward.core.model import (
    account,
    audit,
    client,
    grant,
    levels,
    message,
    request,
    revocation,
    session,
    signin,
    token_exchange,
)
from doorward.core.model import (
    config_snapshot as config,
)
from doorward.core.model.copied import TableSum
from doorward.core.model.remembered_device import RememberedDevice
from doorward.core.model.wrapped_key import WrappedKey
from doorward.features.admin.imports import report as import_report
from doorward.features.admin.imports import service as imports
from doorward.features.authn.factors.totp import owning as authenticator
from doorward.features.oauth.logout.rules import logout_token
from doorward.features.repeated_posts.rules import PLACES, Kept
from doorward.ops.backup import file as backup_file
from doorward.server import accept, worker_args
from doorward.storage.copy import fence, pieces, side, tables
from doorward.storage.postgres import change_notifier as postgres_change_notifier
from doorward.storage.postgres import schema as postgres_schema
from doorward.storage.sql import app_document, audit_end, migrate
from tests.repository import tree

# JSON documents in the database, in sealed values, in a backup, and on the command line of a server process: all their members.
# The order counts where rows and arrays are read by position (marked by *).
MEMBERS: dict[type[Struct], str] = {
    client.ClientSecret: "hash created_at expires_at",
    app_document._Stored: (
        "id name auth_method created_at auth_pinned secrets jwks redirect_uris post_logout_redirect_uris backchannel_logout_uri"
        " origins grant_types response_modes oidc_scopes access first_party pkce rotation access_token_ttl refresh_token_ttl"
        " default_max_age id_token_signed_alg access_token_signed_alg userinfo_signed_alg id_token_claims second_factor exchange"
        " may_act registered_by native pkce_required signing_alg"
    ),
    token_exchange.ExchangePolicy: "apis impersonate id_jag since",
    token_exchange.IdJagTarget: "client_id scopes",
    config.Api: "id identifier name permissions created_at client_id signing_alg token_type open_to open_permissions",
    config.Permission: "name description",
    config.Role: "id name permissions created_at default key second_factor",
    signin.SignIn: (
        "id created_at expires_at browser_hash handle_hash request return_to account_id proofs fresh_after session_id consented"
        " done_at"
    ),
    signin.Proof: "kind at amr phishing_resistant against",
    request.AuthRequest: (
        "client_id redirect_uri response_mode scopes audience state nonce code_challenge prompt max_age acr_values acr_essential"
        " login_hint hint_subject ui_locales display claims redirect_uri_given"
    ),
    message.EmailMessage: "subject text html code ticket_id notice",
    message.NoticePart: "title sentences seen at weight locale not_me closing",
    authenticator._Held: "seed expires_at",
    backup_file.BackupHeader: "id made_at version schema issuer locks",
    backup_file.Lock: "kind wrapped id salt time memory lanes",
    imports.ImportMark: "holder done choices counts",
    import_report.ImportCounts: (
        "read created updated unchanged ignored refused without_password weak authenticators identities"
    ),
    import_report.ImportChoices: (
        "dry_run update create_roles ignore_roles keep_ids allow_weak unverified drop_factors drop_identities issuers address"
    ),
    tables.Table: "name columns key refers",
    tables.Column: "name kind",
    TableSum: "table rows checksum",
    worker_args.WorkerArgs: (
        "role listeners handed number ready lifeline board place generation workers leaving again"
    ),
    # * by position
    grant.Spent: "hash at sealed",
    Kept: "answer before after",
    pieces.Tables: "versions tables amount",
    pieces.Rows: "table rows",
    pieces.End: "table amount checksum",
    pieces.All: "amount",
    side.Version: "number name",
    account.Account: (
        "id email created_at name locale password_hash password_changed_at disabled_at role_names given_name family_name zoneinfo"
        " updated_at password_version"
    ),
    account.EnrolledFactor: "id account_id kind created_at sealed code_hash last_step used_at",
    RememberedDevice: (
        "id account_id secret_hash previous_hash rotated_at name user_agent address factors_mark created_at used_at expires_at"
    ),
    config.StoredSigningKey: "id alg state public_jwk sealed created_at activated_at retired_at token_life",
    revocation.Revocation: "kind ref at expires_at before seq audience",
    session.Consent: "account_id client_id audience scopes granted_at",
    WrappedKey: "id kek wrapped created_at",
    grant.Grant: (
        "id client_id account_id audience scopes created_at expires_at auth_time acr amr session_id offline nonce claims"
        " ended_at end_reason"
    ),
    grant.AuthorizationCode: (
        "hash grant_id client_id created_at expires_at redirect_uri code_challenge redeemed_at"
    ),
    grant.RefreshToken: "grant_id family_hash generation hash created_at expires_at recent late_at",
    session.Session: (
        "id secret_hash account_id created_at seen_at auth_time expires_at acr amr user_agent address ended_at end_reason proofs"
        " device_hash name"
    ),
    message.EmailChallenge: (
        "id kind email code_hash link_hash browser_hash created_at expires_at account_id sign_in_id payload tries proven_at used_at"
    ),
    message.OutgoingMail: "id to kind sealed created_at next_try_at tries sent_at failed_at bundle weight in_mail",
    message.NoticeLink: "hash account_id kind created_at expires_at answered_at answer",
    message.LogoutNotice: (
        "id client_id account_id session_id created_at next_try_at tries sent_at failed_at problem"
    ),
    audit.AuditEvent: (
        "id at kind ok account_id client_id session_id grant_id address user_agent request_id detail"
        " place network erased"
    ),
}
# Locations that all processes on one database, cache or port know by these names and numbers.
CONSTANTS: list[tuple[object, object]] = [
    (worker_args.MODULE, "doorward.server"),
    (accept.PLACES, 128),
    (postgres_change_notifier._CHANNEL, "doorward"),
    (postgres_change_notifier._HELLO, "hello "),
    (postgres_schema._LOCK, int.from_bytes(b"Doorward")),
    (valkey_change_notifier.CHANNEL, "{doorward}:changed"),
    (valkey_counters.PREFIX, "{doorward}:try:"),
    (valkey_link.EPOCH, "{doorward}:epoch"),
    (audit_end.KEPT_FROM, "audit.kept_from"),
    (imports.MARK, "import "),
    (request.NO_REDIRECT, "urn:doorward:device:"),
    (tables.MARKS, ("moved", "arriving")),
    (
        tables.BOOKKEEPING,
        {
            "schema_migrations",
            "copy_chunks",
            "copy_constraints",
            "fence",
            "nodes",
            "answered_posts",
            "audit_unsealed",
        },
    ),
    (fence.FENCED, "doorward: this database is being moved"),
    (backup_file.MAGIC, b"DOORWARD BACKUP 1\n"),
    (levels.LEVELS, ("urn:doorward:aal1", "urn:doorward:aal2", "phr", "phrh", "urn:doorward:aal3")),
    (logout_token.TYP, "logout+jwt"),
    (revocation.HISTORY_BITS, 40),
    (PLACES, 16_384),
]
# Names in `meta` and `counters` (and of tables that are looked up), as the statements and the calls that fill them in spell them.
SQL_NAMES = {
    "arriving",
    "copy_constraints",
    "doorward",
    "feed",
    "fence",
    "moved",
    "nodes",
    "registry",
    "revocations",
    "root",
    "schema.needs",
    "schema.readable",
    "schema_migrations",
}
# Functions of PostgreSQL: those of the migrations exist in databases.
FUNCTIONS = {
    "doorward_audit_drop",
    "doorward_audit_from",
    "doorward_audit_kept_from",
    "doorward_audit_months",
    "doorward_audit_sealed",
    "doorward_audit_to_seal",
    "doorward_audit_trim",
    "doorward_fence",
    "doorward_never",
    "doorward_ring",
}
_NAME = re.compile(
    r"\b(?:application_)?name = '([a-z_.]+)'|VALUES \('([a-z_.]+)', \?\)|\bname IN \('([a-z]+)', '([a-z]+)'\)"
)
_FUNCTION = re.compile(r"(?:FUNCTION(?: IF EXISTS)?|SELECT) (doorward_[a-z_]+)")
_TYPE_NAMES = {"__name__", "__qualname__", "__module__", "__class__"}
# Uses of the name of a class or a module, and why no program reads the resulting text again.
NAMED = {
    "doorward.cli.app": "tells one exception of the command line's library from another",
    "doorward.cli.outputs": "an error's name, for people",
    "doorward.adapters.background": "imports a module by its name",
    "doorward.adapters.logs": "an error's name, in the log",
    "doorward.adapters.keys.secret_key": "an error's name, for people",
    "doorward.adapters.trust": "an error's name, in the log and beside a notice that was not delivered, for people",
    "doorward.adapters.ldap.session": "an error's name, in the log and for people",
    "doorward.adapters.valkey.change_notifier": "an error's name, in the log",
    "doorward.adapters.valkey.connection": "an error's name, in the log",
    "doorward.adapters.keys.wrap_pkcs11": "what the token's library calls the trouble; decides which advice is printed",
    "doorward.core.lean_import": "imports a module by its name",
    "doorward.storage.postgres.change_notifier": "an error's name, in the log",
    "doorward.storage.postgres.errors": "an error's name, for people",
    "doorward.web.router": "an error's name, in the log",
    "doorward.ops.doctor.checks.cache": "an error's name, for people",
    "doorward.ops.doctor.checks.port": "an error's name, for people",
    "doorward.ops.doctor.checks.postgres": "an error's name, for people",
    "doorward_verify": "imports what is asked for by its name",
    "doorward_verify.fetch": "an error's name, for people",
}


@pytest.mark.parametrize("document", MEMBERS, ids=lambda document: document.__name__)
def test_members_of_stored_documents_are_pinned(document: type[Struct]) -> None:
    assert [member.encode_name for member in structs.fields(document)] == MEMBERS[document].split()


def test_tags_in_backups_are_pinned() -> None:
    kinds: list[Any] = [pieces.Tables, pieces.Rows, pieces.End, pieces.All]
    assert [kind.__struct_config__.tag for kind in kinds] == ["Tables", "Rows", "End", "All"]
    assert all(kind.__struct_config__.array_like for kind in [*kinds, grant.Spent, Kept, side.Version])


def test_constants_are_pinned() -> None:
    assert [constant for constant, _ in CONSTANTS] == [value for _, value in CONSTANTS]


def _modules() -> dict[str, ast.Module]:
    found: dict[str, ast.Module] = {}
    for root in (tree.SERVER, tree.VERIFIER):
        for path in sorted(root.rglob("*.py")):
            parts = path.relative_to(root.parent).with_suffix("").parts
            if parts[1] in {"demo", "dev"}:
                continue  # they store no server data
            found[".".join(parts).removesuffix(".__init__")] = tree.parse(path.read_text("utf-8"))
    return found


def named_after_itself(source: ast.Module) -> list[str]:
    """Code that makes text from the name of a class or a module: `type(x).__name__`, a tag that msgspec derives from a class's
    name."""
    found: list[str] = []
    for node in tree.nodes(source):
        match node:
            case ast.Attribute(attr=name) if name in _TYPE_NAMES:
                found.append(ast.unparse(node))
            case ast.Name(id=name) if name in {"__name__", "__qualname__", "__module__"}:
                found.append(name)
            case ast.ClassDef(keywords=keywords):
                given = {word.arg: word.value for word in keywords}
                match given.get("tag"):
                    case ast.Constant(value=str()):
                        continue
                    case None if "tag_field" not in given:
                        continue
                    case _:
                        found.append(f"class {node.name}: tag")
            case _:
                continue
    return found


def _as_a_program(source: ast.Module) -> int:
    """The number of `if __name__ == "__main__"` lines."""
    return sum(
        isinstance(node, ast.Compare) and isinstance(node.left, ast.Name) and node.left.id == "__name__"
        for node in tree.nodes(source)
    )


def test_nothing_is_stored_under_the_name_of_a_class_or_a_module() -> None:
    found = {
        module: names
        for module, source in _modules().items()
        if len(names := named_after_itself(source)) > _as_a_program(source)
    }
    new = {module: names for module, names in found.items() if module not in NAMED}
    assert not new, f"use a constant, or add a line to NAMED that says why no program reads it again: {new}"
    assert set(NAMED) == set(found), f"these are listed here and no longer found: {set(NAMED) - set(found)}"


def test_a_name_that_would_change_with_its_class_is_found() -> None:
    source = """
class A(Struct, tag=True): ...
class B(Struct, tag_field="kind"): ...
class C(Struct, tag=str.lower): ...
class D(Struct, tag="D"): ...
def f(x): return type(x).__name__, x.__class__, __name__, x.__qualname__
"""
    found = named_after_itself(tree.parse(source))
    assert len(found) == 7, found


def filled_in(node: ast.AST) -> str | None:
    """The name that a call gives to a statement: of a table that is looked up, or of a row of `meta`."""
    match node:
        case ast.Call(func=ast.Attribute(attr="has"), args=[ast.Constant(value=str(name))]):
            return name
        case ast.Call(args=[ast.Name(id="PUT_META"), ast.Tuple(elts=[ast.Constant(value=str(name)), *_])]):
            return name
        case _:
            return None


def test_names_in_sql_are_pinned() -> None:
    nodes = [
        node for path in tree.modules(tree.SERVER) for node in tree.nodes(tree.parse(path.read_text("utf-8")))
    ]
    texts = [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    written = {name for text in texts for found in _NAME.findall(text) for name in found if name}
    assert written | {name for node in nodes if (name := filled_in(node)) is not None} == SQL_NAMES
    texts += [path.read_text("utf-8") for path in migrate._FOLDER.glob("*.sql")]
    assert {name for text in texts for name in _FUNCTION.findall(text)} == FUNCTIONS
