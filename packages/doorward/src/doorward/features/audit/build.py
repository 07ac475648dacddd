"""Construction of the services of the audit log."""

from __future__ import annotations

from doorward.features.audit.head_reader import HeadReader
from doorward.features.audit.sealer import AuditSealer
from doorward.features.audit.service import AuditLog
from doorward.features.audit.verification import ChainVerifier
from doorward.features.places.build import places
from doorward.features.services import Services


def audit_log(services: Services) -> AuditLog:
    """The audit log, whose writes join the commits of other services."""
    return AuditLog(store=services.store, random=services.random, places=services.get(places))


def audit_sealer(services: Services) -> AuditSealer:
    """The sealer of this process."""
    return AuditSealer(
        store=services.store,
        random=services.random,
        clock=services.clock,
        signer=services.signer,
        reader=services.get(head_reader),
    )


def head_reader(services: Services) -> HeadReader:
    """The reader of signed heads of this server."""
    return HeadReader(signer=services.signer, issuer=services.issuer)


def chain_verifier(services: Services) -> ChainVerifier:
    """The verification of the stored log."""
    return ChainVerifier(store=services.store, reader=services.get(head_reader))
