"""/account/api-keys: the API keys of the person who is signed in; new secrets only after a recent proof (R73)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, final

from msgspec import Struct

from doorward.core.model.account import Account
from doorward.core.model.api_key import ApiKey
from doorward.core.model.config_snapshot import Api
from doorward.core.ports.config_snapshot import ConfigSource
from doorward.features.api_keys import views
from doorward.features.api_keys.making import NewApiKey
from doorward.features.api_keys.own import OwnApiKeys
from doorward.features.api_keys.rules.draft import Draft, DraftFault, new_life
from doorward.features.api_keys.settings import DAY
from doorward.features.api_keys.views import ApiKeyDone, ApiKeyWrong
from doorward.features.rate_limits.rules.attempts import Wait
from doorward.features.sessions.signed_in_pages import (
    SignedIn,
    SignedInPages,
    SignedInPost,
    SignedInRefusedPost,
    SignedInVisit,
)
from doorward.web.http import Response
from doorward.web.page import page
from doorward.web.pages.views.flow import ScopeLine
from doorward.web.pages.views.problems import FormProblem, Wrong
from doorward.web.route import Route

KEYS: Final = "/account/api-keys"
NEW: Final = "/account/api-keys/new"
RENEW: Final = "/account/api-keys/renew"
END: Final = "/account/api-keys/end"
_MAY: Final = "may:"
_DAYS: Final = (7, 30, 90, 180, 365)
_OVERLAPS: Final = (0, 3600, DAY, 7 * DAY)
_SOON: Final = 14 * DAY
_PROBLEMS: Final[Mapping[DraftFault, tuple[str, ApiKeyWrong]]] = {
    "name": ("name_problem", ApiKeyWrong.NAME),
    "audience": ("scopes_problem", ApiKeyWrong.SCOPES),
    "scopes": ("scopes_problem", ApiKeyWrong.SCOPES),
    "life": ("days_problem", ApiKeyWrong.LIFE),
    "networks": ("networks_problem", ApiKeyWrong.NETWORKS),
    "overlap": ("problem", ApiKeyWrong.LIFE),
}


@final
class ApiKeyPages(Struct, frozen=True, kw_only=True):
    """Handlers for the pages. A key stands in the response to the form that made it, and nowhere else."""

    own: SignedInPages
    keys: OwnApiKeys
    config: ConfigSource

    async def list(self, visit: SignedInVisit) -> Response:
        """The keys."""
        return await self._list(visit, done=visit)

    async def list_again(self, post: SignedInRefusedPost) -> Response:
        """The keys; none has ended."""
        return await self._list(post, post.problem)

    async def end(self, post: SignedInPost) -> Response:
        """End a key."""
        browser = post.browser
        ended = await self.keys.end(
            post.account, post.form.get("key", ""), caller=browser.caller, now=browser.now
        )
        if not ended:
            return await self._list(post, FormProblem(ApiKeyWrong.GONE))
        return self.own.done(post, KEYS, ApiKeyDone.ENDED)

    async def new(self, visit: SignedInVisit) -> Response:
        """The form of a new key; the choice of an API before it, if there are several."""
        return self._new(visit, visit.query.get("api", ""))

    async def new_again(self, post: SignedInRefusedPost) -> Response:
        """The form as it was filled in."""
        return self._new(post, post.form.get("api", ""), post.form, problem=post.problem)

    async def create(self, post: SignedInPost) -> Response:
        """Make a key, which is shown this once."""
        form, browser = post.form, post.browser
        api = self._apis(post.account).get(form.get("api", ""))
        if api is None:
            return browser.go(NEW)
        days = form.get("days", "")
        draft = Draft(
            name=form.get("name", ""),
            audience=api.identifier,
            scopes=tuple(name.removeprefix(_MAY) for name in form if name.startswith(_MAY)),
            life=int(days) * DAY if days.isascii() and days.isdigit() and len(days) < 6 else 0,
            networks=tuple(form.get("networks", "").replace(",", " ").split()),
        )
        made = await self.keys.create(
            post.account, draft, caller=browser.caller, now=browser.now, session_id=post.session.id
        )
        if isinstance(made, Wait):
            problem = FormProblem(Wrong.TOO_MANY_TRIES, at=made.until)
            return self._new(post, api.id, form, problem=problem)
        if made is None:
            return self._new(post, api.id, form, problem=FormProblem(ApiKeyWrong.TOO_MANY))
        if isinstance(made, str):
            where, wrong = _PROBLEMS[made]
            return self._new(post, api.id, form, **{where: FormProblem(wrong)})
        return self._shown(post, made)

    async def renew(self, visit: SignedInVisit) -> Response:
        """The form that renews a key."""
        return await self._renew(visit, visit.query.get("key", ""))

    async def renew_again(self, post: SignedInRefusedPost) -> Response:
        """The same form; the key was not renewed."""
        return await self._renew(post, post.form.get("key", ""), post.problem)

    async def rotate(self, post: SignedInPost) -> Response:
        """Renew a key, which is shown this once."""
        form, browser = post.form, post.browser
        key_id, typed = form.get("key", ""), form.get("overlap", "")
        overlap = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 10 else -1
        made = await self.keys.rotate(
            post.account, key_id, overlap=overlap, caller=browser.caller, now=browser.now
        )
        if isinstance(made, Wait):
            return await self._renew(post, key_id, FormProblem(Wrong.TOO_MANY_TRIES, at=made.until))
        if made is None:
            return await self._list(post, FormProblem(ApiKeyWrong.GONE))
        if isinstance(made, str):
            return await self._renew(post, key_id, FormProblem(ApiKeyWrong.LIFE))
        return self._shown(post, made)

    def _apis(self, account: Account) -> dict[str, Api]:
        """The APIs for which this person can make a key, by id."""
        apis = self.config.current().apis
        found = [apis[audience] for audience in self.keys.held(account) if audience in apis]
        return {api.id: api for api in sorted(found, key=lambda one: one.name.casefold())}

    async def _list(
        self, owner: SignedIn, problem: FormProblem | None = None, *, done: SignedInVisit | None = None
    ) -> Response:
        now = owner.browser.now
        view = views.ApiKeysView(
            keys=tuple(self._line(key, now) for key in await self.keys.find(owner.account)),
            may_create=bool(self.keys.held(owner.account)),
            done=None if done is None else self.own.was_done(done),
            problem=problem,
        )
        return page(view, owner.browser)

    def _new(
        self,
        owner: SignedIn,
        api_id: str,
        form: Mapping[str, str] | None = None,
        **problems: FormProblem | None,
    ) -> Response:
        apis = self._apis(owner.account)
        if not apis:
            return owner.browser.go(KEYS)
        api = apis.get(api_id) or (next(iter(apis.values())) if len(apis) == 1 else None)
        if api is None:
            choices = tuple(views.ApiChoice(one.id, one.name) for one in apis.values())
            return page(views.ChooseApiView(choices), owner.browser)
        typed, policy = form or {}, self.keys.policy
        days = typed.get("days", "")
        view = views.NewApiKeyView(
            api=views.ApiChoice(api.id, api.name),
            lines=tuple(
                views.MayLine(_MAY + name, self._scope(name, api), _MAY + name in typed)
                for name in self.keys.held(owner.account)[api.identifier]
            ),
            name=typed.get("name", "")[:200],
            days=int(days) if days.isascii() and days.isdigit() and len(days) < 6 else policy.life // DAY,
            choices=_days(policy.life, policy.longest_life),
            networks=typed.get("networks", "")[:500],
            **problems,
        )
        return page(view, owner.browser)

    async def _renew(self, owner: SignedIn, key_id: str, problem: FormProblem | None = None) -> Response:
        key = await self.keys.get(owner.account, key_id, owner.browser.now)
        if key is None:
            return owner.browser.go(KEYS)
        policy = self.keys.policy
        view = views.RenewApiKeyView(
            key=key.id,
            name=key.name,
            days=max(1, new_life(key, policy) // DAY),
            choices=tuple(one for one in _OVERLAPS if one <= policy.longest_overlap),
            problem=problem,
        )
        return page(view, owner.browser)

    def _shown(self, owner: SignedIn, made: NewApiKey) -> Response:
        key = made.key
        view = views.ShowApiKeyView(
            name=key.name,
            text=made.text.reveal(),
            api=self._api_name(key),
            expires_at=key.expires_at,
            old_until=key.previous_until,
        )
        return page(view, owner.browser)

    def _line(self, key: ApiKey, now: int) -> views.ApiKeyLine:
        api = self.config.current().apis.get(key.audience)
        return views.ApiKeyLine(
            id=key.id,
            name=key.name,
            api=self._api_name(key),
            scopes=tuple(self._scope(name, api) for name in key.scopes),
            networks=key.networks,
            created_at=key.rotated_at or key.created_at,
            expires_at=key.expires_at,
            used_at=key.used_at,
            live=key.live(now),
            ended=key.ended_at is not None,
            soon=key.expires_at - now <= _SOON,
            old_until=key.previous_until if (key.previous_until or 0) > now else None,
        )

    def _api_name(self, key: ApiKey) -> str:
        api = self.config.current().apis.get(key.audience)
        return key.audience if api is None else api.name

    def _scope(self, name: str, api: Api | None) -> ScopeLine:
        found = None if api is None else next((one for one in api.permissions if one.name == name), None)
        return ScopeLine(name, (found.description or None) if found else None, None)

    def routes(self) -> list[Route]:
        """Routes of the pages."""
        own = self.own
        return [
            own.get(KEYS, self.list),
            own.pages.lead(END, KEYS),
            own.post(END, self.end, refused=self.list_again, back=KEYS, takes="key"),
            own.get(NEW, self.new, recent=True, takes="api"),
            own.post(
                NEW,
                self.create,
                refused=self.new_again,
                back=NEW,
                recent=True,
                takes="api name days networks",
            ),
            own.get(RENEW, self.renew, recent=True, takes="key"),
            own.post(
                RENEW, self.rotate, refused=self.renew_again, back=KEYS, recent=True, takes="key overlap"
            ),
        ]


def _days(usual: int, longest: int) -> tuple[int, ...]:
    """The lives to choose from, in days."""
    return tuple(sorted({days for days in (*_DAYS, usual // DAY) if 1 <= days <= longest // DAY}))
