"""Construction of the passkey services. What they need is imported when the first of them is built: commands do not load it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doorward.features.audit.build import audit_log
from doorward.features.authn.factors.passkeys.settings import PasskeyPolicy
from doorward.features.authn.flow.gate import NewFactors
from doorward.features.rate_limits.build import throttle
from doorward.features.services import Services
from doorward.features.sessions.build import revoker

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doorward.features.authn.factors.passkeys.cards import PasskeyCards
    from doorward.features.authn.factors.passkeys.ceremonies import PasskeyCeremonies
    from doorward.features.authn.factors.passkeys.enrolment import PasskeyEnrolment
    from doorward.features.authn.factors.passkeys.metadata import AuthenticatorMetadata
    from doorward.features.authn.factors.passkeys.owning import OwnPasskeys
    from doorward.features.authn.factors.passkeys.proving import ProvePasskey
    from doorward.features.authn.factors.passkeys.relying_party import RelyingParty
    from doorward.features.authn.factors.passkeys.removing import RemovePasskey
    from doorward.features.authn.factors.passkeys.silent import OfferSilently
    from doorward.features.authn.flow.enrolment import EnrolmentPages
    from doorward.web.route import Route


def rp_id(services: Services) -> str | None:
    """The relying party id; None where there are no passkeys: the issuer is an address, or they are switched off."""
    return services.sections.of(PasskeyPolicy).rp_id_for(services.issuer)


def ceremonies(services: Services) -> PasskeyCeremonies:
    """What browsers are asked, where there are passkeys."""
    from doorward.features.authn.factors.passkeys.ceremonies import PasskeyCeremonies

    policy = services.sections.of(PasskeyPolicy)
    return PasskeyCeremonies(
        store=services.store,
        random=services.random,
        sealer=services.sealer,
        rp_id=services.get(rp_id) or "",
        brand=services.brand_name,
        origin=services.origin,
        related=policy.related_origins,
        attested=policy.metadata is not None,
    )


def prove_passkey(services: Services) -> ProvePasskey:
    """The proof by a passkey."""
    from doorward.features.authn.factors.passkeys.proving import ProvePasskey
    from doorward.features.authn.flow.build import offered_factors

    return ProvePasskey(
        store=services.store,
        ceremonies=services.get(ceremonies),
        factors=services.get(offered_factors),
        throttle=services.get(throttle),
        audit_log=services.get(audit_log),
        metrics=services.metrics,
        mail_queue=services.mail,
        revoker=services.get(revoker),
    )


def own_passkeys(services: Services) -> OwnPasskeys:
    """The passkeys of a person, for their owner."""
    from doorward.features.authn.factors.passkeys.owning import OwnPasskeys

    policy = services.sections.of(PasskeyPolicy)
    return OwnPasskeys(
        store=services.store,
        random=services.random,
        ceremonies=services.get(ceremonies),
        throttle=services.get(throttle),
        audit_log=services.get(audit_log),
        mail_queue=services.mail,
        gate=NewFactors(store=services.store),
        metadata=None if policy.metadata is None else metadata_in(policy.metadata),
        allowed=frozenset(policy.allowed_aaguids),
    )


def remove_passkey(services: Services) -> RemovePasskey:
    """The removal of a passkey by its owner."""
    from doorward.features.authn.factors.passkeys.removing import RemovePasskey
    from doorward.features.authn.flow.build import advance, offered_factors

    return RemovePasskey(
        store=services.store,
        factors=services.get(offered_factors),
        flow=services.get(advance),
        throttle=services.get(throttle),
        audit_log=services.get(audit_log),
        mail_queue=services.mail,
        revoker=services.get(revoker),
    )


def passkey_enrolment(services: Services) -> PasskeyEnrolment | None:
    """The pages that set one up; None where there are no passkeys."""
    if services.get(rp_id) is None:
        return None
    from doorward.features.authn.factors.passkeys.enrolment import PasskeyEnrolment

    return PasskeyEnrolment(passkeys=services.get(own_passkeys))


def offer_silently(services: Services) -> OfferSilently | None:
    """The silent passkey after a sign-in by password; None where it is not wanted."""
    from doorward.features.authn.factors.passkeys.rules.proof import PASSKEY
    from doorward.features.authn.factors.passkeys.silent import OfferSilently
    from doorward.features.authn.flow.build import offered_factors

    if (
        not services.sections.of(PasskeyPolicy).offer_silently
        or PASSKEY.kind not in services.get(offered_factors).kinds
    ):
        return None

    return OfferSilently(
        passkeys=services.get(own_passkeys),
        policy=services.second_factor,
        gate=NewFactors(store=services.store),
    )


def passkey_cards(services: Services) -> PasskeyCards | None:
    """What the page of sign-in methods shows; None where there are no passkeys."""
    if (relying_party := services.get(rp_id)) is None:
        return None
    from doorward.features.authn.factors.passkeys.cards import PasskeyCards

    return PasskeyCards(store=services.store, rp_id=relying_party)


def metadata_in(path: str) -> AuthenticatorMetadata:
    """The operator's file about authenticators. Nothing is read yet."""
    from doorward.features.authn.factors.passkeys.metadata import AuthenticatorMetadata

    return AuthenticatorMetadata(path=path)


def relying_party(services: Services) -> RelyingParty:
    """The comparison of the id with that of the stored passkeys, when a server starts."""
    from doorward.features.authn.factors.passkeys.relying_party import RelyingParty

    return RelyingParty(
        store=services.store, rp_id=rp_id(services), was=services.sections.of(PasskeyPolicy).rp_id_was
    )


def passkey_routes(services: Services, pages: EnrolmentPages) -> Sequence[Route]:
    """The routes; none where there are no passkeys."""
    from doorward.features.authn.factors.passkeys import well_known
    from doorward.features.authn.factors.passkeys.account_routes import METHODS, PASSKEYS, OwnPasskeyPages

    if services.get(rp_id) is None:
        return ()
    own = OwnPasskeyPages(
        own=pages.own,
        passkeys=services.get(own_passkeys),
        removal=services.get(remove_passkey),
    )
    documents = well_known.routes(
        issuer=services.issuer,
        enroll=PASSKEYS,
        manage=METHODS,
        origins=(services.origin, *services.sections.of(PasskeyPolicy).related_origins),
    )
    return [*own.routes(), *documents]
