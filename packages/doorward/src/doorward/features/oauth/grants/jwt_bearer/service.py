"""JWT bearer grant: an access token for an assertion of a trusted issuer (RFC 7523 §2.1, RFC 7521 §4.1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from shlex import quote
from typing import Any, Final

from msgspec import Struct, structs

from doorward.core.errors import OAuthError
from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.client import Client
from doorward.core.model.entitlement import Entitlement
from doorward.core.model.policy import SecondFactorPolicy
from doorward.core.model.token_request import TokenRequest
from doorward.core.model.trusted_issuer import TrustedIssuer
from doorward.core.ports.config_snapshot import ConfigSource
from doorward.core.ports.metrics import Metrics
from doorward.features.audit.service import AuditLog
from doorward.features.authn.flow.rules.policy import demand
from doorward.features.oauth.grants.jwt_bearer.keys import PAUSE, IssuerKeys, IssuerUnavailable
from doorward.features.oauth.grants.jwt_bearer.rules import access, assertion
from doorward.features.oauth.grants.jwt_bearer.rules.access import REFUSED
from doorward.features.oauth.grants.jwt_bearer.rules.assertion import BadAssertion, CheckedAssertion
from doorward.features.oauth.grants.jwt_bearer.rules.conditions import Unfitting, fit
from doorward.features.oauth.grants.jwt_bearer.told import Told
from doorward.features.oauth.token.rules import TokenResponse
from doorward.features.oauth.tokens.issue import TokenIssuer
from doorward.features.oauth.tokens.rules import id_jag
from doorward.features.rate_limits.rules.failures import ClientAuthRateLimiter
from doorward.storage.sql.store import Store, Write
from doorward_verify.auth_error import AuthError
from doorward_verify.encoding import Malformed, json_object
from doorward_verify.jws import parse_header, split, verify

_SHOWN: Final = 200

Enrolled = Callable[[Account, Sequence[EnrolledFactor]], bool]


class JwtBearerGrant(Struct, frozen=True, kw_only=True):
    """The client is told one sentence only; what was wrong, the nearest rule and the fix go to the log. Refusals are counted for their
    address, as failed client authentications are, and audited sparingly."""

    store: Store
    config: ConfigSource
    tokens: TokenIssuer
    keys: IssuerKeys
    metrics: Metrics
    audit_log: AuditLog
    failures: ClientAuthRateLimiter
    told: Told
    second_factor: SecondFactorPolicy
    enrolled: Enrolled
    """Whether a person has a factor that every sign-in asks for."""

    async def exchange(self, request: TokenRequest, client: Client | None) -> TokenResponse | OAuthError:
        """The token. Without `client`, the app that authenticated, the assertion's own rules say which app it is worth."""
        token = request.form.get("assertion")
        if not token:
            return OAuthError("invalid_request", "assertion is missing.")
        named = assertion.issuer_of(token)
        trusted = None if named is None else await self.store.trusted_issuers.by_issuer(named)
        try:
            answer = await self._accepted(token, named, trusted, request, client)
        except BadAssertion as bad:
            issuer = "" if trusted is None else f" of issuer {trusted.name!r}"
            error = OAuthError("invalid_grant", REFUSED, f"assertion{issuer}: {bad.reason}", fix=bad.fix)
            return await self._refused(bad.kind, error, trusted, request)
        except IssuerUnavailable as problem:
            self.metrics.inc("assertions", "no_keys")
            return OAuthError(
                "temporarily_unavailable",
                "The assertion cannot be checked now.",
                f"there are no keys of issuer {trusted.name if trusted else ''!r}: {problem}",
                retry_at=request.now + PAUSE,
                fix=f"doorward issuer test {quote(trusted.name if trusted else '')}",
            )
        if isinstance(answer, OAuthError):
            return await self._refused("no_access", answer, trusted, request)
        self.metrics.inc("assertions", "accepted")
        return answer

    async def _accepted(
        self,
        token: str,
        named: str | None,
        trusted: TrustedIssuer | None,
        request: TokenRequest,
        client: Client | None,
    ) -> TokenResponse | OAuthError:
        """Raises `BadAssertion`, `IssuerUnavailable`."""
        if named is None:
            raise BadAssertion("malformed", "it is no signed JWT with an iss")
        if trusted is None or trusted.disabled_at is not None:
            raise BadAssertion(*await self._untrusted(named, trusted))
        checked, person = await self._checked(token, trusted, request.now)
        found = (
            self._workload(checked, trusted, request, client)
            if person is None
            else await self._person(person, trusted, request, client)
        )
        if isinstance(found, OAuthError):
            return found
        app, entitlement, guards, rule = found
        writes = list(guards)
        # The use is recorded before anything is issued: of two nodes that receive the same assertion, one accepts it.
        if trusted.single_use or person is not None:
            writes.append(
                self.store.replay_cache.claim(
                    f"jwt_bearer:{trusted.issuer}", checked.used_as, checked.remember_until, now=request.now
                )
            )
        use = (trusted.grant_id, checked.subject, app.id)
        if due := self.told.due(use, request.now):
            writes.append(self._event(trusted, checked, app, entitlement, rule, request))
        if writes and not await self.store.commit(*writes):
            raise BadAssertion(
                "replayed", "it was used before, or the person's account was changed in this moment"
            )
        if due:
            self.told.note(use, request.now)
        until = request.now + trusted.token_ttl
        if trusted.within_assertion:
            until = min(until, checked.expires_at)
        return self.tokens.derived(entitlement, app, until=until, now=request.now)

    def _event(
        self,
        trusted: TrustedIssuer,
        checked: CheckedAssertion,
        app: Client,
        entitlement: Entitlement,
        rule: str,
        request: TokenRequest,
    ) -> Write:
        return self.audit_log.write(
            "assertion.accepted",
            caller=request.caller,
            now=request.now,
            account_id=entitlement.account_id,
            client_id=app.id,
            grant_id=trusted.grant_id,
            issuer=trusted.id,
            subject=checked.subject[:200],
            rule=rule[:200],
            audience=entitlement.audience,
            scopes=list(entitlement.scopes),
        )

    async def _checked(
        self, token: str, trusted: TrustedIssuer, now: int
    ) -> tuple[CheckedAssertion, id_jag.IdJag | None]:
        """The assertion, and its claims as an ID-JAG if it is one. Raises `BadAssertion`, `IssuerUnavailable`."""
        try:
            head, signed, _, _ = split(token)
            header = parse_header(head)
            types = assertion.types(header.typ, trusted)
            keys = await self.keys.of(trusted, header.kid)
            claims: dict[str, Any] = json_object(
                verify(token, keys, algorithms=trusted.algorithms, types=types).payload
            )
        except AuthError as problem:
            raise BadAssertion(problem.reason, str(problem)) from None
        except Malformed as problem:
            raise BadAssertion("malformed", f"its payload is {problem}") from None
        checked = assertion.check(claims, signed, trusted, issuer=self.tokens.issuer, now=now)
        if not assertion.is_id_jag(header.typ):
            return checked, None
        try:
            return checked, id_jag.read(claims)
        except id_jag.BadIdJag as problem:
            raise BadAssertion("malformed", str(problem)) from None

    def _workload(
        self, checked: CheckedAssertion, trusted: TrustedIssuer, request: TokenRequest, client: Client | None
    ) -> tuple[Client, Entitlement, list[Write], str] | OAuthError:
        """Raises `BadAssertion`."""
        found = fit(trusted.rules, checked.claims, client_id=None if client is None else client.id)
        if isinstance(found, Unfitting):
            raise BadAssertion("unmatched", found.reason, self._fix(found, trusted))
        made = access.of_workload(
            found, trusted, request.form, config=self.config.current(), issuer=self.tokens.issuer
        )
        if isinstance(made, OAuthError):
            return made
        return *made, [], ", ".join(rule.name for rule in found.rules)

    async def _person(
        self, said: id_jag.IdJag, trusted: TrustedIssuer, request: TokenRequest, client: Client | None
    ) -> tuple[Client, Entitlement, list[Write], str] | OAuthError:
        """Raises `BadAssertion`."""
        if client is None or not client.confidential:
            # draft §8.1: a public app sends the person here, where they can decide
            return OAuthError(
                "invalid_client",
                "An identity assertion needs client authentication.",
                "it is an ID-JAG, and the request names no app with a credential",
            )
        if said.client_id != client.id:
            raise BadAssertion("client", f"its client_id is not {client.id!r}, which authenticated")
        identity = await self.store.external_identities.by_subject(trusted.issuer, said.sub)
        account = None if identity is None else await self.store.accounts.get(identity.account_id)
        if account is None:
            raise BadAssertion(
                "unknown_person",
                "nobody here is connected with this subject; an address connects nobody",
                "the person signs in here with that provider once, or connects it on the account page",
            )
        if account.disabled_at is not None:
            raise BadAssertion("disabled_person", f"{account.id} is disabled")
        config = self.config.current()
        asked = demand(
            self.second_factor,
            roles=config.held(account),
            client=client,
            row=await self.store.factor_demands.get(account.id),
            enrolled=self.enrolled(account, await self.store.accounts.factors(account.id)),
            acr=None,
            prompted=False,
            now=request.now,
        )
        access.check_factors(said, asked)
        made = access.of_person(
            said, trusted, account, client, request.form, config=config, issuer=self.tokens.issuer
        )
        if isinstance(made, OAuthError):
            return made
        # Loses when the account was changed since: what disables somebody later revokes the token by its `iat`.
        unchanged = self.store.accounts.replace(account, old=account)
        return client, made, [unchanged], "id_jag"

    async def _untrusted(self, named: str, trusted: TrustedIssuer | None) -> tuple[str, str, str]:
        if trusted is not None:
            fix = f"doorward issuer enable {quote(trusted.name)}"
            return "disabled", f"issuer {trusted.name!r} is disabled", fix
        near = get_close_matches(named[:_SHOWN], await self.store.trusted_issuers.first_issuers(), n=1)
        hint = f"; nearest is {near[0]!r}" if near else ""
        return (
            "untrusted",
            f"nobody trusts its issuer {named[:_SHOWN]!r}{hint}",
            "doorward issuer list; doorward issuer add --help",
        )

    def _fix(self, found: Unfitting, trusted: TrustedIssuer) -> str:
        """The command that accepts the assertion, for the operator to judge: what comes from outside is quoted."""
        if found.nearest is None or found.difference is None:
            return f"doorward issuer show {quote(trusted.name)}"
        client = self.config.current().clients.get(found.nearest.client_id)
        app = found.nearest.client_id if client is None else client.name
        changed = found.difference.partition("=")[0]
        claims = [f"{name}={value}" for name, value in found.nearest.claims.items() if name != changed]
        words = " ".join(f"--claim {quote(one)}" for one in (*claims, found.difference))
        return f"if it is yours: doorward issuer allow {quote(trusted.name)} NEW --app {quote(app)} {words}"

    async def _refused(
        self, kind: str, error: OAuthError, trusted: TrustedIssuer | None, request: TokenRequest
    ) -> OAuthError:
        self.metrics.inc("assertions", kind)
        noted = self.failures.note(request.caller.address, request.now)
        if noted.audit:
            detail: Mapping[str, str] = {} if trusted is None else {"issuer": trusted.id}
            await self.store.commit(
                self.audit_log.write(
                    "assertion.refused",
                    caller=request.caller,
                    now=request.now,
                    ok=False,
                    because=f"{error.reason}. Fix: {error.fix}" if error.fix else error.reason,
                    failures=noted.count,
                    **detail,
                )
            )
        if noted.retry_at is None:
            return error
        return structs.replace(
            error, description="Too many failed attempts from this address.", retry_at=noted.retry_at
        )
