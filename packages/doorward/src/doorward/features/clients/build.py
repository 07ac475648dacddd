"""Construction of the directory of apps."""

from __future__ import annotations

from doorward.features.clients.directory import ClientDirectory
from doorward.features.clients.slots import CLIENT_SOURCES
from doorward.features.services import Services


def client_directory(services: Services) -> ClientDirectory:
    """The look-up of apps by their ids."""
    return ClientDirectory(config=services.config, sources=services.added(CLIENT_SOURCES))
