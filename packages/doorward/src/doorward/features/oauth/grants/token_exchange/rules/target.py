"""Target of an exchange: the one API of the new token, and the scopes, which only become fewer (RFC 8693 §2.1, RFC 8707 §2)."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from shlex import quote

from doorward.core.errors import OAuthError
from doorward.core.model.account import Account
from doorward.core.model.client import Client
from doorward.core.model.config_snapshot import ConfigSnapshot
from doorward.core.model.token_exchange import ExchangePolicy
from doorward.features.oauth.clients.rules import resource as resources
from doorward.features.oauth.clients.rules.entitle import Granted, entitle
from doorward.features.oauth.clients.rules.scope import OIDC_SCOPES, named
from doorward.features.oauth.grants.token_exchange.rules.presented import PresentedToken
from doorward.features.oauth.grants.token_exchange.rules.request import ExchangeRequest


def audience(
    asked: ExchangeRequest, *, client: Client, policy: ExchangePolicy, config: ConfigSnapshot
) -> str | OAuthError:
    """The identifier of the API, among those that this app may exchange tokens for.

    `resource` is a URI and `audience` a name, which is an identifier too, the API's name or the app as which it introspects. A token is for
    one API, so that both have to mean the same one. With neither it is the only one that is allowed.
    """
    allowed = [identifier for identifier in policy.apis if identifier in config.apis]
    meant: set[str | None] = set()
    if asked.resource is not None:
        meant.add(resources.find(asked.resource, allowed))
    if asked.audience is not None:
        meant.add(_named(asked.audience, allowed, config))
    if not meant and len(allowed) == 1:
        return allowed[0]
    if not meant:
        return OAuthError(
            "invalid_target",
            "Name the API that the token is for in the resource parameter.",
            f"app {client.name!r} may exchange tokens for {len(allowed)} APIs, and sent neither resource nor audience",
        )
    found = meant.pop()
    if found is None or meant:
        given = asked.resource or asked.audience or ""
        near = get_close_matches(given, allowed, n=1)
        hint = f"; nearest {near[0]}" if near else ""
        return OAuthError(
            "invalid_target",
            "The target is unknown, not available to this app, or named twice and differently.",
            f"resource {asked.resource!r}, audience {asked.audience!r} for app {client.name!r}{hint}",
            fix=f"doorward app exchange {quote(client.name)} --api API (doorward api list names them)",
        )
    return found


def _named(name: str, allowed: Iterable[str], config: ConfigSnapshot) -> str | None:
    known = tuple(allowed)
    found = resources.find(name, known)
    if found is not None:
        return found
    several = [one for one in known if name in {config.apis[one].name, config.apis[one].client_id}]
    return several[0] if len(several) == 1 else None


def narrowed(
    asked: ExchangeRequest,
    subject: PresentedToken,
    account: Account | None,
    *,
    target: str,
    client: Client,
    config: ConfigSnapshot,
) -> Granted | OAuthError:
    """The scopes of the new token: those of the subject token that were asked for (all, if none were), as far as the API has them and the
    app that gets the token and the subject may have them there now.

    Scopes of OpenID Connect stay behind: they give the person's data to the app that the person signed in to. `account` is the person, or
    None for an app that acts for itself.
    """
    held = tuple(name for name in subject.scopes if name not in OIDC_SCOPES)
    wanted = named(asked.scope)
    for name in wanted:
        if name not in subject.scopes:
            return OAuthError(
                "invalid_scope",
                "A requested scope is not among those of the subject_token.",
                f"scope {name[:100]!r}; the token of app {subject.client_id} has {' '.join(subject.scopes) or 'none'}",
            )
    scopes = tuple(name for name in wanted if name not in OIDC_SCOPES) if wanted else held
    if account is None:
        # what an app may do for itself at that API, as if it asked itself
        itself = config.clients.get(subject.subject)
        own = () if itself is None else itself.access.get(target, ())
        scopes = tuple(name for name in scopes if name in own)
    granted = entitle(
        config=config,
        client=client,
        audience=target,
        scopes=scopes,
        role_names=None if account is None else account.role_names,
    )
    if granted.scopes:
        return granted
    return OAuthError(
        "invalid_scope",
        "No scope of the subject_token is available to this app and its subject at the target.",
        f"of {' '.join(subject.scopes) or 'no scope'} nothing is left for app {client.name!r} and {subject.subject} at {target}",
        fix=f"doorward app set {quote(client.name)} --api {quote(target)}:PERMISSION, of the same name as at the first API",
    )
