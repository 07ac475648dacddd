"""Attacks on header, key and signature, each stopped by a named rule: RFC 7515, RFC 8725."""

from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from doorward_verify.auth_error import AuthError
from doorward_verify.claims import AccessRules, Verified
from doorward_verify.encoding import b64url_encode
from doorward_verify.jwk import SigningKey
from doorward_verify.jws import Signer, verify
from doorward_verify.keyset import key_set
from doorward_verify.verifier import MAX_HEADERS, Verifier
from tests.verify.issuer import new_key
from tests.verify.tokens import (
    ALL,
    AUDIENCE,
    ED,
    EVERY_KEY,
    ISSUER,
    KEYS,
    NOW,
    P256,
    P384,
    PS,
    RS,
    claims,
    good,
    header,
    raw,
    reason,
    verifier,
)

by_algorithm = pytest.mark.parametrize("key", EVERY_KEY, ids=lambda key: key.alg)


@pytest.mark.requirement(39)
@pytest.mark.parametrize("typ", ["at+jwt", "AT+JWT", "application/at+jwt", "application/AT+jwt"])
def test_the_type_of_an_access_token_is_accepted_in_any_case(typ: str) -> None:
    assert reason(raw(header(typ=typ), claims())) == "good"


@pytest.mark.requirement(39)
@pytest.mark.parametrize(
    "typ",
    [
        None,
        "JWT",
        "jwt",
        "id+jwt",
        "logout+jwt",
        "statuslist+jwt",
        "client-authentication+jwt",
        "at+jwtx",
        "",
        " at+jwt",
    ],
)
def test_another_type_or_none_is_refused(typ: str | None) -> None:
    assert reason(raw(header(typ=typ), claims())) == "type"


@pytest.mark.requirement(40)
@by_algorithm
def test_only_the_algorithms_that_the_caller_lists_are_accepted(key: SigningKey) -> None:
    others = ALL - {key.alg} - ({"EdDSA", "Ed25519"} if key is ED else set())
    assert reason(good(key), with_=verifier(algorithms=frozenset({key.alg}))) == "good"
    assert reason(good(key), with_=verifier(algorithms=frozenset(others))) == "algorithm"
    assert reason(good(key), with_=verifier(algorithms=frozenset())) == "algorithm"


@pytest.mark.requirement(40)
def test_both_names_of_ed25519_mean_the_same_algorithm() -> None:
    for name in ("EdDSA", "Ed25519"):
        assert reason(raw(header(ED, alg=name), claims(), ED)) == "good"
        assert reason(good(ED), with_=verifier(algorithms=frozenset({name}))) == "good"
    assert reason(raw(header(ED, alg="Ed448"), claims(), ED)) == "algorithm"


@pytest.mark.requirement(40, 41)
def test_a_public_key_as_hmac_secret_is_refused() -> None:
    pem = RS.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    der = RS.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    for secret in (pem, pem.strip(), der, msgspec.json.encode(RS.public_jwk())):
        for alg in ("HS256", "HS384", "HS512", "hs256"):
            assert reason(raw(header(RS, alg=alg), claims(), secret)) == "algorithm"


@pytest.mark.requirement(40, 41)
def test_hmac_cannot_be_allowed_for_access_tokens() -> None:
    keys = verifier(algorithms=frozenset({"HS256", *ALL}))
    token = raw(header(alg="HS256"), claims(), b"x" * 32)
    assert reason(token, with_=keys) == "algorithm"
    with pytest.raises(AuthError, match="algorithm"):
        verify(token, KEYS, algorithms={"HS256"}, types=None)


@pytest.mark.requirement(41)
@pytest.mark.parametrize(
    ("named", "alg", "signs"),
    [(RS, "PS256", PS), (PS, "RS256", RS), (P256, "ES384", P384), (P256, "RS256", RS)],
)
def test_a_key_verifies_only_its_own_algorithm(named: SigningKey, alg: str, signs: SigningKey) -> None:
    assert reason(raw(header(named, alg=alg), claims(), signs)) == "algorithm"


@pytest.mark.requirement(42)
@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", " none", "none "])
@pytest.mark.parametrize("signed", [False, True])
def test_none_is_refused_in_any_case(alg: str, signed: bool) -> None:
    assert reason(raw(header(alg=alg), claims(), P256 if signed else None)) == "unsigned"


@pytest.mark.requirement(42)
def test_a_missing_signature_is_refused() -> None:
    assert reason(raw(header(), claims(), None)) == "signature"
    assert reason(good().rpartition(".")[0]) == "malformed"


@pytest.mark.requirement(43)
def test_a_key_inside_the_token_is_never_read() -> None:
    stranger = raw(header(), claims(), EVERY_KEY[1])
    assert reason(stranger) == "signature"
    own = new_key("own")
    brought: list[dict[str, Any]] = [
        {"jwk": own.public_jwk()},
        {"jku": "https://evil.example/jwks"},
        {"x5u": "https://evil.example/cert"},
        {"x5c": [b64url_encode(b"certificate")]},
        {"jwk": 5, "jku": [], "x5u": None, "x5c": {}},
    ]
    for members in brought:
        assert reason(raw({**header(own), **members}, claims(), own)) == "unknown_key"
        assert reason(raw({**header(own, kid="p256"), **members}, claims(), own)) == "signature"
        nameless = raw({**header(own, kid=None), **members}, claims(), own)
        assert reason(nameless, with_=verifier(key_set(ISSUER, [P256.public()]))) == "signature"
        # with a valid signature they change nothing
        assert reason(raw({**header(), **members}, claims())) == "good"


@pytest.mark.requirement(44)
@pytest.mark.parametrize(
    "kid",
    [
        "../../dev/null",
        "/etc/passwd",
        "p256' OR '1'='1",
        "p256\0",
        "P256",
        " p256",
        "https://evil.example/k",
        "",
        "x" * 512,
    ],
)
def test_kid_is_only_a_lookup_key(kid: str) -> None:
    assert reason(raw(header(kid=kid), claims())) == "unknown_key"


@pytest.mark.requirement(44)
@pytest.mark.parametrize("kid", [5, None, ["p256"], {"p256": 1}, True, "x" * 513])
def test_a_kid_that_is_no_text_is_refused(kid: Any) -> None:
    head = {"alg": "ES256", "kid": kid, "typ": "at+jwt"}
    assert reason(raw(head, claims())) == "malformed"


def test_without_kid_a_single_key_of_the_algorithm_is_used_and_two_are_refused() -> None:
    assert reason(raw(header(kid=None), claims())) == "good"
    two = key_set(ISSUER, [P256.public(), new_key("other").public()])
    assert reason(raw(header(kid=None), claims()), with_=verifier(two)) == "unknown_key"


@pytest.mark.requirement(46)
@pytest.mark.parametrize(
    "members",
    [
        {"crit": ["exp"]},
        {"crit": ["b64"], "b64": False},
        {"b64": True},
        {"crit": []},
        {"crit": None},
        {"crit": ["x"], "x": 1},
    ],
)
def test_an_unknown_critical_extension_is_refused(members: dict[str, Any]) -> None:
    assert reason(raw({**header(), **members}, claims())) == "critical"


@pytest.mark.requirement(46)
def test_a_duplicate_member_is_refused_in_header_and_payload() -> None:
    twice = b'{"alg":"ES256","kid":"p256","typ":"at+jwt","alg":"ES256"}'
    assert reason(raw(twice, claims())) == "malformed"
    body = msgspec.json.encode(claims())
    for addition in (
        b',"sub":"usr_admin"}',
        b',"sub":"usr_1"}',
        b',"x":{"a":1,"a":2}}',
        b',"\\u0073ub":"usr_admin"}',
    ):
        assert reason(raw(header(), body[:-1] + addition)) == "malformed"
    assert reason(raw(header(), body[:-1] + b',"x":{"a":1,"b":2}}')) == "good"


@pytest.mark.requirement(46)
def test_other_encodings_of_the_same_token_are_refused() -> None:
    token = good()
    head, body, signature = token.split(".")
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    # 86 characters leave four unused bits at the end
    other = last[last.index(signature[-1]) + 1]
    spellings = [
        token + "=",
        token + "==",
        token + "\n",
        " " + token,
        token + ".",
        "." + token,
        f"{head}=.{body}.{signature}",
        f"{head}.{body} .{signature}",
        f"{head}.{body}.{signature[:-1]}{other}",
        f"{head}.{body}.{signature}A",
        f"{head}..{body}.{signature}",
        token.replace("_", "/").replace("-", "+") + "+",
        token + "\0",
        token + "é",
        token + "\ud800",
        f'{head}.{body}.{signature}"',
        f'{head}.{body}","AAAA.{signature}',
        f"{head}.{body}\\u0041.{signature}",
    ]
    judge = verifier()
    assert reason(token, with_=judge) == "good"
    for spelling in spellings:
        assert reason(spelling, with_=judge) in ("malformed", "signature", "encrypted"), spelling


@pytest.mark.requirement(48)
def test_a_jwe_is_refused_as_encrypted_and_never_decrypted() -> None:
    assert reason("a.b.c.d.e") == "encrypted"
    assert reason(".".join([good().split(".")[0], "", "", "", ""])) == "encrypted"
    for alg in ("RSA1_5", "RSA-OAEP", "dir", "PBES2-HS256+A128KW", "ECDH-ES"):
        # p2c demands key derivation work: nothing may be derived from it
        head = {"alg": alg, "enc": "A128GCM", "p2c": 2**31, "p2s": "AA", "zip": "DEF"}
        assert reason(raw(head, claims())) == "encrypted"
        five = ".".join([b64url_encode(msgspec.json.encode(head)), "AA", "AA", "AA", "AA"])
        assert reason(five) == "encrypted"
    assert reason(raw(header(), claims()) + ".AA") == "malformed"


@pytest.mark.parametrize(
    "junk", ["", ".", "..", "...", "a", "a.b", 5, None, b"a.b.c", [], object(), "x" * 20_000, "." * 9]
)
def test_text_that_is_no_token_is_refused(junk: Any) -> None:
    assert reason(junk) in ("malformed", "encrypted")


def test_the_header_cache_is_bounded_and_stores_only_signed_headers() -> None:
    judge = verifier()
    for number in range(3 * MAX_HEADERS):
        assert isinstance(judge.verify(raw(header(x=number), claims()), NOW), Verified)
        assert isinstance(judge.verify(raw(header(y=number), claims(), P384), NOW), AuthError)
        assert len(judge._heads) <= MAX_HEADERS


@by_algorithm
def test_the_verifier_accepts_what_the_signer_writes(key: SigningKey) -> None:
    signer = Signer(key, "at+jwt")
    for number in range(1000 if key.alg == "ES256" else 5):  # one in 128 signatures has a short integer
        assert reason(signer.sign(msgspec.json.encode(claims(jti=f"grt_1.{number}")))) == "good"
    assert isinstance(
        Verifier(AccessRules(ISSUER, AUDIENCE, ALL, 0), KEYS).verify(signer.sign(b"{}"), NOW), AuthError
    )
