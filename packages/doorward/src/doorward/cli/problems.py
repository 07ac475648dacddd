"""Sentences of the command line for problems of administration: what is wrong, and which option or command mends it.

The one place where a problem meets the name of an option. Parameters stand in braces; `!q` quotes one for a shell.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from shlex import quote
from string import Formatter
from typing import Final

from doorward.cli.problems_of_apps import APP_ERRORS, APP_SENTENCES
from doorward.cli.trouble import Trouble
from doorward.core.model.problem import Noun, Problem, ProblemCode, Value

_SHOW_USER = "doorward user show {email!q}"
_ERRORS: Final[Mapping[ProblemCode, str]] = {
    **APP_ERRORS,
    "out_of_range": "{option} is {value}; it can be {least} to {most}.",
    "name_invalid": "A name has 1 to {limit} characters that can be seen, and no space at its ends.",
    "name_like_id": "A name cannot begin with {prefix}: that is how ids begin.",
    "identifier_invalid": "An API's identifier is a URI, as in https://api.example.com; it holds a character that no URI has.",
    "identifier_relative": "An API's identifier is an absolute URI, as in https://api.example.com or urn:example:orders.",
    "identifier_fragment": "An API's identifier has no fragment (#…): RFC 8707 §2.",
    "permission_invalid": '"{permission}" cannot be a permission: 1 to 100 printable ASCII characters without space, quote or backslash.',
    "permission_reserved": '"{permission}" belongs to OpenID Connect and cannot be a permission; take another name, as in orders:{permission}.',
    "role_name_invalid": "A role's name has 1 to 64 printable characters, no space at its ends, and does not begin with rol_.",
}
"""Errors that say themselves what mends them."""
SENTENCES: Final[Mapping[ProblemCode, tuple[str, str]]] = {
    **{code: (error, "") for code, error in _ERRORS.items()},
    **APP_SENTENCES,
    "right_missing": ("{actor} lacks the right {right}.", "Let somebody act who has it."),
    "not_found": ("There is no {called} {given}.{hint}", "See what is there: {listing}"),
    "ambiguous": ("There is more than one {called} with the name {given}.", "Name it by its id: {ids}"),
    "unchanged": ("Nothing would change about {name}.", "{show} {name!q}"),
    "config_contended": ("The catalog is being changed by others over and over.", "Try again in a moment."),
    "access_without_permission": (
        "{text} names no permission after a colon or a comma.",
        "Name them, as in {api}:{example}, or write {api} alone for all that it has.",
    ),
    "access_api_unknown": (
        "There is no API {given}.{hint}",
        "Write API:PERMISSION,PERMISSION, as in orders:orders:read. See what is there: doorward api list",
    ),
    "permission_unknown": ("The API {api} has no permission {permission}.", "It has: {offered}."),
    "api_taken": ("There is an API {name} ({identifier}) already.", "doorward api show {identifier!q}"),
    "identifier_of_server": ("That is this server's own address.", "An API has an identifier of its own."),
    "permission_repeated": ("A permission is named twice.", "Name each once."),
    "app_not_confidential": (
        "{app} is public and cannot authenticate at /introspect.",
        "Make one: doorward app create NAME --kind service",
    ),
    "role_name_taken": ("There is a role {name} already.", "doorward role list"),
    "role_without_api": ("The role {role} holds nothing at {api}.", "doorward role show {role!q}"),
    "person_form": ("There is no person {given}.", "Name people by e-mail address or id: doorward user list"),
    "person_contended": (
        "{given} is being changed by somebody else over and over.",
        "Try again in a moment.",
    ),
    "person_disabled": ("{email} is disabled already.", "doorward user enable {email!q}"),
    "person_not_disabled": ("{email} is not disabled.", _SHOW_USER),
    "email_invalid": ("{email} is no e-mail address.", "It should look like ada@example.com."),
    "email_not_ascii": (
        "{email} has letters beyond ASCII before the @, and mail would not reach it.",
        "Set mail.smtputf8 = true if your mail server offers SMTPUTF8 (doorward doctor).",
    ),
    "email_taken": ("There is a person with the address {email} already.", _SHOW_USER),
    "text_too_long": ("The {words} is too long.", "At most {limit} characters."),
    "locale_invalid": ("{locale} is no language.", "It should look like de or pt-BR (RFC 5646)."),
    "zone_invalid": ("{zone} is no time zone.", "It should look like Europe/Berlin."),
    "zone_unknown": ("There is no time zone {zone}.{hint}", "It should look like Europe/Berlin."),
    "role_held": ("{email} has the role {role} already.", _SHOW_USER),
    "role_not_held": ("{email} does not have the role {role}.", _SHOW_USER),
    "password_missing": ("The password is empty.", "Type one, or pipe it in with --password-stdin."),
    "password_too_short": (
        "The password is too short: at least {least} characters.",
        "A few unrelated words will do.",
    ),
    "password_too_long": ("The password is too long: at most {most} characters.", "Take a shorter one."),
    "password_breached": (
        "The password stands on a list of breached passwords.",
        "Take one that was never used anywhere.",
    ),
    "password_personal": (
        "The password is made of the person's address or name, or of this service's.",
        "Take other words.",
    ),
    "password_guessable": ("The password is too easy to guess.", "A few unrelated words will do."),
    "factor_missing": ("{email} has no second factor.", _SHOW_USER),
    "key_unused": (
        "No app and no API uses {alg}, so there is no key to rotate.",
        "Keys are made when one is set to an algorithm: doorward app set APP --id-token-signed-alg …",
    ),
    "key_too_young": (
        "Not every API may know the next key yet: it was published at {published_at}.",
        "Wait until {known_at}, or turn at once with --force (verifiers fetch an unknown key when they meet it).",
    ),
    "key_ended": ("The key {key} is {state} already.", "doorward keys list"),
    "keys_changed": ("The keys were changed by somebody else at the same moment.", "doorward keys list"),
    "wrapping_dropped": (
        "{kek} does not open the root secret any more: somebody dropped it.",
        "doorward keys wrappings",
    ),
    "wrapping_irreversible": ("{kek} does not give back what it wrapped.", "Nothing was changed."),
    "wrapping_failed": ("{reason}", "{remedy}"),
    "wrappings_changed": (
        "The wrappings were changed by somebody else at the same moment.",
        "doorward keys wrappings",
    ),
}

OPTIONS: Final[Mapping[str, str]] = {
    "redirect_uris": "--redirect",
    "post_logout_redirect_uris": "--post-logout",
    "backchannel_logout_uri": "--backchannel-logout",
    "origins": "--origin",
    "access_token_ttl": "--access-ttl",
    "refresh_token_ttl": "--refresh-ttl",
    "default_max_age": "--max-age",
    "keep_old": "--keep-old",
    "name": "--name",
    "given_name": "--given-name",
    "family_name": "--family-name",
}
"""The option that fills a member that a problem names."""
_NOUNS: Final[Mapping[Noun, tuple[str, str]]] = {
    "app": ("app", "doorward app"),
    "api": ("API", "doorward api"),
    "role": ("role", "doorward role"),
    "person": ("person", "doorward user"),
    "signing_key": ("signing key", "doorward keys"),
}
_TIMES: Final = frozenset({"published_at", "known_at"})


class _Shell(Formatter):
    def convert_field(self, value: str, conversion: str | None) -> str:
        return quote(value) if conversion == "q" else value


def sentences(problem: Problem) -> tuple[str, str]:
    """What is wrong, and how to mend it."""
    error, fix = SENTENCES[problem.code]
    words = _words(problem.parameters)
    return _Shell().vformat(error, (), words), _Shell().vformat(fix, (), words)


def trouble(problem: Problem) -> Trouble:
    """The problem as the end of a command."""
    return Trouble(*sentences(problem))


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
