"""Index of the grant types, the client authentication methods and the messages of this server, in explicit tuples.

The first two determine the dispatch, the metadata and the values for app registration; their order is that of the metadata. Nothing
registers itself. A plug from outside comes with a feature that is passed to the container: `Feature(name="mine",
adds=(GRANTS.filled_by(…), CLIENT_AUTH.filled_by(…)))`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from doorward.core.errors import KeysUnavailable
from doorward.features.oauth.client_auth.method import ClientAuth
from doorward.features.oauth.client_auth.methods.none.rules import PublicClient
from doorward.features.oauth.client_auth.methods.private_key_jwt.rules import PrivateKeyJwt
from doorward.features.oauth.client_auth.methods.secret.rules import ClientSecretBasic, ClientSecretPost
from doorward.features.oauth.consent.messages import OfflineAccess
from doorward.features.oauth.grants.api_key.build import API_KEY
from doorward.features.oauth.grants.authorization_code.build import AUTHORIZATION_CODE
from doorward.features.oauth.grants.client_credentials.build import CLIENT_CREDENTIALS
from doorward.features.oauth.grants.device_code.build import DEVICE_CODE
from doorward.features.oauth.grants.jwt_bearer.activity import ACTIVITY_KINDS as ASSERTIONS
from doorward.features.oauth.grants.jwt_bearer.build import JWT_BEARER
from doorward.features.oauth.grants.refresh_token.build import REFRESH_TOKEN
from doorward.features.oauth.grants.refresh_token.messages import RefreshReplayed
from doorward.features.oauth.grants.token_exchange.activity import ACTIVITY_KINDS as EXCHANGES
from doorward.features.oauth.grants.token_exchange.build import TOKEN_EXCHANGE
from doorward.features.oauth.token.grant_type import GrantType
from doorward.features.slots import ActivityKind
from doorward.web.mail.message import MessageTemplate

if TYPE_CHECKING:
    from doorward.features.oauth.slots import KeysOf
    from doorward.features.services import Services
    from doorward_verify.keyset import KeySet

GRANT_TYPES: Final[tuple[GrantType, ...]] = (
    AUTHORIZATION_CODE,
    REFRESH_TOKEN,
    CLIENT_CREDENTIALS,
    API_KEY,
    JWT_BEARER,
    DEVICE_CODE,
    TOKEN_EXCHANGE,
)

CLIENT_AUTH_METHODS: Final[tuple[ClientAuth, ...]] = (
    ClientSecretBasic(),
    ClientSecretPost(),
    PrivateKeyJwt(),
    PublicClient(),
)

ACTIVITY_KINDS: Final[tuple[ActivityKind, ...]] = (*EXCHANGES, *ASSERTIONS)

MESSAGES: Final[tuple[type[MessageTemplate], ...]] = (OfflineAccess, RefreshReplayed)


def keys_of_issuers(services: Services) -> KeysOf:
    """Keys of other issuers, fetched and kept as those of issuers of assertions are; for features that verify tokens of others."""
    from doorward.core.model.trusted_issuer import TrustedIssuer
    from doorward.features.oauth.grants.jwt_bearer.build import issuer_keys_with
    from doorward.features.oauth.grants.jwt_bearer.keys import IssuerUnavailable

    keys = issuer_keys_with(clock=services.clock, development=services.development, ca_file=services.ca_file)

    async def of(name: str, issuer: str, jwks_uri: str, kid: str | None) -> KeySet:
        one = TrustedIssuer(id=name, name=name, issuer=issuer, grant_id="", created_at=0, jwks_uri=jwks_uri)
        try:
            return await keys.of(one, kid)
        except IssuerUnavailable as problem:
            raise KeysUnavailable(str(problem)) from None

    return of
