"""A web site that publishes the client-ID metadata document of an assistant, as its makers would."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.stand_ins.serving import Called, Replied

LONG = 6_000
"""Bytes of the larger document: real ones have icons, contacts and translated names in them."""


@dataclass
class AssistantSite:
    """`/assistant.json` is small, `/long.json` has 6 KB. `calls` are the paths that were asked for, `ca_file` the
    authority of its certificate."""

    origin: str = ""
    ca_file: str = ""
    calls: list[str] = field(default_factory=list)
    redirect_uris: tuple[str, ...] = ("http://localhost/callback", "http://127.0.0.1/callback")

    def answer(self, called: Called) -> Replied:
        """The document at this path."""
        self.calls.append(called.path)
        if called.path not in {"/assistant.json", "/long.json", "/remote.json"}:
            return Replied(404, {"error": "not_found"})
        document: dict[str, Any] = {
            "client_id": f"{self.origin}{called.path}",
            "client_name": "Assistant",
            "client_uri": self.origin,
            "redirect_uris": list(self.redirect_uris),
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
        }
        if called.path == "/long.json":
            document["contacts"] = ["x" * 60] * (LONG // 60)
        return Replied(200, document, {"Cache-Control": "max-age=600"})
