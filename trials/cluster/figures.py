"""Figures that the trial promises: the names in build/cluster.json, with their floors and aims."""

from __future__ import annotations

from bench.figures import Entry, Promise


def _at_most(name: str, floor: float, aim: float, meaning: str) -> Promise:
    return Promise(name, floor, aim, meaning, at_most=True)


PROMISES = (
    Promise("node_kills", 20, 24, "kill -9 of a node under load"),
    Promise("failovers", 1, 1, "kill -9 of the primary, the standby promoted"),
    Promise("people_signed_in", 200, 300, "people with a chain of refresh tokens"),
    Promise("requests", 5_000, 10_000, "requests in the storm"),
    _at_most("logged_out", 0, 0, "people whose newest token or session was refused"),
    _at_most("doubly_spent", 0, 0, "refresh tokens for which two successors were given"),
    _at_most("spent_tokens_taken", 0, 0, "long spent tokens that were answered with tokens"),
    _at_most("families_outliving_a_replay", 0, 0, "families that went on after a spent token came back"),
    _at_most("errors_not_503", 0, 0, "answers that were neither right nor a 503 with Retry-After"),
    _at_most("errors_not_healed", 0, 0, "requests that no retry brought to an answer within a minute"),
    _at_most(
        "failover_recovery_max_s", 30, 10, "from the kill of the primary until every client had its answer, s"
    ),
    _at_most("key_rotation_holds_max_s", 1.0, 0.25, "key rotation on A holds on B and C, slowest of all, s"),
    _at_most(
        "key_revocation_holds_max_s", 1.0, 0.25, "key revocation on A holds on B and C, slowest of all, s"
    ),
    _at_most("app_deletion_holds_max_s", 1.0, 0.25, "app deletion on A holds on B and C, slowest of all, s"),
    _at_most("after_failover_holds_max_s", 1.0, 0.25, "the same after storm and failover, s"),
)
SMALL = frozenset(
    {
        "logged_out",
        "doubly_spent",
        "spent_tokens_taken",
        "families_outliving_a_replay",
        "errors_not_503",
        "errors_not_healed",
    }
)
"""Promises that hold in a run of any length."""


def entries(values: dict[str, float]) -> list[Entry]:
    """All promised figures, in their order."""
    return [Entry(one.name, values.get(one.name), one.floor, one.aim) for one in PROMISES]
