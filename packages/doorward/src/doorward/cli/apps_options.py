"""Options of `doorward app create` and `doorward app set` whose values are lists of fixed words."""

from __future__ import annotations

from collections.abc import Sequence
from shlex import quote
from typing import TypeVar, get_args

from doorward.cli.trouble import Trouble
from doorward.model.client import Client, Pkce, ResponseMode
from doorward.rules.permit.checks.scope import OIDC_SCOPES

Word = TypeVar("Word", bound=str)


def scopes(given: Sequence[str]) -> tuple[str, ...]:
    """OpenID Connect scopes, each once. Raises `Trouble` for a name that is none of them."""
    for name in given:
        if name not in OIDC_SCOPES:
            raise Trouble(
                f"{name} is no OpenID Connect scope.",
                f"There are {', '.join(OIDC_SCOPES)}; permissions of an API are given with --api API:{name}.",
            )
    return tuple(dict.fromkeys(given))


def response_modes(given: Sequence[str]) -> tuple[ResponseMode, ...]:
    """Response modes, each once. Raises `Trouble` for a name that is none of them."""
    modes: tuple[ResponseMode, ...] = get_args(ResponseMode)
    return tuple(_word(modes, name, "--response-mode") for name in dict.fromkeys(given))


def without_pkce(*, given: bool) -> Pkce | None:
    """What `--no-pkce` means, the option's older name, which is understood for one more release."""
    return "or_nonce" if given else None


def pkce_words(client: Client) -> str:
    """How the app's codes are protected, for the person who reads `app show`."""
    if not client.confidential:
        return "required, as of every public app"
    match client.pkce:
        case "required":
            return "required"
        case "or_nonce":
            return "or a nonce with scope openid; whether the app checks its nonce, this server cannot see"
        case "optional":
            return (
                "optional, which is weaker: a stolen code is protected by the app's credential alone\n"
                f"stronger, if the client can: doorward app set {quote(client.name)} --pkce or_nonce"
            )


def _word(known: Sequence[Word], name: str, option: str) -> Word:
    for word in known:
        if word == name:
            return word
    raise Trouble(
        f"{option} is {name!r}; it can be {', '.join(known)}.", f"Name one of them: {option} {known[0]}"
    )
