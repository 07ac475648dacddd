"""View of the consent page: the app, its host, and the requested permissions (R12)."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from doorward.core.model.config_snapshot import Api, ConfigSnapshot
from doorward.features.authn.flow.outcomes import AskConsent
from doorward.features.oauth.clients.rules.private_schemes import place, private_scheme
from doorward.features.oauth.clients.rules.redirect_uri import on_this_device
from doorward.features.oauth.consent.rules import empty_handed, left_out
from doorward.web.pages.views.flow import ConsentView, ScopeLine


def scope_lines(names: Iterable[str], api: Api | None) -> tuple[ScopeLine, ...]:
    """These scopes as shown to a person; `api` is the one of the request."""
    described = {permission.name: permission for permission in api.permissions} if api else {}
    return tuple(
        ScopeLine(
            name,
            described[name].description or None if name in described else None,
            api.name if api is not None and name in described else None,
        )
        for name in names
    )


def consent_view(asked: AskConsent, config: ConfigSnapshot, lasts: int) -> ConsentView:
    """The page for one request; `lasts` is the duration of the connection in seconds."""
    api = config.apis.get(asked.request.audience)
    scheme = private_scheme(asked.request.redirect_uri)
    offline = "offline_access" in asked.scopes
    return ConsentView(
        app=asked.client.name,
        host=place(asked.request.redirect_uri),
        account=asked.account.shown_as,
        account_name=asked.account.name,
        scopes=scope_lines((*asked.scopes, *asked.by_name), api),
        left_out=scope_lines(left_out(asked.request, asked.scopes, api), api),
        useless_at=api.name if api is not None and empty_handed(asked.request, asked.scopes, api) else None,
        lasts=lasts,
        flow=asked.sign_in.id,
        not_you=f"/sign-in?flow={asked.sign_in.id}&prompt=select_account",
        offline=offline,
        published_at=urlsplit(asked.client.id).netloc if asked.client.registered_by == "document" else None,
        unknown=asked.client.self_registered,
        on_device=on_this_device(asked.request.redirect_uri),
        opened_by=None if scheme is None else f"{scheme}:",
    )
