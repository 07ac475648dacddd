"""Values of options of `doorward app create` and `doorward app set`: fixed words, lists of them, and a file of keys."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from typing import Any, Literal, get_args

import msgspec

from doorward.cli.error import CliError
from doorward.core.model.client import SECRET_METHODS, Client, Pkce, ResponseMode, SigningAlgorithm
from doorward.core.model.decoded import NotText, decoded
from doorward.features.oauth.clients.rules import key_strength
from doorward.features.oauth.clients.rules.registration import plain_origin

_decode = msgspec.json.Decoder(dict[str, Any]).decode

AuthChoice = Literal["client_secret", "client_secret_basic", "client_secret_post", "private_key_jwt", "none"]
"""Values of `--auth-method`: a secret in either way, or one way alone."""
UserinfoChoice = Literal["ES256", "RS256", "Ed25519", "none"]
"""Values of `--userinfo-signed-alg`; "none" is plain JSON."""
AccessChoice = Literal["ES256", "RS256", "Ed25519", "api"]
"""Values of `--access-token-signed-alg`; "api" leaves it to the APIs."""


def listed(given: Sequence[str]) -> tuple[str, ...]:
    """The values of an option that may be given several times, without duplicates; a single empty value means none."""
    return tuple(name for name in dict.fromkeys(given) if name or len(given) > 1)


def origins(given: Sequence[str]) -> tuple[str, ...]:
    """The same for web origins, in the form that browsers send."""
    return tuple(dict.fromkeys(plain_origin(origin) for origin in listed(given)))


def authentication(choice: AuthChoice) -> dict[str, Any]:
    """The members of an app that state how it authenticates."""
    if choice == "client_secret":
        return {"auth_method": "client_secret_basic", "auth_pinned": False}
    return {"auth_method": choice, "auth_pinned": choice in SECRET_METHODS}


def algorithms(id_token: SigningAlgorithm | None, *, both: SigningAlgorithm | None) -> dict[str, Any]:
    """The members of an app that state its tokens' signing algorithms. `both` is `--signing-alg`, the only option before access
    tokens had their own; it keeps its meaning for one more release."""
    if both is None:
        return {"id_token_signed_alg": id_token}
    return {"id_token_signed_alg": id_token or both, "access_token_signed_alg": both}


def authentication_words(client: Client) -> str:
    """The app's authentication method, as text for `app show`."""
    if client.secretive and not client.auth_pinned:
        return "a secret, by Basic or in the body"
    return client.auth_method


def response_modes(given: Sequence[str]) -> tuple[ResponseMode, ...]:
    """Response modes without duplicates. Raises `CliError` for an unknown name."""
    modes = {mode: mode for mode in get_args(ResponseMode)}
    for name in listed(given):
        if name not in modes:
            raise CliError(
                f"--response-mode is {name!r}; it can be {', '.join(modes)}.",
                "Name one of them: --response-mode query",
            )
    return tuple(modes[name] for name in listed(given))


def without_pkce(*, given: bool) -> Pkce | None:
    """The value of `--no-pkce`, an older name of the option, accepted for one more release."""
    return "or_nonce" if given else None


def pkce_words(client: Client) -> str:
    """The protection of the app's codes, as text for `app show`."""
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


def read_jwks(path: Path) -> dict[str, Any]:
    """A JWK Set (RFC 7517 §5) or a single JWK, of usable public keys. Raises `CliError`."""
    fix = 'The file should hold a JWK Set of public keys: {"keys": [{"kty": "EC", "crv": "P-256", …}]}.'
    try:
        document = _decode(decoded(path.read_bytes()))
    except OSError as error:
        raise CliError(f"{path} cannot be read ({error.strerror}).", fix) from None
    except NotText as error:
        raise CliError(f"{path} {error}.", fix) from None
    except msgspec.DecodeError as error:
        raise CliError(f"{path} is not the JSON that is needed ({error}).", fix) from None
    keys: Any = document.get("keys", [document] if "kty" in document else None)
    if not isinstance(keys, list) or not keys:
        raise CliError(f"{path} holds no keys.", fix)
    if unusable := key_strength.first_unusable({"keys": keys}):
        number, reason = unusable
        raise CliError(f"Key {number} of {path} cannot be used: {reason}.", fix)
    return {"keys": keys}
