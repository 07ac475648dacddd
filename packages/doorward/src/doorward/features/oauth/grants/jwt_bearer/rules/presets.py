"""Presets of trusted issuers: what is known of GitHub Actions, GitLab CI, Kubernetes and SPIFFE, and what a rule must name there."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Final, Literal, get_args

from msgspec import Struct

PresetName = Literal["custom", "github-actions", "gitlab-ci", "kubernetes", "spiffe"]
NAMESPACE: Final = "/kubernetes.io/namespace"
SERVICE_ACCOUNT: Final = "/kubernetes.io/serviceaccount/name"
SERVICE_ACCOUNT_UID: Final = "/kubernetes.io/serviceaccount/uid"


class Preset(Struct, frozen=True, kw_only=True):
    """The defaults of an issuer, and `enough`: sets of claims of which a rule names at least one set whole. Each set names one
    workload's owner by something that nobody else can get later: a repository's name can be taken by another owner after it was
    renamed or deleted, its id cannot.

    `max_lifetime` in seconds. `issuer` is empty where every installation has its own.
    """

    issuer: str = ""
    algorithms: tuple[str, ...] = ("RS256",)
    single_use: bool = True
    max_lifetime: int = 3600
    enough: tuple[frozenset[str], ...] = ()


PRESETS: Final[Mapping[PresetName, Preset]] = {
    "custom": Preset(algorithms=("RS256", "PS256", "ES256", "ES384", "EdDSA")),
    "github-actions": Preset(
        issuer="https://token.actions.githubusercontent.com",
        max_lifetime=900,
        enough=(frozenset({"repository_id"}), frozenset({"repository", "repository_owner_id"})),
    ),
    "gitlab-ci": Preset(
        issuer="https://gitlab.com",
        max_lifetime=86_400,
        enough=(frozenset({"project_id"}), frozenset({"project_path", "namespace_id"})),
    ),
    # A projected token is presented until the kubelet rotates it, at 80 % of its life.
    "kubernetes": Preset(
        algorithms=("RS256", "ES256", "ES384"),
        single_use=False,
        max_lifetime=86_400,
        enough=(
            frozenset({NAMESPACE, SERVICE_ACCOUNT}),
            frozenset({SERVICE_ACCOUNT_UID}),
            frozenset({"sub"}),
        ),
    ),
    "spiffe": Preset(
        algorithms=("RS256", "PS256", "ES256", "ES384"),
        single_use=False,
        enough=(frozenset({"sub"}),),
    ),
}
NAMES: Final[tuple[PresetName, ...]] = get_args(PresetName)

_EVERY_TOKEN: Final = frozenset({"iss", "aud", "exp", "iat", "nbf", "jti", "typ", "azp"})
"""Claims that say nothing of the workload."""


def preset(name: str) -> Preset:
    """The preset of this name; an unknown one, which a newer program stored, counts as custom."""
    return next((PRESETS[known] for known in NAMES if known == name), PRESETS["custom"])


def missing(name: str, claims: Set[str]) -> tuple[str, ...]:
    """The claims that a rule has to name as well, of the nearest sufficient set; empty: the rule is strong enough.

    A custom issuer needs one claim that is not part of every token: what it says of its workloads is known to the operator alone.
    """
    enough = preset(name).enough
    if not enough:
        return () if claims - _EVERY_TOKEN else ("sub",)
    lacking = min((one - claims for one in enough), key=len)
    return tuple(sorted(lacking))
