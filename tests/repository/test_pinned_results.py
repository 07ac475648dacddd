"""Tests that fixed inputs give the same results as in commit bb61c56, which counts as released.

They detect a changed label, separator, prefix or order of hashed values, after which stored data could not be found or used. The
values are never regenerated; a new version of something gets its own values beside the old ones.
"""

from __future__ import annotations

import os
import sys
from functools import cache
from types import SimpleNamespace
from typing import Any, get_args

import pytest
from msgspec.json import decode, encode

from doorward.adapters.keys.sealing import KeyedSealer
from doorward.adapters.random import SystemRandom
from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.client import Client, ClientSecret
from doorward.core.model.digest import digest
from doorward.core.model.grant import Spent
from doorward.core.model.message import LogoutNotice
from doorward.core.model.policy import ThrottlePolicy
from doorward.core.model.request import AuthRequest
from doorward.core.model.revocation import Revocation
from doorward.core.model.signin import Proof, SignIn
from doorward.features.authn.email_challenges.rules import for_ticket
from doorward.features.authn.email_challenges.service import EmailChallenges
from doorward.features.authn.factors.password.rules.proof import of_password
from doorward.features.authn.factors.password.service import GUESSED
from doorward.features.authn.factors.recovery_codes import rules as recovery_code
from doorward.features.authn.factors.totp import rules as totp
from doorward.features.authn.flow.rules.standing import shown_with
from doorward.features.authn.flow.rules.vouching import FROM_AMR, from_session
from doorward.features.authn.flow.sent_code import SentCodes
from doorward.features.oauth.authorize.rules import weight
from doorward.features.oauth.first_party import rules as cookie
from doorward.features.oauth.first_party.cookie_routes import CookieEndpoints
from doorward.features.oauth.grants.refresh_token.rules import successor
from doorward.features.oauth.logout.routes import LogoutPages
from doorward.features.oauth.logout.rules import logout_token
from doorward.features.oauth.tokens.rules import refresh_format as text
from doorward.features.rate_limits.rules import attempts, budget
from doorward.features.rate_limits.service import Throttle
from doorward.features.rate_limits.sync import CounterSync
from doorward.features.repeated_posts.rules import place
from doorward.features.revocations.rules import wire
from doorward.features.sessions import asked
from doorward.features.sessions.signed_in_pages import SignedInPages
from doorward.server import accept, worker_args
from doorward.storage.copy.encode import checksum
from doorward.storage.copy.pieces import All, End, Rows, Tables, decode_piece, encode_piece
from doorward.storage.copy.side import Version
from doorward.storage.copy.tables import Column, Table
from doorward.storage.sql import app_document, audit_end
from doorward.storage.sql.rows import from_recent
from doorward.storage.sql.statements import to_json
from doorward.web.browser import PageRequest
from doorward.web.cookies import CookieJar, CookieKind
from doorward_verify import cookie as verifier_cookie
from doorward_verify.revocation import hidden

SEALER = KeyedSealer(bytes(range(32)))
PURPOSES = (
    "answered post",
    "csrf",
    "csrf-compare",
    "done",
    "feed",
    "mail-code",
    "refresh cookie",
    "sent-code",
    "sign-out",
    "tally",
    "throttle",
)


def _with(**what: Any) -> Any:
    """A stub with only the given members."""
    return SimpleNamespace(**what)


def _said(*proofs: Proof) -> list[str]:
    return [f"{one.kind} {one.at} {' '.join(one.amr)} {one.against}" for one in proofs]


@cache
def _derived() -> dict[str, Any]:
    """The results of this program for fixed inputs, by name."""
    as_it_is = ThrottlePolicy()
    device, v6 = b"\x01\x02", "2001:db8:1:2::3"
    guesses = attempts.guess(GUESSED, "ada@example.com", v6, known_device=None, policy=as_it_is, tag=str)
    known = attempts.guess(attempts.CODE, "usr_1", v6, known_device=device, policy=as_it_is, tag=str)
    mail = attempts.of_mail("ada@example.com", v6, known_device=None, policy=as_it_is, tag=str)
    mail_known = attempts.of_mail("ada@example.com", v6, known_device=device, policy=as_it_is, tag=str)
    counters = [
        *(*guesses.own, *guesses.networks, *known.own, *mail.all, *mail_known.all),
        *attempts.of_estimates("192.0.2.1", policy=as_it_is, tag=str),
        *budget.of_changes("profile", "usr_1", policy=as_it_is, tag=str),
        budget.of_revocations("usr_1", "app_1", policy=as_it_is, tag=str),
    ]
    first = text.first("grt_0123abcd", "f" * 22, "s" * 43)
    second = text.following(first, "t" * 43)
    read = text.read(second)
    assert read is not None
    factor = EnrolledFactor("fac_1", "usr_1", "totp", 1)
    gone = Revocation("sid", "ses_1", 1, 2)
    until = Revocation("sub", "usr_1", 1, 2, before=1)
    notice = LogoutNotice(
        id="lgo_1", client_id="app_1", account_id="usr_1", session_id="ses_1", created_at=1, next_try_at=1
    )
    jar, local = CookieJar.of("https://id.example.com/in"), CookieJar.of("http://localhost:8000")
    app = Client(
        id="app_1",
        name="Shop",
        auth_method="client_secret_basic",
        created_at=1,
        secrets=(ClientSecret(b"hash", 1),),
        access={"https://api.example.com": ("read",)},
    )
    begun = SignIn(
        id="sin_1",
        created_at=1,
        expires_at=2,
        browser_hash=b"hash",
        request=AuthRequest(
            client_id="app_1",
            redirect_uri="https://app.example.com/",
            response_mode="query",
            scopes=("openid",),
            audience="https://id.example.com",
        ),
        proofs=(shown_with(totp.TRAITS, factor, 1),),
    )
    args = worker_args.WorkerArgs(
        role="head", listeners=(3,), parent_pipe=(4, 5), counts=6, workers={0: 7}, leaving=(8,)
    )
    counts = accept.ConnectionCounts.new()
    counts.write(3, 9)
    session = SimpleNamespace(id="ses_1")
    made = {
        "counters": [bucket.key for bucket in counters],
        "refresh token": [first, second],
        "refresh token, read": [read.grant_id, read.generation, read.family_hash.hex(), read.hash.hex()],
        "successor": successor.seal(first, "secret").hex(),
        "successor, opened": successor.unseal(first, successor.seal(first, "secret")),
        "digest": digest("secret").hex(),
        "recovery code": (recovery_code.digest("0000-1111-2222-3333-4444-5555") or b"").hex(),
        "place of a browser": place("browser"),
        "csrf of a cookie": [cookie.csrf_token("token"), verifier_cookie.csrf_token("token")],
        "cookies": [jar.name(kind) for kind in get_args(CookieKind)],
        "cookies in development": [local.name("session"), local.name("rt"), local.old_name("at")],
        "old cookies": [jar.old_name("session"), jar.old_name("rt")],
        "cookies of a verifier": verifier_cookie.cookie_names("https://id.example.com/in"),
        "request in a cookie": asked.unpack("sin_1.eNpLzslMzSuJz0yxTSwoiDdUKy5JLEm1LQYAanIIsQ"),
        "state in its place": weight._mark("state"),
        "hidden": hidden("salt", "sid", "ses_1"),
        "feed": [wire.plain(gone).decode(), wire.hiding("salt")(until).decode()],
        "log-out token": logout_token.claims(notice, issuer="https://id.example.com", now=1, unique="u"),
        "proofs": _said(
            of_password(Account("usr_1", "ada@example.com", 1, password_changed_at=5), 6),
            shown_with(totp.TRAITS, factor, 6),
            shown_with(recovery_code.TRAITS, factor, 6),
        ),
        "proofs of a session": _said(
            *from_session(_with(amr=("pwd", "otp", "mfa"), auth_time=6, proofs=()), tuple(dict(FROM_AMR)))
        ),
        "ticket": for_ticket(Account("usr_1", "ada@example.com", 1, password_changed_at=5)),
        "audit line that is first": audit_end.first_id(1_700_000_000),
        "app": decode(app_document.write(app)),
        "sign-in": decode(to_json(begun)),
        "spent tokens": from_recent((Spent(b"hash", 1, b"sealed"),)).hex(),
        "backup": [
            encode_piece(piece).hex()
            for piece in (
                Tables((Version(1, "first"),), (Table("meta", (Column("name", "text"),), ("name",)),), 1),
                Rows("meta", [("root", 1, b"\x01", None)]),
                End("meta", 1, b"\x02"),
                All(1),
            )
        ],
        "sum of rows": checksum([("root", 1, b"\x01", None)]).hex(),
        "orders": worker_args.command(args)[-1],
        "board": os.pread(counts.descriptor, 4, 12) == (9).to_bytes(4, sys.byteorder),
        "tags": {purpose: SEALER.tag(purpose, "text") for purpose in PURPOSES},
        "tag of a counter": Throttle._tag(_with(sealer=SEALER), "key"),
        "tag of a tally": CounterSync._tag(_with(sealer=SEALER), "failures", "192.0.2.1"),
        "mailed code": EmailChallenges._code_hash(_with(sealer=SEALER), "tkt_1", "123456").decode(),
        "sent code": SentCodes._hash(_with(sealer=SEALER), "cod_1", "123456").decode(),
        "refresh cookie": CookieEndpoints._tag(_with(sealer=SEALER), "browser", "token"),
        "account page": SignedInPages._word(
            _with(sealer=SEALER),
            _with(session=session),
            "saved",
        ),
        "sign-out": LogoutPages._about(
            _with(sealer=SEALER),
            _with(secret="browser"),
            _with(client_id="app_1", ends=[session]),
        ),
        "stale page": PageRequest.stale_word(_with(context=_with(csrf_token="csrf")), "sin_1"),
    }
    plain: dict[str, Any] = decode(encode(made))
    return plain


EXPECTED: dict[str, Any] = {
    "counters": [
        "password:elsewhere:ada@example.com",
        "day:password:elsewhere:ada@example.com",
        "address:2001:db8:1:2::/64",
        "address:2001:db8:1::/56",
        "address:2001:db8:1::/48",
        "code:device:0102:usr_1",
        "day:code:device:0102:usr_1",
        "mail:from:2001:db8:1::/48:ada@example.com",
        "mail:to:ada@example.com",
        "mail:day:ada@example.com",
        "mail:by:2001:db8:1:2::/64",
        "mail:by:2001:db8:1::/56",
        "mail:by:2001:db8:1::/48",
        "mail:device:0102:ada@example.com",
        "estimates:192.0.2.1",
        "change:profile:usr_1",
        "day:change:profile:usr_1",
        "revoke:usr_1:app_1",
    ],
    "refresh token": [
        "dw_rt_0123abcd00000001ffffffffffffffffffffffsssssssssssssssssssssssssssssssssssssssssss",
        "dw_rt_0123abcd00000002ffffffffffffffffffffffttttttttttttttttttttttttttttttttttttttttttt",
    ],
    "refresh token, read": [
        "grt_0123abcd",
        2,
        "a9051b1bb68670eae257aa07f7f1b50a5b1d185f6fc5f11e5198086b22f13c59",
        "c45c30e50341ae93e76beaf792c9a70514c284f1885b57f61457695516e070dc",
    ],
    "successor": "1f080f01eb3d2bcd1c310586bc032fca40ee091d04dc9a218e04dc6ef4fc4e058412",
    "successor, opened": "secret",
    "digest": "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b",
    "recovery code": "5a98f918a502463c646abf98530872f8b7c51434aeca871510f8c536014c4e73",
    "place of a browser": 11138,
    "csrf of a cookie": [
        "hQjg-A2HtBKQgfPMAFueTu8ccpQXY5LjLAwsv_I9pYY",
        "hQjg-A2HtBKQgfPMAFueTu8ccpQXY5LjLAwsv_I9pYY",
    ],
    "cookies": [
        "__Host-dw_5f25c4ba_browser",
        "__Host-dw_5f25c4ba_session",
        "__Host-dw_5f25c4ba_device",
        "__Host-dw_5f25c4ba_trust",
        "__Host-dw_5f25c4ba_used",
        "__Host-dw_5f25c4ba_locale",
        "__Host-dw_5f25c4ba_asked",
        "__Host-dw_5f25c4ba_at",
        "__Secure-dw_5f25c4ba_rt",
    ],
    "cookies in development": ["dw_0121783a_session", "dw_0121783a_rt", "dw_at"],
    "old cookies": ["__Host-dw_session", "__Host-dw_rt"],
    "cookies of a verifier": ["__Host-dw_5f25c4ba_at", "__Host-dw_at"],
    "request in a cookie": ["sin_1", "client_id=app_1&state=s"],
    "state in its place": "dw_state_S6aXNcpTdl7WpwnttWxuoja3GTo7KaazkMNG8PQ0Dk4",
    "hidden": "oEiov_6nsMCQsQaTCPUIOw",
    "feed": [
        '{"kind":"sid","id":"ses_1","exp":2}',
        '{"kind":"sub","id":"p3de1dVL5zLEjgAFFiLNGw","exp":2,"before":1}',
    ],
    "log-out token": {
        "iss": "https://id.example.com",
        "sub": "usr_1",
        "aud": "app_1",
        "iat": 1,
        "exp": 121,
        "jti": "u",
        "sid": "ses_1",
        "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
    },
    "proofs": ["password 6 pwd 5", "totp 6 otp 242619307248689", "recovery_code 6 otp 242619307248689"],
    "proofs of a session": ["password 6 pwd None", "totp 6 otp None"],
    "ticket": {"against": 5},
    "audit line that is first": "aud_018bcfe56800",
    "spent tokens": "9193c4046861736801c4067365616c6564",
    "backup": [
        "94a65461626c6573919201a566697273749184a46e616d65a46d657461a7636f6c756d6e739182a46e616d65a46e616d65a46b696e64a474657874a36b657991a46e616d65a67265666572739001",
        "93a4526f7773a46d6574619194a4726f6f7401c40101c0",
        "94a3456e64a46d65746101c40102",
        "92a3416c6c01",
    ],
    "sum of rows": "8594c8821f25e632838ffd605ea34a1e2892925a4c92798137f2a1edf0faa470",
    "orders": '{"role":"head","listeners":[3],"lifeline":[4,5],"board":6,"workers":{"0":7},"leaving":[8]}',
    "board": True,
    "tags": {
        "answered post": "UJuhJ4-UCOqDdBzwhEzRnnjPoJ2NASGyBvYNmx1t0mQ",
        "csrf": "l6Mza28qwZtmkOsYgPMkkAYi_yebWNl5rlrnmbFan2U",
        "csrf-compare": "Z-RHTleVuQP1zcWkYuCzKoBZukNJM3-KC32XQUiiHEs",
        "done": "tgPEtfmprf8WUMRXO7tMUn_w1HQtr2-xrBIf8ds-1s8",
        "feed": "KLLpniswhTQFf65T_j9xKwHosi55vb-SHDeIjEDWMyQ",
        "mail-code": "IiAIl6--yzm5o6V7wvqKzLRBSbl6iE7_rMXUVVRb6kk",
        "refresh cookie": "3mhdq8fQVL9wLL1okQyLn6vAHjZqQOpmun96BUxDaxI",
        "sent-code": "_pdp7QgoZ3CpmeSpF6wMLipuZmapI4TI0uCE2x0zYnY",
        "sign-out": "qaJnW5aGQWz5Kp6f52OjanDK8ECCsyuC2WOCoLeIXEo",
        "tally": "sKTDU6698xmge_gkZCL4flDBcKUXyfTb0WXTWiBJr88",
        "throttle": "R_Y33s72Nbe5eh5Dr8ncBOJc5L9RAwKdYguTMGbSC08",
    },
    "tag of a counter": "Ci4KIcWVhdnSiS8d5AbKDVnYokauC5U7vw7uS4vUSG4",
    "tag of a tally": "0Q1oN2FTgeQ76PdorNbD-YkraKW6p1z-xbhl-qLMqgA",
    "mailed code": "yGgAXWDFu8nxn_20OXJ4KigbpjMmsu7qn-QR5gf5ajo",
    "sent code": "iOcdD81GqHFZErStLSajDLyo2PKYHfuIR6Qc898GQ9s",
    "refresh cookie": "JM6dkfcADPF8Wug2JEkAXmvYVIsUfUJJvhQeI_1ZExc",
    "account page": "amvTycL3lyqcH3GX",
    "sign-out": "22iEH6gbhlrMl_lKJ8VQXOWsQ9lHNpUsnAAKtu3u_t4",
    "stale page": "d0f6cb55ac06278e",
}
DOCUMENTS: dict[str, str] = {
    "app": '{"id":"app_1","name":"Shop","auth_method":"client_secret_basic","created_at":1,"auth_pinned":false,"secrets":[{"hash":"aGFzaA==","created_at":1,"expires_at":null}],"jwks":null,"redirect_uris":[],"post_logout_redirect_uris":[],"backchannel_logout_uri":null,"origins":[],"grant_types":["authorization_code","refresh_token"],"response_modes":["query","form_post"],"oidc_scopes":["openid","profile","email","offline_access"],"access":{"https://api.example.com":["read"]},"first_party":false,"pkce":"required","rotation":true,"access_token_ttl":null,"refresh_token_ttl":null,"default_max_age":null,"id_token_signed_alg":"RS256","access_token_signed_alg":null,"userinfo_signed_alg":null,"id_token_claims":"all","pkce_required":true,"signing_alg":"RS256"}',
    "sign-in": '{"id":"sin_1","created_at":1,"expires_at":2,"browser_hash":"aGFzaA==","handle_hash":null,"request":{"client_id":"app_1","redirect_uri":"https://app.example.com/","response_mode":"query","scopes":["openid"],"audience":"https://id.example.com","state":null,"nonce":null,"code_challenge":null,"prompt":[],"max_age":null,"acr_values":[],"acr_essential":false,"login_hint":null,"hint_subject":null,"ui_locales":[],"display":"page","claims":{},"redirect_uri_given":true},"return_to":null,"account_id":null,"proofs":[{"kind":"totp","at":1,"amr":["otp"],"phishing_resistant":false,"against":242619307248689}],"fresh_after":null,"session_id":null,"consented":false,"done_at":null}',
}


@pytest.mark.parametrize("name", EXPECTED)
def test_fixed_inputs_give_the_pinned_results(name: str) -> None:
    assert _derived()[name] == EXPECTED[name]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents_keep_their_members(name: str) -> None:
    """A later version may have more members."""
    assert _derived()[name].items() >= decode(DOCUMENTS[name]).items()


def test_every_result_is_pinned() -> None:
    assert set(_derived()) == set(EXPECTED) | set(DOCUMENTS)


def test_the_pieces_of_a_backup_can_be_read() -> None:
    read = [decode_piece(bytes.fromhex(piece)) for piece in EXPECTED["backup"]]
    assert [type(piece) for piece in read] == [Tables, Rows, End, All]


def test_an_id_is_a_prefix_and_a_time_in_hex() -> None:
    made = SystemRandom(time=lambda: 1_700_000_000.0).new_id("aud")
    assert made.startswith("aud_018bcfe568007000")
    assert len(made) == len("aud_") + 32
    assert made > audit_end.first_id(1_700_000_000)
