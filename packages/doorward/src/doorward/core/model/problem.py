"""Problems of administration: a closed set of codes, each with the names of its parameters.

A service returns a code and parameters, never a sentence: the command line, the HTTP API and the console each word the
problem themselves (`cli/problems.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, get_args

from msgspec import Struct

ProblemCode = Literal[
    # of every operation
    "right_missing",
    "not_found",
    "ambiguous",
    "unchanged",
    "out_of_range",
    "config_contended",
    "name_invalid",
    "name_like_id",
    # of apps, APIs and roles
    "access_without_permission",
    "access_api_unknown",
    "permission_unknown",
    # apps
    "app_name_taken",
    "app_without_secret",
    "app_introspects",
    "redirect_uri_repeated",
    "grant_type_unknown",
    "auth_method_unknown",
    "grant_types_missing",
    "refresh_without_code",
    "redirect_uris_missing",
    "redirect_uris_unused",
    "response_modes_missing",
    "response_mode_unpostable",
    "scope_unknown",
    "kind_without_secret",
    "service_without_credential",
    "secret_on_device",
    "public_app_for_itself",
    "public_app_without_pkce",
    "jwks_missing",
    "jwks_unused",
    "jwks_unusable",
    "rotation_required",
    "origins_of_third_party",
    # addresses of apps
    "uri_empty",
    "uri_too_long",
    "uri_character",
    "uri_fragment",
    "uri_unreadable",
    "uri_relative",
    "uri_scheme_case",
    "uri_scheme_forbidden",
    "uri_scheme_undotted",
    "uri_scheme_private",
    "uri_scheme_unslashed",
    "uri_scheme_not_web",
    "uri_not_https",
    "uri_user_name",
    "uri_host_missing",
    "uri_host_spelling",
    "uri_host_wildcard",
    "uri_host_character",
    "uri_dot_segment",
    "origin_invalid",
    "origin_with_path",
    # APIs
    "api_taken",
    "identifier_invalid",
    "identifier_relative",
    "identifier_fragment",
    "identifier_of_server",
    "permission_invalid",
    "permission_reserved",
    "permission_repeated",
    "app_not_confidential",
    # roles
    "role_name_invalid",
    "role_name_taken",
    "role_without_api",
    # people
    "person_form",
    "person_contended",
    "person_disabled",
    "person_not_disabled",
    "email_invalid",
    "email_not_ascii",
    "email_taken",
    "person_without_address",
    "text_too_long",
    "locale_invalid",
    "zone_invalid",
    "zone_unknown",
    "role_held",
    "role_not_held",
    # passwords and second factors
    "password_missing",
    "password_too_short",
    "password_too_long",
    "password_breached",
    "password_personal",
    "password_guessable",
    "device_not_remembered",
    "factor_missing",
    "factor_not_held",
    "factors_off",
    "older_program",
    # an import of people: its file, a record, a member
    "import_file_utf16",
    "import_file_not_json",
    "import_file_too_large",
    "import_header_missing",
    "import_running",
    "import_choices_changed",
    "import_unverified_unsaid",
    "import_parameters_missing",
    "import_parameter_missing",
    "import_line_too_long",
    "import_not_text",
    "import_not_json",
    "import_row_open",
    "import_row_cells",
    "import_field_unknown",
    "import_field_invalid",
    "import_not_a_person",
    "import_email_missing",
    "import_repeated",
    "import_unverified",
    "import_roles_too_many",
    "import_role_unknown",
    "import_id_missing",
    "import_id_invalid",
    "import_id_taken",
    "import_id_deleted",
    "import_identities",
    "import_identities_too_many",
    "import_identity_invalid",
    "import_identity_taken",
    "import_factor",
    "import_totp_invalid",
    "import_hash_damaged",
    "import_hash_costly",
    "import_hash_weak",
    "import_hash_unknown",
    "import_password_withheld",
    # signing keys and key-encryption keys
    "key_unused",
    "key_too_young",
    "key_ended",
    "keys_changed",
    "wrapping_dropped",
    "wrapping_irreversible",
    "wrapping_failed",
    "wrappings_changed",
]
Noun = Literal["app", "api", "role", "person", "signing_key"]
"""Values of the parameter `noun` of `not_found`, `ambiguous` and `unchanged`."""
Value = str | int | tuple[str, ...] | None

_ADDRESS: Final = ("member", "uri")
"""The member of the app that holds the address, and the address."""
_PARAMETERS: Final[Mapping[ProblemCode, tuple[str, ...]]] = {
    "right_missing": ("right", "actor"),
    "not_found": ("noun", "given", "near"),
    "ambiguous": ("noun", "given", "ids"),
    "unchanged": ("noun", "name"),
    "out_of_range": ("member", "value", "least", "most"),
    "name_invalid": ("limit",),
    "name_like_id": ("prefix",),
    "access_without_permission": ("text", "api", "offered"),
    "access_api_unknown": ("given", "near"),
    "permission_unknown": ("api", "permission", "offered"),
    "app_name_taken": ("name",),
    "app_without_secret": ("app", "auth_method"),
    "app_introspects": ("app", "api"),
    "redirect_uri_repeated": ("uri", "app"),
    "grant_type_unknown": ("grant_type", "known"),
    "auth_method_unknown": ("auth_method", "known"),
    "response_mode_unpostable": ("uri",),
    "scope_unknown": ("scope", "known"),
    "kind_without_secret": ("kind",),
    "jwks_unusable": ("number", "reason"),
    "uri_too_long": (*_ADDRESS, "limit"),
    "uri_scheme_case": (*_ADDRESS, "scheme"),
    "uri_scheme_forbidden": (*_ADDRESS, "scheme"),
    "uri_scheme_undotted": (*_ADDRESS, "scheme"),
    "uri_scheme_private": (*_ADDRESS, "scheme"),
    "uri_scheme_unslashed": (*_ADDRESS, "scheme"),
    "uri_scheme_not_web": (*_ADDRESS, "scheme"),
    "uri_host_missing": (*_ADDRESS, "scheme"),
    "origin_invalid": _ADDRESS,
    "origin_with_path": (*_ADDRESS, "origin"),
    "api_taken": ("name", "identifier"),
    "identifier_invalid": ("identifier",),
    "identifier_relative": ("identifier",),
    "identifier_fragment": ("identifier",),
    "identifier_of_server": ("identifier",),
    "permission_invalid": ("permission",),
    "permission_reserved": ("permission",),
    "app_not_confidential": ("app",),
    "role_name_taken": ("name",),
    "role_without_api": ("role", "api"),
    "person_form": ("given",),
    "person_contended": ("given",),
    "person_disabled": ("email",),
    "person_not_disabled": ("email",),
    "email_invalid": ("email",),
    "email_not_ascii": ("email",),
    "email_taken": ("email",),
    "person_without_address": ("who",),
    "text_too_long": ("member", "limit"),
    "locale_invalid": ("locale",),
    "zone_invalid": ("zone",),
    "zone_unknown": ("zone", "near"),
    "role_held": ("email", "role"),
    "role_not_held": ("email", "role"),
    "password_too_short": ("least",),
    "password_too_long": ("most",),
    "device_not_remembered": ("email", "given"),
    "factor_missing": ("email",),
    "factor_not_held": ("email", "given"),
    "import_file_too_large": ("limit",),
    "import_choices_changed": ("done",),
    "import_unverified_unsaid": ("format",),
    "import_parameters_missing": ("format",),
    "import_parameter_missing": ("name",),
    "import_line_too_long": ("limit",),
    "import_not_json": ("reason",),
    "import_row_cells": ("count", "columns"),
    "import_field_unknown": ("field", "near"),
    "import_field_invalid": ("field", "expected"),
    "import_repeated": ("what", "line"),
    "import_roles_too_many": ("limit",),
    "import_role_unknown": ("role",),
    "import_id_invalid": ("id",),
    "import_id_taken": ("id",),
    "import_id_deleted": ("id",),
    "import_identities": ("provider",),
    "import_identities_too_many": ("limit",),
    "import_factor": ("factor",),
    "import_hash_damaged": ("kind",),
    "import_hash_costly": ("kind",),
    "import_hash_weak": ("kind",),
    "key_unused": ("alg",),
    "key_too_young": ("published_at", "known_at"),
    "key_ended": ("key", "state"),
    "wrapping_dropped": ("kek",),
    "wrapping_irreversible": ("kek",),
    "wrapping_failed": ("reason", "remedy"),
}
PARAMETERS: Final[Mapping[ProblemCode, tuple[str, ...]]] = {
    code: _PARAMETERS.get(code, _ADDRESS if code.startswith("uri_") else ()) for code in get_args(ProblemCode)
}
"""The names of the parameters of each code. A code not listed above has none, or those of an address (`uri_…`)."""


class Problem(Struct, frozen=True):
    """The reason why an operation failed. No parameter ever holds a secret."""

    code: ProblemCode
    parameters: dict[str, Value]

    def __str__(self) -> str:
        told = ", ".join(f"{name}={value!r}" for name, value in self.parameters.items())
        return f"{self.code}: {told}" if told else self.code


def problem(code: ProblemCode, **parameters: Value) -> Problem:
    """A problem with exactly the parameters that the catalogue names."""
    if set(parameters) != set(PARAMETERS[code]):
        raise TypeError(f"{code} has the parameters {PARAMETERS[code]}, not {tuple(parameters)}")
    return Problem(code, parameters)
