"""Command-line sentences for problems of administration: what is wrong, and which option or command fixes it.

This is the one place that maps a problem to the name of an option. Parameters are in braces; `!q` quotes one for a shell.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from shlex import quote
from string import Formatter
from typing import Final

from doorward.cli.problems_of_apps import APP_TEXTS
from doorward.cli.trouble import Trouble
from doorward.core.model.problem import Noun, Problem, ProblemCode, Value

_TEXTS: Final[Mapping[ProblemCode, str]] = {
    **APP_TEXTS,
    "right_missing": "{actor} lacks the right {right}. Fix: Let somebody act who has it.",
    "not_found": "There is no {called} {given}.{hint} Fix: See what is there: {listing}",
    "ambiguous": "There is more than one {called} with the name {given}. Fix: Name it by its id: {ids}",
    "unchanged": "Nothing would change about {name}. Fix: {show} {name!q}",
    "out_of_range": "{option} is {value}; it can be {least} to {most}.",
    "config_contended": "The catalog is being changed by others over and over. Fix: Try again in a moment.",
    "name_invalid": "A name has 1 to {limit} characters that can be seen, and no space at its ends.",
    "name_like_id": "A name cannot begin with {prefix}: that is how ids begin.",
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
    "app_not_confidential": "{app} is public and cannot authenticate at /introspect. Fix: Make one: doorward app create NAME --kind service",
    "role_name_invalid": "A role's name has 1 to 64 printable characters, no space at its ends, and does not begin with rol_.",
    "role_name_taken": "There is a role {name} already. Fix: doorward role list",
    "role_without_api": "The role {role} holds nothing at {api}. Fix: doorward role show {role!q}",
    "person_form": "There is no person {given}. Fix: Name people by e-mail address or id: doorward user list",
    "person_contended": "{given} is being changed by somebody else over and over. Fix: Try again in a moment.",
    "person_disabled": "{email} is disabled already. Fix: doorward user enable {email!q}",
    "person_not_disabled": "{email} is not disabled. Fix: doorward user show {email!q}",
    "email_invalid": "{email} is no e-mail address. Fix: It should look like ada@example.com.",
    "email_not_ascii": "{email} has letters beyond ASCII before the @, and mail would not reach it. Fix: Set mail.smtputf8 = true if your mail server offers SMTPUTF8 (doorward doctor).",
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
    "password_personal": "The password is made of the person's address or name, or of this service's. Fix: Take other words.",
    "password_guessable": "The password is too easy to guess. Fix: A few unrelated words will do.",
    "factor_missing": "{email} has no second factor. Fix: doorward user show {email!q}",
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
    "access_token_ttl": "--access-ttl",
    "refresh_token_ttl": "--refresh-ttl",
    "default_max_age": "--max-age",
    "keep_old": "--keep-old",
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


def trouble(problem: Problem) -> Trouble:
    """The problem as the error that ends a command."""
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
