"""Making of API keys: the row of a new or rotated key, and its text, which is shown once."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from typing import final

from msgspec import Struct, structs

from doorward.core.model.api_key import KEY_ID, ApiKey
from doorward.core.model.digest import digest
from doorward.core.model.secret import Secret
from doorward.core.ports.random import SecureRandom
from doorward.features.api_keys.rules import key_format
from doorward.features.api_keys.rules.draft import Draft, new_life
from doorward.features.api_keys.settings import ApiKeyPolicy


class NewApiKey(Struct, frozen=True):
    """A key and its text, which is not readable later."""

    key: ApiKey
    text: Secret


@final
class ApiKeyMaker(Struct, frozen=True, kw_only=True):
    """Makes rows and texts, and stores nothing."""

    random: SecureRandom
    policy: ApiKeyPolicy

    def new(self, draft: Draft, *, account_id: str | None, client_id: str | None, now: int) -> NewApiKey:
        """A key for one owner: a person, or else an app."""
        key_id = self.random.new_id(KEY_ID)
        text = self._text(key_id)
        key = ApiKey(
            id=key_id,
            account_id=account_id,
            client_id=client_id if account_id is None else None,
            name=draft.name,
            audience=draft.audience,
            scopes=draft.scopes,
            networks=draft.networks,
            secret_hash=digest(text),
            token_prefix=key_id,
            created_at=now,
            expires_at=now + draft.life,
        )
        return NewApiKey(key, Secret(text))

    def rotated(self, key: ApiKey, *, overlap: int, now: int) -> NewApiKey:
        """The key with a new secret. The old one works for `overlap` seconds more; one that was replaced before ends now, so that at most
        two are live. Without overlap the tokens of the old one end too: it may be in wrong hands."""
        text = self._text(key.id)
        changed = structs.replace(
            key,
            secret_hash=digest(text),
            previous_hash=key.secret_hash if overlap else None,
            previous_until=min(now + overlap, key.expires_at) if overlap else None,
            token_prefix=key.token_prefix if overlap else self.random.new_id(KEY_ID),
            rotated_at=now,
            expires_at=now + new_life(key, self.policy),
            warned=None,
        )
        return NewApiKey(changed, Secret(text))

    def _text(self, key_id: str) -> str:
        token = self.random.token(key_format.SECRET_BYTES)
        return key_format.write(key_id, urlsafe_b64decode(token + "=" * (-len(token) % 4)))
