"""Access that an assertion gives: a workload's by its rules, and a person's by an ID-JAG."""

from __future__ import annotations

from collections.abc import Mapping
from shlex import quote

from msgspec import structs

from doorward.core.errors import OAuthError
from doorward.core.model.account import Account
from doorward.core.model.client import Client
from doorward.core.model.config_snapshot import ConfigSnapshot
from doorward.core.model.entitlement import Entitlement
from doorward.core.model.trusted_issuer import JWT_BEARER, TrustedIssuer
from doorward.features.authn.flow.rules.assurance import MULTI_FACTOR
from doorward.features.authn.flow.rules.policy import StepDemand
from doorward.features.oauth.clients.rules.entitle import entitle
from doorward.features.oauth.clients.rules.for_itself import for_itself
from doorward.features.oauth.clients.rules.resource import same
from doorward.features.oauth.clients.rules.scope import named, target
from doorward.features.oauth.grants.jwt_bearer.rules.assertion import BadAssertion
from doorward.features.oauth.grants.jwt_bearer.rules.conditions import Fitting
from doorward.features.oauth.tokens.rules.id_jag import IdJag

REFUSED = "The assertion is not accepted."
"""All that a client is told: what was wrong is in the log."""


def of_workload(
    fitting: Fitting,
    trusted: TrustedIssuer,
    form: Mapping[str, str],
    *,
    config: ConfigSnapshot,
    issuer: str,
) -> tuple[Client, Entitlement] | OAuthError:
    """The app of the rules, and what it may do now. A rule names permissions that the app has lost since: they give nothing."""
    client = config.clients.get(fitting.client_id)
    if client is None:
        return OAuthError(
            "invalid_grant",
            REFUSED,
            f"rule {fitting.rules[0].name!r} of issuer {trusted.name!r} is of an app that was deleted",
            fix=f"doorward issuer disallow {quote(trusted.name)} {quote(fitting.rules[0].name)}",
        )
    if JWT_BEARER not in client.grant_types:
        return OAuthError(
            "unauthorized_client",
            "This app may not use this grant_type.",
            f"app {client.name!r} is registered for {', '.join(client.grant_types)}",
            app=client.name,
            fix=f"doorward app set {quote(client.name)} --grant-type {JWT_BEARER}",
        )
    allowed = fitting.access
    narrowed = client
    if allowed:
        access = {
            api: tuple(name for name in names if name in allowed[api])
            for api, names in client.access.items()
            if api in allowed
        }
        narrowed = structs.replace(client, access=access)
    entitlement = for_itself(narrowed, form, config=config, issuer=issuer, grant_id=trusted.grant_id)
    if isinstance(entitlement, OAuthError):
        return entitlement.to(client.name)
    return client, entitlement


def check_factors(said: IdJag, asked: StepDemand) -> None:
    """Nobody gets around a second factor by an assertion: of whom a sign-in here demands one, the provider has to have seen two
    (`mfa` in `amr`, RFC 8176 §2). Raises `BadAssertion`."""
    if asked.steps == 2 and MULTI_FACTOR not in (said.amr or ()):
        raise BadAssertion(
            "second_factor",
            f"a second factor is demanded here ({asked.because}), and the assertion's amr does not have {MULTI_FACTOR}",
            "have the provider ask for two factors and say so in amr",
        )


def of_person(
    said: IdJag,
    trusted: TrustedIssuer,
    account: Account,
    client: Client,
    form: Mapping[str, str],
    *,
    config: ConfigSnapshot,
    issuer: str,
) -> Entitlement | OAuthError:
    """What the app may do for this person now: at most what the ID-JAG says, what the request asks for, and what the person's roles,
    the app and the API have in common. Permissions of APIs alone: an ID-JAG signs nobody in (draft §4.4, RFC 6749 §3.3)."""
    asked = form.get("resource")
    if asked is not None and said.resource is not None and not same(asked, said.resource):
        return OAuthError("invalid_target", "The assertion is for another resource.", app=client.name)
    wanted = [named(one) for one in (said.scope, form.get("scope")) if one is not None]
    known = {name for names in client.access.values() for name in names}
    scopes = tuple(
        name for name in (wanted[0] if wanted else ()) if name in known and all(name in one for one in wanted)
    )
    plain = structs.replace(client, oidc_scopes=())
    resource = asked or said.resource
    # a name that another API defines is left out, as every one beyond what the app may (RFC 6749 §3.3)
    scope = None if resource is not None else " ".join(scopes) or None
    found = target(config=config, client=plain, issuer=issuer, scope=scope, resource=resource, person=False)
    if isinstance(found, OAuthError):
        return found.to(client.name)
    granted = entitle(
        config=config,
        client=plain,
        audience=found.audience,
        scopes=scopes if wanted else client.access.get(found.audience, ()),
        role_names=account.role_names,
    )
    if not granted.scopes:
        return OAuthError(
            "invalid_scope",
            "This person and this app have no permission in common there.",
            f"{account.id} gives app {client.name!r} nothing at {found.audience} of what the assertion names",
            app=client.name,
            fix=f"doorward user show {account.id}, doorward app show {quote(client.name)}",
        )
    return Entitlement(
        grant_id=trusted.grant_id,
        client_id=client.id,
        audience=found.audience,
        scopes=granted.scopes,
        permissions=granted.permissions,
        roles=granted.roles,
        account_id=account.id,
    )
