"""What has the person to show next? The same answer for every way in (ASVS 6.3.4, line 85)."""

from __future__ import annotations

from doorward.core.model.signin import Proof, Step
from doorward.features.authn.flow.rules.assurance import SECOND_FACTORS, Achieved, achieved, counting

__all__ = ["Achieved", "achieved", "next_step"]


def next_step(
    *, proofs: tuple[Proof, ...], enrolled: frozenset[str], wanted_acr: str | None, fresh_after: int | None
) -> Step | None:
    """The next step, or None when everything that this person can be asked for has been shown.

    `enrolled` are the kinds of second factor that the account has; `fresh_after` (seconds) makes older proofs not count.
    A set-up authenticator app is always asked for, whatever `wanted_acr` says: an app cannot ask for less than the person
    chose. It cannot ask for more than they have either; whether what is reached is enough is the caller's question.
    Recovery codes stand in for the app and are no factor of their own: without an app they ask for nothing.
    """
    del (
        wanted_acr
    )  # today's answer is the same for every level; the parameter keeps callers honest about having one
    shown = {proof.kind for proof in counting(proofs, fresh_after)}
    if "password" not in shown:
        return "password"
    if "totp" in enrolled and not shown & SECOND_FACTORS:
        return "second_factor"
    return None
