"""Token + keys + now -> `Verified` or `Refused`: is this access token good, RFC 9068 §4? Pure: no clock, no network."""

from typing import Final

from cryptography.exceptions import InvalidSignature

from doorward_verify.claims import ACCESS_TOKEN_TYPES, AccessRules, Verified, judge
from doorward_verify.encoding import Malformed, b64url_decode, b64url_pair
from doorward_verify.jwk import VerifyingKey
from doorward_verify.jws import MAX_TOKEN_CHARS, check_signature, check_type, choose_key, parse_header, split
from doorward_verify.keyset import KeySet
from doorward_verify.refused import Refused

MAX_HEADERS: Final = 64


class Verifier:
    """The rules of one API over the keys of one issuer.

    It remembers the header segments of tokens that it found good, bound to their keys: an issuer writes few different
    headers, and reading one costs as much as everything else outside the signature. When keys change, a new
    `Verifier` is made, so nothing remembered outlives a key.
    """

    __slots__ = ("_heads", "keys", "rules")

    def __init__(self, rules: AccessRules, keys: KeySet) -> None:
        if keys.issuer != rules.issuer:
            raise ValueError("keys belong to their issuer: these are of another one")
        self.rules = rules
        self.keys = keys
        self._heads: dict[str, VerifyingKey] = {}

    def verify(self, token: str, now: float) -> Verified | Refused:
        """Judge one compact token at `now` (seconds since the epoch). Never raises."""
        try:
            if type(token) is not str or len(token) > MAX_TOKEN_CHARS:
                return self._verify_in_full(token, now)
            # The path of every token but the first of its kind: one pass over the text, nothing parsed twice.
            first, last = token.find("."), token.rfind(".")
            key = self._heads.get(token[:first])
            if key is None or first == last:
                return self._verify_in_full(token, now)
            try:
                payload, signature = b64url_pair(token[first + 1 :], last - first - 1)
            except Malformed:
                return self._verify_in_full(token, now)  # which says what exactly is wrong with it
            try:
                key.verify(signature, token[:last].encode("ascii"))
            except InvalidSignature:
                return Refused("signature", "the signature does not match")
            return judge(payload, self.rules, now)
        except Refused as refused:
            return refused
        except Malformed as error:
            return Refused("malformed", f"a part of the token is {error}")

    def _verify_in_full(self, token: str, now: float) -> Verified | Refused:
        head, said, body, signature = split(token)
        header = parse_header(head)
        check_type(header, ACCESS_TOKEN_TYPES)
        key = choose_key(header, self.keys, self.rules.algorithms)
        check_signature(key, signature, said)
        # Only a header that the issuer signed is worth remembering: others would let anybody fill the table.
        if len(self._heads) >= MAX_HEADERS:
            self._heads.clear()
        self._heads[head] = key
        return judge(b64url_decode(body), self.rules, now)
