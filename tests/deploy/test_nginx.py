"""Behaviour of the nginx of `deploy/nginx`: addresses, cookies, long polls, and nodes that stop."""

from __future__ import annotations

import http.client
import signal
import sqlite3
import subprocess
import threading
import time
from contextlib import closing
from pathlib import Path

import httpx2
import pytest

from tests.deploy.proxy import Place, certificate, configuration, proxied
from tests.flows.browsing import Person
from tests.flows.seeds import PASSWORD
from tests.flows.signing_in import tokens_by_challenge
from tests.server.crowd import Crowd
from tests.waiting import PATIENCE, keeps

FORM = {"grant_type": "client_credentials"}
TOKEN = "the-token-of-the-counters"


def addresses(folder: Path, kind: str) -> list[str]:
    """The address in each audit line of a kind, in order."""
    with closing(sqlite3.connect(folder / "doorward.db")) as database:
        address = (
            "SELECT json_extract(fields, '$.address') FROM audit_personal WHERE audit_personal.id = audit.id"
        )
        rows = database.execute(f"SELECT ({address}) FROM audit WHERE kind = ? ORDER BY id", (kind,))
        return [row[0] for row in rows]


def crowd(place: Place, *, kept: int = 3, fresh: int = 3) -> Crowd:
    """Apps and an API outside of nginx."""

    def connect() -> http.client.HTTPConnection:
        return http.client.HTTPSConnection("localhost", place.port, timeout=PATIENCE, context=place.tls)

    app = place.house.service
    assert app.secret is not None
    return Crowd(place.port, (app.client_id, app.secret), kept=kept, fresh=fresh, connect=connect)


def test_nginx_takes_the_configuration_as_it_is_shipped(nginx: Path, tmp_path: Path) -> None:
    certificate(tmp_path, "auth.example.com")
    text = configuration(
        tmp_path, names="auth.example.com", port=18443, plain=18080, upstreams=["127.0.0.1:8000"]
    )
    done = subprocess.run(
        [str(nginx), "-t", "-c", str(text)], capture_output=True, text=True, check=False, timeout=PATIENCE
    )
    assert done.returncode == 0, done.stderr
    assert "warn" not in done.stderr, done.stderr


@pytest.mark.requirement(81)
@pytest.mark.parametrize("sockets", [False, True], ids=["ports", "sockets"])
def test_the_address_is_the_clients_in_spite_of_forged_headers(
    nginx: Path, tmp_path: Path, sockets: bool
) -> None:
    with proxied(tmp_path, nginx, nodes=1, sockets=sockets) as place:
        app = place.house.service
        lies = {
            "x-forwarded-for": "6.6.6.6, 127.0.0.1",
            "forwarded": "for=6.6.6.6",
            "x-real-ip": "6.6.6.6",
            "x-forwarded-host": "evil.example",
            "x-forwarded-proto": "http",
        }
        with place.http(source="127.0.0.7") as client:
            wrong = client.post("/token", data=FORM, auth=(app.client_id, "wrong"), headers=lies)
            assert wrong.status_code == 401
            metadata = client.get("/.well-known/openid-configuration", headers=lies).json()
            assert metadata["token_endpoint"] == f"{place.issuer}/token"
        assert addresses(tmp_path, "client.authentication_failed") == ["127.0.0.7"]
        place.nodes[0].stop()
        if sockets:
            place.nodes[0].start()  # over the socket that the previous process left


@pytest.mark.requirement(69, 81)
def test_a_person_signs_in_through_nginx_with_host_cookies(nginx: Path, tmp_path: Path) -> None:
    with proxied(tmp_path, nginx, nodes=2) as place:
        person = Person(place.issuer, verify=place.tls)
        attempt = place.house.own.begin("openid orders:read")
        person.sign_in(person.open(attempt.url), "ada@example.com", PASSWORD)
        assert person.named("session") in person.cookies
        assert all("secure" in cookie.line.lower() for cookie in person.cookies.values())
        person.close()
        with place.http() as client:
            page = client.get("/", headers={"accept": "text/html"})
            assert page.headers["strict-transport-security"].startswith("max-age=")
            assert len(page.headers.get_list("content-security-policy")) == 1


@pytest.mark.parametrize(
    "path",
    ["", pytest.param("/accounts", marks=pytest.mark.soak), "/a/b"],
    ids=["no path", "a path", "a longer path"],
)
def test_internal_endpoints_are_not_reachable_from_outside(nginx: Path, tmp_path: Path, path: str) -> None:
    counted = {"metrics": {"token": TOKEN}}
    with proxied(tmp_path, nginx, nodes=1, path=path, sections=counted) as place:
        proof = {"authorization": f"Bearer {TOKEN}"}
        inside = f"http://127.0.0.1:{place.nodes[0].port}{path}"
        for name in ("metrics", "readyz"):
            assert httpx2.get(f"{inside}/{name}", headers=proof, trust_env=False).status_code == 200
            spelled = (name, name + "?a=b", "%" + f"{ord(name[0]):x}" + name[1:], "/" + name, "./" + name)
            for way in (*spelled, "healthz/../" + name, "healthz%2f..%2f" + name, name + "#a"):
                status, by = asked(place, f"{path}/{way}", proof)
                assert (status, by) == (404, "nginx"), way
        assert asked(place, f"{path}/healthz", proof)[0] == 200
        with place.http() as client:
            metadata = client.get("/.well-known/openid-configuration").json()
            assert metadata["issuer"] == place.issuer
            person = Person(place.issuer, verify=place.tls)
            attempt = place.house.own.begin("openid orders:read")
            person.sign_in(person.open(attempt.url), "ada@example.com", PASSWORD)
            person.close()


def asked(place: Place, target: str, headers: dict[str, str]) -> tuple[int, str]:
    """The answer to exactly this request target, and the server that sent it: a node sends no name."""
    connection = http.client.HTTPSConnection("localhost", place.port, timeout=PATIENCE, context=place.tls)
    with closing(connection):
        connection.request("GET", target, headers=headers)
        answer = connection.getresponse()
        html = answer.read().startswith(b"<html>")
        return answer.status, "nginx" if html else "a node"


@pytest.mark.parametrize(
    "path", [pytest.param("", marks=pytest.mark.soak), "/accounts"], ids=["no path", "a path"]
)
def test_long_poll_answers_pass_nginx_at_once(nginx: Path, tmp_path: Path, path: str) -> None:
    with proxied(tmp_path, nginx, nodes=2, path=path) as place, place.http() as client:

        def seconds_until_heard() -> float:
            tokens = tokens_by_challenge(place.house.own, "ada@example.com", "openid orders:read")
            cursor = client.get("/revocations").json()["cursor"]
            heard: list[float] = []

            def wait() -> None:
                with place.http() as other:
                    answer = other.get("/revocations", params={"after": cursor, "wait": "20"})
                    assert answer.json()["entries"]
                    heard.append(time.monotonic())

            waiting = threading.Thread(target=wait)
            waiting.start()
            time.sleep(1)
            assert place.house.own.post("/revoke", token=tokens.refresh).status_code == 200
            revoked = time.monotonic()
            waiting.join(PATIENCE)
            assert heard
            return heard[0] - revoked

        keeps(1, seconds_until_heard)


@pytest.mark.parametrize("turns", [1, pytest.param(3, marks=pytest.mark.soak)])
def test_reloading_every_node_in_turn_loses_nothing(nginx: Path, tmp_path: Path, turns: int) -> None:
    with proxied(tmp_path, nginx, nodes=2) as place:
        with crowd(place) as people:
            for turn in range(1, turns + 1):
                for node in place.nodes:
                    node.process.send_signal(signal.SIGHUP)
                    until = time.monotonic() + PATIENCE
                    while node.told("server.reloaded") < turn:
                        assert time.monotonic() < until, node.log.read_text()[-2000:]
                        time.sleep(0.05)
        assert people.failures == []
        assert people.answers["kept"] > 20


@pytest.mark.parametrize("turns", [1, pytest.param(2, marks=pytest.mark.soak)])
def test_stopping_and_starting_every_node_in_turn_loses_nothing(
    nginx: Path, tmp_path: Path, turns: int
) -> None:
    with proxied(tmp_path, nginx, nodes=2) as place:
        with crowd(place) as people:
            for node in place.nodes * turns:
                node.stop()
                node.start()
                time.sleep(1.5)  # nginx tries it again
        assert people.failures == []
        assert people.answers["kept"] > 20


def test_a_killed_node_causes_only_answers_that_demand_a_retry(nginx: Path, tmp_path: Path) -> None:
    with proxied(tmp_path, nginx, nodes=2) as place:
        with crowd(place) as people:
            for node in place.nodes:
                time.sleep(0.5)
                node.kill()
                time.sleep(1)
                node.start()
        # each of these clients got 503: its request may have been in transit to the node
        assert all(" 503 " in failure and "temporarily_unavailable" in failure for failure in people.failures)
        for node in place.nodes:
            node.kill()
        with place.http() as client:
            away = client.post("/token", data=FORM)
            assert (away.status_code, away.headers["retry-after"]) == (503, "2")
            assert away.json()["error"] == "temporarily_unavailable"
            page = client.get("/sign-in", headers={"accept": "text/html"})
            assert page.status_code == 503
            assert page.headers["content-type"].startswith("text/html")
            assert page.headers["retry-after"] == "2"
