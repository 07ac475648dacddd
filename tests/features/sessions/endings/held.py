"""One of each credential of a person and of their app, made as people and apps make them, and a try to use each.

A browser `here` stays with its owner; all else was made in another browser, `there`, or by what that browser allowed.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from msgspec import json

from doorward.adapters.mail.queue import open_message
from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.client import Client
from doorward.core.model.config_snapshot import Api, Permission, Role
from doorward.core.model.digest import digest
from doorward.core.model.policy import SecondFactorPolicy, ThrottlePolicy
from doorward.core.model.token_exchange import ExchangePolicy
from doorward.features.api_keys.build import own_keys
from doorward.features.api_keys.making import NewApiKey
from doorward.features.rate_limits.build import throttle
from tests.browsing import JAR, PASSWORD, SESSION, Page
from tests.devices import Device, device_app
from tests.features import made
from tests.features.api_keys.keyring import draft
from tests.features.sessions.endings.elsewhere import ROBOT, token_from_elsewhere
from tests.front_channel import CALLER, SEED, Front, code_for
from tests.tabs import Tab, said

EXCHANGE: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS: Final = "urn:ietf:params:oauth:token-type:access_token"
BILLING: Final = "https://billing.example.com"
WEB: Final = made.client(
    grant_types=("authorization_code", "refresh_token", "client_credentials", EXCHANGE),
    access={made.API: ("orders:read",), BILLING: ("orders:read",)},
    exchange=ExchangePolicy(apis=(BILLING,)),
    first_party=False,
)
OTHER: Final = made.client(id="app_other", name="other", access={made.API: ("orders:read",)})
SETTINGS: Final[dict[str, Any]] = {
    "second_factor": SecondFactorPolicy(kinds=("totp", "email_code"), ask="remembered"),
    "throttle": ThrottlePolicy(per_address=1000, per_account=100, mails_per_address=100, mails_per_day=1000),
}
OTHER_PASSWORD: Final = "walrus canyon velvet twelve"
CLIENT_CREDENTIALS: Final = {"grant_type": "client_credentials", "resource": made.API}
Use = Callable[[], Awaitable[bool]]


async def furnish(front: Front) -> None:
    """The apps and APIs of all people."""
    registry = front.store.registry
    reads = (Permission("orders:read"),)
    role = Role("rol_reader", "reader", {made.API: ("orders:read",), BILLING: ("orders:read",)}, made.NOW)
    api = Api("api_orders", made.API, "Orders", reads, made.NOW, client_id="app_other")
    billing = Api("api_billing", BILLING, "Billing", reads, made.NOW, client_id="app_other")
    assert await front.store.commit(registry.put_api(api), registry.put_api(billing), registry.put_role(role))
    await front.register(WEB, OTHER, ROBOT, device_app())


@dataclass
class Held:
    """A person with one of each. `works` says of a kind whether it can be used now; trying changes something, so each is tried once."""

    front: Front
    account: Account
    here: Tab
    there: Tab
    password: str = PASSWORD
    bound: Mapping[str, Any] = field(default_factory=dict[str, Any])
    issuer: str = ""
    uses: dict[str, Use] = field(default_factory=dict[str, Use])

    async def works(self, kind: str) -> bool:
        """Whether the credential opens or does anything."""
        return await self.uses[kind]()

    @property
    def seed(self) -> bytes:
        """That of the authenticator app."""
        return SEED

    @property
    def devices_here(self) -> tuple[bytes, ...]:
        """By what the account knows the owner's browser."""
        return tuple(digest(one) for one in self.here.cookies[JAR.name("device")].split("."))

    async def reset(self, *, end_sessions: bool) -> None:
        """A reset of the password from another browser, to OTHER_PASSWORD."""
        tab = self.front.browser("203.0.113.40")
        page = await tab.submit(await tab.get("/reset"), "reset", email=self.account.known_as)
        page = await tab.follow(page)
        page = await tab.follow(await tab.submit(page, "check", code=await _last_code(self)))
        (name,) = [
            name for name, form in page.forms.items() if "password" in page.text and "language" not in name
        ]
        chosen = {"password": OTHER_PASSWORD, **({"end_sessions": "yes"} if end_sessions else {})}
        page.forms[name].fields.pop("end_sessions", None)
        done = await tab.submit(page, name, **chosen)
        assert done.status == 303, done.words
        self.password = OTHER_PASSWORD

    async def session_id(self, tab: Tab) -> str:
        """The id of the session of a browser."""
        found = await self.front.store.sessions.by_secret(digest(tab.cookies[SESSION]))
        assert found is not None
        return found.id


def _email(number: int) -> str:
    return f"ada{number}@example.com"


async def _signed_in(held: Held, tab: Tab, **more: str) -> Page:
    """A sign-in with both steps."""
    page = await tab.on(await tab.sign_in(held.account.known_as, held.password))
    held.front.clock.time += 30
    return await tab.submit(page, "second-factor", code=code_for(SEED, held.front.now), **more)


async def _code(front: Front, tab: Tab, client: Client, scope: str) -> str:
    """A code for the app, with consent."""
    page = await tab.on(await tab.get(front.asking(client, scope=scope, resource=made.API)))
    if "consent" in page.forms:
        page = await tab.on(await tab.submit(page, "consent", decision="allow"))
    assert "code" in said(page), (page.path, page.status, said(page), page.words[:300])
    return said(page)["code"]


async def hold(front: Front, number: int) -> Held:
    """A person, their two browsers, and what they and their apps hold."""
    front.clock.time += 3600
    person = f"usr_ada{number}"
    account = await front.person(id=person, email=_email(number))
    factor = f"fac_{number}"
    sealed = front.services.sealer.seal("totp", factor, SEED)
    mail = EnrolledFactor(f"mail_{number}", person, "email_code", front.now)
    assert await front.store.commit(
        front.store.accounts.add_factor(EnrolledFactor(factor, person, "totp", front.now, sealed=sealed)),
        front.store.accounts.add_factor(mail),
    )
    held = Held(front, account, front.browser("192.0.2.10"), front.browser("198.51.100.20"))
    await _signed_in(held, held.here)
    await _signed_in(held, held.there, trust="1")
    await _in_session(held)
    await _by_apps(held)
    await _under_way(held)
    await _ways_in(held)
    held.issuer, held.uses["outside_issuer"] = await token_from_elsewhere(front, number, basic(OTHER))
    return held


async def _in_session(held: Held) -> None:
    front, there = held.front, held.there
    copy = dict(there.cookies)

    async def session() -> bool:
        return (await there.get("/account")).status == 200

    async def remembered() -> bool:
        tab = front.browser("198.51.100.20")
        tab.cookies = {name: value for name, value in copy.items() if name != SESSION}
        page = await tab.sign_in(held.account.known_as, held.password)
        # where no second step is left, the password alone is enough
        rows = await front.store.remembered_devices.of_account(held.account.id)
        return page.header("location") == "/account" and bool(rows)

    async def known() -> bool:
        secrets = copy[JAR.name("device")].split(".")
        known = front.services.get(throttle).known
        return await known(tuple(digest(one) for one in secrets), held.account.id) is not None

    held.uses |= {"session": session, "remembered_device": remembered, "known_device": known}


async def _by_apps(held: Held) -> None:
    front, there = held.front, held.there
    bound = await front.redeem(
        WEB, await _code(front, there, WEB, "openid orders:read"), redirect_uri=made.REDIRECT
    )
    held.bound = bound
    own = await front.token(WEB, CLIENT_CREDENTIALS)
    assert own["status"] == 200, own
    offline_code = await _code(front, there, WEB, "openid orders:read offline_access")
    offline = await front.redeem(WEB, offline_code, redirect_uri=made.REDIRECT)
    assert (bound["status"], offline["status"]) == (200, 200), (bound, offline)
    waiting = await _code(front, there, WEB, "openid orders:read")
    device = Device(front, device_app())
    await device.begin("openid orders:read")
    page = await there.follow(await there.get("/device"))
    page = await there.follow(await there.submit(page, "device-code", user_code=device.user_code))
    await there.follow(await there.submit(page, "consent", decision="allow"))
    keys = front.services.get(own_keys)
    key = await keys.create(held.account, draft(), caller=CALLER, now=front.now)
    assert isinstance(key, NewApiKey), key
    exchanged = await front.token(
        WEB,
        {
            "grant_type": EXCHANGE,
            "subject_token": bound["access_token"],
            "subject_token_type": ACCESS,
            "audience": BILLING,
        },
    )
    assert exchanged["status"] == 200, exchanged

    async def active(token: str) -> bool:
        page = await front.browser().ask(
            "POST", "/introspect", form={"token": token}, authorization=basic(OTHER)
        )
        assert page.status == 200, page.text
        return bool(json.decode(page.text)["active"])

    async def refreshed(answer: Mapping[str, Any]) -> bool:
        form = {"grant_type": "refresh_token", "refresh_token": str(answer["refresh_token"])}
        return (await front.token(WEB, form))["status"] == 200

    async def access_token() -> bool:
        return await active(bound["access_token"])

    async def offline_grant() -> bool:
        living = await active(offline["access_token"])
        assert await refreshed(offline) is living
        return living

    async def refresh_token() -> bool:
        return await refreshed(bound)

    async def code() -> bool:
        answer = await front.redeem(WEB, waiting, redirect_uri=made.REDIRECT)
        # a grant that ended may still be redeemed in the moment in which it ends: what counts is whether its tokens are good for anything
        return answer["status"] == 200 and await active(answer["access_token"])

    async def device_code() -> bool:
        answer = await device.poll()
        return answer["status"] == 200 and await active(answer["access_token"])

    async def api_key() -> bool:
        form = {"grant_type": "urn:doorward:grant-type:api-key", "api_key": key.text.reveal()}
        return (await front.token(OTHER, form))["status"] == 200

    async def client_secret() -> bool:
        return (await front.token(WEB, CLIENT_CREDENTIALS))["status"] == 200

    async def app_token() -> bool:
        return await active(own["access_token"])

    async def exchange() -> bool:
        return await active(exchanged["access_token"])

    async def consent() -> bool:
        found = await front.store.sessions.consent(held.account.id, WEB.id, made.API)
        return found is not None

    held.uses |= {
        "grant": access_token,
        "refresh_token": refresh_token,
        "offline_grant": offline_grant,
        "authorization_code": code,
        "device_code": device_code,
        "api_key": api_key,
        "exchange": exchange,
        "consent": consent,
        "client_secret": client_secret,
        "app_token": app_token,
    }


async def _under_way(held: Held) -> None:
    """A reset of which the code was shown, a sign-in of which the password was shown, and one with a code by mail."""
    front = held.front
    reset, pending, mailed = (front.browser(f"203.0.113.{n}") for n in (1, 2, 3))
    page = await reset.follow(
        await reset.submit(await reset.get("/reset"), "reset", email=held.account.known_as)
    )
    new_password = await reset.follow(await reset.submit(page, "check", code=await _last_code(held)))
    assert new_password.forms, new_password.words
    at_totp = await pending.on(await pending.sign_in(held.account.known_as, held.password))
    at_mail = await mailed.on(await mailed.sign_in(held.account.known_as, held.password))
    at_mail = await mailed.get(at_mail.path.partition("&")[0] + "&method=email_code")
    if "send" in at_mail.forms:
        at_mail = await mailed.on(await mailed.submit(at_mail, "send"))
    sent = await _last_code(held)

    async def mailed_code() -> bool:
        page = await reset.get(new_password.path)
        return bool(page.forms) and page.status == 200 and "password" in page.text

    async def sign_in() -> bool:
        front.clock.time += 30
        code = code_for(SEED, front.now)
        page = await pending.submit(at_totp, "second-factor", code=code)
        return SESSION in pending.cookies and page.status == 303

    async def sent_code() -> bool:
        await mailed.submit(at_mail, "second-factor", code=sent)
        return SESSION in mailed.cookies

    held.uses |= {"mailed_code": mailed_code, "sign_in": sign_in, "sent_code": sent_code}


async def _last_code(held: Held) -> str:
    (newest, *_) = await held.front.store.messages.recent_mail(1)
    return open_message(held.front.services.sealer, newest).code or ""


async def _ways_in(held: Held) -> None:
    front = held.front

    async def password() -> bool:
        tab = front.browser("203.0.113.9")
        page = await tab.on(await tab.sign_in(held.account.known_as, PASSWORD))
        return "second-factor" in page.forms or SESSION in tab.cookies

    async def factor() -> bool:
        tab = front.browser("203.0.113.8")
        page = await tab.on(await tab.sign_in(held.account.known_as, held.password))
        front.clock.time += 30
        if "second-factor" not in page.forms:
            return False
        await tab.submit(page, "second-factor", code=code_for(SEED, front.now))
        return SESSION in tab.cookies

    held.uses |= {"password": password, "factor": factor}


def basic(client: Client) -> str:
    """The Authorization header of an app."""
    return "Basic " + b64encode(f"{client.id}:{made.SECRET}".encode()).decode()
