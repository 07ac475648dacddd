"""Comparison of the answers with the OpenAPI document that the server itself serves: schemathesis draws the requests and judges status, type, schema and headers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

import requests
import schemathesis
from hypothesis import given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.flows.running import Running
from tests.flows.seeds import House
from tests.flows.stumbling import TOLERATED
from tests.openapi import document

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@dataclass(frozen=True)
class Described:
    """One operation of the description."""

    method: str
    path: str

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


DESCRIBED = [Described(method.upper(), path) for path, item in document()["paths"].items() for method in item]


@cache
def _described(text: str) -> Any:
    return schemathesis.openapi.from_dict(json.loads(text))


def as_described(server: Running, house: House, operation: Described, examples: int) -> int:
    """Send `examples` random requests to one operation, half of them with a real app's credential; returns how many were sent."""
    with server.http() as client:
        described = _described(client.get("/openapi.json").text)
    case_of: Any = described[operation.path][operation.method].as_strategy()
    session = requests.Session()
    session.trust_env = False
    sent = 0

    @settings(max_examples=examples, deadline=None, suppress_health_check=TOLERATED)
    @given(case=case_of)
    def run(case: Any) -> None:
        nonlocal sent
        sent += 1
        headers = house.own.authorization if sent % 2 else {}
        response = case.call(base_url=server.issuer, session=session, headers=headers, allow_redirects=False)
        case.validate_response(response, checks=CHECKS)

    seen = len(server.log.pieces)
    try:
        run()
    finally:
        session.close()
    assert '"level": "error"' not in "".join(server.log.pieces[seen:])
    return sent
