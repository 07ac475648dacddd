"""Sections of the benchmark: each fills in its figures in the report, or the reason why it cannot."""

import contextlib
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench import argon2, floor, peer, rounds, server
from bench.answers import NotTheWork
from bench.figures import Report
from bench.load import Result
from bench.pin import Cores

_CLIENT_CREDENTIALS = "client_credentials_vs_oidc_provider"
_EXCHANGE = "token_exchange_vs_oidc_provider"
_API_KEY = "api_key_exchange_vs_oidc_provider"
_REFRESH = "refresh_durable_vs_oidc_provider"
_OPENID = "refresh_openid_rs256_vs_es256"
_SIGN_IN = "sign_in_vs_raw_argon2"
_STORM = "token_p99_storm_ratio"
_MEMORY = "worker_rss_mib"
VERIFY = ("verify_cold_es256_vs_raw", "verify_cold_es256_vs_pyjwt", "verify_warm_vs_pyjwt")
REVOCATIONS = ("verify_million_vs_empty", "verifier_million_mib")
_WITH_PEER = frozenset({_CLIENT_CREDENTIALS, _EXCHANGE, _API_KEY, _REFRESH})
SERVER = (_CLIENT_CREDENTIALS, _EXCHANGE, _API_KEY, _REFRESH, _OPENID, _SIGN_IN, _STORM, _MEMORY)
_PACED_SHARE = 0.5
# Many short rounds: both sides use one whole core, and other load on the machine hits either at random.
_SIGN_IN_ROUNDS = 7
# Hashing threads free their memory after two idle seconds.
_REST = 3.0
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure, on which cores, and for how many seconds each."""

    names: set[str]
    cores: Cores
    seconds: float
    tell: Tell


@contextlib.contextmanager
def _section(report: Report, *names: str):
    try:
        yield
    except (rounds.Invalid, NotTheWork, RuntimeError, OSError, ImportError) as error:
        for name in names:
            report.reasons.setdefault(name, str(error) or type(error).__name__)


def verification(plan: Plan, report: Report) -> None:
    """The three figures of doorward-verify."""
    with _section(report, *VERIFY):
        from bench.verify import measure

        plan.tell("verification, in this process")
        found = measure(plan.seconds)
        report.values[VERIFY[0]] = found.cold_vs_raw
        report.values[VERIFY[1]] = found.cold_vs_pyjwt
        report.values[VERIFY[2]] = found.warm_vs_pyjwt
        note = f"median of {found.rounds} rounds"
        report.say("ES256 check, bare cryptography", found.raw, "/s", note)
        report.say("verification, fresh tokens", found.doorward_cold, "/s", note)
        report.say("verification, repeated tokens", found.doorward_warm, "/s", "each time a new string")
        report.say("PyJWT", found.pyjwt, "/s", note)


def revocations(plan: Plan, report: Report) -> None:
    """Verification beside a million live revocations, and their memory."""
    with _section(report, *REVOCATIONS):
        from bench.revocations import LIVE, measure

        plan.tell("verification with a million live revocations, in this process")
        found = measure(plan.seconds)
        report.values[REVOCATIONS[0]] = found.cold
        report.values[REVOCATIONS[1]] = found.merging
        report.say("a million revocations, repeated tokens / none", found.warm, "", f"{found.rounds} rounds")
        report.say(
            "look-up among a million", found.look_up, "µs", f"without the hash of the id; {LIVE} entries"
        )
        report.say(
            "memory of a million, at rest", found.held, "MiB", "the promise is for the moment of a merge"
        )


def floors(plan: Plan, report: Report) -> None:
    """The limits of load and framework on this machine."""
    plan.tell("the load generator against a server that does nothing, and a bare handler that signs")
    limit = floor.load_limit(plan.cores.server, warm_up=0.5, seconds=2)
    bare = floor.bare_asgi(plan.cores.server, warm_up=1, seconds=2)
    report.say("load generator's limit", limit.rate, "/s", "a server that does nothing")
    report.say("bare ASGI handler that signs ES256", bare.rate, "/s", _times(bare))


def serving(plan: Plan, report: Report) -> None:
    """All figures that need a running server, compared with the peer if there is one."""
    with _section(report, *SERVER), contextlib.ExitStack() as stack:
        other = None
        if plan.names & _WITH_PEER:
            plan.tell("the peer: npm oidc-provider")
            try:
                other = stack.enter_context(peer.started(plan.cores.server))
            except (peer.PeerMissing, OSError) as missing:
                for name in _WITH_PEER:
                    report.reasons[name] = f"no peer: {missing}"
        plan.tell("Doorward: an app, people, a server")
        ours = stack.enter_context(server.started(plan.cores.server))
        steps = (_client_credentials, _token_exchange, _api_key, _refresh, _refresh_openid, _sign_in, _storm)
        for name, step in zip(SERVER, steps, strict=False):
            if name in plan.names:
                with _section(report, name):
                    step(plan, report, ours, other)
        if _MEMORY in plan.names:
            with _section(report, _MEMORY):
                if not plan.names & set(SERVER[:-1]):
                    rounds.several(rounds.client_credentials(ours), plan.seconds)
                busy = ours.worker_mib()
                time.sleep(_REST)
                report.values[_MEMORY] = ours.worker_mib()
                report.say("memory of a worker", report.values[_MEMORY], "MiB", "after all of this load")
                report.say(
                    "memory of a worker, right after the storm", busy, "MiB", "with what hashes one password"
                )
                report.say("memory of a worker, highest", ours.worker_mib(highest=True), "MiB")
        if other is not None:
            report.say(f"memory of {other.label}", peer.memory_mib(other), "MiB")


def peer_alone(plan: Plan, report: Report) -> None:
    """The peer's own figures, without Doorward."""
    with _section(report, _CLIENT_CREDENTIALS, _REFRESH):
        plan.tell("the peer: npm oidc-provider")
        with peer.started(plan.cores.server) as other:
            for kind, side in (("client_credentials", peer.client_credentials), ("refresh", peer.refresh)):
                found = rounds.several(_theirs(other, side), plan.seconds)
                _say(report, f"{kind}, {other.label}", found)
            report.say(f"memory of {other.label}", peer.memory_mib(other), "MiB")


def _theirs(other: peer.Peer, side: Callable[..., Result]) -> rounds.Side:
    return lambda warm_up, seconds: side(other, warm_up=warm_up, seconds=seconds)


def _times(result: Result) -> str:
    return f"p50 {result.p50_ms:.2f} ms, p99 {result.p99_ms:.2f} ms, {result.connections} connections"


def _say(report: Report, what: str, results: Sequence[Result]) -> None:
    middle = rounds.middle(results)
    report.say(what, middle.rate, "/s", _times(middle))


def _versus(
    plan: Plan,
    report: Report,
    name: str,
    kind: str,
    ours: rounds.Side,
    theirs: rounds.Side | None,
    label: str,
) -> None:
    plan.tell(kind)
    if theirs is None:
        _say(report, f"{kind}, Doorward", rounds.several(ours, plan.seconds))
        return
    compared = rounds.alternate(ours, theirs, plan.seconds)
    report.values[name] = compared.ratio
    _say(report, f"{kind}, Doorward", compared.ours)
    _say(report, f"{kind}, {label}", compared.theirs)


def _client_credentials(plan: Plan, report: Report, ours: server.Server, other: peer.Peer | None) -> None:
    theirs = _theirs(other, peer.client_credentials) if other else None
    label = other.label if other else ""
    side = rounds.client_credentials(ours)
    _versus(plan, report, _CLIENT_CREDENTIALS, "client_credentials", side, theirs, label)


def _token_exchange(plan: Plan, report: Report, ours: server.Server, other: peer.Peer | None) -> None:
    """Against the peer's client_credentials, since it has no such grant: both sign one token."""
    theirs = _theirs(other, peer.client_credentials) if other else None
    label = f"client_credentials of {other.label}" if other else ""
    _versus(plan, report, _EXCHANGE, "token exchange", rounds.token_exchange(ours), theirs, label)


def _api_key(plan: Plan, report: Report, ours: server.Server, other: peer.Peer | None) -> None:
    """Against the peer's client_credentials, which reads nothing: an API key is read from the database each time."""
    theirs = _theirs(other, peer.client_credentials) if other else None
    label = f"client_credentials of {other.label}" if other else ""
    _versus(plan, report, _API_KEY, "API-key exchange", rounds.api_key_exchange(ours), theirs, label)


def _refresh(plan: Plan, report: Report, ours: server.Server, other: peer.Peer | None) -> None:
    theirs = _theirs(other, peer.refresh) if other else None
    label = other.label if other else ""
    _versus(plan, report, _REFRESH, "refresh", rounds.refresh(ours, ours.web), theirs, label)


def _refresh_openid(plan: Plan, report: Report, ours: server.Server, _other: peer.Peer | None) -> None:
    plan.tell("refresh with openid, RS256 and ES256 in turns")
    compared = rounds.alternate(
        rounds.refresh(ours, ours.rs256), rounds.refresh(ours, ours.es256), plan.seconds
    )
    report.values[_OPENID] = compared.ratio
    _say(report, "refresh with openid, RS256", compared.ours)
    _say(report, "refresh with openid, ES256", compared.theirs)


def _sign_in(plan: Plan, report: Report, ours: server.Server, _other: peer.Peer | None) -> None:
    plan.tell("sign-in, and bare Argon2id on the same core")
    ratios: list[float] = []
    done: list[Result] = []
    limits: list[argon2.Raw] = []
    each = plan.seconds / _SIGN_IN_ROUNDS
    for number in range(_SIGN_IN_ROUNDS):
        raw = argon2.raw_rates(plan.cores.server, seconds=each / 2)
        found = rounds.valid(rounds.sign_in(ours)(0.5 if number else 2.0, each))
        ratios.append(found.rate / raw.limit)
        done.append(found)
        limits.append(raw)
    report.values[_SIGN_IN] = statistics.median(ratios)
    _say(report, "sign-in by the JSON endpoint", done)
    for implementation in limits[0].rates:
        rate = statistics.median(raw.rates[implementation] for raw in limits)
        report.say(f"bare Argon2id, {implementation}", rate, "/s", "19 MiB, t=2, p=1, one core")


def _storm(plan: Plan, report: Report, ours: server.Server, _other: peer.Peer | None) -> None:
    plan.tell("tokens in a storm of sign-ins")
    fast = rounds.storm(ours, plan.seconds)
    report.values[_STORM] = fast.ratio
    for what, found in (("calm", fast.calm), ("storm", fast.stormy), ("sign-ins beside it", fast.sign_ins)):
        _say(report, f"tokens as fast as possible: {what}", found)
    rate = statistics.median(result.rate for result in fast.calm) * _PACED_SHARE
    paced = rounds.storm(ours, plan.seconds, rate)
    for what, found in (
        ("calm", paced.calm),
        ("storm", paced.stormy),
        ("sign-ins beside it", paced.sign_ins),
    ):
        _say(report, f"tokens at {_PACED_SHARE:.0%} of that rate: {what}", found)
