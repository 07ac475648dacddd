"""Construction of the administration services."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.ports.key_wrapper import KeyWrapper
from doorward.features.admin.api_keys import ApiKeyAdmin
from doorward.features.admin.apis import ApiAdmin
from doorward.features.admin.apps import AppAdmin
from doorward.features.admin.factors import FactorAdmin
from doorward.features.admin.keys import KeyAdmin
from doorward.features.admin.people import PeopleAdmin
from doorward.features.admin.roles import RoleAdmin
from doorward.features.admin.sessions import SessionAdmin
from doorward.features.admin.wrappings import WrappingAdmin
from doorward.features.api_keys.build import maker
from doorward.features.api_keys.settings import ApiKeyPolicy
from doorward.features.authn.factors.password.build import password_policy
from doorward.features.oauth.registration.settings import RegistrationPolicy
from doorward.features.oauth.slots import CLIENT_AUTH, GRANTS
from doorward.features.services import Services
from doorward.features.sessions.build import revoker, session_reader
from doorward.features.signing_keys.build import key_rotation
from doorward.features.signing_keys.root import RootSecret

if TYPE_CHECKING:
    from doorward.features.admin.audit import AuditAdmin
    from doorward.features.admin.connections import ConnectionAdmin
    from doorward.features.admin.imports.service import PeopleImport
    from doorward.features.admin.self_registered import SelfRegisteredAdmin
    from doorward.features.admin.streams import StreamAdmin
    from doorward.features.admin.trusted_issuers import IssuerAdmin


def people(services: Services) -> PeopleAdmin:
    """The service for accounts."""

    def beside_password(account: Account, rows: Sequence[EnrolledFactor]) -> bool:
        # the pages that this module leads to are not loaded for every command
        from doorward.features.authn.flow.build import offered_factors

        return services.get(offered_factors).beside_password(account, rows)

    def password_elsewhere(rows: Sequence[EnrolledFactor]) -> bool:
        from doorward.features.authn.flow.build import offered_factors

        return services.get(offered_factors).password_elsewhere(rows)

    return PeopleAdmin(
        store=services.store,
        config=services.config,
        random=services.random,
        clock=services.clock,
        hasher=services.hasher,
        revoker=services.get(revoker),
        judge=services.get(password_policy),
        beyond_ascii=services.beyond_ascii,
        beside_password=beside_password,
        password_elsewhere=password_elsewhere,
    )


def api_keys(services: Services) -> ApiKeyAdmin:
    """The service for API keys."""
    return ApiKeyAdmin(
        store=services.store,
        config=services.config,
        random=services.random,
        clock=services.clock,
        maker=services.get(maker),
        policy=services.sections.of(ApiKeyPolicy),
        revoker=services.get(revoker),
    )


def audit(services: Services) -> AuditAdmin:
    """The service for the audit log."""
    from doorward.features.admin.audit import AuditAdmin
    from doorward.features.audit.build import audit_sealer, chain_verifier, head_reader

    return AuditAdmin(
        store=services.store,
        random=services.random,
        clock=services.clock,
        config=services.config,
        sealer=services.get(audit_sealer),
        verifier=services.get(chain_verifier),
        reader=services.get(head_reader),
    )


def connections(services: Services) -> ConnectionAdmin:
    """The service for connections with providers and directories."""
    from doorward.features.admin.connections import ConnectionAdmin, marks_of
    from doorward.features.authn.directories.settings import DirectoryPolicies
    from doorward.features.authn.providers.settings import ProviderPolicies

    sections = services.sections
    return ConnectionAdmin(
        store=services.store,
        random=services.random,
        clock=services.clock,
        revoker=services.get(revoker),
        marks=marks_of(sections.of(ProviderPolicies), sections.of(DirectoryPolicies)),
    )


def sessions(services: Services) -> SessionAdmin:
    """The service for the sessions of people."""
    return SessionAdmin(
        store=services.store,
        random=services.random,
        clock=services.clock,
        revoker=services.get(revoker),
        reader=services.get(session_reader),
    )


def people_import(services: Services) -> PeopleImport:
    """The import of people from other systems."""
    # imported here: no other command needs the readers
    from doorward.features.admin.imports.service import PeopleImport
    from doorward.features.admin.imports.writes import ImportWriter
    from doorward.features.authn.flow.gate import NewFactors
    from doorward.features.authn.providers.settings import ProviderPolicies

    sections = services.sections.of(ProviderPolicies).by_name
    return PeopleImport(
        store=services.store,
        config=services.config,
        random=services.random,
        clock=services.clock,
        writer=ImportWriter(
            store=services.store,
            random=services.random,
            clock=services.clock,
            sealer=services.sealer,
            gate=NewFactors(store=services.store),
        ),
        roles=services.get(roles),
        beyond_ascii=services.beyond_ascii,
        issuers={name: one.issuer for name, one in sections.items()},
        without_address={one.issuer for one in sections.values() if one.address == "optional"},
    )


def factors(services: Services) -> FactorAdmin:
    """The service for second factors."""
    # the pages that this module leads to are not loaded for every command
    from doorward.features.authn.flow.build import offered_factors
    from doorward.features.authn.trusted_device.build import trusted_devices

    return FactorAdmin(
        store=services.store,
        random=services.random,
        clock=services.clock,
        revoker=services.get(revoker),
        mail_queue=services.mail,
        policy=services.second_factor,
        factors=services.get(offered_factors),
        remembered=services.get(trusted_devices).good,
    )


def apps(services: Services) -> AppAdmin:
    """The service for apps."""
    return AppAdmin(
        store=services.store,
        config=services.config,
        random=services.random,
        clock=services.clock,
        revoker=services.get(revoker),
        rotation=services.get(key_rotation),
        grant_types=tuple(grant.name for grant in services.added(GRANTS) if grant.build),
        alone={grant.name for grant in services.added(GRANTS) if grant.build and grant.build_alone},
        auth_methods=tuple(method.name for method in services.added(CLIENT_AUTH)),
        private_schemes=services.sections.of(RegistrationPolicy).private_schemes,
    )


def self_registered(services: Services) -> SelfRegisteredAdmin:
    """The service for apps that no operator registered."""
    # imported here: the client for outgoing calls is not loaded for every command
    from doorward.features.admin.self_registered import SelfRegisteredAdmin
    from doorward.features.oauth.client_documents.build import client_documents
    from doorward.features.oauth.client_documents.settings import ClientDocumentPolicy

    accepted = services.sections.of(ClientDocumentPolicy).accept != "none"
    return SelfRegisteredAdmin(
        store=services.store,
        random=services.random,
        clock=services.clock,
        config=services.config,
        revoker=services.get(revoker),
        documents=lambda: services.get(client_documents) if accepted else None,
    )


def streams(services: Services) -> StreamAdmin:
    """The service for streams of security events."""
    # imported here: no other command needs it
    from doorward.features.admin.streams import StreamAdmin
    from doorward.features.security_events.build import streams as of_apps

    return StreamAdmin(
        store=services.store,
        config=services.config,
        revoker=services.get(revoker),
        random=services.random,
        clock=services.clock,
        streams=services.get(of_apps),
        issuer=services.issuer,
        development=services.development,
    )


def apis(services: Services) -> ApiAdmin:
    """The service for APIs."""
    return ApiAdmin(
        store=services.store,
        config=services.config,
        revoker=services.get(revoker),
        random=services.random,
        clock=services.clock,
        issuer=services.issuer,
        rotation=services.get(key_rotation),
    )


def roles(services: Services) -> RoleAdmin:
    """The service for roles."""
    return RoleAdmin(
        store=services.store,
        config=services.config,
        revoker=services.get(revoker),
        random=services.random,
        clock=services.clock,
    )


def issuers(services: Services) -> IssuerAdmin:
    """The service for trusted issuers."""
    # imported here: no other command needs it
    from doorward.features.admin.trusted_issuers import IssuerAdmin
    from doorward.features.oauth.grants.jwt_bearer.build import issuer_keys

    return IssuerAdmin(
        store=services.store,
        config=services.config,
        random=services.random,
        clock=services.clock,
        revoker=services.get(revoker),
        keys=services.get(issuer_keys),
        issuer=services.issuer,
    )


def keys(services: Services) -> KeyAdmin:
    """The service for signing keys."""
    return KeyAdmin(config=services.config, clock=services.clock, rotation=services.get(key_rotation))


def wrappings(services: Services, *, wrapper: KeyWrapper, root: RootSecret) -> WrappingAdmin:
    """The service for the key-encryption keys of the root secret; no other service gets `wrapper` and `root`."""
    return WrappingAdmin(
        store=services.store, wrapper=wrapper, root=root, random=services.random, clock=services.clock
    )
