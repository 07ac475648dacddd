"""Prometheus metrics: counting and exposition."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, final

from doorward import __version__
from doorward.core.lean_import import Deferred, load_deferring

# its server and what it sends to others: http.server, urllib.request and wsgiref, 2 MiB
load_deferring("prometheus_client", "exposition")

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector  # noqa: E402

if TYPE_CHECKING:
    from prometheus_client import exposition
else:
    exposition = Deferred("prometheus_client.exposition")

# Label values chosen by an attacker would be a memory leak: beyond this many, all others share one value.
_MAX_LABELS = 200
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


@final
class PrometheusMetrics:
    """`Metrics` for Prometheus. `inc("refreshes", "rotated")` is `doorward_refreshes_total{kind="rotated"}`."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        Gauge("doorward_info", "The version that runs.", ["version"], registry=self._registry).labels(
            __version__
        ).set(1)
        self._durations = Histogram(
            "doorward_request_seconds",
            "How long requests took.",
            ["endpoint"],
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._links_up = Gauge(
            "doorward_link_up",
            "Whether a connection stands that this process can do without: 1 or 0.",
            ["kind"],
            registry=self._registry,
        )
        self._links_lost = Counter(
            "doorward_links_lost",
            "How often such a connection was lost.",
            ["kind"],
            registry=self._registry,
        )
        self._counters: dict[str, Counter] = {}
        self._kinds: dict[tuple[str, str], Counter] = {}
        self._endpoints: dict[str, Histogram] = {}

    def inc(self, name: str, label: str = "") -> None:
        """Increment a counter."""
        kind = self._kinds.get((name, label))
        if kind is None:
            kind = self._kind(name, label)
        kind.inc()

    def observe(self, endpoint: str, seconds: float) -> None:
        """Record the duration of one request to `endpoint` (a route, never a raw path)."""
        known = self._endpoints.get(endpoint)
        if known is None:
            known = self._endpoints[endpoint] = self._durations.labels(endpoint)
        known.observe(seconds)

    def link(self, kind: str, up: Callable[[], bool]) -> Callable[[], None]:
        """Show the state of an optional connection; `up` is called at each scrape, in any thread. Returns the function
        to call each time that the connection was lost. The counter exists from the start, so that an alarm sees the
        first loss."""
        self._links_up.labels(kind).set_function(lambda: 1.0 if up() else 0.0)
        lost = self._links_lost.labels(kind)
        return lost.inc

    def clock_ahead(self, seconds: Callable[[], float]) -> None:
        """Show by how much this process's clock is ahead of the machine's; `seconds` is called at each scrape."""
        Gauge(
            "doorward_clock_ahead_seconds",
            "By how much this process's clock is ahead of the machine's, which was set back.",
            registry=self._registry,
        ).set_function(seconds)

    @property
    def content_type(self) -> str:
        """That of the text exposition format."""
        return exposition.CONTENT_TYPE_LATEST

    def page(self) -> bytes:
        """The metrics in the text exposition format."""
        return exposition.generate_latest(self._registry)

    def serve(self, host: str, port: int) -> Callable[[], None]:
        """Serve `/metrics` on a port and in a thread of its own; returns a function that stops it. Raises OSError."""
        server, thread = exposition.start_http_server(port, host, registry=self._registry)

        def stop() -> None:
            server.shutdown()
            server.server_close()
            thread.join()

        return stop

    def _kind(self, name: str, label: str) -> Counter:
        counter = self._counters.get(name)
        if counter is None:
            counter = self._counters[name] = Counter(
                f"doorward_{name}", f"How often: {name.replace('_', ' ')}.", ["kind"], registry=self._registry
            )
        if sum(known == name for known, _ in self._kinds) >= _MAX_LABELS:
            return counter.labels("other")
        kind = self._kinds[name, label] = counter.labels(label)
        return kind
