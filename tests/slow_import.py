"""A module whose first import takes long: it ends when the test lets it."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Awaitable, Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

import pytest

from doorward.adapters import background
from tests.waiting import PATIENCE

TURNS = 20


class SlowImport(MetaPathFinder):
    """Is asked for modules while the test runs, and stops in the middle of one of them."""

    def __init__(self, module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
        """`module` is the `Deferred` one, which counts as never loaded."""
        self.name = module.__name__
        self.loading, self.go_on = threading.Event(), threading.Event()
        monkeypatch.delitem(sys.modules, self.name, raising=False)
        monkeypatch.delitem(vars(module), background._WHOLE, raising=False)
        monkeypatch.setattr(sys, "meta_path", [self, *sys.meta_path])

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The usual one, with a loader that waits."""
        spec = PathFinder.find_spec(fullname, path, target) if fullname == self.name else None
        if spec is None or spec.loader is None:
            return None
        loader: Any = spec.loader
        execute = loader.exec_module

        def slowly(module: ModuleType) -> None:
            self.loading.set()
            assert self.go_on.wait(PATIENCE), "the event loop waits for the import"
            execute(module)

        loader.exec_module = slowly
        return spec

    async def both(self, use: Callable[[], Awaitable[object]]) -> list[object]:
        """What becomes of two first uses, the second of which comes while the module is being loaded. The import goes on only after the event
        loop has made some turns more."""
        first = asyncio.ensure_future(use())
        assert await asyncio.to_thread(self.loading.wait, PATIENCE)
        second = asyncio.ensure_future(use())
        for _ in range(TURNS):
            # some of what comes before the use is done in threads
            await asyncio.sleep(0.005)
        assert not first.done()
        assert not second.done()
        self.go_on.set()
        return list(await asyncio.gather(first, second, return_exceptions=True))
