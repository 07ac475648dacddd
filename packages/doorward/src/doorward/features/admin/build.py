"""How the services of administration are built."""

from __future__ import annotations

from doorward.features.admin.apis import ManageApis
from doorward.features.admin.apps import ManageApps
from doorward.features.admin.factors import ManageFactors
from doorward.features.admin.people import ManagePeople
from doorward.features.admin.roles import ManageRoles
from doorward.features.authn.factors.password.build import password_policy
from doorward.features.services import Services
from doorward.features.sessions.build import revoker
from doorward.features.signing_keys.build import key_rotation


def people(services: Services) -> ManagePeople:
    """Accounts."""
    return ManagePeople(
        store=services.store,
        catalog=services.config,
        chance=services.random,
        clock=services.clock,
        hasher=services.hasher,
        ending=services.get(revoker),
        judge=services.get(password_policy),
        beyond_ascii=services.beyond_ascii,
    )


def factors(services: Services) -> ManageFactors:
    """Second factors of accounts."""
    return ManageFactors(
        store=services.store,
        chance=services.random,
        clock=services.clock,
        ending=services.get(revoker),
        postman=services.mail,
    )


def apps(services: Services) -> ManageApps:
    """Apps."""
    return ManageApps(
        store=services.store,
        catalog=services.config,
        chance=services.random,
        clock=services.clock,
        ending=services.get(revoker),
        keys=services.get(key_rotation),
    )


def apis(services: Services) -> ManageApis:
    """APIs."""
    return ManageApis(
        store=services.store,
        catalog=services.config,
        chance=services.random,
        clock=services.clock,
        issuer=services.issuer,
        keys=services.get(key_rotation),
    )


def roles(services: Services) -> ManageRoles:
    """Roles."""
    return ManageRoles(
        store=services.store, catalog=services.config, chance=services.random, clock=services.clock
    )
