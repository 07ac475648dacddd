"""Comparison with PyJWT and joserfc on good, bad and hostile tokens, with a reason for each case where Doorward is
stricter.

All three have the same configuration: an access token of this issuer for this audience, with this key and algorithm.
"""

from typing import Any

import jwt
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwk as joserfc_jwk
from joserfc import jws as joserfc_jws
from joserfc import jwt as joserfc_jwt

from doorward_verify.encoding import b64url_encode
from doorward_verify.jwk import SigningKey
from tests.verify.tokens import (
    ALL,
    AUDIENCE,
    EVERY_KEY,
    ISSUER,
    KEYS,
    NOW,
    P256,
    P384,
    claims,
    good,
    header,
    raw,
    reason,
)

ALGORITHMS = sorted(ALL - {"Ed25519"})


def by_pyjwt(token: str) -> bool:
    try:
        head = jwt.get_unverified_header(token)
        key = KEYS.find(head.get("kid"), head.get("alg", ""))
        if key is None:
            return False
        members = jwt.decode(
            token,
            key.key,
            algorithms=[key.alg],
            audience=AUDIENCE,
            issuer=ISSUER,
            options={
                "require": ["iss", "sub", "aud", "exp", "iat", "jti", "client_id"],
                "verify_exp": False,
                "verify_nbf": False,
                "verify_iat": False,
            },
        )
        return head.get("typ", "").lower() == "at+jwt" and in_time(members)
    except (jwt.PyJWTError, ValueError, TypeError, AttributeError, RecursionError):
        return False


def by_joserfc(token: str) -> bool:
    try:
        published: Any = {"keys": [key.public_jwk() for key in EVERY_KEY]}
        keys = joserfc_jwk.KeySet.import_key_set(published)
        registry = joserfc_jws.JWSRegistry(algorithms=ALGORITHMS)
        decoded = joserfc_jwt.decode(token, keys, algorithms=ALGORITHMS, registry=registry)
        needed: Any = {name: {"essential": True} for name in ("sub", "exp", "iat", "jti", "client_id")}
        rules = joserfc_jwt.JWTClaimsRegistry(
            now=NOW,
            iss={"essential": True, "value": ISSUER},
            aud={"essential": True, "value": AUDIENCE},
            **needed,
        )
        rules.validate(decoded.claims)
        return decoded.header.get("typ", "").lower() == "at+jwt"
    except Exception:
        return False


def in_time(members: dict[str, Any]) -> bool:
    return members["exp"] > NOW and members["iat"] <= NOW and members.get("nbf", 0) <= NOW


def changed(position: int) -> str:
    token = good()
    return token[:position] + ("A" if token[position] != "A" else "B") + token[position + 1 :]


def with_unused_bits() -> str:
    token = good()
    following = {"A": "B", "Q": "R", "g": "h", "w": "x"}  # 86 characters leave four unused bits
    return token[:-1] + following[token[-1]]


def segments(*parts: bytes) -> str:
    return ".".join(b64url_encode(part) for part in parts)


SAME: dict[str, str] = {
    **{f"good {key.alg}": good(key) for key in EVERY_KEY},
    "good, aud in a list": good(aud=["https://other.example", AUDIENCE]),
    "good, more claims": good(custom={"a": [1, {"b": None}]}, name="Ünï ✓"),
    "good, no scope": good(scope=None, roles=None, permissions=None),
    "good, nbf": good(nbf=NOW - 5),
    "good, other member order": raw(header(), dict(reversed(claims().items()))),
    "good, whitespace in JSON": raw(header(), msgspec.json.format(msgspec.json.encode(claims()))),
    "other issuer": good(iss="https://other.example"),
    "other audience": good(aud="https://other.example"),
    "audience in a list without ours": good(aud=["https://other.example"]),
    "expired": good(exp=NOW - 1),
    "expires now": good(exp=NOW),
    "not yet": good(nbf=NOW + 100),
    "issued in the future": good(iat=NOW + 100),
    **{
        f"without {name}": raw(header(), claims(**{name: None}))
        for name in ("iss", "sub", "aud", "exp", "iat", "jti", "client_id")
    },
    "exp is text": good(exp="soon"),
    "nbf is text": good(nbf="soon"),
    "ID token": raw(header(typ="JWT"), claims()),
    "no type": raw(header(typ=None), claims()),
    "none": raw({"alg": "none", "typ": "at+jwt"}, claims(), None),
    "None": raw({"alg": "None", "typ": "at+jwt"}, claims(), None),
    "none with a kid": raw(header(alg="none"), claims(), None),
    "HMAC with the public key": raw(header(alg="HS256"), claims(), msgspec.json.encode(P256.public_jwk())),
    "HMAC with nothing": raw(header(alg="HS256"), claims(), b""),
    "algorithm of another key": raw(header(alg="ES384"), claims(), P384),
    "signed by another key": raw(header(), claims(), P384),
    "unknown kid": raw(header(kid="nobody"), claims()),
    "unknown algorithm": raw(header(alg="ES999"), claims()),
    "alg is a number": raw(header(alg=5), claims()),
    "alg is missing": raw(header(alg=None), claims()),
    "crit of something unknown": raw({**header(), "crit": ["x"], "x": 1}, claims()),
    "crit names nothing that is there": raw({**header(), "crit": ["x"]}, claims()),
    "b64 false": raw({**header(), "crit": ["b64"], "b64": False}, claims()),
    "jwk brought along": raw(
        {**header(P384, kid="p256", alg="ES256"), "jwk": P384.public_jwk()}, claims(), P384
    ),
    "header changed": changed(5),
    "payload changed": changed(len(good()) // 2),
    "signature changed": changed(len(good()) - 20),
    "unused bits set": with_unused_bits(),
    "signature cut short": good()[:-4],
    "signature empty": raw(header(), claims(), None),
    "signature all zero": f"{good().rpartition('.')[0]}.{b64url_encode(bytes(64))}",
    "signature of DER's size": f"{good().rpartition('.')[0]}.{b64url_encode(b'0' * 70)}",
    "two parts": good().rpartition(".")[0],
    "four parts": good() + ".AA",
    "five parts": segments(msgspec.json.encode({"alg": "dir", "enc": "A128GCM"}), b"", b"x", b"x", b"x"),
    "empty": "",
    "dots": "..",
    "not base64url": good().replace(".", ".*", 1),
    "header is a list": raw(b"[]", claims()),
    "header is not JSON": raw(b"{", claims()),
    "header is not UTF-8": raw(b'{"alg":"\xff"}', claims()),
    "payload is a list": raw(header(), b"[]"),
    "payload is not JSON": raw(header(), b"{"),
    "payload is text": raw(header(), b'"x"'),
    "payload is empty": raw(header(), b""),
    "payload is not UTF-8": raw(header(), b'{"iss":"\xff"}'),
}

# Tokens that at least one of the others accepts and Doorward refuses on purpose.
STRICTER: dict[str, tuple[str, str, str]] = {
    "sub twice": (
        raw(header(), msgspec.json.encode(claims())[:-1] + b',"sub":"usr_admin"}'),
        "malformed",
        "two parsers may take different ones of two equal members (RFC 8725 §2.4, requirement 46)",
    ),
    "alg twice": (
        raw(b'{"alg":"ES256","alg":"ES256","kid":"p256","typ":"at+jwt"}', claims()),
        "malformed",
        "the same, in the header",
    ),
    "padding": (good() + "==", "malformed", "RFC 7515 §2 has no padding; one token has one spelling"),
    "empty sub": (good(sub=""), "claims", "a subject that names nobody is no subject"),
    "roles are text": (good(roles="admin"), "claims", "a typed Principal: 'admin' would be a set of letters"),
    "scope is a list": (good(scope=["a"]), "claims", "RFC 9068 §2.2.3: text with spaces"),
    "key-bound": (good(cnf={"jkt": "x"}), "sender_constrained", "RFC 9449 §7: not as a bearer token"),
    "b64 true without crit": (
        raw({**header(), "b64": True}, claims()),
        "critical",
        "RFC 7797 is not spoken here, so its header is not guessed at",
    ),
    "a very long header": (
        raw({**header(), "x": "y" * 5000}, claims()),
        "malformed",
        "bounded before anything is parsed",
    ),
}


@pytest.mark.requirement(41, 42, 43, 46, 47)
@pytest.mark.parametrize("name", SAME)
def test_all_three_libraries_agree(name: str) -> None:
    token = SAME[name]
    verdicts = {"ours": reason(token) == "good", "pyjwt": by_pyjwt(token), "joserfc": by_joserfc(token)}
    assert verdicts == dict.fromkeys(verdicts, name.startswith("good"))


@pytest.mark.requirement(46)
@pytest.mark.parametrize("name", STRICTER)
def test_each_stricter_refusal_is_listed_with_its_reason(name: str) -> None:
    token, expected, _why = STRICTER[name]
    assert reason(token) == expected
    assert by_pyjwt(token) or by_joserfc(token), (
        "no other library accepts it any more: move it to the tokens that all refuse"
    )


@settings(max_examples=400, deadline=None)
@given(
    key=st.sampled_from(EVERY_KEY),
    edits=st.lists(
        st.tuples(st.integers(0, 2000), st.sampled_from('AZaz09-_.+/= "\\')), min_size=1, max_size=3
    ),
    cut=st.integers(0, 40) | st.just(0),
)
def test_doorward_never_alone_accepts_a_tampered_token(
    key: SigningKey, edits: list[tuple[int, str]], cut: int
) -> None:
    letters = list(good(key))
    for position, letter in edits:
        letters[position % len(letters)] = letter
    token = "".join(letters[: len(letters) - cut])
    if reason(token) == "good":
        assert by_pyjwt(token)
        assert by_joserfc(token)


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, NOW + 500),
    st.floats(0, 2.0 * NOW),
    st.text(max_size=5),
    st.sampled_from([ISSUER, AUDIENCE, [AUDIENCE], ["x", AUDIENCE], NOW, NOW + 1, NOW - 1]),
)


@settings(max_examples=400, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "client_id"]), VALUES, max_size=2
    )
)
def test_the_others_accept_all_claims_that_doorward_accepts(members: dict[str, Any]) -> None:
    token = raw(header(), {**claims(), **members})
    if reason(token) == "good":
        assert by_pyjwt(token)
        assert by_joserfc(token)
