"""Client-ID metadata document feature: a source of apps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from doorward.features.clients.slots import CLIENT_SOURCES
from doorward.features.feature import Feature, Services
from doorward.features.oauth.slots import SERVER_METADATA

if TYPE_CHECKING:
    from doorward.features.clients.slots import ClientSource


def _source(services: Services) -> Sequence[ClientSource]:
    from doorward.features.oauth.client_documents.build import client_documents
    from doorward.features.oauth.client_documents.settings import ClientDocumentPolicy

    if services.sections.of(ClientDocumentPolicy).accept == "none":
        return ()
    return (services.get(client_documents),)


def _metadata(services: Services) -> Sequence[Mapping[str, Any]]:
    from doorward.features.oauth.client_documents.settings import ClientDocumentPolicy

    if services.sections.of(ClientDocumentPolicy).accept != "any":
        return ()
    return ({"client_id_metadata_document_supported": True},)


CLIENT_DOCUMENTS = Feature(
    name="oauth.client_documents",
    adds=(CLIENT_SOURCES.filled_by(_source), SERVER_METADATA.filled_by(_metadata)),
)
