"""Server metadata (RFC 8414 §2, OpenID Connect Discovery 1.0 §3). Everything listed here works."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, NotRequired, TypedDict, get_args

from msgspec import Struct

from doorward.core.model.client import ResponseMode, SigningAlgorithm
from doorward.features.oauth.authorize.rules import openid
from doorward.features.oauth.client_auth.method import ClientAuth
from doorward.features.oauth.clients.rules.scope import OIDC_SCOPES
from doorward.features.oauth.tokens.rules import person

SIGNING_ALGORITHMS: Final = get_args(SigningAlgorithm)
_PROTOCOL_CLAIMS: Final = ("iss", "aud", "exp", "iat", "auth_time", "acr", "amr", "nonce", "at_hash", "sid")


class PublicKey(TypedDict):
    """A key to verify with (RFC 7517 §4), beside the members of its kind."""

    kty: str
    kid: str
    alg: str
    use: NotRequired[Literal["sig"]]


class JwkSet(Struct, forbid_unknown_fields=True):
    """The public signing keys: next, current, previous (RFC 7517 §5)."""

    keys: list[PublicKey]


def metadata(
    issuer: str,
    *,
    locales: Sequence[str],
    grant_types: Sequence[str],
    endpoints: Mapping[str, str],
    profiles: Sequence[str] = (),
    chaining: Sequence[str] = (),
    client_auth: Sequence[ClientAuth],
    levels: Sequence[str],
) -> dict[str, Any]:
    """The document for both well-known paths. `endpoints` are the paths of those that grants add, by name, `profiles` those of
    grants (draft-ietf-oauth-identity-assertion-authz-grant §7.2), `chaining` the types of tokens for other servers (§7.1); `locales` are the languages of the pages, `levels` those that people can
    reach."""
    methods = [method.name for method in client_auth]
    algorithms = list(dict.fromkeys(alg for method in client_auth for alg in method.algorithms))
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "userinfo_endpoint": f"{issuer}/userinfo",
        "jwks_uri": f"{issuer}/jwks",
        "introspection_endpoint": f"{issuer}/introspect",
        "revocation_endpoint": f"{issuer}/revoke",
        "end_session_endpoint": f"{issuer}/logout",
        "authorization_challenge_endpoint": f"{issuer}/authorize-challenge",
        "revocation_feed_endpoint": f"{issuer}/revocations",
        **{name: f"{issuer}{path}" for name, path in endpoints.items()},
        "scopes_supported": list(OIDC_SCOPES),
        "response_types_supported": ["code"],
        "response_modes_supported": list(get_args(ResponseMode)),
        "grant_types_supported": list(grant_types),
        **({"authorization_grant_profiles_supported": list(profiles)} if profiles else {}),
        **({"identity_chaining_requested_token_types_supported": list(chaining)} if chaining else {}),
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "token_endpoint_auth_methods_supported": methods,
        "token_endpoint_auth_signing_alg_values_supported": algorithms,
        "introspection_endpoint_auth_methods_supported": [name for name in methods if name != "none"],
        "introspection_endpoint_auth_signing_alg_values_supported": algorithms,
        "revocation_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_signing_alg_values_supported": algorithms,
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": list(SIGNING_ALGORITHMS),
        "userinfo_signing_alg_values_supported": list(SIGNING_ALGORITHMS),
        "claim_types_supported": ["normal"],
        "claims_supported": [*person.CLAIMS, *_PROTOCOL_CLAIMS],
        "claims_parameter_supported": True,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "acr_values_supported": list(levels),
        "prompt_values_supported": sorted(openid.PROMPTS),
        "display_values_supported": sorted(openid.SUITED),
        "ui_locales_supported": list(locales),
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
    }
