"""Check of trusted issuers: whether their keys can be had now, and whether their rules name apps that may act on them. Part of `doctor`."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote

from doorward.adapters.clock import SystemClock
from doorward.core.model.config_snapshot import ConfigSnapshot
from doorward.core.model.finding import Finding, failed, passed
from doorward.core.model.trusted_issuer import JWT_BEARER, TrustedIssuer
from doorward.features.oauth.grants.jwt_bearer.build import issuer_keys_with
from doorward.features.oauth.grants.jwt_bearer.keys import IssuerUnavailable
from doorward.settings import Settings
from doorward.storage.sql.store import Store


async def issuers(settings: Settings, store: Store) -> Finding | None:
    """What each issuer answers; one that is disabled is not asked. None: nobody is trusted."""
    known = await store.trusted_issuers.all()
    if not known:
        return None
    keys = issuer_keys_with(clock=SystemClock(), development=settings.development, ca_file=settings.ca_file)
    live = [one for one in known if one.disabled_at is None]
    broken: list[tuple[TrustedIssuer, str]] = []
    for one in live:
        try:
            await keys.of(one)
        except IssuerUnavailable as problem:
            broken.append((one, str(problem)))
    await keys.close()
    if broken:
        said = "; ".join(f"{one.name}: {problem}" for one, problem in broken)
        return failed(
            said, f"Its assertions cannot be checked: doorward issuer test {quote(broken[0][0].name)}"
        )
    said = f"{len(live)} trusted, and their keys can be had"
    config = await store.registry.load()
    for warning, fix in _useless(live, config):
        return passed(f"{said}; {warning}", fix)
    return passed(said)


def _useless(known: list[TrustedIssuer], config: ConfigSnapshot) -> Iterator[tuple[str, str]]:
    for one in known:
        if not one.rules and not one.id_jag:
            allow = f"doorward issuer allow {quote(one.name)} RULE --app APP --claim NAME=VALUE"
            yield f"{one.name} has no rule, so nothing of it is accepted", allow
        for rule in one.rules:
            client = config.clients.get(rule.client_id)
            if client is None:
                disallow = f"doorward issuer disallow {quote(one.name)} {quote(rule.name)}"
                yield f"the rule {rule.name} of {one.name} is of an app that was deleted", disallow
            elif JWT_BEARER not in client.grant_types:
                fix = f"doorward app set {quote(client.name)} --grant-type {JWT_BEARER}"
                yield f"{client.name}, of the rule {rule.name}, may not use the grant", fix
