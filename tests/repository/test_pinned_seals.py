"""Tests that values sealed by commit bb61c56, which counts as released, can be opened.

The values are never regenerated; a new version of something gets its own values beside the old ones.
"""

from __future__ import annotations

import asyncio
import io
from typing import Any

import pytest

from doorward.adapters.keys.sealing import KeyedSealer
from doorward.adapters.keys.signing import SnapshotSigner
from doorward.adapters.keys.wrap_command import CommandWrapper
from doorward.adapters.keys.wrap_local import LocalWrapper
from doorward.adapters.mail.queue import open_message
from doorward.core.model.account import Account
from doorward.core.model.config_snapshot import StoredSigningKey
from doorward.core.model.message import OutgoingMail
from doorward.core.model.secret import Secret
from doorward.features.authn.factors.totp import rules as totp
from doorward.features.authn.factors.totp.owning import OwnAuthenticator
from doorward.ops.backup.file import BackupHeader, BackupReader, Lock
from doorward.ops.backup.locks import open_lock

ROOT = bytes(range(32))
SEALER = KeyedSealer(ROOT)
SEED = b"seed of twenty bytes"
ROOT_SECRET = b"root secret of thirty-two bytes!"
DATA_KEY = bytes(range(64, 96))
# Sealed under ROOT with that commit.
MAIL = (
    "01765e74bbf5aecd8b9b82f53e5d3b7c1d06fbf9bcc7a24d881a9fe298586ed2cbe6bb5c34d8297518d23a0009d0a05cf126b7c919c450"
    "d3d6218e4f3a32fe9d644c325468a17a6528211553ae5c7292a98ef0ca52e721d8273b3040ce90707ac687948e6d2a"
)
KEY = (
    "01fb384f6785193369d1c712407d5cade3ebcb1515b7fdf875266b06cc8c41ab78f493595d419f35d572bd5b2637365f16745b399c228e"
    "8badca65087be0da97e0358614ea5db221f6afafddc5ab5de017eba060812f860866460551cf2ae783c51faac15e6d926608416fc3bda4"
    "a92d5085b26f25623b7eda3b372a540abb2dc0047c95441ea1fa393b4dec726b8a2176269eae2a9a068045a02039b01f4e51bc32bfdc6f"
    "cfc76dab4d8ae347947d428f813531073aa012b03925f5"
)
TOKEN = (
    "eyJhbGciOiJFZDI1NTE5Iiwia2lkIjoia2V5XzEiLCJ0eXAiOiJhdCtqd3QifQ.eyJzdWIiOiJ1c3JfMSJ9.WihfUvMNiFOYQu82Sbtxsik3xg"
    "7v2Ye-1CmbiwvjW0lwhic_RgWOttFdftfwx8FqeIccSFi_VC9GGjZ_VG2qBQ"
)
TOTP = "01bebfcf9ea8c5c8b471a26609ce90d27597745b39ce407d9dfa4a5c74685a9b800f16180c242ad15936c19ac97ce404f6"
SETUP = (
    "AXJosHHRpTioMOLGorSUffa0pwfLQpjv9SVO6bINZupB4hHTnX1MfghuIHfGZaN4CoWpyozxyV5doUE7YSk72qE4j0Wq4GO_HCd22C5l6Mnd7t"
    "m2kyEMSIUfWd8"
)
KEPT = "01a87541f7037a992d0d6dce93879ed614a41b255449c2969e950c6fd11139ad074357"
WRAPPED = (
    "0160ff97287dbb65d822bf7c5c081c0934e976c93889ea70d1f2d0e3c2b18300f2c2c665a0b4b4bdc56c66844f5f03a924e033a2a70e15"
    "c9166761dce5"
)
BY_COMMAND = (
    "020020202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f0104ef84e1a9d8b1091680b3e8f56e5e0d76b243"
    "0afb2eb032121fab53934d6373514f7fbdc77d4434f1fda9ee37a22836542f2af9f731efbc7d9f9d48"
)
BACKUP = (
    "444f4f5257415244204241434b555020310a000000897b226964223a2262616b5f31222c226d6164655f6174223a312c2276657273696f"
    "6e223a2230222c22736368656d61223a31312c22697373756572223a2268747470733a2f2f69642e6578616d706c65222c226c6f636b73"
    "223a5b7b226b696e64223a226b6579222c2277726170706564223a2264773d3d222c226964223a226b65793a31227d5d7d0000001b2235"
    "fbb7df6dd2a9498adb9e3e3ce233f3361597e66d8298b1d7b70000001bcbaf58185da1e443ac8bd251bb16ed75ff0f458f8ca86188389e"
    "96"
)
LOCK = (
    "0115a9186c0ec8a4b8311df6ebffc424ad281dafe9010baf7cad0ff67adff196522d5eb382736eacad0fba20a76f384a7f811ae16d49a7"
    "5876cc7942c5"
)
PASSPHRASE_LOCK = (
    "01ad35a7fa5694c098e7060f29605a4f9a4636065d5ab02c56d6aedb5e7020233e68573b854e3ab773eb0e34e65dc5192d9038a3167645"
    "054d0a1892d1"
)


def test_a_mail_of_the_outbox_opens() -> None:
    mail = OutgoingMail(
        id="mai_1",
        to="ada@example.com",
        kind="verify_address",
        sealed=bytes.fromhex(MAIL),
        created_at=1,
        next_try_at=1,
    )
    message = open_message(SEALER, mail)
    assert (message.subject, message.code, message.ticket_id) == ("s", "123456", "tkt_1")


def test_a_signing_key_opens_and_signs_as_before() -> None:
    signer = SnapshotSigner(issuer="https://id.example.com", sealer=SEALER)
    public = {
        "kty": "OKP",
        "crv": "Ed25519",
        "x": "A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg",
        "kid": "key_1",
        "alg": "Ed25519",
        "use": "sig",
    }
    signer.install([StoredSigningKey("key_1", "Ed25519", "current", public, bytes.fromhex(KEY), 1, 1)])
    assert signer.sign({"sub": "usr_1"}, typ="at+jwt", alg="Ed25519") == TOKEN


def test_an_authenticator_app_opens() -> None:
    assert SEALER.open("totp", "fac_1", bytes.fromhex(TOTP)) == SEED


def test_an_authenticator_app_in_setup_opens() -> None:
    nothing: Any = None
    factors = OwnAuthenticator(
        store=nothing,
        random=nothing,
        sealer=SEALER,
        mail_queue=nothing,
        audit_log=nothing,
        throttle=nothing,
        brand="Example",
        factors=nothing,
        flow=nothing,
    )
    account = Account("usr_1", "ada@example.com", 1)
    shown = factors.shown_again(account, "ses_1", SETUP, 1)
    assert shown is not None
    assert shown.key == totp.key_text(SEED)


def test_a_stored_response_for_a_browser_opens() -> None:
    assert SEALER.open_under("browser", "answered post", bytes.fromhex(KEPT)) == b"answer"


@pytest.mark.parametrize(
    ("wrapper", "name", "wrapped"),
    [
        (LocalWrapper(ROOT), "key:b93f27d3428b3764", WRAPPED),
        (CommandWrapper(unwrap=["/bin/cat"], wrap=None, timeout=60), "command:cat:d22edeb4", BY_COMMAND),
    ],
    ids=["key", "command"],
)
def test_a_root_secret_opens(wrapper: LocalWrapper | CommandWrapper, name: str, wrapped: str) -> None:
    assert wrapper.id == name
    assert asyncio.run(wrapper.unwrap("root_1", bytes.fromhex(wrapped))) == ROOT_SECRET


def test_a_backup_opens() -> None:
    by_key = Lock("key", bytes.fromhex(LOCK), id="key:b93f27d3428b3764")
    by_words = Lock("passphrase", bytes.fromhex(PASSPHRASE_LOCK), "", b"salt of 16 bytes", 1, 64, 1)
    head = BackupHeader("bak_1", 1, "0", 11, "https://id.example.com", (by_key, by_words))
    assert asyncio.run(open_lock(head, LocalWrapper(ROOT), None)) == DATA_KEY
    assert asyncio.run(open_lock(head, None, Secret("correct horse battery"))) == DATA_KEY
    reader = BackupReader(io.BytesIO(bytes.fromhex(BACKUP)))
    assert reader.head.locks == (Lock("key", b"w", id="key:1"),)
    assert list(reader.frames(DATA_KEY)) == [b"one", b"two"]
