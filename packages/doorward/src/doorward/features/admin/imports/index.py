"""List of the readers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from doorward.features.admin.imports.reader import ImportReader
from doorward.features.admin.imports.readers import auth0, django, doorward, firebase, keycloak, supabase

READERS: Final[Mapping[str, ImportReader]] = {
    module.READER.name: module.READER for module in (doorward, keycloak, auth0, firebase, django, supabase)
}
