"""Figures of the benchmark: the names in build/bench.json, with their floors and aims."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec


@dataclass(frozen=True, slots=True)
class Promise:
    """One named figure. With `at_most`, floor and aim are upper bounds; without, lower ones."""

    name: str
    floor: float
    aim: float
    meaning: str
    at_most: bool = False

    def kept(self, value: float) -> bool:
        """Whether the floor is kept."""
        return value <= self.floor if self.at_most else value >= self.floor

    def reached(self, value: float) -> bool:
        """Whether the aim is also reached."""
        return value <= self.aim if self.at_most else value >= self.aim


PROMISES = (
    Promise("verify_cold_es256_vs_raw", 0.90, 0.92, "cold verification / bare ES256 check"),
    Promise("verify_cold_es256_vs_pyjwt", 1.5, 1.5, "cold verification / PyJWT"),
    Promise("verify_warm_vs_pyjwt", 50.0, 50.0, "repeated tokens / PyJWT"),
    Promise("verify_million_vs_empty", 0.95, 0.95, "cold verification, a million revocations / none"),
    Promise("verifier_million_mib", 64.0, 64.0, "memory of a million revocations, MiB", at_most=True),
    Promise("client_credentials_vs_oidc_provider", 2.1, 2.2, "client_credentials / oidc-provider"),
    Promise(
        "token_exchange_vs_oidc_provider", 0.5, 0.7, "token exchange / client_credentials of oidc-provider"
    ),
    Promise(
        "api_key_exchange_vs_oidc_provider",
        1.0,
        1.2,
        "API-key exchange / client_credentials of oidc-provider",
    ),
    Promise("refresh_durable_vs_oidc_provider", 1.5, 2.0, "durable rotation / oidc-provider in memory"),
    Promise("refresh_openid_rs256_vs_es256", 0.33, 0.4, "refresh with openid, ID tokens by RS256 / by ES256"),
    Promise("sign_in_vs_raw_argon2", 0.95, 0.95, "password sign-in / bare Argon2id"),
    Promise("token_p99_storm_ratio", 2.0, 2.0, "token p99 in a storm of sign-ins / without", at_most=True),
    Promise("worker_rss_mib", 68.0, 60.0, "memory of a worker after the load, MiB", at_most=True),
)


class Entry(msgspec.Struct, frozen=True):
    """One member of build/bench.json. `value` is null when it could not be measured or is invalid."""

    name: str
    value: float | None
    floor: float
    aim: float


class Absolute(msgspec.Struct, frozen=True):
    """One member of build/bench-figures.json: the values from which ratios are made. Compare only within one run."""

    what: str
    value: float
    unit: str
    note: str = ""


@dataclass(slots=True)
class Report:
    """The results of a run as it proceeds: values and reasons by name, and the absolute figures in order."""

    values: dict[str, float]
    reasons: dict[str, str]
    absolutes: list[Absolute]

    @classmethod
    def empty(cls) -> "Report":
        """A report without results."""
        return cls({}, {}, [])

    def say(self, what: str, value: float, unit: str, note: str = "") -> None:
        """Add an absolute figure."""
        self.absolutes.append(Absolute(what, value, unit, note))


def entries(promises: Sequence[Promise], report: Report) -> list[Entry]:
    """The members of the file for these promises, in their order."""
    return [Entry(one.name, report.values.get(one.name), one.floor, one.aim) for one in promises]
