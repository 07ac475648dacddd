"""What does the trial promise to say? The names of build/cluster.json, with their floors and aims."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec


@dataclass(frozen=True, slots=True)
class Promise:
    """One named figure. With `at_most`, floor and aim are upper bounds; without, lower ones."""

    name: str
    floor: float
    aim: float
    meaning: str
    at_most: bool = True

    def kept(self, value: float) -> bool:
        """Whether the floor holds."""
        return value <= self.floor if self.at_most else value >= self.floor


PROMISES = (
    Promise("node_kills", 20, 24, "kill -9 of a node under load", at_most=False),
    Promise("failovers", 1, 1, "kill -9 of the primary, the standby promoted", at_most=False),
    Promise("people_signed_in", 200, 300, "people with a chain of refresh tokens", at_most=False),
    Promise("requests", 5_000, 10_000, "requests in the storm", at_most=False),
    Promise("logged_out", 0, 0, "people whose newest token or session was refused"),
    Promise("doubly_spent", 0, 0, "refresh tokens for which two successors were given"),
    Promise("spent_tokens_taken", 0, 0, "long spent tokens that were answered with tokens"),
    Promise("families_outliving_a_replay", 0, 0, "families that went on after a spent token came back"),
    Promise("errors_not_503", 0, 0, "answers that were neither right nor a 503 with Retry-After"),
    Promise("errors_not_healed", 0, 0, "requests that no retry brought to an answer within a minute"),
    Promise(
        "failover_recovery_max_s", 30, 10, "from the kill of the primary until every client had its answer, s"
    ),
    Promise("key_rotation_holds_max_s", 1.0, 0.25, "key rotation on A holds on B and C, slowest of all, s"),
    Promise(
        "key_revocation_holds_max_s", 1.0, 0.25, "key revocation on A holds on B and C, slowest of all, s"
    ),
    Promise("app_deletion_holds_max_s", 1.0, 0.25, "app deletion on A holds on B and C, slowest of all, s"),
    Promise("after_failover_holds_max_s", 1.0, 0.25, "the same after storm and failover, s"),
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
"""What has to hold in a run of any length."""


class Entry(msgspec.Struct, frozen=True):
    """One member of build/cluster.json; `value` is null when it was not measured."""

    name: str
    value: float | None
    floor: float
    aim: float


def entries(values: dict[str, float]) -> list[Entry]:
    """All promised figures, in their order."""
    return [Entry(one.name, values.get(one.name), one.floor, one.aim) for one in PROMISES]
