"""Checks of the key-encryption key, the root secret and the signing keys. Part of `doctor`; changes nothing."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from doorward.adapters.clock import SystemClock
from doorward.adapters.keys.sealing import KeyedSealer
from doorward.adapters.keys.secret_key import secret_key
from doorward.adapters.keys.signing import SnapshotSigner
from doorward.app.key_wrapper import held_here, key_wrapper, place_of
from doorward.app.root import find_root
from doorward.core.model.finding import Finding, failed, passed
from doorward.core.ports.key_wrapper import KeyProblem
from doorward.settings import Settings
from doorward.storage.sql.store import Store

_DAY = 86_400
_PROBE = "doctor"


async def key_encryption_key(settings: Settings) -> Finding:
    """Whether the key exists, and only this user can read it."""
    return _held(settings) if held_here(settings) else await _elsewhere(settings)


def _held(settings: Settings) -> Finding:
    if settings.keys.secret_key is not None:
        try:
            secret_key(settings.keys.secret_key, settings.secret_key_path, generate=False)
        except KeyProblem as problem:
            return failed(problem.error, problem.fix)
        return passed(f"from the settings, {key_wrapper(settings).id}")
    path = Path(settings.secret_key_path)
    if not path.exists() and settings.keys.generate:
        return passed(f"{path} is not there; made at the first start if nothing is sealed yet")
    try:
        shown = key_wrapper(settings).id
    except KeyProblem as problem:
        return failed(problem.error, problem.fix)
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077 and not _lent(path):
        return failed(f"{path} can be read by others (mode {mode:04o})", f"chmod 600 {path}")
    return passed(f"{path}, mode {mode:04o}, {shown}")


def _lent(path: Path) -> bool:
    """Whether the service manager provides the file (systemd's LoadCredential): its mode shows an access list, and the folder is
    ours."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    return folder is not None and path.is_relative_to(folder)


async def _elsewhere(settings: Settings) -> Finding:
    """Wrap and unwrap, where wrapping is possible: the root secret itself is opened with the signing keys."""
    try:
        wrapper = key_wrapper(settings)
        if settings.keys.pkcs11_module is None and settings.keys.wrap_command is None:
            said = f"{wrapper.id}, for opening only: backups and doorward keys rewrap need keys.wrap_command"
            return passed(said)
        probe = _PROBE.encode()
        if await wrapper.unwrap(_PROBE, await wrapper.wrap(_PROBE, probe)) != probe:
            return failed(f"{place_of(settings)} does not give back what it wrapped")
    except KeyProblem as problem:
        return failed(problem.error, problem.fix)
    return passed(f"{wrapper.id} wraps and opens")


async def signing_keys(settings: Settings, store: Store) -> Finding:
    """Whether the root secret and the signing keys can be opened, and whether keys rotate."""
    keys = (await store.registry.load()).keys
    current = [key for key in keys if key.state == "current"]
    try:
        root = await find_root(settings, store)
        if not current:
            return passed("none yet: the first start makes them")
        if root is None:
            said = "sealed under the secret key itself; the next start makes that the root secret"
            return passed(said)
        SnapshotSigner(issuer=settings.issuer, sealer=KeyedSealer(root.secret)).install(keys)
    except KeyProblem as problem:
        return failed(problem.error, problem.fix)
    except ValueError:
        return failed(
            "they are sealed under another root secret",
            "They came from another database: restore a whole backup of this one.",
        )
    now = SystemClock().now()
    oldest = min(current, key=lambda key: key.activated_at or key.created_at)
    age = (now - (oldest.activated_at or oldest.created_at)) // _DAY
    said = f"{', '.join(sorted(key.alg for key in current))}; the oldest signs for {age} days"
    limit = settings.keys.rotate_after
    if limit and age * _DAY > limit + settings.keys.publish_ahead + 7 * _DAY:
        return failed(f"{said}, and should have been rotated", "doorward keys rotate")
    return passed(said)
