"""What `write.py` begins with: a server of that commit with apps and people, and how the browsers of people are kept."""

from __future__ import annotations

from typing import Any

from doorward.cli.tools import Tools
from doorward.model.secret import Secret
from joserfc import jwt
from joserfc.jwk import ECKey

from tests.flows.apps import App, Attempt
from tests.flows.browsing import Page, Person
from tests.flows.running import Running
from tests.flows.second_factor import PERIOD, Authenticator
from tests.flows.seeds import API, CALLBACK, PASSWORD, draft, seed

EVERYBODY = ("kit", "lee", "mia", "ned", "olga", "pat", "rex", "sue", "tom", "uma")


class Writer:
    """One server of that commit, and what its clients hold at the end."""

    def __init__(self, server: Running) -> None:
        self.server = server
        self.house = seed(server)
        self.key = ECKey.generate_key("P-256", {"kid": "client-key"})
        self.browsers: dict[str, Any] = {}
        self.values: dict[str, Any] = {}
        self.apps: dict[str, Any] = {
            name: self._app(getattr(self.house, name)) for name in ("web", "own", "spa", "service", "reader")
        }

    @staticmethod
    def _app(app: App) -> dict[str, Any]:
        return {"client_id": app.client_id, "secret": app.secret, "redirect_uri": app.redirect_uri}

    def keep(
        self, name: str, person: Person, page: Page | None = None, attempt: Attempt | None = None
    ) -> None:
        """A browser: its cookies, the page that it shows, and what its app keeps meanwhile."""
        self.browsers[name] = {
            "cookies": {n: [c.value, c.attributes, c.line] for n, c in person.cookies.items()},
            "page": None
            if page is None
            else {
                "url": page.url,
                "status": page.status,
                "links": page.links,
                "forms": {
                    form: {"action": f.action, "method": f.method, "fields": f.fields, "buttons": f.buttons}
                    for form, f in page.forms.items()
                },
            },
            "attempt": None if attempt is None else vars(attempt),
        }

    def people(self) -> None:
        """Those whom an operator made, and the app that proves itself by a key."""

        async def work(tools: Tools) -> str:
            for name in EVERYBODY:
                await tools.people.create(f"{name}@example.com", name=name.title(), password=Secret(PASSWORD))
            wanted = draft(
                "Signing",
                "web",
                first_party=True,
                auth_method="private_key_jwt",
                jwks={"keys": [self.key.as_dict(private=False)]},
            )
            made = await tools.apps.create(wanted, kind="web", access=[API])
            return made.client.id

        client_id = self.server.operate(work)
        self.apps["signing"] = {"client_id": client_id, "secret": None, "redirect_uri": CALLBACK}
        self.values["client_key"] = self.key.as_dict(private=True)

    def signed_in(
        self, who: str, app: App | None = None, scope: str = "openid orders:read"
    ) -> tuple[Person, Any]:
        """A browser with a session, and the tokens of the app."""
        app = app or self.house.own
        person, attempt = self.server.person(), (app or self.house.own).begin(scope)
        page = person.sign_in(person.open(attempt.url), f"{who}@example.com", PASSWORD)
        if "consent" in page.forms:
            page = person.press(page, "consent", "allow")
        return person, app.redeem(attempt, page).body

    def phones(self) -> None:
        """Authenticator apps and recovery codes; each takes a period of the clock."""
        self.values["phones"], self.values["recovery"] = {}, {}
        for who in ("kit", "lee", "mia"):
            person = self.server.person()
            person.sign_in(person.open("/sign-in"), f"{who}@example.com", PASSWORD)
            page = person.click(person.open("/account/methods"), "authenticator-add")
            key = page.inside("key").replace(" ", "")
            page = person.press(page, "authenticator", code=Authenticator(self.server, key).code())
            assert page.problem is None, page.problem
            self.values["phones"][who] = key
            self.values["recovery"][who] = [line for line in page.words.split() if line.count("-") >= 2]
            if who == "mia":
                self.mia = person
        # the code of this period is spent
        self.server.clock.ahead += PERIOD

    def _assertion(self) -> str:
        now = self.server.clock.now()
        client_id = self.apps["signing"]["client_id"]
        claims = {
            "iss": client_id,
            "sub": client_id,
            "aud": self.server.issuer,
            "jti": "first",
            "iat": now,
            "exp": now + 60,
        }
        return jwt.encode({"alg": "ES256", "kid": "client-key"}, claims, self.key, algorithms=["ES256"])
