"""Registered application: configuration only, nothing taken from a request."""

from __future__ import annotations

from typing import Any, Final, Literal

from msgspec import Struct, field

from doorward.core.model.token_exchange import ExchangePolicy

ResponseMode = Literal["query", "form_post"]
SigningAlgorithm = Literal["ES256", "RS256", "Ed25519"]
IdTokenClaims = Literal["all", "asked"]
AppSecondFactor = Literal["default", "required"]
Pkce = Literal["required", "or_nonce", "optional"]
RegisteredBy = Literal["operator", "app", "document"]
REGISTERED_PREFIX: Final = "dcr_"
"""Begins the ids of apps that registered themselves (RFC 7591). Ids of apps with a client-ID document are https addresses."""
SECRET_METHODS: Final[frozenset[str]] = frozenset({"client_secret_basic", "client_secret_post"})
"""The two ways to send a secret (RFC 6749 §2.3.1)."""


PERSON_GRANTS: Final = frozenset({"authorization_code", "urn:ietf:params:oauth:grant-type:device_code"})
"""The grants that begin with a person's sign-in."""


class ClientSecret(Struct, frozen=True):
    """The SHA-256 of one random client secret; two may be live while one is being replaced."""

    hash: bytes
    created_at: int
    expires_at: int | None = None


class Client(Struct, frozen=True, kw_only=True):
    """A registered application (`client_id` = `id`, `app_…`). Times to live are in seconds.

    `grant_types` and `auth_method` are names of `features/oauth/index.py`, checked when an app is registered. A name
    that this server does not have is refused when the app uses it; the other apps are served.

    An app with a secret may send it by Basic or in the body, unless `auth_pinned` restricts it to its `auth_method`.
    `access` maps an API's identifier to the permissions that this app may request there. `first_party` apps skip
    consent and may use the JSON sign-in endpoint and cookie delivery; `origins` are the web origins from which cookie
    delivery is accepted. `rotation=False` is only allowed with private_key_jwt (FAPI 2.0 §5.3.2.1). `pkce`: whether a
    confidential app's authorization requests must carry a PKCE challenge, may carry a nonce with scope `openid` instead
    ("or_nonce"), or neither ("optional": then only the app's credential protects a stolen code). A public app must
    always use PKCE. `id_token_claims`: whether ID tokens contain all claims of the scopes ("all"), or only those that
    the `claims` parameter names ("asked"); userinfo contains them in both cases. ID tokens and logout tokens are signed
    with `id_token_signed_alg`; RS256 is OpenID Connect's own default (Dynamic Client Registration 1.0 §2).
    `access_token_signed_alg` comes from registrations made before APIs had this choice, and applies to access tokens
    for APIs that have not chosen; every other app has None. `second_factor`: whether everybody who signs in to this app needs one, or
    only those of whom the settings, a role or an operator demand it. `exchange` says what it may exchange tokens for, None for nothing;
    `may_act` is the id of the app that alone may exchange this app's access tokens (RFC 8693 §4.4).

    `registered_by`: an operator; the app itself, at the registration endpoint; or its client-ID metadata document. Only an operator's apps
    can be first-party, and all others ask for consent each time. `native`: it runs on people's devices, so that the port of its
    http://localhost redirect URIs is free, as it always is at 127.0.0.1 and [::1].
    """

    id: str
    name: str
    auth_method: str
    created_at: int
    auth_pinned: bool = False
    secrets: tuple[ClientSecret, ...] = ()
    jwks: dict[str, Any] | None = None
    redirect_uris: tuple[str, ...] = ()
    post_logout_redirect_uris: tuple[str, ...] = ()
    backchannel_logout_uri: str | None = None
    origins: tuple[str, ...] = ()
    grant_types: tuple[str, ...] = ("authorization_code", "refresh_token")
    response_modes: tuple[ResponseMode, ...] = ("query", "form_post")
    oidc_scopes: tuple[str, ...] = ("openid", "profile", "email", "offline_access")
    access: dict[str, tuple[str, ...]] = field(default_factory=dict)
    first_party: bool = False
    pkce: Pkce = "required"
    rotation: bool = True
    access_token_ttl: int | None = None
    refresh_token_ttl: int | None = None
    default_max_age: int | None = None
    id_token_signed_alg: SigningAlgorithm = "RS256"
    access_token_signed_alg: SigningAlgorithm | None = None
    userinfo_signed_alg: SigningAlgorithm | None = None
    id_token_claims: IdTokenClaims = "all"
    second_factor: AppSecondFactor = "default"
    exchange: ExchangePolicy | None = None
    may_act: str | None = None
    registered_by: RegisteredBy = "operator"
    native: bool = False

    @property
    def confidential(self) -> bool:
        """Whether the app can keep a credential (OAuth 2.1 §2.1)."""
        return self.auth_method != "none"

    @property
    def signs_people_in(self) -> bool:
        """Whether people sign in to the app."""
        return not PERSON_GRANTS.isdisjoint(self.grant_types)

    @property
    def secretive(self) -> bool:
        """Whether the app authenticates with a secret."""
        return self.auth_method in SECRET_METHODS

    @property
    def self_registered(self) -> bool:
        """Whether no operator has registered the app."""
        return self.registered_by != "operator"

    @property
    def free_localhost(self) -> bool:
        """Whether the port of http://localhost is free in its redirect URIs (R1)."""
        return self.native or self.registered_by != "operator"


def self_registered(client_id: str) -> bool:
    """Whether an id is that of an app that no operator has registered."""
    return client_id.startswith((REGISTERED_PREFIX, "https://"))
