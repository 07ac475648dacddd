"""Access token verification, RFC 9068 §4: token, keys and `now` give `Verified` or `AuthError`. Pure: no clock,
no network."""

from typing import Final

from cryptography.exceptions import InvalidSignature

from doorward_verify.algorithms import Verify
from doorward_verify.auth_error import AuthError
from doorward_verify.claims import ACCESS_TOKEN_TYPES, AccessRules, Verified, judge
from doorward_verify.encoding import Malformed, b64url_decode, b64url_pair
from doorward_verify.jws import MAX_TOKEN_CHARS, check_signature, check_type, choose_key, parse_header, split
from doorward_verify.keyset import KeySet

MAX_HEADERS: Final = 64


class Verifier:
    """The rules of one API with the keys of one issuer.

    It caches the header segments of accepted tokens, bound to their keys: an issuer writes few different
    headers, and parsing one costs as much as everything else except the signature. When keys change, a new
    `Verifier` is created, so no cache entry outlives its key.
    """

    __slots__ = ("_heads", "keys", "rules")

    def __init__(self, rules: AccessRules, keys: KeySet) -> None:
        if keys.issuer != rules.issuer:
            raise ValueError("keys belong to their issuer: these are of another one")
        self.rules = rules
        self.keys = keys
        self._heads: dict[str, Verify] = {}

    def verify(self, token: str, now: float) -> Verified | AuthError:
        """Verify one compact token at `now` (seconds since the epoch). Never raises."""
        try:
            if type(token) is not str or len(token) > MAX_TOKEN_CHARS:
                return self._verify_in_full(token, now)
            # The path of all tokens except the first of its kind: one pass over the text, nothing is parsed twice.
            said, _, last = token.rpartition(".")
            head, dot, body = said.partition(".")
            check = self._heads.get(head)
            if check is None or not dot:
                return self._verify_in_full(token, now)
            try:
                payload, signature = b64url_pair(body, last, token)
                check(signature, said.encode())
            except InvalidSignature:
                return AuthError("signature", "the signature does not match")
            except ValueError:
                return self._verify_in_full(token, now)  # gives the exact reason
            return judge(payload, self.rules, now)
        except AuthError as refused:
            return refused
        except Malformed as error:
            return AuthError("malformed", f"a part of the token is {error}")

    def _verify_in_full(self, token: str, now: float) -> Verified | AuthError:
        head, said, body, signature = split(token)
        header = parse_header(head)
        check_type(header, ACCESS_TOKEN_TYPES)
        key = choose_key(header, self.keys, self.rules.algorithms)
        check_signature(key, signature, said)
        # Only headers signed by the issuer are cached: otherwise an attacker could fill the table.
        if len(self._heads) >= MAX_HEADERS:
            self._heads.clear()
        self._heads[head] = key.verify
        return judge(b64url_decode(body), self.rules, now)
