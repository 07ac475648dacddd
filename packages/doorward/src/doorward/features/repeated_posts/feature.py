"""What the boundary against repeated posts adds to the server: something around every page that takes a form."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from doorward.features.feature import Feature

if TYPE_CHECKING:
    from doorward.features.services import Services
    from doorward.web.http import Route


def _around(services: Services) -> Callable[[Route], Route]:
    from doorward.features.repeated_posts.build import post_boundary

    return services.get(post_boundary).around


REPEATED_POSTS = Feature(name="repeated_posts", around=_around)
