"""Parameters of an app's request that go on to a provider, where they mean something there (OpenID Connect Core §3.1.2.1)."""

from __future__ import annotations

from doorward.core.model.levels import AAL2, at_least, wanted
from doorward.core.model.signin import SignIn
from doorward.features.authn.providers.settings import ProviderPolicy


def must_be_new(sign_in: SignIn) -> bool:
    """Whether the person has to sign in at the provider again: prompt=login, max_age=0, a sensitive change. An app's other `max_age`
    goes on to the provider, which asks again only after that time."""
    if sign_in.fresh_after is None:
        return False
    request = sign_in.request
    return request is None or "login" in request.prompt or not request.max_age


def asked_of_provider(
    sign_in: SignIn | None, policy: ProviderPolicy, *, anew: bool, hint: str = "", locale: str = ""
) -> dict[str, str]:
    """The parameters by their names. `anew`: the person has to sign in there again. `hint` is the address that they have typed, and
    `locale` the language of the page that they leave.

    `prompt=consent`, `none` and `create` are questions for this server alone. `acr_values` of an app are levels of this server: where
    two factors are asked for, the provider is asked in the words in which the operator trusts it to confirm them (R92).
    """
    request = None if sign_in is None else sign_in.request
    asked: dict[str, str] = {}
    prompts = ["login"] if anew else []
    if request is not None and "select_account" in request.prompt:
        prompts.append("select_account")
    if prompts:
        asked["prompt"] = " ".join(prompts)
    if anew:
        # with max_age the token has to say when the person signed in (§2)
        asked["max_age"] = "0"
    elif request is not None and request.max_age is not None:
        asked["max_age"] = str(request.max_age)
    level = None if request is None else wanted(request.acr_values)
    if level is not None and at_least(level, AAL2) and policy.trusted_acr:
        asked["acr_values"] = " ".join(policy.trusted_acr)
    if hint or (request is not None and request.login_hint):
        asked["login_hint"] = hint or (request.login_hint if request is not None else None) or ""
    spoken = (*(request.ui_locales if request is not None else ()), *((locale,) if locale else ()))
    if spoken:
        asked["ui_locales"] = " ".join(dict.fromkeys(spoken))
    return asked
