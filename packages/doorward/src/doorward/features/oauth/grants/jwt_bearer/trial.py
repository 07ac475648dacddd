"""Trial of an assertion for operators: what the token endpoint would make of it, without a token and without recording its use."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from doorward.core.errors import OAuthError
from doorward.core.model.config_snapshot import ConfigSnapshot
from doorward.core.model.trusted_issuer import TrustedIssuer
from doorward.features.oauth.grants.jwt_bearer.rules import access, assertion
from doorward.features.oauth.grants.jwt_bearer.rules.assertion import BadAssertion
from doorward.features.oauth.grants.jwt_bearer.rules.conditions import Unfitting, fit
from doorward.features.oauth.tokens.rules import id_jag
from doorward_verify.auth_error import AuthError
from doorward_verify.encoding import Malformed, json_object
from doorward_verify.jws import parse_header, split, verify
from doorward_verify.keyset import KeySet


class Verdict(Struct, frozen=True, kw_only=True):
    """`problem` and how to solve it, or the app, rules and scopes of the token. `subject` is known once the signature is right; for a
    person, by ID-JAG, their account is not looked up."""

    problem: str | None = None
    fix: str = ""
    subject: str | None = None
    app: str | None = None
    rules: tuple[str, ...] = ()
    audience: str | None = None
    scopes: tuple[str, ...] = ()


def tried(
    token: str, trusted: TrustedIssuer, keys: KeySet, *, config: ConfigSnapshot, issuer: str, now: int
) -> Verdict:
    """The verdict on `token` with these keys of its issuer, as of `now` (seconds). `issuer` is this server's."""
    subject: str | None = None
    try:
        head, signed, _, _ = split(token)
        header = parse_header(head)
        types = assertion.types(header.typ, trusted)
        claims: dict[str, Any] = json_object(
            verify(token, keys, algorithms=trusted.algorithms, types=types).payload
        )
        checked = assertion.check(claims, signed, trusted, issuer=issuer, now=now)
        subject = checked.subject
        if assertion.is_id_jag(header.typ):
            said = id_jag.read(claims)
            client = config.clients.get(said.client_id)
            if client is None:
                return Verdict(problem="its client_id is no app of this server", subject=subject)
            return Verdict(
                subject=subject,
                app=client.name,
                audience=said.resource,
                scopes=tuple((said.scope or "").split()),
            )
    except (AuthError, Malformed, id_jag.BadIdJag) as problem:
        return Verdict(problem=str(problem), subject=subject)
    except BadAssertion as bad:
        return Verdict(problem=bad.reason, fix=bad.fix, subject=subject)
    found = fit(trusted.rules, checked.claims, client_id=None)
    if isinstance(found, Unfitting):
        return Verdict(problem=found.reason, subject=subject)
    made = access.of_workload(found, trusted, {}, config=config, issuer=issuer)
    names = tuple(rule.name for rule in found.rules)
    if isinstance(made, OAuthError):
        return Verdict(problem=made.reason or made.description, fix=made.fix, subject=subject, rules=names)
    client, entitlement = made
    return Verdict(
        subject=subject,
        app=client.name,
        rules=names,
        audience=entitlement.audience,
        scopes=entitlement.scopes,
    )
