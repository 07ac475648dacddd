"""Token exchange: what an app may exchange, and what the tokens rest on (RFC 8693)."""

from __future__ import annotations

from msgspec import Struct, field


class IdJagTarget(Struct, frozen=True, kw_only=True):
    """Another authorization server, at which the app may be given access in a person's name without asking (ID-JAG). `client_id` is the
    app's name there, `scopes` are the most that it may ask for."""

    client_id: str
    scopes: tuple[str, ...] = ()


class ExchangePolicy(Struct, frozen=True, kw_only=True):
    """What an app may exchange tokens for. `apis` are the identifiers of the APIs that the new tokens may be for; `id_jag` the other
    authorization servers, by issuer. `impersonate`: the tokens of other apps become tokens without an actor.

    `since` (seconds): a moment later every process knows the policy, and ends what rests on what it ends. A policy that allows nothing
    any more stays, since its last tokens still live.
    """

    apis: tuple[str, ...] = ()
    impersonate: bool = False
    id_jag: dict[str, IdJagTarget] = field(default_factory=dict[str, IdJagTarget])
    since: int = 0


class Exchange(Struct, frozen=True, kw_only=True):
    """One combination of subject, actors and app (`exg_…`), with which the `jti` of its tokens begins. Times are in seconds.

    `combination` is the digest of the rest; `root` what the first subject token of a chain began with. `subject` is a person, then
    `account_id` is the same, or an app. `actor` is the first actor of the tokens, None for those without one. After `expires_at` the
    next exchange makes a new row.
    """

    id: str
    combination: str
    root: str
    account_id: str | None
    subject: str
    actor: str | None
    client_id: str
    created_at: int
    expires_at: int
    ended_at: int | None = None
