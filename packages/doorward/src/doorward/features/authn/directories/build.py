"""Construction of the services for directories. Their modules are loaded where the settings name a directory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from doorward.adapters.trust import context
from doorward.core.ports.clock import Clock
from doorward.core.ports.random import SecureRandom
from doorward.features.audit.build import audit_log
from doorward.features.authn.directories.settings import DirectoryPolicies, DirectoryPolicy
from doorward.features.authn.flow.build import new_accounts, new_factors, routed_domains, signed_in_pages
from doorward.features.authn.flow.enrolment import EnrolmentPages
from doorward.features.authn.flow.password_source import PasswordSource
from doorward.features.authn.flow.shown import MethodCards
from doorward.features.rate_limits.build import throttle
from doorward.features.services import Services
from doorward.features.sessions.build import revoker
from doorward.web.route import Route

if TYPE_CHECKING:
    from doorward.adapters.ldap.target import LdapTarget
    from doorward.features.authn.directories.client import Directory
    from doorward.features.authn.directories.connecting import ConnectDirectory
    from doorward.features.authn.directories.people import DirectoryPeople
    from doorward.features.authn.directories.recheck import RecheckDirectories
    from doorward.features.authn.directories.source import DirectoryPasswords


def directories(services: Services) -> Mapping[str, Directory]:
    """The directories of the settings, by name and in their order. No connection is made before the first question."""
    return directories_of(
        services.sections.of(DirectoryPolicies),
        clock=services.clock,
        random=services.random,
        ca_file=services.ca_file,
    )


def directories_of(
    policies: DirectoryPolicies, *, clock: Clock, random: SecureRandom, ca_file: str | None
) -> Mapping[str, Directory]:
    """The same, for commands that open no database. Raises OSError for a file of authorities that cannot be read."""
    from doorward.adapters.ldap.pool import LdapPool
    from doorward.features.authn.directories.client import Directory

    return {
        name: Directory(
            name=name,
            policy=policy,
            pool=LdapPool(target_of(policy, ca_file=ca_file), name=name),
            clock=clock,
            random=random,
        )
        for name, policy in policies.by_name.items()
    }


def target_of(policy: DirectoryPolicy, *, ca_file: str | None) -> LdapTarget:
    """The servers of a directory, and the trust in their certificates: the machine's authorities, `ca_file`, and the section's own."""
    from doorward.adapters.ldap.target import LdapTarget

    trust = context(ca_file)
    if policy.ca_file is not None:
        trust.load_verify_locations(policy.ca_file)
    return LdapTarget(
        urls=policy.urls,
        starttls=policy.starttls,
        context=trust,
        bind_dn=policy.bind_dn,
        bind_password=policy.bind_password,
        connect_timeout=policy.connect_timeout,
        timeout=policy.timeout,
        threads=policy.connections,
    )


def directory_people(services: Services) -> DirectoryPeople:
    """The accounts of people of directories."""
    from doorward.features.authn.directories.people import DirectoryPeople

    return DirectoryPeople(
        store=services.store,
        random=services.random,
        config=services.config,
        revoker=services.get(revoker),
        audit_log=services.get(audit_log),
        accounts=services.get(new_accounts),
        gate=services.get(new_factors),
    )


def directory_passwords(services: Services) -> DirectoryPasswords:
    """Directories as a source of passwords."""
    from doorward.features.authn.directories.source import DirectoryPasswords

    return DirectoryPasswords(
        store=services.store,
        directories=services.get(directories),
        people=services.get(directory_people),
        throttle=services.get(throttle),
        metrics=services.metrics,
        routes=services.get(routed_domains),
    )


def password_sources(services: Services) -> Sequence[PasswordSource]:
    """None where the settings name no directory."""
    return (services.get(directory_passwords),) if services.sections.of(DirectoryPolicies).by_name else ()


def recheck_directories(services: Services) -> RecheckDirectories:
    """The regular question."""
    from doorward.features.authn.directories.recheck import RecheckDirectories

    return RecheckDirectories(
        store=services.store,
        directories=services.get(directories),
        people=services.get(directory_people),
        clock=services.clock,
        metrics=services.metrics,
    )


def connect_directory(services: Services) -> ConnectDirectory:
    """The connection of an account by its owner."""
    from doorward.features.authn.directories.connecting import ConnectDirectory

    return ConnectDirectory(
        store=services.store,
        source=services.get(directory_passwords),
        people=services.get(directory_people),
        throttle=services.get(throttle),
        revoker=services.get(revoker),
        mail_queue=services.mail,
        audit_log=services.get(audit_log),
    )


def directory_cards(services: Services) -> MethodCards | None:
    """The card; None where the settings name no directory."""
    if not services.sections.of(DirectoryPolicies).by_name:
        return None
    from doorward.features.authn.directories.account_routes import DirectoryCards

    return DirectoryCards(connecting=services.get(connect_directory))


def directory_routes(services: Services, enrolling: EnrolmentPages) -> Sequence[Route]:
    """The account pages; none where the settings name no directory."""
    del enrolling
    if not services.sections.of(DirectoryPolicies).by_name:
        return ()
    from doorward.features.authn.directories.account_routes import DirectoryPages

    pages = DirectoryPages(own=services.get(signed_in_pages), connecting=services.get(connect_directory))
    return pages.routes()
