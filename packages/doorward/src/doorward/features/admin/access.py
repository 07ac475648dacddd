"""Parser of access texts `API:permission,permission`."""

from __future__ import annotations

from collections.abc import Iterable

from doorward.core.model.config_snapshot import Api, ConfigSnapshot
from doorward.features.admin.error import AdminError, refused
from doorward.features.admin.lookup import find_api
from doorward.features.oauth.clients.rules import resource


def parse_access(config: ConfigSnapshot, texts: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """API identifier -> permission names, in order; an API without names means all its permissions. Raises `AdminError`.

    Identifiers and permissions may contain colons, so the longest known API name at the start of the text is taken.
    """
    access: dict[str, list[str]] = {}
    for text in texts:
        api, rest = _split(config, text)
        offered = tuple(permission.name for permission in api.permissions)
        names = offered if rest is None else [name.strip() for name in rest.split(",")]
        if rest is not None and not all(names):
            raise refused("access_without_permission", text=text, api=api.name, offered=offered)
        for name in names:
            if name not in offered:
                raise refused("permission_unknown", api=api.name, permission=name, offered=offered)
        held = access.setdefault(api.identifier, [])
        held.extend(name for name in names if name not in held)
    return {identifier: tuple(names) for identifier, names in access.items()}


def _split(config: ConfigSnapshot, text: str) -> tuple[Api, str | None]:
    named = [(name, api) for api in config.apis.values() for name in (api.identifier, api.name, api.id)]
    for name, api in sorted(named, key=lambda pair: -len(pair[0])):
        if text.casefold() == name.casefold():
            return api, None
        if text.casefold().startswith(f"{name.casefold()}:"):
            return api, text[len(name) + 1 :]
    # the identifier may be a URL in another spelling
    for end in (len(text), *(at for at in range(len(text) - 1, -1, -1) if text[at] == ":")):
        identifier = resource.find(text[:end], config.apis)
        if identifier is not None:
            return config.apis[identifier], text[end + 1 :] if end < len(text) else None
    # the part before the last colon is the likeliest misspelt name
    alone = text.rpartition(":")[0] if text.count(":") > text.count("://") else text
    try:
        return find_api(config, alone), None
    except AdminError as error:
        if error.problem.code != "not_found":
            raise
        raise refused("access_api_unknown", given=alone, near=error.problem.parameters["near"]) from None
