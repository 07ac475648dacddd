"""Site on PyPI Authlib's Starlette client, configured as its documentation says for any OpenID provider."""

from __future__ import annotations

import os
from typing import Any

import uvicorn
from authlib.integrations.starlette_client import OAuth
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

oauth: Any = OAuth()
oauth.register(
    "doorward",
    client_id=os.environ["CLIENT_ID"],
    client_secret=os.environ["CLIENT_SECRET"],
    server_metadata_url=f"{os.environ['ISSUER']}/.well-known/openid-configuration",
    client_kwargs={"scope": "openid email profile offline_access"},
)
tokens: dict[str, Any] = {}


async def home(request: Request) -> Response:
    return JSONResponse({"signed_in": "user" in request.session})


async def login(request: Request) -> Response:
    return await oauth.doorward.authorize_redirect(request, f"{os.environ['BASE']}/callback")


async def callback(request: Request) -> Response:
    tokens.update(await oauth.doorward.authorize_access_token(request))
    request.session["user"] = dict(tokens["userinfo"])
    return RedirectResponse("/")


async def me(request: Request) -> Response:
    userinfo = await oauth.doorward.userinfo(token=tokens)
    return JSONResponse({"claims": request.session["user"], "userinfo": dict(userinfo)})


async def refresh(request: Request) -> Response:
    del request
    before = tokens["refresh_token"]
    renewed = await oauth.doorward.fetch_access_token(grant_type="refresh_token", refresh_token=before)
    tokens.update(renewed)
    return JSONResponse({"renewed": renewed["refresh_token"] != before})


async def logout(request: Request) -> Response:
    request.session.clear()
    metadata = await oauth.doorward.load_server_metadata()
    hint, after = tokens["id_token"], os.environ["BASE"]
    return RedirectResponse(
        f"{metadata['end_session_endpoint']}?id_token_hint={hint}&post_logout_redirect_uri={after}"
    )


app = Starlette(
    routes=[
        Route(path, handler)
        for path, handler in (
            ("/", home),
            ("/login", login),
            ("/callback", callback),
            ("/me", me),
            ("/refresh", refresh),
            ("/logout", logout),
        )
    ],
    middleware=[Middleware(SessionMiddleware, secret_key="known to this test alone")],
)
uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), log_level="warning")
