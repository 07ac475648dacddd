"""Exports of other systems with one or more people, built from their documented layouts and by their own libraries.

Each function takes (address, password) of its people, and returns the file.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import Any

import argon2
import bcrypt
import django.conf
import passlib.hash
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

People = Sequence[tuple[str, str]]
SALT = b"0123456789abcdef"
SEED = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
SIGNER_KEY = "jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA=="
HASH_CONFIG = (
    f"hash_config {{\n  algorithm: SCRYPT,\n  base64_signer_key: {SIGNER_KEY},\n"
    "  base64_salt_separator: Bw==,\n  rounds: 8,\n  mem_cost: 14,\n}\n"
)


def b64(data: bytes) -> str:
    """Standard Base64."""
    return b64encode(data).decode()


def unix_crypt(name: str) -> Any:
    """passlib's hasher `md5_crypt`, `sha256_crypt` or `sha512_crypt`."""
    return getattr(passlib.hash, name)


def bcrypt_of(password: str) -> str:
    """bcrypt with few rounds."""
    return bcrypt.hashpw(password.encode()[:72], bcrypt.gensalt(4)).decode()


def keycloak_argon2(password: str) -> dict[str, Any]:
    """A password since Keycloak 25: JSON in two texts, each parameter a list of one text."""
    digest = argon2.low_level.hash_secret_raw(password.encode(), SALT, 5, 7168, 1, 32, argon2.Type.ID)
    parameters = {
        "hashLength": ["32"],
        "memory": ["7168"],
        "type": ["id"],
        "version": ["1.3"],
        "parallelism": ["1"],
    }
    data = {"hashIterations": 5, "algorithm": "argon2", "additionalParameters": parameters}
    secret = {"value": b64(digest), "salt": b64(SALT), "additionalParameters": {}}
    return {"type": "password", "credentialData": json.dumps(data), "secretData": json.dumps(secret)}


def keycloak_pbkdf2(password: str, algorithm: str = "pbkdf2-sha256") -> dict[str, Any]:
    """A password before Keycloak 25: 64 bytes of PBKDF2."""
    digest = {"pbkdf2": "sha1", "pbkdf2-sha256": "sha256", "pbkdf2-sha512": "sha512"}[algorithm]
    value = hashlib.pbkdf2_hmac(digest, password.encode(), SALT, 27_500, 64)
    data = {"hashIterations": 27_500, "algorithm": algorithm, "additionalParameters": {}}
    secret = {"value": b64(value), "salt": b64(SALT), "additionalParameters": {}}
    return {"type": "password", "credentialData": json.dumps(data), "secretData": json.dumps(secret)}


def keycloak_otp(secret: str = "AAAAAAAAAAAAAAAAAAAA", **changes: Any) -> dict[str, Any]:
    """An authenticator app: the text is the seed."""
    data = {"subType": "totp", "digits": 6, "counter": 0, "period": 30, "algorithm": "HmacSHA1", **changes}
    return {
        "type": "otp",
        "credentialData": json.dumps(data),
        "secretData": json.dumps({"value": secret}),
    }


def keycloak_person(email: str, *credentials: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A person of a realm."""
    return {
        "id": "9e27f5a2-5f9c-4ad5-a3d2-" + hashlib.md5(email.encode()).hexdigest()[:12],
        "username": email.partition("@")[0],
        "firstName": "Ada",
        "lastName": "Lovelace",
        "email": email,
        "emailVerified": True,
        "createdTimestamp": 1_600_000_000_123,
        "enabled": True,
        "totp": False,
        "credentials": list(credentials),
        "disableableCredentialTypes": [],
        "requiredActions": [],
        "realmRoles": ["default-roles-shop", "offline_access", "uma_authorization"],
        "notBefore": 0,
        "groups": [],
        **changes,
    }


def keycloak(people: People) -> bytes:
    """`shop-users-0.json`, half of them of an older version."""
    makers = (keycloak_argon2, keycloak_pbkdf2, lambda password: keycloak_pbkdf2(password, "pbkdf2-sha512"))
    found = [keycloak_person(email, makers[at % 3](password)) for at, (email, password) in enumerate(people)]
    return json.dumps({"realm": "shop", "users": found}, indent=2).encode()


def auth0(people: People) -> bytes:
    """JSON Lines of the export with hashes."""
    records = [
        {
            "_id": {"$oid": hashlib.md5(email.encode()).hexdigest()[:24]},
            "email_verified": True,
            "email": email,
            "passwordHash": bcrypt_of(password).replace("$2b$", "$2a$"),
            "tenant": "shop",
            "connection": "Username-Password-Authentication",
            "_tmp_is_unique": True,
        }
        for email, password in people
    ]
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def firebase(people: People) -> bytes:
    """`firebase auth:export users.json`."""
    key, separator = b64decode(SIGNER_KEY), b64decode("Bw==")
    users: list[dict[str, Any]] = []
    for at, (email, password) in enumerate(people):
        derived = hashlib.scrypt(password.encode(), salt=SALT + separator, n=1 << 14, r=8, p=1, dklen=64)
        cipher = Cipher(algorithms.AES(derived[:32]), modes.CTR(bytes(16)))
        users.append(
            {
                "localId": f"Zk3rT9aQ0{at}",
                "email": email,
                "emailVerified": True,
                "passwordHash": b64(cipher.encryptor().update(key)),
                "salt": b64(SALT),
                "displayName": "Ada Lovelace",
                "lastSignedInAt": "1700000000000",
                "createdAt": "1600000000123",
                "disabled": False,
                "providerUserInfo": [{"providerId": "password", "email": email}],
            }
        )
    return json.dumps({"users": users}).encode()


def django_hashers() -> list[Any]:
    """Django's own hashers, with few rounds where they can be chosen."""
    if not django.conf.settings.configured:
        django.conf.settings.configure()
    from django.contrib.auth import hashers

    found: list[Any] = [
        hashers.PBKDF2PasswordHasher(),
        hashers.BCryptSHA256PasswordHasher(),
        hashers.Argon2PasswordHasher(),
        hashers.ScryptPasswordHasher(),
    ]
    found[1].rounds = 4
    return found


def django_dump(people: People, **changes: Any) -> bytes:
    """`manage.py dumpdata auth --natural-foreign`."""
    hashers = django_hashers()
    records: list[dict[str, Any]] = [
        {"model": "auth.group", "pk": 1, "fields": {"name": "clerk", "permissions": []}}
    ]
    for at, (email, password) in enumerate(people):
        hasher = hashers[at % len(hashers)]
        fields = {
            "password": hasher.encode(password, hasher.salt()),
            "last_login": None,
            "is_superuser": False,
            "username": email.partition("@")[0],
            "first_name": "Ada",
            "last_name": "Lovelace",
            "email": email,
            "is_staff": False,
            "is_active": True,
            "date_joined": "2020-09-13T12:26:40.123Z",
            "groups": [],
            "user_permissions": [],
            **changes,
        }
        records.append({"model": "auth.user", "pk": at + 1, "fields": fields})
    return json.dumps(records, indent=1).encode()


SUPABASE_COLUMNS: Sequence[str] = (
    "instance_id id aud role email encrypted_password email_confirmed_at last_sign_in_at raw_app_meta_data"
    " raw_user_meta_data is_super_admin created_at phone banned_until is_sso_user deleted_at is_anonymous"
).split()


def supabase(people: People, **changes: str) -> bytes:
    """`COPY auth.users TO … WITH CSV HEADER`."""
    text = io.StringIO()
    rows: csv.DictWriter[str] = csv.DictWriter(
        text, list(dict.fromkeys([*SUPABASE_COLUMNS, *changes])), restval=""
    )
    rows.writeheader()
    for email, password in people:
        rows.writerow(
            {
                "id": "9e27f5a2-5f9c-4ad5-a3d2-" + hashlib.md5(email.encode()).hexdigest()[:12],
                "aud": "authenticated",
                "role": "authenticated",
                "email": email,
                "encrypted_password": bcrypt_of(password).replace("$2b$", "$2a$"),
                "email_confirmed_at": "2020-09-13 12:26:40.123+00",
                "raw_app_meta_data": '{"provider": "email", "providers": ["email"]}',
                "raw_user_meta_data": '{"full_name": "Ada Lovelace"}',
                "created_at": "2020-09-13 12:26:40.123456+00",
                "is_sso_user": "f",
                "is_anonymous": "f",
                **changes,
            }
        )
    return text.getvalue().encode()
