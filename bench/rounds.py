"""Comparison of two sides in short alternating rounds; the result is the median of the rounds' ratios."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.connection import Group
from bench.load import Result, run
from bench.server import App, Server

ROUNDS = 3
STORM_CONNECTIONS = 8
Side = Callable[[float, float], Result]
"""Runs one measurement: warm-up and length in seconds."""


class Invalid(Exception):
    """An invalid figure, because there was an unexpected answer. The message says which."""


def valid(result: Result) -> Result:
    """Return the result if every answer was as expected. Raises Invalid."""
    if result.failures:
        raise Invalid(f"{result.name}: {result.failures} bad answers, the first: {result.first_failure}")
    if not result.requests:
        raise Invalid(f"{result.name}: no answer at all in {result.seconds:.1f} s")
    return result


@dataclass(frozen=True, slots=True)
class Compared:
    """Rounds of Doorward and of the other side, the same number of each."""

    ours: Sequence[Result]
    theirs: Sequence[Result]

    @property
    def ratio(self) -> float:
        """Median over the rounds of Doorward's rate divided by the other's."""
        return statistics.median(a.rate / b.rate for a, b in zip(self.ours, self.theirs, strict=True))


def alternate(ours: Side, theirs: Side, seconds: float) -> Compared:
    """Run three rounds, alternating which side begins. The first rounds have a longer warm-up, for the peer's compiler.

    Raises Invalid when any answer was not the expected one.
    """
    mine: list[Result] = []
    other: list[Result] = []
    for number in range(ROUNDS):
        warm_up = 3.0 if number == 0 else 1.0
        for side, kept in ((ours, mine), (theirs, other)) if number % 2 else ((theirs, other), (ours, mine)):
            kept.append(valid(side(warm_up, seconds / ROUNDS)))
    return Compared(mine, other)


def several(side: Side, seconds: float) -> list[Result]:
    """Run three rounds of one side, when there is no peer. Raises Invalid."""
    return [valid(side(2.0 if number == 0 else 0.5, seconds / ROUNDS)) for number in range(ROUNDS)]


def middle(results: Sequence[Result]) -> Result:
    """The round with the median rate."""
    return sorted(results, key=lambda result: result.rate)[len(results) // 2]


@dataclass(frozen=True, slots=True)
class Storm:
    """Token answers without and with concurrent sign-ins, and the number of completed sign-ins."""

    calm: Sequence[Result]
    stormy: Sequence[Result]
    sign_ins: Sequence[Result]

    @property
    def ratio(self) -> float:
        """Median over the rounds of p99 with sign-ins divided by p99 without."""
        return statistics.median(b.p99_ms / a.p99_ms for a, b in zip(self.calm, self.stormy, strict=True))


def storm(server: Server, seconds: float, rate: float | None = None) -> Storm:
    """Client credentials on 32 connections, alone and while eight connections sign people in as fast as they can.

    With `rate` token requests follow a schedule instead of being sent as fast as possible. Raises Invalid.
    """
    calm: list[Result] = []
    stormy: list[Result] = []
    sign_ins: list[Result] = []
    for _ in range(ROUNDS):
        tokens = Group("token, calm", server.client_credentials_flows(), rate)
        calm.append(valid(run("127.0.0.1", server.port, [tokens], warm_up=0.5, seconds=seconds / ROUNDS)[0]))
        groups = [
            Group("token, storm", server.client_credentials_flows(), rate),
            Group("sign-in, storm", server.sign_in_flows(STORM_CONNECTIONS)),
        ]
        found = run("127.0.0.1", server.port, groups, warm_up=1.0, seconds=seconds / ROUNDS)
        stormy.append(valid(found[0]))
        sign_ins.append(valid(found[1]))
    return Storm(calm, stormy, sign_ins)


def client_credentials(server: Server) -> Side:
    """Doorward's side of client_credentials."""

    def side(warm_up: float, seconds: float) -> Result:
        group = Group("doorward: client_credentials", server.client_credentials_flows())
        return run("127.0.0.1", server.port, [group], warm_up=warm_up, seconds=seconds)[0]

    return side


def token_exchange(server: Server) -> Side:
    """Doorward's side of token exchange: an API exchanges the tokens of people who signed in at another app."""
    tokens = server.subject_tokens()

    def side(warm_up: float, seconds: float) -> Result:
        group = Group("doorward: token exchange", server.token_exchange_flows(tokens))
        return run("127.0.0.1", server.port, [group], warm_up=warm_up, seconds=seconds)[0]

    return side


def api_key_exchange(server: Server) -> Side:
    """Doorward's side of the exchange of API keys: one POST with the key alone."""

    def side(warm_up: float, seconds: float) -> Result:
        group = Group("doorward: API-key exchange", server.api_key_flows())
        return run("127.0.0.1", server.port, [group], warm_up=warm_up, seconds=seconds)[0]

    return side


def refresh(server: Server, app: App) -> Side:
    """Doorward's side of refresh. The families come from real sign-ins at `app`, once; each round continues
    the last one."""
    families = server.new_families(app)

    def side(warm_up: float, seconds: float) -> Result:
        group = Group("doorward: refresh", server.refresh_flows(app, families))
        return run("127.0.0.1", server.port, [group], warm_up=warm_up, seconds=seconds)[0]

    return side


def sign_in(server: Server) -> Side:
    """Sign-ins through the JSON endpoint."""

    def side(warm_up: float, seconds: float) -> Result:
        group = Group("doorward: sign-in", server.sign_in_flows(STORM_CONNECTIONS))
        return run("127.0.0.1", server.port, [group], warm_up=warm_up, seconds=seconds)[0]

    return side
