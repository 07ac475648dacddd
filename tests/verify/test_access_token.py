"""Which access tokens are accepted, and which trick is stopped by which rule? RFC 9068 §4, RFC 8725."""

from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from doorward_verify.claims import AccessRules, Verified
from doorward_verify.encoding import b64url_encode
from doorward_verify.jwk import SigningKey
from doorward_verify.jws import Signer, sign_hs256, verify, verify_hs256
from doorward_verify.keyset import SharedSecret, key_set
from doorward_verify.refused import Refused
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


@by_algorithm
def test_a_good_token_gives_its_principal(key: SigningKey) -> None:
    verdict = verifier().verify(good(key, custom={"deep": [1]}), NOW)
    assert isinstance(verdict, Verified)
    principal = verdict.principal
    assert (principal.sub, principal.client_id, principal.sid) == ("usr_1", "app_1", "ses_1")
    assert principal.scopes == {"orders:read", "orders:write"}
    assert principal.roles == {"clerk"}
    assert principal.permissions == {"orders:read"}
    assert (principal.acr, principal.amr, principal.auth_time) == ("aal1", ("pwd",), NOW - 60)
    assert (principal.jti, principal.grant) == ("grt_1.abc", "grt_1")
    assert (principal.issued_at, principal.expires_at) == (NOW - 10, NOW + 290)
    assert principal.claims["custom"] == {"deep": [1]}
    principal.claims["custom"]["deep"].append(2)
    assert principal.claims["custom"] == {"deep": [1]}
    with pytest.raises(AttributeError):
        principal.sub = "usr_2"  # type: ignore[misc]


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


@pytest.mark.requirement(39)
def test_an_id_token_is_no_access_token_even_with_our_audience() -> None:
    assert reason(raw(header(typ="JWT"), claims(nonce="n", at_hash="h"))) == "type"


@pytest.mark.requirement(40)
@by_algorithm
def test_only_the_algorithms_that_the_caller_lists_are_accepted(key: SigningKey) -> None:
    others = ALL - {key.alg} - ({"EdDSA", "Ed25519"} if key is ED else set())
    assert reason(good(key), with_=verifier(algorithms=frozenset({key.alg}))) == "good"
    assert reason(good(key), with_=verifier(algorithms=frozenset(others))) == "algorithm"
    assert reason(good(key), with_=verifier(algorithms=frozenset())) == "algorithm"


@pytest.mark.requirement(40)
def test_the_pure_rules_have_no_defaults() -> None:
    for missing in range(4):
        given: dict[str, Any] = {"issuer": ISSUER, "audience": AUDIENCE, "algorithms": ALL, "leeway": 0}
        del given[list(given)[missing]]
        with pytest.raises(TypeError):
            AccessRules(**given)


@pytest.mark.requirement(40)
def test_ed25519_has_two_names_and_both_are_the_one_algorithm() -> None:
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
    assert reason(raw(header(alg="HS256"), claims(), b"x" * 32), with_=keys) == "algorithm"


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
def test_a_key_that_the_token_brings_along_is_not_even_read() -> None:
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
        # beside a good signature they change nothing
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
def test_kid_is_looked_up_as_it_is_and_does_nothing_else(kid: str) -> None:
    assert reason(raw(header(kid=kid), claims())) == "unknown_key"


@pytest.mark.requirement(44)
@pytest.mark.parametrize("kid", [5, None, ["p256"], {"p256": 1}, True, "x" * 513])
def test_a_kid_that_is_no_text_is_refused(kid: Any) -> None:
    head = {"alg": "ES256", "kid": kid, "typ": "at+jwt"}
    assert reason(raw(head, claims())) == "malformed"


def test_without_kid_the_one_key_of_that_algorithm_is_taken_and_two_are_not_tried() -> None:
    assert reason(raw(header(kid=None), claims())) == "good"
    two = key_set(ISSUER, [P256.public(), new_key("other").public()])
    assert reason(raw(header(kid=None), claims()), with_=verifier(two)) == "unknown_key"


@pytest.mark.requirement(45)
def test_keys_of_one_issuer_cannot_verify_for_another() -> None:
    with pytest.raises(ValueError, match="belong to their issuer"):
        verifier(key_set("https://other.example", [P256.public()]))
    assert reason(good(iss="https://other.example")) == "issuer"
    for almost in (ISSUER + "/", ISSUER.upper(), "http://auth.example.com", [ISSUER], 5, ISSUER + "\0"):
        assert reason(good(iss=almost)) in ("issuer", "claims")


@pytest.mark.requirement(40)
@pytest.mark.parametrize(
    ("aud", "expected"),
    [
        (AUDIENCE, "good"),
        ([AUDIENCE], "good"),
        (["https://other.example", AUDIENCE], "good"),
        ("https://other.example", "audience"),
        ([], "audience"),
        (["https://other.example"], "audience"),
        (AUDIENCE + "/", "audience"),
        (AUDIENCE.upper(), "audience"),
        ("", "claims"),
        (None, "claims"),
        (5, "claims"),
        ([AUDIENCE, 5], "claims"),
        ({AUDIENCE: 1}, "claims"),
    ],
)
def test_the_audience_has_to_be_ours(aud: Any, expected: str) -> None:
    assert reason(good(aud=aud)) == expected


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
def test_what_is_critical_and_unknown_is_refused(members: dict[str, Any]) -> None:
    assert reason(raw({**header(), **members}, claims())) == "critical"


@pytest.mark.requirement(46)
def test_a_member_that_stands_twice_is_refused_in_header_and_payload() -> None:
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
def test_other_spellings_of_the_same_token_are_refused() -> None:
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


@pytest.mark.requirement(47)
@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"exp": None}, "claims"),
        ({"exp": str(NOW + 100)}, "claims"),
        ({"exp": True}, "claims"),
        ({"exp": -1}, "claims"),
        ({"exp": 2**60}, "claims"),
        ({"exp": [NOW + 100]}, "claims"),
        ({"exp": NOW}, "expired"),
        ({"exp": NOW + 1}, "good"),
        ({"exp": NOW + 0.5}, "expired"),
        ({"exp": NOW + 1.5}, "good"),
        ({"nbf": NOW}, "good"),
        ({"nbf": NOW + 1}, "not_yet_valid"),
        ({"nbf": NOW + 0.5}, "not_yet_valid"),
        ({"nbf": "0"}, "claims"),
        ({"iat": NOW}, "good"),
        ({"iat": NOW + 1}, "not_yet_valid"),
        ({"iat": None}, "claims"),
    ],
)
def test_exp_is_required_and_times_are_exact_without_leeway(members: dict[str, Any], expected: str) -> None:
    token = raw(header(), {**claims(), **members})
    if None in members.values():
        token = good(**members)
    assert reason(token) == expected


@pytest.mark.requirement(47)
def test_leeway_forgives_that_much_and_no_more() -> None:
    judge = verifier(leeway=10)
    assert reason(good(exp=NOW - 9), with_=judge) == "good"
    assert reason(good(exp=NOW - 10), with_=judge) == "expired"
    assert reason(good(nbf=NOW + 10), with_=judge) == "good"
    assert reason(good(nbf=NOW + 11), with_=judge) == "not_yet_valid"
    assert reason(good(iat=NOW + 11), with_=judge) == "not_yet_valid"


@pytest.mark.requirement(48)
def test_a_jwe_is_told_apart_and_never_opened() -> None:
    assert reason("a.b.c.d.e") == "encrypted"
    assert reason(".".join([good().split(".")[0], "", "", "", ""])) == "encrypted"
    for alg in ("RSA1_5", "RSA-OAEP", "dir", "PBES2-HS256+A128KW", "ECDH-ES"):
        # p2c asks for work: nothing may be derived from it
        head = {"alg": alg, "enc": "A128GCM", "p2c": 2**31, "p2s": "AA", "zip": "DEF"}
        assert reason(raw(head, claims())) == "encrypted"
        five = ".".join([b64url_encode(msgspec.json.encode(head)), "AA", "AA", "AA", "AA"])
        assert reason(five) == "encrypted"
    assert reason(raw(header(), claims()) + ".AA") == "malformed"


@pytest.mark.parametrize("missing", ["iss", "sub", "aud", "client_id", "iat", "exp", "jti"])
def test_what_rfc_9068_requires_is_required(missing: str) -> None:
    assert reason(raw(header(), claims(**{missing: None}))) == "claims"


@pytest.mark.parametrize(
    "members",
    [
        {"sub": ""},
        {"sub": 5},
        {"scope": ["orders:read"]},
        {"roles": "clerk"},
        {"roles": [1]},
        {"permissions": {"a": 1}},
        {"amr": "pwd"},
        {"acr": 1},
        {"auth_time": "yesterday"},
        {"sid": []},
        {"jti": 7},
    ],
)
def test_claims_of_another_type_are_refused_whichever_way_they_are_read(members: dict[str, Any]) -> None:
    assert reason(good(**members)) == "claims"
    assert reason(raw(header(), {**claims(**members), "unknown": 1})) == "claims"


def test_a_key_bound_token_is_no_bearer_token() -> None:
    for cnf in ({"jkt": "thumbprint"}, {"x5t#S256": "hash"}, {}, None, "x"):
        assert reason(raw(header(), {**claims(), "cnf": cnf})) == "sender_constrained"


@pytest.mark.parametrize(
    "junk", ["", ".", "..", "...", "a", "a.b", 5, None, b"a.b.c", [], object(), "x" * 20_000, "." * 9]
)
def test_what_is_no_token_at_all_is_refused(junk: Any) -> None:
    assert reason(junk) in ("malformed", "encrypted")


def test_the_reason_never_shows_any_of_the_token() -> None:
    secret = "s3cr3t-value"
    for token in (
        good(sub=[secret]),
        good(aud=secret),
        raw(header(kid=secret), claims()),
        raw(header(typ=secret), claims()),
        raw(header(alg=secret), claims()),
        good(exp=secret),
        secret,
    ):
        verdict = verifier().verify(token, NOW)
        assert isinstance(verdict, Refused)
        assert secret not in repr(verdict) + str(verdict) + verdict.say + verdict.because


def test_the_table_of_headers_is_bounded_and_only_for_good_signatures() -> None:
    judge = verifier()
    for number in range(3 * MAX_HEADERS):
        assert isinstance(judge.verify(raw(header(x=number), claims()), NOW), Verified)
        assert isinstance(judge.verify(raw(header(y=number), claims(), P384), NOW), Refused)
        assert len(judge._heads) <= MAX_HEADERS


@pytest.mark.requirement(40)
def test_hs256_is_only_for_a_secret_that_is_asked_for_by_name() -> None:
    secret = SharedSecret(b"s" * 32)
    token = sign_hs256(b'{"a":1}', secret, typ="JWT")
    assert verify_hs256(token, secret, types={"jwt"}).payload == b'{"a":1}'
    with pytest.raises(Refused, match="signature"):
        verify_hs256(token, SharedSecret(b"t" * 32), types=None)
    with pytest.raises(Refused, match="type"):
        verify_hs256(token, secret, types={"at+jwt"})
    with pytest.raises(Refused, match="algorithm"):
        verify_hs256(good(), secret, types=None)
    with pytest.raises(Refused, match="algorithm"):
        verify(token, KEYS, algorithms={"HS256"}, types=None)


@by_algorithm
def test_a_signer_writes_what_the_verifier_reads(key: SigningKey) -> None:
    signer = Signer(key, "at+jwt")
    for number in range(300 if key.alg == "ES256" else 5):  # one in 128 signatures has a short integer
        assert reason(signer.sign(msgspec.json.encode(claims(jti=f"grt_1.{number}")))) == "good"
    assert isinstance(
        Verifier(AccessRules(ISSUER, AUDIENCE, ALL, 0), KEYS).verify(signer.sign(b"{}"), NOW), Refused
    )
