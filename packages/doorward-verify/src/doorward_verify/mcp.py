"""MCP integration: `McpResourceServer` is the `TokenVerifier` of the SDK `mcp` 2, and `protect` answers with full challenges.

MCP authorization 2026-07-28: the audience is required (§ Token Handling), each challenge names the resource's metadata, and all
scopes of an operation stand in one challenge (§ Scope Challenge Handling). The SDK itself names neither scopes nor the reason.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from contextvars import ContextVar
from typing import Any, Final

from mcp.server.auth.middleware.auth_context import AuthContextMiddleware
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from mcp.server.auth.settings import AuthSettings
from starlette.authentication import AuthCredentials
from starlette.requests import Request
from starlette.responses import JSONResponse

from doorward_verify.auth_error import AuthError
from doorward_verify.demands import Demand, demand
from doorward_verify.encoding import Malformed, json_object
from doorward_verify.principal import Principal
from doorward_verify.starlette import StarletteResourceServer, asked_of

__all__ = ["McpResourceServer", "Principal"]

MAX_BODY: Final = 4 * 1024 * 1024
"""Bytes of a message that `protect` reads to learn which tool it calls: the SDK's own limit."""

_Scope = MutableMapping[str, Any]
_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]
_App = Callable[[_Scope, _Receive, _Send], Awaitable[None]]

# The address of the caller, which limits API keys: the SDK's own check, behind `protect`, sees only the token.
_caller: ContextVar[str | None] = ContextVar("doorward_caller", default=None)
_UNREADABLE: Final = {"jsonrpc": "2.0", "id": None, "error": {"code": -32700, "message": "Parse error"}}


class McpResourceServer(StarletteResourceServer):
    """`doorward_verify.ResourceServer` for a server of the Python SDK `mcp` 2.

        auth = McpResourceServer("https://auth.example.com", audience="https://mcp.example.com/mcp", scopes=["orders:read"])
        server = MCPServer("Orders", token_verifier=auth, auth=auth.settings())
        app = auth.protect(server.streamable_http_app(), tools={"place_order": ["orders:write"]})

    `audience` is the address of the MCP endpoint, as clients type it. `scopes` are those of basic use: every request needs
    them, and the metadata names them. Parameters otherwise as for `doorward_verify.ResourceServer`.
    """

    async def verify_token(self, token: str) -> AccessToken | None:
        """The token as the SDK knows it, or None (401) if it is not valid for this server. For `token_verifier=`.

        Raises `AuthError` while keys or revocations cannot be fetched: a 401 would make clients sign people in again.
        """
        try:
            principal = await self.verify_async(token, address=_caller.get())
        except AuthError as refused:
            if refused.reason in {"keys_unavailable", "revocation_unavailable"}:
                raise
            return None
        return self._access_token(token, principal)

    def settings(self) -> AuthSettings:
        """The SDK's settings: this issuer, and tokens for this audience only. For `auth=`. Raises `ValueError` if the audience
        is no address."""
        return AuthSettings.model_validate(
            {
                "issuer_url": self.issuer,
                "resource_server_url": self.audience,
                "required_scopes": list(self.scopes),
                "validate_token_resource": True,
            }
        )

    def protect(
        self, app: _App, *, tools: Mapping[str, Iterable[str]] | None = None, public: Iterable[str] = ()
    ) -> "ProtectedMcp":
        """Wrap the SDK's app, `server.streamable_http_app()`: metadata, challenges and the life of the keys.

        `tools` names the scopes that a tool needs besides; a call without them gets one 403 with all of them, and the client
        asks the person for more. `public` are paths that need no token. Raises `TypeError` for one string instead of several.
        """
        needed = {
            name: demand(scopes=(*self.scopes, *demand(scopes=more).scopes))
            for name, more in (tools or {}).items()
        }
        return ProtectedMcp(self, app, tools=needed, public=frozenset(public))

    def _access_token(self, token: str, principal: Principal) -> AccessToken:
        return AccessToken(
            token=token,
            client_id=principal.client_id,
            scopes=sorted(principal.scopes),
            expires_at=principal.expires_at,
            resource=self.audience,
            subject=principal.sub,
            claims=principal.claims,
        )

    async def admit_mcp(self, request: Request, asked: Demand) -> tuple[Principal, AuthenticatedUser]:
        """Principal, and the SDK's user, of a request that meets the requirements. Raises `AuthError`, which names all scopes
        needed."""
        try:
            token = self.token_of(asked_of(request))
            principal = await self.verify_async(token, address=_caller.get())
            self.check(principal, asked)
        except AuthError as refused:
            raise refused.asking_for(asked.scopes) from None
        return principal, AuthenticatedUser(self._access_token(token, principal))


class ProtectedMcp:
    """ASGI app around the SDK's: see `McpResourceServer.protect`."""

    def __init__(
        self, auth: McpResourceServer, app: _App, *, tools: Mapping[str, Demand], public: frozenset[str]
    ) -> None:
        self._auth = auth
        # tools read the token by the SDK's `get_access_token()`, also where the SDK itself was given no verifier
        self._app: _App = AuthContextMiddleware(app)
        self._usual = demand(scopes=auth.scopes)
        self._tools = tools
        self._public = public

    async def __call__(self, scope: _Scope, receive: _Receive, send: _Send) -> None:
        """Answer one connection of any ASGI server."""
        if scope["type"] == "lifespan":
            async with self._auth.lifespan():
                await self._app(scope, receive, send)
        elif scope["type"] != "http":
            await _refuse_socket(receive, send)
        elif scope["path"] in self._auth.metadata_paths and scope["method"] in {"GET", "HEAD", "OPTIONS"}:
            await self._auth.metadata_response(scope["method"])(scope, receive, send)
        elif scope["path"] in self._public:
            await self._app(scope, receive, send)
        else:
            _caller.set(scope["client"][0] if scope.get("client") else None)
            try:
                principal, user, receive = await self._admit(scope, receive)
            except AuthError as refused:
                answer = self._auth.challenge(refused)
                await JSONResponse(answer.body, answer.status, answer.headers)(scope, receive, send)
            except _Unreadable as unreadable:
                await JSONResponse(_UNREADABLE, unreadable.status)(scope, receive, send)
            else:
                scope["user"], scope["auth"] = user, AuthCredentials(user.scopes)
                await self._app(scope, receive, self._until_revoked(principal, send))

    async def _admit(self, scope: _Scope, receive: _Receive) -> tuple[Principal, AuthenticatedUser, _Receive]:
        """The user of a request, and its body for the SDK to read. Nothing is read for a token that is not good."""
        request = Request(scope)
        principal, user = await self._auth.admit_mcp(request, self._usual)
        if not self._tools or scope["method"] != "POST":
            return principal, user, receive
        body = await _body(receive)
        principal, user = await self._auth.admit_mcp(request, self._asked(body))
        return principal, user, _replayed(body, receive)

    def _until_revoked(self, principal: Principal, send: _Send) -> _Send:
        """End a stream of events before the first one after a revocation: a stream may be open for hours."""
        ended = False

        async def guarded(message: _Message) -> None:
            nonlocal ended
            if ended:
                return
            if message.get("more_body") and self._auth.revoked(principal):
                ended = True
                message = {"type": "http.response.body", "body": b"", "more_body": False}
            await send(message)

        return guarded

    def _asked(self, body: bytes) -> Demand:
        """What the message needs. It is read strictly: a message that two parsers may read differently is refused, because
        the SDK would call another tool than the one that was checked."""
        try:
            message = json_object(body)
        except Malformed:
            raise _Unreadable(400) from None
        if message.get("method") != "tools/call":
            return self._usual
        parameters: object = message.get("params")
        name: object = parameters.get("name") if isinstance(parameters, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        return self._tools.get(name, self._usual) if isinstance(name, str) else self._usual


class _Unreadable(Exception):
    """The body is too large, or not one JSON object."""

    def __init__(self, status: int) -> None:
        self.status = status


async def _body(receive: _Receive) -> bytes:
    parts: list[bytes] = []
    size = 0
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            raise _Unreadable(400)
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MAX_BODY:
            raise _Unreadable(413)
        more = message.get("more_body", False)
    return b"".join(parts)


def _replayed(body: bytes, receive: _Receive) -> _Receive:
    left: list[_Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> _Message:
        return left.pop() if left else await receive()

    return replay


async def _refuse_socket(receive: _Receive, send: _Send) -> None:
    await receive()
    await send({"type": "websocket.close", "code": 1008})
