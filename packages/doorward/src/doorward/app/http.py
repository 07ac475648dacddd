"""The HTTP application of one container: the routes of all features."""

from __future__ import annotations

from ipaddress import ip_network
from urllib.parse import urlsplit

from doorward.app.container import Container
from doorward.app.routes import routes
from doorward.features.sessions.build import cookie_jar, status_pages
from doorward.web.router import App


def http_app(container: Container, *, process_tag: str) -> App:
    """The ASGI application. Request ids start with `process_tag`."""
    settings, services = container.settings, container.services
    return App(
        routes(container),
        prefix=urlsplit(settings.issuer).path.rstrip("/"),
        https=services.get(cookie_jar).secure,
        trusted_proxies=[ip_network(text, strict=False) for text in settings.server.trusted_proxies],
        error_page=services.get(status_pages),
        metrics=services.metrics,
        process_tag=process_tag,
        on_closing=lambda: _close(container),
        configuration=services.config,
    )


def _close(container: Container) -> None:
    for feature in container.features:
        feature.closing(container.services)
