"""The state that commit bb61c56 leaves behind, written by that commit's own code.

Runs in the tree of that commit, with its packages and its tests on the path (`python -m tests.released.make` starts it):

    python write.py FOLDER [DATABASE_URL]

The names in here are those of that commit and never change.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from doorward.model.catalog import Permission
from writer import Writer

import doorward
from tests.flows.apps import App, good, pkce
from tests.flows.browsing import Person
from tests.flows.running import running
from tests.flows.seeds import API, CALLBACK, OTHER_API, PASSWORD
from tests.flows.settings import environment
from tests.flows.signing_in import challenge, tokens_by_challenge

AAL2 = "urn:doorward:aal2"
PASSPHRASE = "apple brick candle dune"
ORIGIN = {"origin": "https://counter.example.net", "sec-fetch-site": "same-site"}
SCOPE = "openid orders:read offline_access"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class Everything(Writer):
    """What its clients hold at the end, part by part."""

    def pages(self) -> None:
        """Sign-ins that wait on a page."""
        server, house = self.server, self.house
        person, attempt = server.person(), house.own.begin(SCOPE)
        self.keep("password", person, person.open(attempt.url), attempt)
        for name in ("second_factor", "recovery_code"):
            person, attempt = server.person(), house.own.begin(SCOPE)
            page = person.sign_in(person.open(attempt.url), "kit@example.com", PASSWORD)
            assert page.path == "/sign-in/code", page.words
            self.keep(name, person, page, attempt)
        for name, who in (("consent_allow", "bob"), ("consent_deny", "tom")):
            person, attempt = server.person(), house.web.begin("openid profile orders:read")
            page = person.sign_in(person.open(attempt.url), f"{who}@example.com", PASSWORD)
            assert page.path == "/consent", page.words
            self.keep(name, person, page, attempt)
        attempt = house.own.begin("openid orders:read", acr_values=AAL2)
        page = self.mia.open(attempt.url)
        assert page.path == "/sign-in/code", page.words
        self.keep("step_up", self.mia, page, attempt)
        person, _ = self.signed_in("sue")
        attempt = house.own.begin("openid orders:read", prompt="login")
        page = person.open(attempt.url)
        assert "sign-in" in page.forms, page.words
        self.keep("password_again", person, page, attempt)
        person, _ = self.signed_in("ned")
        page = person.click(person.open("/account/methods"), "authenticator-add")
        self.values["ned_key"] = page.inside("key").replace(" ", "")
        self.keep("authenticator", person, page)

    def mails(self) -> None:
        """Sign-ups and resets that wait for a mail to be read, and the links in those mails."""
        server, house = self.server, self.house
        self.values["codes"], self.values["links"] = {}, {}
        for name in ("sign_up_code", "sign_up_link"):
            email = f"{name.replace('_', '-')}@example.com"
            person, attempt = server.person(), house.own.begin(SCOPE, prompt="create")
            page = person.open(attempt.url)
            if "sign-up" not in page.forms:
                page = person.click(page, "to-sign-up")
            page = person.press(page, "sign-up", email=email, password=PASSWORD, name="")
            assert "check" in page.forms, page.words
            self.keep(name, person, page, attempt)
            self._mailed(name, person, email)
        for name, who in (("reset_code", "olga"), ("reset_link", "pat"), ("reset_new", "uma")):
            person = server.person()
            page = person.press(person.open("/reset"), "reset", email=f"{who}@example.com")
            self._mailed(name, person, f"{who}@example.com")
            if name == "reset_new":
                page = person.press(page, "check", code=self.values["codes"][name])
                assert "new-password" in page.forms, page.words
            self.keep(name, person, page)

    def _mailed(self, name: str, person: Person, email: str) -> None:
        code = self.values["codes"][name] = person.mailed_code(email)
        text = next(text for to, _, given, text in person.mails() if (to, given) == (email, code))
        link = re.search(r"https?://\S+[?&]token=[\w.~-]+", text)
        assert link is not None, text
        self.values["links"][name] = link[0]

    def first_party(self) -> None:
        """Sign-ins by JSON between two of their calls."""
        own = self.house.own
        for name, more in (
            ("json_password", {}),
            ("json_second_factor", {"username": "lee@example.com", "password": PASSWORD}),
        ):
            verifier, hashed = pkce()
            answer = challenge(own, scope=SCOPE, code_challenge=hashed, code_challenge_method="S256", **more)
            assert answer.status_code == 403, answer.text
            self.values[name] = {"auth_session": answer.json()["auth_session"], "verifier": verifier}

    def tokens(self) -> None:
        """Refresh families, access tokens, codes, and credentials of apps."""
        house, kept = self.house, self.values
        own, spa = house.own, house.spa
        kept["fresh"] = tokens_by_challenge(own, "ada@example.com", SCOPE).body
        _, kept["online"] = self.signed_in("ada")
        for name, app, times in (
            ("rotated", own, 1),
            ("rotated_public", spa, 1),
            ("older", own, 2),
            ("older_public", spa, 2),
        ):
            family = [tokens_by_challenge(app, "ada@example.com", SCOPE).refresh]
            for _ in range(times):
                family.append(good(app.refresh(family[-1])).refresh)
            kept[name] = family
        ended = tokens_by_challenge(own, "ada@example.com", SCOPE)
        assert own.post("/revoke", token=ended.refresh).status_code == 200
        kept["revoked"] = ended.body
        kept["service"] = good(house.service.token(grant_type="client_credentials", resource=API)).body
        kept["assertion"] = self._assertion()
        signing = App(
            self.server.issuer, self.apps["signing"]["client_id"], None, CALLBACK, verify=self.server.tls
        )
        attempt = signing.begin("openid orders:read")
        person = self.server.person()
        page = person.sign_in(person.open(attempt.url), "ada@example.com", PASSWORD)
        answer = signing.token(
            grant_type="authorization_code",
            code=signing.code(attempt, page),
            code_verifier=attempt.verifier,
            redirect_uri=attempt.redirect_uri,
            client_assertion_type=ASSERTION,
            client_assertion=kept["assertion"],
        )
        kept["signing"] = good(answer).body
        for name, app in (("code", own), ("code_public", spa), ("code_used", own)):
            attempt, person = app.begin(SCOPE), self.server.person()
            page = person.sign_in(person.open(attempt.url), "ada@example.com", PASSWORD)
            kept[name] = {"code": app.code(attempt, page), "attempt": vars(attempt)}
            if name == "code_used":
                kept["code_used_tokens"] = good(app.redemption(attempt, kept[name]["code"])).body

    def sessions(self) -> None:
        """Browsers that are signed in, with the cookies of sessions, devices, hints and tokens."""
        person, kept = self.signed_in("ada")
        page = person.open("/account")
        assert page.path == "/account"
        self.keep("signed_in", person, page)
        self.values["signed_in"] = kept
        person, self.values["allowed"] = self.signed_in("ada", self.house.web, "openid profile orders:read")
        self.keep("allowed", person)
        person, self.values["leaving"] = self.signed_in("ada")
        self.keep("leaving", person, person.open("/logout"))
        person, self.values["leaving_hint"] = self.signed_in("ada")
        self.keep("leaving_hint", person)
        person, _ = self.signed_in("rex")
        page = person.press(person.open("/logout"), "sign-out")
        self.keep("known_device", person, page)
        person, self.values["changing"] = self.signed_in("tom")
        self.keep("changing", person, person.open("/account/methods"))
        self._cookies()
        self._double_click()

    def _cookies(self) -> None:
        spa, person = self.house.spa, self.server.person()
        attempt = spa.begin("openid orders:read")
        page = person.sign_in(person.open(attempt.url), "ada@example.com", PASSWORD)
        fields = {
            "client_id": spa.client_id,
            "code": spa.code(attempt, page),
            "code_verifier": attempt.verifier,
            "redirect_uri": attempt.redirect_uri,
        }
        answer = person.ask("POST", "/cookie/token", fields, ORIGIN)
        assert answer.status_code == 200, answer.text
        self.values["cookie_csrf"] = answer.json()["csrf_token"]
        self.keep("cookie_delivery", person)

    def _double_click(self) -> None:
        person = self.server.person()
        page = person.open("/sign-in")
        form = page.forms["sign-in"]
        fields = {**form.fields, "identifier": "sue@example.com", "password": PASSWORD}
        self.keep("double_click", person, page)
        answer = person.ask("POST", form.action, fields)
        assert answer.status_code == 303, answer.text
        name = person.named("session")
        self.values["double_click"] = {
            "action": form.action,
            "fields": fields,
            "location": answer.headers["location"],
            "session": person.cookies[name].value,
        }

    def guesses(self) -> None:
        """Somebody at whose account so much was guessed that no more is heard."""
        for _ in range(self.server.settings.throttle.per_account + 1):
            _, hashed = pkce()
            answer = challenge(
                self.house.own,
                username="rex@example.com",
                password="a wrong guess of many",
                scope="openid",
                code_challenge=hashed,
                code_challenge_method="S256",
            )
        assert answer.status_code == 429, answer.text

    def feed(self) -> None:
        """Cursors of the revocation feed, and something that came after them."""
        with self.server.http() as http:
            first = http.get("/revocations").json()
            second = http.get("/revocations", params={"v": "2"}).json()
            self.values["cursors"] = {"1": first["cursor"], "2": second["cursor"]}
            later = tokens_by_challenge(self.house.own, "bob@example.com", SCOPE)
            assert self.house.own.post("/revoke", token=later.refresh).status_code == 200
            self.values["after_cursor"] = later.body
            self.values["jwks"] = http.get("/jwks").json()
            self.values["metadata"] = http.get("/.well-known/openid-configuration").json()

    def document(self) -> dict[str, Any]:
        """Everything, for held.json."""
        return {
            "written_at": self.server.clock.now(),
            "issuer": self.server.issuer,
            "password": PASSWORD,
            "passphrase": PASSPHRASE,
            "apis": [API, OTHER_API],
            "apps": self.apps,
            "browsers": self.browsers,
            **self.values,
        }


def back_up(folder: Path, name: str, *options: str) -> None:
    """By the command of that commit."""
    command = [sys.executable, "-m", "doorward", "backup", name, *options]
    subprocess.run(command, cwd=folder, env=environment(), check=True, stdout=subprocess.DEVNULL)


def write(folder: Path, database: str | None) -> None:
    """All of it, for one database."""
    # nobody listens there: mails wait
    sections = {"mail": {"host": "127.0.0.1", "port": 9, "tls": "none", "sender": "auth@example.com"}}
    with running(folder, https=True, sections=sections, database=database) as server:
        writer = Everything(server)
        writer.people()
        # an operator's command has the machine's own clock: the server's goes on after it, and stands still
        server.clock.hold()
        server.clock.ahead += 2
        for part in (
            writer.phones,
            writer.pages,
            writer.mails,
            writer.first_party,
            writer.tokens,
            writer.sessions,
            writer.guesses,
            writer.feed,
        ):
            part()
        (folder / "passphrase").write_text(PASSPHRASE + "\n", "utf-8")
        back_up(folder, "key.bak")
        back_up(folder, "passphrase.bak", "--passphrase-file", "passphrase")
        (folder / "held.json").write_text(json.dumps(writer.document(), indent=1) + "\n", "utf-8")
        writer.house.close()


if __name__ == "__main__":
    here = Path.cwd().resolve()
    assert Path(doorward.__file__).resolve().is_relative_to(here), f"{doorward.__file__} is not of this tree"
    assert Permission.__module__ == "doorward.model.catalog"
    write(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None)
