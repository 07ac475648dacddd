"""Administration of API keys: those of apps are made and renewed by operators; those of people are only listed and ended."""

from __future__ import annotations

from collections.abc import Sequence

from doorward.core.model.actor import Actor
from doorward.core.model.api_key import ApiKey
from doorward.core.model.client import Client
from doorward.core.ports.config_snapshot import ConfigSource
from doorward.features.admin.commit import AuditedAdmin
from doorward.features.admin.error import AdminError, not_found, refused
from doorward.features.admin.lookup import find_account, find_api, find_client
from doorward.features.admin.operation import Overtaken, operation
from doorward.features.api_keys.making import ApiKeyMaker, NewApiKey
from doorward.features.api_keys.rules import draft as rule
from doorward.features.api_keys.rules import networks as network_rule
from doorward.features.api_keys.rules.cut import of_app
from doorward.features.api_keys.rules.draft import Draft, DraftFault
from doorward.features.api_keys.settings import ApiKeyPolicy
from doorward.features.sessions.revoker import Revoker

_TRIES = 5


class ApiKeyAdmin(AuditedAdmin, frozen=True, kw_only=True):
    """Keys are named by id, apps by name or id, people by address or id. Every method raises `AdminError` on failure, and every change
    is audited. Nobody but its owner sees a key of a person, so none is made or renewed here."""

    config: ConfigSource
    maker: ApiKeyMaker
    policy: ApiKeyPolicy
    revoker: Revoker

    @operation("apps.write")
    async def create(
        self,
        actor: Actor,
        app: str,
        *,
        name: str,
        api: str,
        permissions: Sequence[str] = (),
        life: int | None = None,
        networks: Sequence[str] = (),
    ) -> NewApiKey:
        """A key of an app for one API, by identifier, name or id. Without `permissions` it allows all that the app has there; `life` in
        seconds, without it the usual one."""
        config = await self.config.refresh()
        client = find_client(config, app)
        audience, held = find_api(config, api).identifier, of_app(client, config)
        draft = Draft(
            name=name,
            audience=audience,
            scopes=tuple(permissions) or held.get(audience, ()),
            life=self.policy.life if life is None else life,
            networks=tuple(networks),
        )
        good = rule.checked(draft, held=held, policy=self.policy)
        if isinstance(good, str):
            raise self._wrong(good, draft, client, held.get(audience, ()))
        now = self.clock.now()
        made = self.maker.new(good, account_id=None, client_id=client.id, now=now)
        event = self._event(
            actor,
            "api_key.created",
            now,
            client_id=client.id,
            key=made.key.id,
            name=good.name,
            audience=audience,
            scopes=list(good.scopes),
        )
        # the app is unchanged, and two commands do not make one key too many
        if not await self.store.commit(
            self.store.registry.unchanged(config.version),
            self.store.api_keys.insert(made.key, most=self.policy.most, now=now),
            event,
        ):
            if (await self.config.refresh()).version != config.version:
                raise Overtaken
            raise refused("api_keys_too_many", app=client.name, limit=self.policy.most)
        return made

    @operation("credentials.read")
    async def find(
        self,
        actor: Actor,
        *,
        who: str | None = None,
        app: str | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> Sequence[ApiKey]:
        """The keys of a person, newest first; of an app; or one page of all, in order of id."""
        if who is not None:
            return await self.store.api_keys.of_account((await find_account(self.store, who)).id)
        if app is not None:
            return await self.store.api_keys.of_client(find_client(await self.config.refresh(), app).id)
        return await self.store.api_keys.page(after=after, limit=limit)

    @operation("credentials.read")
    async def get(self, actor: Actor, key: str) -> ApiKey:
        """One key, by its id; with or without the beginning \"key_\"."""
        return await self._get(key)

    @operation("apps.write")
    async def rotate(self, actor: Actor, key: str, *, keep_old: int = 0) -> NewApiKey:
        """A new secret for the key of an app. The old one ends now, with all its tokens, or after `keep_old` seconds."""
        if not 0 <= keep_old <= self.policy.longest_overlap:
            raise refused(
                "out_of_range", member="keep_old", value=keep_old, least=0, most=self.policy.longest_overlap
            )
        for _ in range(_TRIES):
            old, now = await self._get(key), self.clock.now()
            if old.account_id is not None:
                raise refused("api_key_of_person", key=old.id)
            if not old.live(now):
                raise refused("api_key_ended", key=old.id)
            made = self.maker.rotated(old, overlap=keep_old, now=now)
            writes = [
                self.store.api_keys.rotate(old, made.key, now=now),
                self._event(
                    actor, "api_key.rotated", now, client_id=old.client_id, key=old.id, name=old.name
                ),
            ]
            if made.key.token_prefix != old.token_prefix:
                writes.append(self.revoker.tokens_of_grant(old.token_prefix, now=now))
            if await self.store.commit(*writes):
                return made
        raise refused("config_contended")

    @operation("credentials.write")
    async def revoke(self, actor: Actor, key: str) -> ApiKey:
        """End a key of a person or an app; every token made from it ends now."""
        for _ in range(_TRIES):
            found, now = await self._get(key), self.clock.now()
            if found.ended_at is not None:
                raise refused("api_key_ended", key=found.id)
            event = self._event(
                actor,
                "api_key.ended",
                now,
                account_id=found.account_id,
                client_id=found.client_id,
                key=found.id,
                name=found.name,
            )
            if await self.store.commit(*self.revoker.api_key(found, now=now, reason="revoked"), event):
                return found
        raise refused("config_contended")

    async def _get(self, given: str) -> ApiKey:
        found = await self.store.api_keys.get(given if given.startswith("key_") else f"key_{given}")
        if found is None:
            raise not_found("api_key", given, ())
        return found[0]

    def _wrong(self, fault: DraftFault, draft: Draft, client: Client, offered: Sequence[str]) -> AdminError:
        if fault == "name":
            return refused("name_invalid", limit=rule.MAX_NAME)
        if fault == "life":
            return refused(
                "out_of_range",
                member="life",
                value=draft.life,
                least=rule.LEAST_LIFE,
                most=self.policy.longest_life,
            )
        if fault == "networks":
            slip = network_rule.parse(draft.networks)
            return refused("api_key_network", network=slip if isinstance(slip, str) else ", ".join(slip))
        api = self.config.current().apis[draft.audience].name
        return refused("api_key_beyond_app", app=client.name, api=api, offered=tuple(offered))
