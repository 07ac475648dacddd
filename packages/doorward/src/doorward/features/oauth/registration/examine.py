"""Check of apps that come by themselves, for `doorward doctor`; changes nothing."""

from __future__ import annotations

from doorward.core.model.config_snapshot import Api
from doorward.core.model.finding import Finding, passed
from doorward.features.feature import Examined
from doorward.features.oauth.client_documents.settings import ClientDocumentPolicy
from doorward.features.oauth.registration.settings import RegistrationPolicy

_NEARLY = 0.9
_PAGE = 1000


async def apps_by_themselves(at: Examined) -> Finding | None:
    """Their number, the documents that could not be fetched, and APIs that are open to nobody. None: both ways are off and no API is open.
    Raises `StoreUnavailable`."""
    documents, registration = at.sections.of(ClientDocumentPolicy), at.sections.of(RegistrationPolicy)
    apis = [api for api in (await at.store.registry.load()).apis.values() if api.open_to != "none"]
    if documents.accept == "none" and registration.mode == "off" and not apis:
        return None
    for api in apis:
        if documents.accept == "none" and (registration.mode == "off" or api.open_to == "documents"):
            return passed(f"the API {api.name} is open to {_whom(api)}, and none are accepted", _SWITCH)
    registered, kept = await at.store.registered_apps.count(), await at.store.client_documents.count()
    for number, most, name in (
        (registered, registration.most, "registration.most"),
        (kept, documents.most, "client_documents.most"),
    ):
        if number >= most * _NEARLY:
            return passed(
                f"{number} of {most} places are taken",
                f"See which are needed: doorward app list; else raise {name}.",
            )
    problems = [
        one.url for one in await at.store.client_documents.page(limit=_PAGE) if one.problem is not None
    ]
    if problems:
        more = f" and {len(problems) - 1} more" if len(problems) > 1 else ""
        return passed(
            f"could not be fetched the last time: {problems[0]}{more}",
            "The last good copy is used for a week: doorward app show URL says why; doorward app pin URL --as-kept keeps it.",
        )
    return passed(f"{registered} registered themselves, {kept} have a document; {len(apis)} open APIs")


_SWITCH = "Set client_documents.accept or registration.mode; or close it: doorward api set API --open none"


def _whom(api: Api) -> str:
    return "apps with a document" if api.open_to == "documents" else "apps that come by themselves"
