"""Authorization code flow at a provider: the request, and the code redeemed for tokens (RFC 6749 §4.1, RFC 7636)."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote_plus, urlencode

from doorward.adapters.http_client import CallFailed, GuardedAnswer, GuardedHttp
from doorward.features.authn.providers.provider import ProviderUnavailable, SignInRefused
from doorward.features.authn.providers.services.service import ProviderService
from doorward.features.authn.providers.settings import ProviderPolicy
from doorward_verify.encoding import Malformed, b64url_encode, json_object

_MAX_CODE: Final = 4096


def request_url(
    endpoint: str,
    *,
    policy: ProviderPolicy,
    service: ProviderService,
    verifier: str,
    asked: Mapping[str, str],
) -> str:
    """The authorization request as an address: what the service always gets, `asked` above it, and the challenge of PKCE."""
    parameters = {
        "response_type": "code",
        "client_id": policy.client_id,
        # what this sign-in asks for, such as prompt=login, stands above what the service always gets
        **service.parameters(policy),
        **asked,
    }
    if policy.pkce:
        hashed = hashlib.sha256(verifier.encode()).digest()
        parameters |= {"code_challenge": b64url_encode(hashed), "code_challenge_method": "S256"}
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(parameters)}"


async def redeemed(
    http: GuardedHttp,
    endpoint: str,
    *,
    policy: ProviderPolicy,
    service: ProviderService,
    redirect_uri: str,
    code: str,
    verifier: str,
    assertion: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The members of the token response. `assertion`: the parameters that authenticate this server instead of its secret. Raises
    `SignInRefused`, `ProviderUnavailable`.

    An answer with `error` is a refusal whatever its status: some services send 200.
    """
    if not 0 < len(code) <= _MAX_CODE:
        raise SignInRefused("the response has no code")
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
    headers = {"accept": "application/json"}
    if policy.pkce:
        form["code_verifier"] = verifier
    if assertion is not None:
        form |= assertion
    else:
        _add_secret(form, headers, policy)
    try:
        answer = await http.post_for_document(endpoint, data=form, headers=headers)
    except CallFailed as problem:
        raise ProviderUnavailable(f"its token endpoint: {problem}") from None
    if answer.status >= 500 or answer.status == 429:
        raise ProviderUnavailable(f"its token endpoint: it answered {answer.status}")
    members = json_members(answer, "the token response")
    if answer.status != 200 or members.get("error") is not None:
        raise SignInRefused(f"the token endpoint refused the code: {service.error_code(members)}")
    return members


def json_members(answer: GuardedAnswer, what: str) -> dict[str, Any]:
    """The members of a JSON object. Raises `SignInRefused`."""
    try:
        return json_object(answer.body)
    except Malformed as problem:
        raise SignInRefused(f"{what} is {problem}") from None


def _add_secret(form: dict[str, str], headers: dict[str, str], policy: ProviderPolicy) -> None:
    client_id, secret = policy.client_id, policy.client_secret
    if secret is None:
        return
    if policy.client_auth == "client_secret_basic":
        # both are form-encoded before they are joined (RFC 6749 §2.3.1)
        pair = f"{quote_plus(client_id)}:{quote_plus(secret.reveal())}"
        headers["authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
    else:
        form |= {"client_id": client_id, "client_secret": secret.reveal()}
