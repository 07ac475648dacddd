"""Command-line sentences for problems of administration: what is wrong, and which option or command fixes it.

This is the one place that maps a problem to the name of an option. Parameters are in braces; `!q` quotes one for a shell.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from shlex import quote
from string import Formatter
from typing import Final

from doorward.cli.error import CliError
from doorward.core.model.problem import Noun, Problem, ProblemCode, Value

_TEXTS: Final[Mapping[ProblemCode, str]] = {
    "right_missing": "{actor} lacks the right {right}. Fix: Let somebody act who has it.",
    "not_found": "There is no {called} {given}.{hint} Fix: See what is there: {listing}",
    "ambiguous": "There is more than one {called} with the name {given}. Fix: Name it by its id: {ids}",
    "unchanged": "Nothing would change about {name}. Fix: {show} {name!q}",
    "out_of_range": "{option} is {value}; it can be {least} to {most}.",
    "config_contended": "The configuration is being changed by others over and over. Fix: Try again in a moment.",
    "name_invalid": "A name has 1 to {limit} characters that can be seen, and no space at its ends.",
    "name_like_id": "A name cannot begin with {prefix}: that is how ids begin.",
    "app_name_taken": "There is an app named {name} already. Fix: doorward app show {name!q}",
    "app_without_secret": "{app} has no secret: it authenticates with {auth_method}. Fix: doorward app set {app!q} --auth-method client_secret gives it one.",
    "app_introspects": "{app} is what {api} introspects as, so it must be able to prove itself. Fix: doorward api introspect-as {api!q} --none",
    "redirect_uri_repeated": "{uri} is registered for {app} already. Fix: doorward app show {app!q}",
    "grant_type_unknown": "--grant-type is {grant_type!q}; it can be {known}. Fix: Name one of them: --grant-type {first}",
    "auth_method_unknown": "--auth-method is {auth_method!q}; it can be {known}. Fix: Name one of them: --auth-method {first}",
    "grant_types_missing": "An app gets tokens in one way at least: --grant-type authorization_code or client_credentials.",
    "refresh_without_code": "Refresh tokens come from a sign-in: --grant-type authorization_code too, or leave out refresh_token.",
    "redirect_uris_missing": "An app with a sign-in page needs --redirect URI (or --kind service, or --first-party).",
    "redirect_uris_unused": "A service signs nobody in: leave out --redirect, or choose another --kind.",
    "response_modes_missing": "An app hears answers in one way at least: --response-mode query, form_post, or both.",
    "response_mode_unpostable": "{uri}: no form can be posted there, so the app needs --response-mode query too.",
    "scope_unknown": "{scope} is no OpenID Connect scope. Fix: There are {known}; permissions of an API are given with --api API:{scope}.",
    "kind_without_secret": "A {kind} app can keep no secret: everybody who has the app can read it. Fix: Leave out --auth-method, or take --kind web if a server of yours talks to the token endpoint.",
    "service_without_credential": "A service acts for itself, so it needs a credential of its own. Fix: Leave out --public and --auth-method none; a service that only presents assertions of a trusted issuer needs none: --grant-type urn:ietf:params:oauth:grant-type:jwt-bearer",
    "secret_on_device": "An app on people's devices can keep no secret: everybody who has the app can read it; --auth-method none.",
    "public_app_for_itself": "A public app has no credential of its own, so it cannot act for itself (OAuth 2.1 §4.2).",
    "public_app_for_others": "A public app has no credential of its own, so it may exchange its own refresh token for APIs, and nothing else: neither --impersonate nor --id-jag.",
    "public_app_without_pkce": "A public app always uses PKCE (OAuth 2.1 §7.5.1): --pkce required.",
    "jwks_missing": "private_key_jwt needs the app's public keys: --jwks FILE.",
    "jwks_unused": "Public keys are only for --auth-method private_key_jwt.",
    "jwks_unusable": "Key {number} of the app cannot be used: {reason}.",
    "rotation_required": "Refresh tokens may stay the same only for apps that authenticate with private_key_jwt (FAPI 2.0 §5.3.2.1): --rotation.",
    "origins_of_third_party": "Cookie delivery (--origin) is only for --first-party apps.",
    "app_disabled": "{app} is disabled already. Fix: doorward app enable {app!q}",
    "app_not_disabled": "{app} is not disabled. Fix: doorward app show {app!q}",
    "documents_off": "Documents of apps are not accepted here. Fix: Set client_documents.accept to pinned or any, then reload.",
    "document_refused": "The document {url} cannot be used: {reason}. Fix: Its author mends it; look at it: curl {url!q}",
    "document_pinned": "{url} is pinned already. Fix: doorward app unpin {url!q}, then pin it again",
    "document_not_pinned": "{url} is not pinned. Fix: doorward app show {url!q}",
    "uri_empty": "{option}: The URI is empty, so it is not absolute; it should begin with https://",
    "uri_too_long": "{uri}: The URI is longer than {limit} characters.",
    "uri_character": "{uri}: The URI holds a character that no URI has (a space, a backslash, a letter beyond ASCII).",
    "uri_fragment": "{uri}: The URI has a fragment (#…), which a redirect would overwrite (RFC 6749 §3.1.2).",
    "uri_unreadable": "{uri}: This is no URI: host or port cannot be read.",
    "uri_relative": "{uri}: The URI is not absolute; it should begin with https://",
    "uri_scheme_case": "{uri}: Write the scheme in lower case: {scheme}:",
    "uri_scheme_forbidden": "{uri}: {scheme}: is never a redirect URI; use an https address.",
    "uri_scheme_undotted": "{uri}: {scheme}: is no scheme for a redirect URI; use https, or for a native app a private-use scheme made of your domain backwards, as in com.example.app:/callback (RFC 8252 §7.1), or one of registration.private_schemes.",
    "uri_scheme_private": "{uri}: {scheme}: is a private-use scheme, which only native apps may use; use https, or --kind native.",
    "uri_scheme_unslashed": "{uri}: A private-use scheme is followed by one slash, as in {scheme}:/callback (RFC 8252 §7.1).",
    "uri_scheme_not_web": "{uri}: {scheme}: is not possible here; use an https address.",
    "uri_not_https": "{uri}: http is only for this machine (127.0.0.1, [::1] or localhost); use https.",
    "uri_user_name": "{uri}: The URI has a user name in it, which can make it look like another site's; leave out everything before the @.",
    "uri_host_missing": "{uri}: The URI has no host; it should look like {scheme}://app.example.com/callback",
    "uri_host_spelling": "{uri}: Write the host in lower case and as plain as it can be.",
    "uri_host_wildcard": "{uri}: The host has to be a plain name: redirect URIs are compared exactly, without wildcards (RFC 9700 §4.1.3).",
    "uri_host_character": "{uri}: The host holds a character that no host name has; it is made of letters, digits, hyphens and dots.",
    "uri_dot_segment": "{uri}: The path has a . or .. in it; write where it leads.",
    "origin_invalid": "{uri}: No browser has such an origin; it should look like https://app.example.com",
    "origin_with_path": "{uri}: An origin has no path; write {origin}",
    "access_without_permission": "{text} names no permission after a colon or a comma. Fix: Name them, as in {api}:{example}, or write {api} alone for all that it has.",
    "access_api_unknown": "There is no API {given}.{hint} Fix: Write API:PERMISSION,PERMISSION, as in orders:orders:read. See what is there: doorward api list",
    "permission_unknown": "The API {api} has no permission {permission}. Fix: It has: {offered}.",
    "api_taken": "There is an API {name} ({identifier}) already. Fix: doorward api show {identifier!q}",
    "identifier_invalid": "An API's identifier is a URI, as in https://api.example.com; it holds a character that no URI has.",
    "identifier_relative": "An API's identifier is an absolute URI, as in https://api.example.com or urn:example:orders.",
    "identifier_fragment": "An API's identifier has no fragment (#…): RFC 8707 §2.",
    "identifier_of_server": "That is this server's own address. Fix: An API has an identifier of its own.",
    "permission_invalid": '"{permission}" cannot be a permission: 1 to 100 printable ASCII characters without space, quote or backslash.',
    "permission_reserved": '"{permission}" belongs to OpenID Connect and cannot be a permission; take another name, as in orders:{permission}.',
    "permission_repeated": "A permission is named twice. Fix: Name each once.",
    "api_opens_nothing": "{api} would be open with no permission. Fix: Name which apps may ask for by themselves: --open-permission NAME; it has: {offered}.",
    "app_not_confidential": "{app} is public and cannot authenticate at /introspect. Fix: Make one: doorward app create NAME --kind service",
    "stream_refused": "{reason}. Fix: {remedy}",
    "issuers_too_many": "There are {limit} trusted issuers already. Fix: Remove one: doorward issuer list",
    "issuer_taken": "{name} ({issuer}) is trusted already. Fix: doorward issuer show {name!q}",
    "issuer_of_server": "{issuer} is this server itself, whose own tokens are no assertions. Fix: Name the issuer of the other system.",
    "issuer_keys_twice": "Keys are pinned (--jwks) or fetched (--jwks-uri), not both. Fix: Leave one of them out.",
    "issuer_algorithm_unknown": "--algorithm is {given}; it can be {known}.",
    "issuer_audience_invalid": "{audience} is no audience: it is one exact text without spaces or *.",
    "issuer_rule_name_invalid": "{rule} cannot name a rule: up to 64 letters, digits, and . _ - as in deploy-prod.",
    "issuer_rule_weak": "{rule} would fit workloads of others too: a rule for {preset} also names {missing}. Fix: Add --claim NAME=VALUE for it; docs/guides/ci-without-secrets.md says where each value is found.",
    "issuer_rules_too_many": "An issuer has at most {limit} rules. Fix: Remove one: doorward issuer disallow ISSUER RULE",
    "issuer_claim_invalid": "{claim} is no claim with a value of up to 500 characters. Fix: Write --claim repository_id=123456, or --claim /kubernetes.io/namespace=prod for a nested one.",
    "issuer_claim_pattern": "{claim} is {value}, and there are no patterns: a claim fits exactly or not at all. Fix: Write one rule for each value.",
    "issuer_app_without_grant": "{app} may not get tokens for assertions. Fix: doorward app set {app!q} --grant-type {grant_type!q}",
    "issuer_access_beyond_app": "{app} itself lacks {permissions} at {api}, and a rule only narrows. Fix: doorward app show {app!q}",
    "role_name_invalid": "A role's name has 1 to 64 printable characters, no space at its ends, and does not begin with rol_.",
    "api_key_beyond_app": "A key allows no more than its app may do at {api}: {offered}. Fix: doorward app set {app!q} --api {api!q} gives the app more.",
    "api_key_network": "{network} is no address or network, as in 192.0.2.7 or 198.51.100.0/24 (all bits behind the prefix are 0).",
    "api_key_of_person": "{key} belongs to a person, and only they may see it. Fix: They renew it under Connected apps; doorward api-key revoke {key} ends it.",
    "api_key_ended": "{key} has ended. Fix: doorward api-key list",
    "api_keys_too_many": "{app} has {limit} live keys, the most that it can have. Fix: doorward api-key list --app {app!q}, and revoke one; or raise api_keys.most.",
    "role_name_taken": "There is a role {name} already. Fix: doorward role list",
    "role_without_api": "The role {role} holds nothing at {api}. Fix: doorward role show {role!q}",
    "audit_unsigned": "The server has no signing key yet, so no head can be signed. Fix: Start the server once.",
    "audit_head": "That is no head of this server's audit log: {reason}. Fix: Give a file with what doorward audit head printed.",
    "person_form": "There is no person {given}. Fix: Name people by e-mail address or id: doorward user list",
    "person_contended": "{given} is being changed by somebody else over and over. Fix: Try again in a moment.",
    "person_disabled": "{email} is disabled already. Fix: doorward user enable {email!q}",
    "person_not_disabled": "{email} is not disabled. Fix: doorward user show {email!q}",
    "email_invalid": "{email} is no e-mail address. Fix: It should look like ada@example.com.",
    "email_not_ascii": "{email} has letters beyond ASCII before the @, and mail would not reach it. Fix: Set mail.smtputf8 = true if your mail server offers SMTPUTF8 (doorward doctor).",
    "person_without_address": "{who} has no e-mail address, so a password could not be used. Fix: They sign in at their provider, or add an address to their profile; doorward user show {who!q}",
    "person_password_elsewhere": "The password of {who} is kept by a directory, which is asked at each sign-in. Fix: Change it there; doorward user show {who!q}",
    "email_taken": "There is a person with the address {email} already. Fix: doorward user show {email!q}",
    "text_too_long": "The {words} is too long. Fix: At most {limit} characters.",
    "locale_invalid": "{locale} is no language. Fix: It should look like de or pt-BR (RFC 5646).",
    "zone_invalid": "{zone} is no time zone. Fix: It should look like Europe/Berlin.",
    "zone_unknown": "There is no time zone {zone}.{hint} Fix: It should look like Europe/Berlin.",
    "role_held": "{email} has the role {role} already. Fix: doorward user show {email!q}",
    "role_not_held": "{email} does not have the role {role}. Fix: doorward user show {email!q}",
    "password_missing": "The password is empty. Fix: Type one, or pipe it in with --password-stdin.",
    "password_too_short": "The password is too short: at least {least} characters. Fix: A few unrelated words will do.",
    "password_too_long": "The password is too long: at most {most} characters. Fix: Take a shorter one.",
    "password_breached": "The password stands on a list of breached passwords. Fix: Take one that was never used anywhere.",
    "password_personal": "The password is made of the person's address or name, or of words of this service. Fix: Take other words.",
    "password_guessable": "The password is too easy to guess. Fix: A few unrelated words will do.",
    "device_not_remembered": "{email} has no remembered device {given}. Fix: doorward user factors {email!q}",
    "factor_missing": "{email} has no second factor. Fix: doorward user show {email!q}",
    "factor_not_held": "{email} has no second factor {given}. Fix: doorward user factors {email!q}",
    "session_not_held": "{email} has no live session {given}. Fix: doorward user sessions {email!q}",
    "factors_off": "Nobody can set up a second factor here: second_factor.require is off. Fix: Set it to optional, then reload.",
    "older_program": "A process of an older version still runs, which does not know this and would not observe it. Fix: Update every node first, then try again.",
    "import_file_utf16": "The file is UTF-16. Fix: Save it as UTF-8.",
    "import_file_not_json": "The file is no list of people in JSON, or it is cut off. Fix: Export it again, or write one person a line (JSON Lines).",
    "import_file_too_large": "The file is one JSON document of more than {limit} bytes, which would have to be read whole. Fix: Split it, or write one person a line (JSON Lines).",
    "import_header_missing": "The first line of the table does not name its columns once each, email among them. Fix: Write them there, as in: email,email_verified,name,password",
    "import_running": "Another import of the same file goes on at this moment. Fix: Wait for its end.",
    "import_choices_changed": "An interrupted import of this file has done {done} records under other options. Fix: Give the same options as then, and it goes on.",
    "import_unverified_unsaid": "An export of {format} does not say whose address was proven. Fix: Say what holds for all: --unverified vouch if that system has them prove it, else --unverified without-password.",
    "import_parameters_missing": "The passwords of {format} can only be checked with the parameters of the project: base64_signer_key, base64_salt_separator, rounds, mem_cost. Fix: Copy them out of the console into a file: --hash-config FILE",
    "import_parameter_missing": "The file of --hash-config lacks {name}, or holds something else there. Fix: Copy all of hash_config out of the console.",
    "import_line_too_long": "The record is longer than {limit} bytes.",
    "import_not_text": "The line is not UTF-8. Fix: Save the file as UTF-8.",
    "import_not_json": "The record cannot be read: {reason}.",
    "import_row_open": "A quotation mark is not closed. Fix: Write a mark inside of a text twice.",
    "import_row_cells": "The row has {count} cells, and there are {columns} columns.",
    "import_field_unknown": "There is no member {field}.{hint} Fix: Leave it out: nothing is dropped in silence.",
    "import_field_invalid": "{field} should be {expected}.",
    "import_not_a_person": "This is no person: a service account, an anonymous or a deleted user.",
    "connection_unknown": "Nobody is connected with {given}.{hint} Fix: doorward doctor names those that are not in the settings; doorward provider list those that are",
    "import_email_missing": "There is no e-mail address, and people sign in with it. Fix: Add one; or, for people who sign in with an account elsewhere, --address optional",
    "import_no_way_in": "There is neither an e-mail address nor an account elsewhere to sign in with. Fix: Add one of them",
    "import_older_program": "A process of an earlier version still uses the database, and would take the missing address for one. Fix: Update all nodes, then run the same import again",
    "import_password_unusable": "Without password, because there is no e-mail address to sign in with it: they sign in with their account elsewhere.",
    "import_repeated": "Line {line} has the same {what}. Fix: Decide which of both is right.",
    "import_unverified": "The address was never proven to be theirs.",
    "import_roles_too_many": "There are more than {limit} roles.",
    "import_role_unknown": "There is no role {role}. Fix: Create it before, or let the import do so with --create-roles, or leave all roles out with --ignore-roles.",
    "import_id_missing": "There is no id to keep.",
    "import_id_invalid": "The id {id} cannot be kept: it has to be 1 to 128 letters, digits and . _ : | ~ -, and not look like an id of an app or a role.",
    "import_id_taken": "Somebody else has the id {id}.",
    "import_id_deleted": "The id {id} was that of a person who was deleted here, and whoever gets it would be taken for them.",
    "import_identities": "They sign in with an account at {provider}, and which provider of yours that is was not said. Fix: Name the section of the settings, or the issuer: --identity {provider!q}=google or --identity {provider!q}=https://…; or import them without it: --drop-identities",
    "import_subject_missing": "They sign in with an account at {provider}, and the export does not say who they are there. Fix: Export the subjects too (docs/guides/import-people.md says how); or import them without it: --drop-identities",
    "import_provider_unknown": "The settings have no section [providers.{name}], or its issuer is different for each organisation.{hint} Fix: Name a section that there is, or the issuer itself: https://…",
    "import_identities_too_many": "They have more than {limit} accounts elsewhere.",
    "import_identity_invalid": "An account elsewhere has an issuer that is no https address, or a subject that is not 1 to 255 visible ASCII characters.",
    "import_identity_taken": "Somebody here signs in with one of their accounts elsewhere.",
    "import_factor": "Their second factor cannot be taken over: {factor}. Fix: Import them without it, so that the password alone lets them in: --drop-factors",
    "import_totp_invalid": "The secret of the authenticator app is no Base32 of 10 to 128 bytes.",
    "import_hash_damaged": "The password hash ({kind}) is damaged, or parameters of it are missing.",
    "import_hash_costly": "The password hash ({kind}) would take more time or memory than one sign-in may.",
    "import_hash_weak": "The password hash ({kind}) is soon guessed by whoever gets a copy. Fix: Import it all the same, until their first sign-in: --allow-weak",
    "import_hash_unknown": "Without a password: its hash is of an unknown kind. They choose a new one with “Forgot password?”.",
    "import_password_withheld": "Without password, second factors and accounts elsewhere, because the address was never proven to be theirs. Fix: They choose a new one with “Forgot password?”; if you vouch for the addresses: --unverified vouch",
    "key_unused": "No app and no API uses {alg}, so there is no key to rotate. Fix: Keys are made when one is set to an algorithm: doorward app set APP --id-token-signed-alg …",
    "key_too_young": "Not every API may know the next key yet: it was published at {published_at}. Fix: Wait until {known_at}, or turn at once with --force (verifiers fetch an unknown key when they meet it).",
    "key_ended": "The key {key} is {state} already. Fix: doorward keys list",
    "keys_changed": "The keys were changed by somebody else at the same moment. Fix: doorward keys list",
    "wrapping_dropped": "{kek} does not open the root secret any more: somebody dropped it. Fix: doorward keys wrappings",
    "wrapping_irreversible": "{kek} does not give back what it wrapped. Fix: Nothing was changed.",
    "wrapping_failed": "{reason} Fix: {remedy}",
    "wrappings_changed": "The wrappings were changed by somebody else at the same moment. Fix: doorward keys wrappings",
}
"""One line per code: the error, and the fix where the error does not say it itself."""
SENTENCES: Final[Mapping[ProblemCode, tuple[str, str]]] = {
    code: (error, fix) for code, text in _TEXTS.items() for error, _, fix in [text.partition(" Fix: ")]
}

OPTIONS: Final[Mapping[str, str]] = {
    "redirect_uris": "--redirect",
    "post_logout_redirect_uris": "--post-logout",
    "backchannel_logout_uri": "--backchannel-logout",
    "origins": "--origin",
    "apis": "--api",
    "id_jag": "--id-jag",
    "access_token_ttl": "--access-ttl",
    "refresh_token_ttl": "--refresh-ttl",
    "default_max_age": "--max-age",
    "keep_old": "--keep-old",
    "issuer": "--issuer",
    "jwks_uri": "--jwks-uri",
    "tolerance": "--tolerance",
    "max_lifetime": "--max-lifetime",
    "token_ttl": "--token-ttl",
    "claims": "The number of --claim",
    "grace": "--grace",
    "reason": "--reason",
    "uses": "--uses",
    "lasts": "--days",
    "name": "--name",
    "given_name": "--given-name",
    "family_name": "--family-name",
}
"""The option that sets the member that a problem names."""
_NOUNS: Final[Mapping[Noun, tuple[str, str]]] = {
    "app": ("app", "doorward app"),
    "api": ("API", "doorward api"),
    "role": ("role", "doorward role"),
    "person": ("person", "doorward user"),
    "signing_key": ("signing key", "doorward keys"),
    "issuer": ("trusted issuer", "doorward issuer"),
    "issuer_rule": ("rule of this issuer", "doorward issuer"),
    "api_key": ("API key", "doorward api-key"),
    "initial_access_token": ("initial access token", "doorward registration-token"),
}
_TIMES: Final = frozenset({"published_at", "known_at"})


class _Shell(Formatter):
    def convert_field(self, value: str, conversion: str | None) -> str:
        return quote(value) if conversion == "q" else value


def sentences(problem: Problem) -> tuple[str, str]:
    """What is wrong, and how to fix it."""
    error, fix = SENTENCES[problem.code]
    words = _words(problem.parameters)
    return _Shell().vformat(error, (), words), _Shell().vformat(fix, (), words)


def trouble(problem: Problem) -> CliError:
    """The problem as the error that ends a command."""
    return CliError(*sentences(problem))


def _words(parameters: Mapping[str, Value]) -> dict[str, str]:
    words: dict[str, str] = {}
    for name, value in parameters.items():
        match value:
            case tuple():
                words[name] = ", ".join(value) or "none"
            case int() if name in _TIMES:
                words[name] = f"{datetime.fromtimestamp(value, UTC):%Y-%m-%d %H:%M} UTC"
            case _:
                words[name] = str(value)
    near = parameters.get("near")
    words["hint"] = f" Did you mean {near}?" if near else ""
    if isinstance(offered := parameters.get("offered"), tuple):
        words["example"] = ",".join(offered[:2]) or "read"
    if isinstance(known := parameters.get("known"), tuple):
        words["first"] = known[0]
    if isinstance(member := parameters.get("member"), str):
        words["option"] = OPTIONS[member]
        words["words"] = member.replace("_", " ")
    for noun, (called, command) in _NOUNS.items():
        if parameters.get("noun") == noun:
            words |= {"called": called, "listing": f"{command} list", "show": f"{command} show"}
    return words
