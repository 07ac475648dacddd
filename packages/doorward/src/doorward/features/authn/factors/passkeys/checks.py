"""Check of passkeys: whether this issuer can have them, and whether those in the database work. Part of `doctor`; changes nothing."""

from __future__ import annotations

from urllib.parse import urlsplit

from doorward.core.model.finding import Finding, failed, passed
from doorward.features.authn.factors.passkeys.relying_party import changed
from doorward.features.authn.factors.passkeys.settings import PasskeyPolicy
from doorward.features.feature import Examined


async def passkeys(examined: Examined) -> Finding:
    """The relying party id, the metadata file, and the well-known documents of an issuer with a path."""
    policy = examined.sections.of(PasskeyPolicy)
    rp_id = policy.rp_id_for(examined.issuer)
    if (problem := await changed(examined.store, rp_id)) is not None:
        return failed(problem.error, problem.fix)
    if not policy.enabled:
        return passed("switched off by passkeys.enabled")
    if rp_id is None:
        return passed(
            "an issuer that is an address can have none: browsers bind them to a name",
            'Give this machine a name, and set issuer = "https://name".',
        )
    # what checks the answers of browsers is loaded by the first of them: a part that is missing is told here

    if (
        policy.metadata is not None
        and (bad := await _metadata(policy, policy.metadata, examined.now)) is not None
    ):
        return bad
    path = urlsplit(examined.issuer).path.rstrip("/")
    if path:
        return passed(
            f"bound to {rp_id}. Password managers look for /.well-known/passkey-endpoints at the root of the origin",
            "If a proxy sends only the issuer's path here, have it send /.well-known/passkey-endpoints, too"
            + (" (and /.well-known/webauthn)." if policy.related_origins else "."),
        )
    return passed(f"bound to {rp_id}")


async def _metadata(policy: PasskeyPolicy, path: str, now: int) -> Finding | None:
    """What is wrong with the file; None: nothing."""
    # imported here: the library is not loaded where there is no file
    from doorward.features.authn.factors.passkeys.build import metadata_in
    from doorward.features.authn.factors.passkeys.metadata import BadMetadata

    file = metadata_in(path)
    try:
        await file.load()
    except (BadMetadata, OSError) as problem:
        return failed(str(problem), "Download the file again (passkeys.metadata), or leave the setting out.")
    if (promised := file.overdue(now)) is None:
        return None
    said = f"the metadata file promised a newer one by {promised.isoformat()}: makers that were revoked since are not in it"
    fix = "Download the file again (passkeys.metadata)."
    if policy.allowed_aaguids:
        return failed(f"{said}, and no passkey can be added", fix)
    return passed(f"{said}; until then no new key counts as vouched for", fix)
