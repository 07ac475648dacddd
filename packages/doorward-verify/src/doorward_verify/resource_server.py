"""`ResourceServer`: verification of access tokens in an API, with keys and revocations kept fresh in the background."""

import asyncio
import random
import ssl
import time
from collections.abc import AsyncGenerator, Callable, Collection, Generator, Iterable, Mapping
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final, Literal, Self

from doorward_verify import cookie, demands
from doorward_verify import lost_feed as lost
from doorward_verify.algorithms import ISSUED
from doorward_verify.api_description import ApiDescription
from doorward_verify.api_keys import ApiKeys, KeyExchange, in_address, is_key
from doorward_verify.auth_error import AuthError
from doorward_verify.background import Background, Plan
from doorward_verify.claims import AccessRules
from doorward_verify.discovery import within
from doorward_verify.fetch import Fetcher
from doorward_verify.keyset import KeySet, parse_jwks
from doorward_verify.metadata import check_url
from doorward_verify.principal import Principal
from doorward_verify.remembered import DEFAULT_SIZE, END, Epoch, Remembered
from doorward_verify.revocation import RevocationView
from doorward_verify.server_settings import DEFAULT_OUTAGE, check_lost_feed, check_settings
from doorward_verify.verifier import Verifier

# Refusals that new keys or a first view of the feed can turn into acceptance.
_LOST: Final = "revocation_unavailable"
_CURABLE: Final = frozenset({"keys_unavailable", "unknown_key", _LOST})


class ResourceServer(ApiDescription):
    """One API that accepts the access tokens of one issuer. Create one object and use it everywhere.

    - `issuer`, `audience`: compared character for character.
    - `algorithms`: an allow-list of asymmetric algorithms.
    - `leeway`: the accepted clock skew in seconds, at most 60.
    - `jwks`: a file or a JWK Set, to verify offline.
    - `revocation`: "auto" follows the feed if the issuer has one, "required" insists on it, "off" ignores it.
    - `revocation_outage`: seconds for which tokens are accepted while the feed is unreachable; after that 503.
    - `lost_feed`: what counts then: "fail_closed" (503), "fail_open", or "introspect": the issuer is asked as the app of `introspection`.
    - `scopes`, `name`: for this API's metadata: the scopes of basic use, and what clients show to people.
    - `resource_metadata`: URL of that metadata in challenges, if it does not follow from the audience.
    - `api_keys`: also accept API keys, which are exchanged for access tokens; these are revoked by the feed, which is then required.
    - `cookie`: also accept the access token from its cookie, from this origin and `origins`.
    - `ca`, `tls`: for a private CA. `wait`: seconds that a request, or the start, waits for missing keys.

    Raises `ValueError` for bad settings.
    """

    def __init__(
        self,
        issuer: str,
        audience: str,
        *,
        algorithms: Collection[str] = ISSUED,
        leeway: int = 10,
        jwks: Path | Mapping[str, Any] | None = None,
        jwks_uri: str | None = None,
        revocation: Literal["auto", "required", "off"] = "auto",
        revocation_outage: int = DEFAULT_OUTAGE,
        lost_feed: lost.LostFeed = "fail_closed",
        introspection: lost.Introspection | None = None,
        api_keys: ApiKeys | None = None,
        cookie: bool = False,
        origins: Iterable[str] = (),
        scopes: Iterable[str] = (),
        name: str | None = None,
        resource_metadata: str | None = None,
        ca: Path | str | None = None,
        tls: ssl.SSLContext | None = None,
        cache_size: int = DEFAULT_SIZE,
        wait: float = 5.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        check_settings(
            issuer, audience, algorithms, leeway, revocation, revocation_outage, keys=api_keys is not None
        )
        check_lost_feed(lost_feed, revocation, introspection=introspection is not None)
        super().__init__(issuer, audience, scopes=scopes, name=name, resource_metadata=resource_metadata)
        self._introspector = introspection and lost.Introspector(introspection, clock)
        self._rules = AccessRules(issuer, audience, frozenset(algorithms), leeway)
        self._keys = api_keys and KeyExchange(api_keys, audience=audience, clock=clock, wait=wait)
        self._test_keys: dict[str, str] | None = None
        self._cookie = cookie
        self._origins = frozenset(origins)
        self._cache_size = cache_size
        self._wait = wait
        self._clock: Callable[[], float] = clock
        self._pinned: bool = False
        feed_required = revocation == "required" or api_keys is not None
        document = jwks.read_bytes() if isinstance(jwks, Path) else jwks
        keys = KeySet(issuer, ()) if document is None else parse_jwks(issuer, document)
        plan = Plan(
            issuer,
            audience,
            keys=jwks is None,
            jwks_uri=None if jwks_uri is None else check_url(jwks_uri),
            feed=feed_required or (revocation == "auto" and jwks is None),
            feed_required=feed_required,
            outage=revocation_outage,
            token_endpoint=api_keys is not None,
            own_keys=None if jwks is None else keys,
            lost_feed=lost_feed,
        )
        self._background = Background(
            plan, lambda: Fetcher(ca=ca, tls=tls), clock, random.random, self._take_keys
        )
        self._view = self._background.view
        usable_until = float("-inf") if document is None else float("inf")
        self._epoch = Epoch(Verifier(self._rules, keys), usable_until, cache_size)

    def verify(self, token: str, *, now: float | None = None, address: str | None = None) -> Principal:
        """Return the principal of an access token, at `now` (seconds since the epoch; the current time if not given).

        Waits for keys only when there are none, or when the token names an unknown one; and for the exchange of an API key,
        which came from `address`. Raises `AuthError`.
        """
        if self._keys is not None and is_key(token):
            return self._of_key(self._keys, token, now, address)
        at = self._clock() if now is None else now
        verdict = self._judge(token, at)  # a known token costs no call and no closure more
        return verdict if type(verdict) is Principal else self._cured(verdict, token, at)

    def _of_key(self, keys: KeyExchange, key: str, now: float | None, address: str | None) -> Principal:
        def verified(token: str) -> Principal:
            at = self._clock() if now is None else now
            return self._cured(self._judge(token, at), token, at)

        known = None if self._test_keys is None else self._test_key(key)
        return verified(known) if known else keys.verify(key, address, self._background.post, verified)

    def _cured(self, verdict: Principal | AuthError, token: str, at: float) -> Principal:
        ends = time.monotonic() + self._wait
        while isinstance(verdict, AuthError):
            cure = self._cure(verdict)
            if cure is None and self._introspector is not None and verdict.reason == _LOST:
                asked = self._introspector.ask(token, self._background.introspect)
                active = lost.answered(asked, ends - time.monotonic())
                return self._while_lost(verdict, token, at, active=active)
            if cure is not None and not within(cure, ends - time.monotonic()):
                raise verdict
            verdict = _better(verdict, self._judge(token, at), waited=cure is not None)
        return verdict

    async def verify_async(
        self, token: str, *, now: float | None = None, address: str | None = None
    ) -> Principal:
        """`verify` for event loops: waiting is awaited. Raises `AuthError`."""
        if self._keys is not None and is_key(token):
            return await self._of_key_async(self._keys, token, now, address)
        at = self._clock() if now is None else now
        verdict = self._judge(token, at)
        return verdict if type(verdict) is Principal else await self._cured_async(verdict, token, at)

    async def _of_key_async(
        self, keys: KeyExchange, key: str, now: float | None, address: str | None
    ) -> Principal:
        async def verified(token: str) -> Principal:
            at = self._clock() if now is None else now
            return await self._cured_async(self._judge(token, at), token, at)

        known = None if self._test_keys is None else self._test_key(key)
        done = verified(known) if known else keys.verify_async(key, address, self._background.post, verified)
        return await done

    async def _cured_async(self, verdict: Principal | AuthError, token: str, at: float) -> Principal:
        ends = time.monotonic() + self._wait
        while isinstance(verdict, AuthError):
            cure = self._cure(verdict)
            if cure is None and self._introspector is not None and verdict.reason == _LOST:
                asked = self._introspector.ask(token, self._background.introspect)
                active = await lost.answered_async(asked, ends - time.monotonic())
                return self._while_lost(verdict, token, at, active=active)
            if cure is not None:
                left = max(ends - time.monotonic(), 0)
                if not (await asyncio.wait({asyncio.wrap_future(cure)}, timeout=left))[0]:
                    raise verdict
            verdict = _better(verdict, self._judge(token, at), waited=cure is not None)
        return verdict

    def _while_lost(self, refused: AuthError, token: str, at: float, *, active: bool | None) -> Principal:
        """The principal after the issuer said whether its token is active. If it does not say (None), the last view counts for
        `revocation_outage` seconds, as with "fail_closed"."""
        verdict = self._judge(token, at, any_age=True)
        if isinstance(verdict, AuthError):
            raise verdict
        if active is False:
            raise AuthError("revoked", "the token is revoked")
        if active is None and at >= self._view.trusted_until:
            raise refused
        return verdict

    def _judge(self, token: str, at: float, any_age: bool = False) -> Principal | AuthError:
        epoch, view = self._epoch, self._view
        # read before the view is consulted: a revocation in between makes this result be checked again
        generation = view.generation
        try:
            known = epoch.recent.get(end := token[END:])
        except (TypeError, KeyError):  # a mapping says the latter where slices can be keys (Python 3.12)
            return AuthError("malformed", "a token is text")
        if (
            known is not None
            and known.token == token
            and known.since <= at < known.until
            and known.generation == generation
            and at < view.fresh_until
            and at < epoch.usable_until
        ):
            return known.principal
        if known is None and epoch.older:
            known = epoch.older.get(end)
        if at >= epoch.usable_until:
            return AuthError(
                "keys_unavailable", "the issuer's keys could not be fetched yet, or not for 24 hours"
            )
        # a cached token that has expired is checked in full, for the exact reason
        verdict = (
            known
            if known is not None and known.token == token and known.since <= at < known.until
            else epoch.verifier.verify(token, at)
        )
        if type(verdict) is AuthError:
            return verdict
        principal = verdict.principal
        if at >= view.fresh_until and not any_age:
            return AuthError(_LOST, "the revocation feed could not be reached for too long")
        if view.generation and view.revokes(principal):
            return AuthError("revoked", "the token is revoked")
        if not any_age and (known is not None or epoch.returns(end)):
            epoch.remember(end, Remembered(token, principal, verdict.since, verdict.until, generation))
        return principal

    def _cure(self, refused: AuthError) -> Future[None] | None:
        """Return a future to wait on, or None when nothing is in progress. Raises the refusal when nothing
        could change it."""
        if self._pinned or refused.reason not in _CURABLE:
            raise refused
        if refused.reason == _LOST:
            return self._background.ask_for_feed()
        return self._background.ask_for_keys(unknown_kid=refused.reason == "unknown_key")

    def token_of(self, asked: cookie.RequestCredentials) -> str:
        """Return the access token of a request, from its Authorization header or (if enabled) its cookie.
        Raises `AuthError`."""
        if self._keys is not None and in_address(asked.query):
            raise AuthError(
                "bad_request", "there is an API key in the address, which is in logs by now: end it"
            )
        token = cookie.presented(
            asked, names=cookie.cookie_names(self.issuer) if self._cookie else (), origins=self._origins
        )
        if not asked.authorization and is_key(token):
            raise AuthError("bad_request", "an API key comes in the Authorization header only")
        return token

    def check(self, principal: Principal, asked: demands.Demand, *, now: float | None = None) -> None:
        """Check that the principal meets the requirements. Raises `AuthError`."""
        refused = demands.check(principal, asked, self._clock() if now is None else now)
        if refused is not None:
            raise refused

    def revocation_status(self) -> lost.RevocationStatus:
        """How fresh this API's knowledge of revocations is."""
        return self._background.status()

    def revoked(self, principal: Principal) -> bool:
        """Whether a principal has been revoked since it was verified: for answers that take longer than a request."""
        return self._view.revokes(principal)

    def start(self) -> None:
        """Start keeping keys and revocations fresh; the first verification also does it. Safe to call again."""
        if not self._pinned:
            self._background.start()

    @property
    def ready(self) -> bool:
        """Whether keys and revocations are here, so that tokens are verified: for the API's own readiness probe."""
        return self._clock() < min(self._epoch.usable_until, self._view.fresh_until)

    def close(self) -> None:
        """Stop the background work. A later verification starts it again."""
        self._background.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @asynccontextmanager
    async def lifespan(self, _app: object = None) -> AsyncGenerator[None]:
        """For `FastAPI(lifespan=auth.lifespan)`: loads keys and revocations before the first request, if possible.

        An issuer that is starting is waited for, `wait` seconds; until it is back, requests with a token get 503.
        """
        self.start()
        if not self._pinned:
            ends = time.monotonic() + self._wait
            while not self.ready and time.monotonic() < ends:  # noqa: ASYNC110 - other threads bring it
                await asyncio.sleep(0.05)
        try:
            yield
        finally:
            self.close()

    @contextmanager
    def pinned(
        self, keys: KeySet, *, clock: Callable[[], float], api_keys: dict[str, str] | None = None
    ) -> Generator[RevocationView]:
        """For tests: use these keys and this clock within the block, and fetch nothing. `api_keys` are tokens by API key."""
        before = (self._epoch, self._view, self._clock, self._pinned)
        self._test_keys = {} if api_keys is None else api_keys
        self.close()
        view = RevocationView()
        view.fresh_until = float("inf")
        self._epoch = Epoch(Verifier(self._rules, keys), float("inf"), self._cache_size)
        self._view, self._clock, self._pinned = view, clock, True
        try:
            yield view
        finally:
            self._epoch, self._view, self._clock, self._pinned = before
            self._test_keys = None

    def _test_key(self, key: str) -> str:
        if self._test_keys is None or key not in self._test_keys:
            raise AuthError("api_key", "no test key")
        return self._test_keys[key]

    def _take_keys(self, keys: KeySet, usable_until: float) -> None:
        if self._pinned:
            return
        epoch = self._epoch
        if epoch.verifier.keys.same_as(keys):
            epoch.usable_until = usable_until
        else:
            self._epoch = Epoch(Verifier(self._rules, keys), usable_until, self._cache_size)


def _better(before: AuthError, after: Principal | AuthError, *, waited: bool) -> Principal | AuthError:
    # Nothing in progress can also mean that it arrived between check and wait, so a second check decides.
    if not waited and isinstance(after, AuthError) and after.reason == before.reason:
        raise after
    return after
