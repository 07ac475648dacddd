"""Documentation page of the API, made from its own OpenAPI document without external resources."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from doorward_demo.demo.looks import pages


class Operation(Struct, frozen=True):
    """One line of the page."""

    method: str
    path: str
    says: str
    needs: tuple[str, ...]
    open: bool


def docs_page(openapi: dict[str, Any], issuer: str, audience: str) -> str:
    """The page as HTML."""
    return pages.get_template("docs.html").render(
        title=openapi["info"]["title"], operations=operations(openapi), issuer=issuer, audience=audience
    )


def operations(openapi: dict[str, Any]) -> list[Operation]:
    """Every operation with its required scopes."""
    found: list[Operation] = []
    for path, methods in openapi["paths"].items():
        for method, operation in methods.items():
            security: list[dict[str, list[str]]] = operation.get("security", [])
            scopes = {scope for scheme in security for names in scheme.values() for scope in names}
            says = operation.get("description") or operation.get("summary", "")
            found.append(Operation(method.upper(), path, says, tuple(sorted(scopes)), not security))
    return found
