"""OpenID Connect parameters of an authorization request (OpenID Connect Core §3.1.2.1, §5.5, RFC 9470)."""

from __future__ import annotations

import re
from typing import Any, Final

from doorward.core.errors import OAuthError
from doorward_verify.encoding import Malformed, json_object

PROMPTS: Final = frozenset({"none", "login", "consent", "select_account", "create"})
DISPLAYS: Final = frozenset({"page", "popup", "touch", "wap"})
SUITED: Final = DISPLAYS - {"wap"}
"""Values that suit our single page, which is made for any window size and for touch. `wap` is accepted too, and gets the same page."""
MAX_AGE_LIMIT: Final = 10 * 365 * 86_400
_MAX_AGE_DIGITS: Final = 12
_BAD_CLAIMS: Final = OAuthError(
    "invalid_request", "The claims parameter is not a JSON object of the right form."
)
_TAG: Final = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")


def prompt(text: str | None) -> frozenset[str] | OAuthError:
    """The prompt values. `none` must be the only one (§3.1.2.1); an unknown value is refused rather than ignored."""
    values = frozenset(text.split()) if text else frozenset[str]()
    if unknown := values - PROMPTS:
        return OAuthError("invalid_request", "An unknown prompt value was sent.", f"prompt {sorted(unknown)}")
    if "none" in values and len(values) > 1:
        return OAuthError("invalid_request", "prompt=none cannot be combined with other values.")
    return values


def max_age(text: str | None) -> int | OAuthError | None:
    """Maximum age in seconds of the last active sign-in; 0 requires a new one."""
    if text is None:
        return None
    # The length is checked first: int() raises on very long numbers, and the database cannot store them.
    whole = len(text) <= _MAX_AGE_DIGITS and text.isascii() and text.isdigit()
    if not whole or int(text) > MAX_AGE_LIMIT:
        return OAuthError(
            "invalid_request", "max_age must be a whole number of seconds.", f"max_age={text[:40]!r}"
        )
    return int(text)


def display(text: str | None) -> str | OAuthError:
    """The requested display mode. All modes get one responsive page, so the value is only checked and stored."""
    if text is None:
        return "page"
    if text not in DISPLAYS:
        return OAuthError("invalid_request", "An unknown display value was sent.", f"display={text[:40]!r}")
    return text


def locales(text: str | None) -> tuple[str, ...]:
    """Language tags in order of preference; invalid tags are ignored, as §3.1.2.1 says for unsupported ones."""
    return tuple(tag for tag in (text or "").split()[:10] if _TAG.fullmatch(tag))


def claims(text: str | None) -> dict[str, Any] | OAuthError:
    """The `claims` parameter: an object whose `userinfo` and `id_token` members are objects of null or objects (§5.5)."""
    if text is None:
        return {}
    try:
        value = json_object(text.encode())
    except (Malformed, UnicodeEncodeError):
        return _BAD_CLAIMS
    kept: dict[str, Any] = {}
    for place in ("userinfo", "id_token"):
        asked = value.get(place)
        if asked is None:
            continue
        if not isinstance(asked, dict):
            return _BAD_CLAIMS
        members: dict[str, Any] = {}
        for name, wish in asked.items():  # pyright: ignore[reportUnknownVariableType]
            if wish is not None and not isinstance(wish, dict):
                return _BAD_CLAIMS
            members[str(name)] = wish  # pyright: ignore[reportUnknownArgumentType]
        kept[place] = members
    return kept


def essential_acr(claims_asked: dict[str, Any]) -> tuple[str, ...] | None:
    """The acr values that the `claims` parameter requires (§5.5.1.1), or None.

    Without `value` and `values` any level satisfies it: essential then only means that the claim must be present, and it always is.
    Values that are not strings are required but can never be met, so that the request is refused rather than weakened.
    """
    wish = claims_asked.get("id_token", {}).get("acr")
    if not isinstance(wish, dict) or wish.get("essential") is not True:  # pyright: ignore[reportUnknownMemberType]
        return None
    if "value" not in wish and "values" not in wish:
        return None
    values: Any = wish["values"] if "values" in wish else [wish["value"]]  # pyright: ignore[reportUnknownVariableType]
    return tuple(item for item in values if isinstance(item, str)) if isinstance(values, list) else ()  # pyright: ignore[reportUnknownVariableType]


def asked_subject(claims_asked: dict[str, Any]) -> str | None:
    """The subject that the `claims` parameter requires for the ID token (§5.5.1), if any."""
    wish = claims_asked.get("id_token", {}).get("sub")
    value: Any = wish.get("value") if isinstance(wish, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return value if isinstance(value, str) else None
