"""Administration of apps that no operator registered, and of initial access tokens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, Literal

from msgspec import Struct

from doorward.core import text
from doorward.core.model.actor import Actor
from doorward.core.model.caller import Caller
from doorward.core.model.client import Client
from doorward.core.model.digest import digest
from doorward.core.model.secret import Secret
from doorward.core.model.self_registered import ClientDocument, InitialAccessToken, RegisteredApp
from doorward.core.ports.config_snapshot import ConfigSource
from doorward.features.admin.access import parse_access
from doorward.features.admin.commit import AuditedAdmin
from doorward.features.admin.error import demand, not_found, refused
from doorward.features.admin.operation import Overtaken, operation
from doorward.features.oauth.clients.rules import registration
from doorward.features.oauth.registration.rules import WITH_TOKEN
from doorward.features.oauth.registration.service import INITIAL_PREFIX
from doorward.features.sessions.revoker import Revoker
from doorward.storage.sql.store import Write

if TYPE_CHECKING:
    from doorward.features.oauth.client_documents.service import ClientDocuments

PAGE: Final = 500
MOST_USES: Final = 100_000
LONGEST: Final = 3650 * 86_400
"""Seconds for which an initial access token may last."""
_HERE: Final = Caller("", "", "")


class SelfRegistered(Struct, frozen=True, kw_only=True):
    """One such app as operators see it. `client` is None for a document that was disabled before there was a copy. Times in seconds."""

    id: str
    kind: Literal["registered itself", "document"]
    client: Client | None
    created_at: int
    expires_at: int
    used_at: int | None = None
    disabled_at: int | None = None
    pinned_at: int | None = None
    fetched_at: int | None = None
    problem: str | None = None
    initial_token_id: str | None = None

    @property
    def name(self) -> str:
        """Its name for people."""
        return self.client.name if self.client is not None else self.id


class NewToken(Struct, frozen=True):
    """An initial access token, and its text, which is not readable later."""

    token: InitialAccessToken
    secret: Secret


class SelfRegisteredAdmin(AuditedAdmin, frozen=True, kw_only=True):
    """Such apps are named by their id: `dcr_…` or the address of the document. Every method raises `AdminError` on failure, and every
    change is audited."""

    config: ConfigSource
    revoker: Revoker
    documents: Callable[[], ClientDocuments | None]
    """None where no documents are accepted."""

    @operation("apps.read")
    async def find(self, actor: Actor) -> Sequence[SelfRegistered]:
        """All of them, by id: those that registered themselves, then those with a document."""
        found: list[SelfRegistered] = []
        after = ""
        while apps := await self.store.registered_apps.page(after=after, limit=PAGE):
            found.extend(map(_registered, apps))
            after = apps[-1].id
        after = ""
        while documents := await self.store.client_documents.page(after=after, limit=PAGE):
            found.extend(map(_document, documents))
            after = documents[-1].url
        return found

    @operation("apps.read")
    async def get(self, actor: Actor, app: str) -> SelfRegistered:
        """One of them."""
        return await self._get(app)

    @operation("apps.write")
    async def disable(self, actor: Actor, app: str) -> SelfRegistered:
        """Refuse the app from now on; all its grants and tokens end. A document is not accepted again until it is enabled."""
        found = await self._get(app)
        if found.disabled_at is not None:
            raise refused("app_disabled", app=found.id)
        now = self.clock.now()
        noun = self.store.client_documents if found.kind == "document" else self.store.registered_apps
        await self._change(actor, "app.disabled", found, now, noun.disable(found.id, now), ends=True)
        return await self._get(app)

    @operation("apps.write")
    async def enable(self, actor: Actor, app: str) -> SelfRegistered:
        """Accept the app again; people connect it anew."""
        found = await self._get(app)
        if found.disabled_at is None:
            raise refused("app_not_disabled", app=found.id)
        noun = self.store.client_documents if found.kind == "document" else self.store.registered_apps
        now = self.clock.now()
        # grants that the cleanup has not reached yet would live again
        rest = self.store.grants.end_all_of_client(found.id, now, "app_deleted")
        await self._change(actor, "app.enabled", found, now, noun.enable(found.id), rest)
        return await self._get(app)

    @operation("apps.write")
    async def delete(self, actor: Actor, app: str) -> SelfRegistered:
        """Delete the app; all its grants and tokens end. A document is fetched again when the app is used next."""
        found = await self._get(app)
        noun = self.store.client_documents if found.kind == "document" else self.store.registered_apps
        now = self.clock.now()
        await self._change(actor, "app.deleted", found, now, noun.delete(found.id), ends=True)
        return found

    @operation("apps.write")
    async def pin(self, actor: Actor, url: str, *, fetch: bool = True) -> SelfRegistered:
        """Keep the document as it is now, whatever its host says later. `fetch`: as its host has it now, and not the last copy."""
        documents = self.documents()
        if documents is None:
            raise refused("documents_off")
        row, now = await self.store.client_documents.get(url), self.clock.now()
        if row is not None and row.pinned_at is not None:
            raise refused("document_pinned", url=url)
        if fetch or row is None or row.client is None:
            outcome = await documents.fetch(url, _HERE, now, counted=False)
            if not isinstance(outcome, Client):
                raise refused("document_refused", url=url, reason=outcome.reason)
        found = await self._get(url)
        await self._change(
            actor, "client_document.pinned", found, now, self.store.client_documents.pin(url, now)
        )
        return await self._get(url)

    @operation("apps.write")
    async def unpin(self, actor: Actor, url: str) -> SelfRegistered:
        """Fetch the document again from now on."""
        found = await self._get(url)
        if found.pinned_at is None:
            raise refused("document_not_pinned", url=url)
        write = self.store.client_documents.unpin(url)
        await self._change(actor, "client_document.unpinned", found, self.clock.now(), write)
        return await self._get(url)

    @operation("apps.write")
    async def create_token(
        self,
        actor: Actor,
        name: str,
        *,
        most: int = 1,
        lasts: int = 30 * 86_400,
        redirect_hosts: Sequence[str] = (),
        grant_types: Sequence[str] = (),
        access: Sequence[str] = (),
    ) -> NewToken:
        """An initial access token for `most` registrations in `lasts` seconds. `access` as for apps; without hosts or grants the policy is
        that of open registration."""
        name = text.name(name)
        demand(registration.name_problem(name, prefix="iat"))
        for member, value, highest in (("uses", most, MOST_USES), ("lasts", lasts, LONGEST)):
            if not 1 <= value <= highest:
                raise refused("out_of_range", member=member, value=value, least=1, most=highest)
        for grant in grant_types:
            if grant not in WITH_TOKEN:
                raise refused("grant_type_unknown", grant_type=grant, known=WITH_TOKEN)
        secret = Secret(INITIAL_PREFIX + self.random.token(32))
        now = self.clock.now()
        token = InitialAccessToken(
            id=self.random.new_id("iat"),
            name=name,
            token_hash=digest(secret.reveal()),
            created_at=now,
            expires_at=now + lasts,
            most=most,
            redirect_hosts=tuple(dict.fromkeys(host.lower() for host in redirect_hosts)) or ("*",),
            grant_types=tuple(dict.fromkeys(grant_types)) or ("authorization_code", "refresh_token"),
            access=parse_access(await self.config.refresh(), access),
        )
        event = self._event(actor, "initial_access_token.created", now, token=token.id, name=name)
        await self.store.commit(self.store.registered_apps.insert_token(token), event)
        return NewToken(token, secret)

    @operation("apps.read")
    async def find_tokens(self, actor: Actor) -> Sequence[InitialAccessToken]:
        """All initial access tokens, oldest first."""
        return await self.store.registered_apps.tokens()

    @operation("apps.write")
    async def revoke_token(self, actor: Actor, token: str) -> InitialAccessToken:
        """End an initial access token, by id or name. Apps that registered with it stay."""
        known = await self.store.registered_apps.tokens()
        fitting = [one for one in known if one.id == token] or [one for one in known if one.name == token]
        if not fitting:
            raise not_found("initial_access_token", token, [one.name for one in known])
        if len(fitting) > 1:
            ids = tuple(one.id for one in fitting)
            raise refused("ambiguous", noun="initial_access_token", given=token, ids=ids)
        found = fitting[0]
        event = self._event(
            actor, "initial_access_token.revoked", self.clock.now(), token=found.id, name=found.name
        )
        if not await self.store.commit(self.store.registered_apps.delete_token(found.id), event):
            raise Overtaken
        return found

    async def _get(self, app: str) -> SelfRegistered:
        if app.startswith("https://"):
            document = await self.store.client_documents.get(app)
            if document is not None:
                return _document(document)
        else:
            row = await self.store.registered_apps.get(app)
            if row is not None:
                return _registered(row)
        raise not_found("app", app, ())

    async def _change(
        self,
        actor: Actor,
        kind: str,
        found: SelfRegistered,
        now: int,
        write: Write,
        *also: Write,
        ends: bool = False,
    ) -> None:
        """Commit the guarded `write` and `also`; `ends`: the app's grants and tokens end with it. Raises `Overtaken` when the guard lost."""
        event = self._event(actor, kind, now, client_id=found.id, name=found.name)
        gone = self.revoker.client(found.id, now=now, reason="app_deleted") if ends else []
        if not await self.store.commit(write, *also, *gone, event):
            raise Overtaken
        if ends:
            await self.revoker.late_client(found.id, ended=now, now=self.clock.now())


def _registered(app: RegisteredApp) -> SelfRegistered:
    return SelfRegistered(
        id=app.id,
        kind="registered itself",
        client=app.client,
        created_at=app.created_at,
        expires_at=app.expires_at,
        used_at=app.used_at,
        disabled_at=app.disabled_at,
        initial_token_id=app.initial_token_id,
    )


def _document(document: ClientDocument) -> SelfRegistered:
    created = document.client.created_at if document.client is not None else document.fetched_at
    return SelfRegistered(
        id=document.url,
        kind="document",
        client=document.client,
        created_at=created,
        expires_at=document.expires_at,
        used_at=document.used_at,
        disabled_at=document.disabled_at,
        pinned_at=document.pinned_at,
        fetched_at=document.fetched_at,
        problem=document.problem,
    )
