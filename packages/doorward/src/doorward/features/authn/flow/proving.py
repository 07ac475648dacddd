"""Adding of proofs to sign-ins; the last step of every factor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import structs

from doorward.core.errors import OAuthError
from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.signin import Proof, SignIn
from doorward.features.authn.flow.offered import OfferedFactors
from doorward.features.authn.flow.risk import rows_of
from doorward.features.authn.flow.rules.assurance import counting
from doorward.features.rate_limits.rules.attempts import Wait
from doorward.storage.sql.store import Store, Write

GONE: Final = OAuthError(
    "invalid_session", "This sign-in is over. Begin again.", "sign-in expired or finished"
)
BARRED: Final = OAuthError(
    "too_many_attempts",
    "Too many failed tries in a row. Use another way, or a device on which you were signed in before.",
    "too many failures in a row",
)
MOST_FAILURES: Final = 100
"""Failures in a row after which an authenticator is refused, counted apart for devices that the account knows (NIST SP 800-63B-4
§3.2.2)."""
DISABLED: Final = "This account is disabled. Ask the people who run this service."
"""Said only after a right first factor of a disabled account, so that its existence is not revealed to others."""
_TRIES: Final = 5


def barred_in(failures: Mapping[tuple[str, bool], int], *, known: bool) -> frozenset[str]:
    """From the failures in a row of an account's authenticators: the ids of those that are refused on devices that the account knows, or
    on the others."""
    return frozenset(
        factor for (factor, there), count in failures.items() if there == known and count >= MOST_FAILURES
    )


def too_many(wait: Wait, because: str) -> OAuthError:
    """The refusal with the time of the next permitted attempt."""
    return OAuthError("too_many_attempts", "Too many tries. Try again later.", because, wait.until)


async def begun_by(
    store: Store, factors: OfferedFactors, sign_in: SignIn, now: int
) -> tuple[Account, Sequence[EnrolledFactor]] | None:
    """The account with its factors, if what says who the person is was proven in this sign-in, still stands, and the sign-in still runs.
    Who has shown an earlier password is nobody who may try codes."""
    if sign_in.account_id is None or sign_in.done_at is not None or now >= sign_in.expires_at:
        return None
    account = await store.accounts.get(sign_in.account_id)
    if account is None or account.disabled_at is not None:
        return None
    rows = rows_of(factors, sign_in, account, await store.accounts.factors(account.id))
    proofs = factors.standing(counting(sign_in.proofs, sign_in.fresh_after), account, rows)
    return (account, rows) if factors.begun(proofs) else None


async def add_proof(
    store: Store, sign_in: SignIn, account_id: str, proof: Proof, now: int, *also: Write
) -> SignIn | OAuthError:
    """Add a proof to the stored sign-in by compare-and-swap, and commit `also` with it, or on its own if the sign-in is over. Of two
    forms sent at once both take effect: the loser of the swap is retried."""
    current = sign_in
    for _ in range(_TRIES):
        changed = with_proof(current, account_id, proof)
        if await store.commit(store.sign_ins.replace(current, changed), *also):
            return changed
        found = await store.sign_ins.get(sign_in.id)
        if found is None or found.done_at is not None or now >= found.expires_at:
            break
        current = found
    await store.commit(*also)
    return GONE


def with_proof(sign_in: SignIn, account_id: str, proof: Proof) -> SignIn:
    """The sign-in with one more proof. If it belonged to another account, that account's proofs, consent and session are dropped."""
    if sign_in.account_id != account_id:
        return structs.replace(
            sign_in, account_id=account_id, proofs=(proof,), session_id=None, consented=False
        )
    kept = tuple(old for old in counting(sign_in.proofs, sign_in.fresh_after) if old.kind != proof.kind)
    return structs.replace(sign_in, proofs=(*kept, proof))
