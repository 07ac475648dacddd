"""Private-use URI schemes without a domain in them, as editors and other desktop programs use them: which may be permitted (RFC 8252 §7.1, R3).

Such a scheme belongs to nobody: any program on the device can claim it. PKCE makes an intercepted code useless, and the person is asked each
time. What has to be kept out is a scheme that the operating system or a browser opens with something else than the program that asked.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final
from urllib.parse import urlsplit

from doorward.features.oauth.authorize.rules.request import is_web

WIDELY_USED: Final = (
    "cursor",
    "grokbot",
    "raycast",
    "vscode",
    "vscode-insiders",
    "vscodium",
    "warp",
    "windsurf",
)
"""Schemes that widely used clients of MCP register, without a way to register another: Cursor, with its `grokbot`; extensions of Visual Studio
Code and of the editors made from it, such as Cline; Raycast; Warp."""
NEVER: Final = frozenset(
    {"javascript", "data", "vbscript", "file", "blob", "about", "filesystem", "view-source"}
)
"""Schemes that execute their content, or access the local machine: never permitted (R3)."""
_NAME: Final = re.compile(r"[a-z][a-z0-9+.-]{1,39}")
_TAKEN: Final = frozenset(
    # the network, and files
    "http https ws wss ftp ftps sftp ssh scp telnet smb nfs afp rdp vnc ldap ldaps gopher news nntp irc ircs git svn magnet "
    # messages, calls, calendars, places, payments
    "mailto tel sms smsto mms mmsto callto facetime facetime-audio sip sips xmpp skype geo maps webcal feed bitcoin lightning upi "
    # the operating system and its shops
    "intent android-app market itms itms-apps itms-services macappstore search shell res help applescript prefs app-prefs app-settings mk "
    # browsers and their extensions
    "chrome chrome-extension moz-extension edge brave opera resource jar wyciwyg safari-web-extension "
    # wallets and authenticators
    "otpauth otpauth-migration openid openid-vc openid-credential-offer openid4vp haip mdoc fido "
    # names, and parts of messages
    "urn tag doi cid mid dns".split()
)
_TAKEN_FAMILIES: Final = ("ms-", "search-", "x-apple", "com.apple.", "web+", "ext+")


def scheme_problem(name: str) -> str | None:
    """Why a scheme cannot be permitted, as the end of a sentence; None if it can."""
    if not _NAME.fullmatch(name):
        return "is no scheme: write it in lower case, without a colon, as in cursor"
    if name in NEVER:
        return "runs what is in the address, or reads files of the device"
    if name in _TAKEN or name.startswith(_TAKEN_FAMILIES):
        return "is opened by browsers or operating systems with something else than an app that asked"
    return None


def private_scheme(uri: str) -> str | None:
    """The scheme of a redirect URI that a program on the device opens; None for http and https."""
    return None if is_web(uri) else uri.partition(":")[0]


def names_one_of(uris: Collection[str], schemes: Collection[str]) -> bool:
    """Whether any of the addresses has one of these schemes."""
    return any(uri.partition(":")[0] in schemes for uri in uris)


def place(uri: str) -> str:
    """Where a redirect URI leads, in short: the host, with its port; for a private-use scheme the scheme and its colon. What looks like
    a host after such a scheme belongs to nobody. Raises ValueError for an address that cannot be read."""
    parts = urlsplit(uri)
    return parts.netloc if is_web(uri) and parts.netloc else f"{parts.scheme}:"
