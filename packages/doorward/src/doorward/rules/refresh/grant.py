"""What may a refresh ask for? Never more than the person allowed (OAuth 2.1 §4.3.1, RFC 8707 §2.2)."""

from __future__ import annotations

from doorward.model.grant import Grant
from doorward.model.refusal import Refusal


def narrow(grant: Grant, *, scope: str | None, resource: str | None) -> tuple[str, ...] | Refusal:
    """The scopes for this one access token: those of the grant, or a part of them. The grant itself keeps all (line 21)."""
    if resource is not None and resource != grant.audience:
        return Refusal(
            "invalid_target",
            "The refresh token is for another resource.",
            f"resource {resource[:200]!r} asked, the grant is for {grant.audience!r}",
        )
    if scope is None:
        return grant.scopes
    asked = tuple(dict.fromkeys(name for name in scope.split(" ") if name))
    if not asked:
        return Refusal("invalid_scope", "The scope parameter is empty.")
    if not set(asked).issubset(grant.scopes):
        return Refusal("invalid_scope", "A refresh cannot ask for more than was granted.")
    return asked
