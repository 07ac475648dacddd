"""What is said about a person, by scope and by name (OpenID Connect Core §5.1, §5.4, §5.5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from doorward.model.account import Account
from doorward.model.client import Client

BY_SCOPE: Final[dict[str, tuple[str, ...]]] = {
    "profile": ("name", "locale"),
    "email": ("email", "email_verified"),
}
_SCOPE_OF: Final = {name: scope for scope, names in BY_SCOPE.items() for name in names}
CLAIMS: Final = ("sub", *_SCOPE_OF)


def claims(
    account: Account, client: Client, *, scopes: Iterable[str], asked: Mapping[str, Any]
) -> dict[str, Any]:
    """The claims that `scopes` stand for, and those `asked` for by name (one member of the `claims` parameter).

    Asking by name opens nothing that the app is not registered for: a claim needs its scope among the app's own.
    What is not known about the person is left out (§5.3.2).
    """
    names = [name for scope in scopes for name in BY_SCOPE.get(scope, ())]
    names += [name for name in asked if _SCOPE_OF.get(name) in client.oidc_scopes]
    known = {
        "name": account.name,
        "locale": account.locale,
        "email": account.email,
        "email_verified": True,
    }
    return {name: known[name] for name in names if known[name] is not None}
