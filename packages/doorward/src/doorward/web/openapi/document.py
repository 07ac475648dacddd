"""What can be asked of this server over HTTP? An OpenAPI 3.1 document, kept by hand beside the routes that it describes.

A test compares it with the routes, and another one asks the running server what it promises here.
"""

from __future__ import annotations

from typing import Any

from doorward import __version__
from doorward.web.openapi import pages as openapi_pages
from doorward.web.openapi.first_party import first_party
from doorward.web.openapi.oauth import protocol, published
from doorward.web.openapi.parts import answer, errors, operation
from doorward.web.openapi.schemas import SCHEMAS


def describe(issuer: str) -> dict[str, object]:
    """The document for the server at `issuer`."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Doorward",
            "version": __version__,
            "description": "OAuth 2.1, OpenID Connect, JSON sign-in, cookie delivery, the revocation feed, and the hosted pages.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": issuer}],
        "tags": [
            {"name": "protocol", "description": "OAuth 2.1 and OpenID Connect."},
            {"name": "metadata", "description": "What the server publishes about itself."},
            {
                "name": "first-party",
                "description": "JSON sign-in and cookie delivery, for apps marked first-party.",
            },
            {"name": "watching", "description": "For whoever runs the server."},
            {"name": "pages", "description": "For people."},
        ],
        "paths": {**protocol(), **published(), **first_party(), **_watching(), **openapi_pages.paths()},
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {
                "basic": {
                    "type": "http",
                    "scheme": "basic",
                    "description": "client_secret_basic, RFC 6749 §2.3.1",
                },
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
            },
        },
    }


def _watching() -> dict[str, Any]:
    health = {"200": answer("It answers.", "Health")}
    return {
        "/healthz": {
            "get": operation("healthz", "Whether the process answers", "watching", responses=health)
        },
        "/readyz": {
            "get": operation(
                "readyz",
                "Whether requests may be sent here",
                "watching",
                responses={**health, "503": answer("Not now.", "Health")},
            )
        },
        "/metrics": {
            "get": operation(
                "metrics",
                "Counters for Prometheus; only there when metrics.token is set",
                "watching",
                security=[{"bearer": []}],
                responses={
                    "200": {
                        "description": "The text format.",
                        "content": {"text/plain": {"schema": {"type": "string"}}},
                    },
                    **errors("401", "404"),
                },
            )
        },
    }
