"""What does a file with an app's public keys say?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from doorward.cli.trouble import Trouble
from doorward.core.model.decoded import NotText, decoded
from doorward.features.oauth.clients.rules import key_strength
from doorward_verify.jwk import InvalidKey, parse_public

_decode = msgspec.json.Decoder(dict[str, Any]).decode


def read_jwks(path: Path) -> dict[str, Any]:
    """A JWK Set (RFC 7517 §5) or a single JWK, of public keys that can be used. Raises `Trouble`."""
    fix = 'The file should hold a JWK Set of public keys: {"keys": [{"kty": "EC", "crv": "P-256", …}]}.'
    try:
        document = _decode(decoded(path.read_bytes()))
    except OSError as error:
        raise Trouble(f"{path} cannot be read ({error.strerror}).", fix) from None
    except NotText as error:
        raise Trouble(f"{path} {error}.", fix) from None
    except msgspec.DecodeError as error:
        raise Trouble(f"{path} is not the JSON that is needed ({error}).", fix) from None
    keys: Any = document.get("keys", [document] if "kty" in document else None)
    if not isinstance(keys, list) or not keys:
        raise Trouble(f"{path} holds no keys.", fix)
    for number, key in enumerate(keys, 1):  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        try:
            if not isinstance(key, dict):
                raise InvalidKey("it is not an object")
            if weak := key_strength.weakness(parse_public(key)):  # pyright: ignore[reportUnknownArgumentType]
                raise InvalidKey(weak)
        except InvalidKey as error:
            raise Trouble(f"Key {number} of {path} cannot be used: {error}.", fix) from None
    return {"keys": keys}
