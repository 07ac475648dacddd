"""Checks of the settings of a `ResourceServer`."""

from collections.abc import Collection
from typing import Final

from doorward_verify.algorithms import ASYMMETRIC
from doorward_verify.claims import MAX_LEEWAY
from doorward_verify.lost_feed import LOST_FEED
from doorward_verify.metadata import check_issuer

MIN_OUTAGE: Final = 5
DEFAULT_OUTAGE: Final = 300


def check_settings(
    issuer: str,
    audience: str,
    algorithms: Collection[str],
    leeway: int,
    revocation: str,
    outage: int,
    *,
    keys: bool,
) -> None:
    """Raise `ValueError` for a setting of `ResourceServer` that is wrong. `keys`: it accepts API keys."""
    check_issuer(issuer)
    if not audience:
        raise ValueError("audience: the identifier of this API, as registered with the issuer")
    unknown = sorted(set(algorithms) - ASYMMETRIC) if not isinstance(algorithms, str) else [algorithms]
    if unknown or not algorithms:
        raise ValueError(
            f"algorithms: a list of {', '.join(sorted(ASYMMETRIC))}; got {', '.join(unknown) or 'none'}"
        )
    if not 0 <= leeway <= MAX_LEEWAY:
        raise ValueError(f"leeway: 0 to {MAX_LEEWAY} seconds")
    if revocation not in ("auto", "required", "off"):
        raise ValueError('revocation: "auto", "required" or "off"')
    if outage < MIN_OUTAGE:
        raise ValueError(f"revocation_outage: at least {MIN_OUTAGE} seconds")
    if keys and revocation == "off":
        raise ValueError('api_keys: an ended key is known from the feed, so revocation cannot be "off"')


def check_lost_feed(lost_feed: str, revocation: str, *, introspection: bool) -> None:
    """Raise `ValueError` for a policy that cannot work. `introspection`: it was said as which app the API introspects."""
    if lost_feed not in LOST_FEED:
        raise ValueError(f"lost_feed: {', '.join(LOST_FEED)}; got {lost_feed!r}")
    if introspection != (lost_feed == "introspect"):
        raise ValueError('introspection: it belongs to lost_feed="introspect", which needs it')
    if lost_feed != "fail_closed" and revocation == "off":
        raise ValueError('lost_feed: with revocation="off" there is no feed that could be lost')
