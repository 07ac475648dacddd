"""Reader of a request's single credential, among all client authentication methods of the server (RFC 6749 §2.3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, final

from doorward.core.errors import OAuthError
from doorward.core.model.token_request import TokenRequest
from doorward.features.oauth.client_auth.method import MISSING, ONE_WAY, ClientAuth, Presented

_TWO: Final = OAuthError("invalid_request", ONE_WAY)
_OTHER_SCHEME: Final = OAuthError(
    "invalid_client", "Only Basic client authentication works in this header.", "another scheme"
)
_NONE: Final = OAuthError("invalid_client", MISSING, "no credential and no client_id")


@final
class CredentialReader:
    """Indexes the methods once by the place of the credential, so that a request tries few of them. Their order does not matter."""

    __slots__ = ("_credentials", "_in_form", "_in_header", "_without", "methods")

    def __init__(self, *, methods: Sequence[ClientAuth]) -> None:
        self.methods = {method.name: method for method in methods}
        if len(self.methods) < len(methods):
            names = ", ".join(method.name for method in methods)
            raise ValueError(f"two client authentication methods have one name: {names}")
        in_header = [method for method in methods if method.scheme is not None]
        self._in_header = {method.scheme: method for method in in_header}
        if len(self._in_header) < len(in_header):
            schemes = ", ".join(f"{method.name}: {method.scheme}" for method in in_header)
            raise ValueError(f"two client authentication methods have one scheme: {schemes}")
        self._in_form = tuple(method for method in methods if method.credentials)
        self._credentials = frozenset(name for method in methods for name in method.credentials)
        without = [method for method in methods if method.scheme is None and not method.credentials]
        # "none" is the last one, after methods whose credential is elsewhere, such as a certificate
        self._without = tuple(sorted(without, key=lambda method: method.name == "none"))

    def named(self, request: TokenRequest) -> bool:
        """Whether a request names an app, or has what could be a credential of one."""
        return (
            request.authorization is not None
            or "client_id" in request.form
            or not self._credentials.isdisjoint(request.form)
        )

    def alone(self, request: TokenRequest, client_id: str) -> bool:
        """Whether the form adds no other credential, and names no other app, than the header of this one."""
        form = request.form
        return self._credentials.isdisjoint(form) and form.get("client_id", client_id) == client_id

    def read(self, request: TokenRequest) -> Presented | OAuthError:
        """The single credential of a request."""
        header = request.authorization
        if header is not None:
            if not self._credentials.isdisjoint(request.form):
                return _TWO
            method = self._in_header.get(header.partition(" ")[0].lower())
            presented = None if method is None else method.read(request)
            return _OTHER_SCHEME if presented is None else presented
        found: Presented | OAuthError | None = None
        for method in self._in_form:
            presented = method.read(request)
            if presented is None:
                continue
            if found is not None:
                return _TWO
            found = presented
        if found is not None:
            return found
        for method in self._without:
            presented = method.read(request)
            if presented is not None:
                return presented
        return _NONE
