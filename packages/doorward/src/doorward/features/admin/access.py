"""Which permissions at which API does `API:permission,permission` mean?"""

from __future__ import annotations

from collections.abc import Iterable

from doorward.core.model.config_snapshot import Api, Catalog
from doorward.features.admin.lookup import find_api
from doorward.features.admin.refused import ManageRefused
from doorward.features.oauth.clients.rules import resource


def parse_access(catalog: Catalog, texts: Iterable[str]) -> dict[str, list[str]]:
    """API identifier -> permission names, in order; an API without names means all that it has. Raises `ManageRefused`.

    Identifiers and permissions may hold colons themselves, so the longest known name of an API that the text begins with counts.
    """
    access: dict[str, list[str]] = {}
    for text in texts:
        api, rest = _split(catalog, text)
        offered = [permission.name for permission in api.permissions]
        names = offered if rest is None else [name.strip() for name in rest.split(",")]
        if rest is not None and not all(names):
            raise ManageRefused(
                f"{text} names no permission after a colon or a comma.",
                f"Name them, as in {api.name}:{','.join(offered[:2]) or 'read'}, or write {api.name} alone for all that it has.",
            )
        for name in names:
            if name not in offered:
                raise ManageRefused(
                    f"The API {api.name} has no permission {name}.",
                    f"It has: {', '.join(offered) or 'none'}.",
                )
        held = access.setdefault(api.identifier, [])
        held.extend(name for name in names if name not in held)
    return access


def _split(catalog: Catalog, text: str) -> tuple[Api, str | None]:
    named = [(name, api) for api in catalog.apis.values() for name in (api.identifier, api.name, api.id)]
    for name, api in sorted(named, key=lambda pair: -len(pair[0])):
        if text.casefold() == name.casefold():
            return api, None
        if text.casefold().startswith(f"{name.casefold()}:"):
            return api, text[len(name) + 1 :]
    # an identifier that is a URL, in another spelling
    for end in (len(text), *(at for at in range(len(text) - 1, -1, -1) if text[at] == ":")):
        identifier = resource.find(text[:end], catalog.apis)
        if identifier is not None:
            return catalog.apis[identifier], text[end + 1 :] if end < len(text) else None
    # what stands before the last colon is the likeliest misspelt name
    alone = text.rpartition(":")[0] if text.count(":") > text.count("://") else text
    try:
        return find_api(catalog, alone), None
    except ManageRefused as refused:
        raise ManageRefused(
            refused.error, f"Write API:PERMISSION,PERMISSION, as in orders:orders:read. {refused.fix}"
        ) from None
