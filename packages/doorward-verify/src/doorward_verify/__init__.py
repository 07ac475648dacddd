"""Verification of Doorward's access tokens inside an API: start with `ResourceServer`.

Names are loaded on first use: the server's pure rules import single files of this package, and must not load
threads, sockets and clocks with them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from doorward_verify.api_keys import ApiKeys
    from doorward_verify.auth_error import AuthError
    from doorward_verify.demands import Demand, demand
    from doorward_verify.lost_feed import Introspection, RevocationStatus
    from doorward_verify.principal import Principal, TokenActor
    from doorward_verify.resource_server import ResourceServer
    from doorward_verify.verifier import Verifier

__all__ = [
    "ApiKeys",
    "AuthError",
    "Demand",
    "Introspection",
    "Principal",
    "ResourceServer",
    "RevocationStatus",
    "TokenActor",
    "Verifier",
    "demand",
]

_HOMES = {
    "TokenActor": "principal",
    "ApiKeys": "api_keys",
    "AuthError": "auth_error",
    "Demand": "demands",
    "Introspection": "lost_feed",
    "Principal": "principal",
    "RevocationStatus": "lost_feed",
    "ResourceServer": "resource_server",
    "Verifier": "verifier",
    "demand": "demands",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{home}"), name)
