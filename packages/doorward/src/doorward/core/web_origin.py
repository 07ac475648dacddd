"""Web origin of a URL, as browsers write it in `Origin` (URL Standard §3.5, §4.7; HTML §7.1.1).

People and browsers write it differently: `HTTPS://Auth.Example.com:443` is `https://auth.example.com` in a header.
Compared as text, the two never match; so every value compared with an `Origin` header is converted here first.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address, ip_address
from typing import Final
from urllib.parse import unquote_to_bytes, urlsplit

_DEFAULT_PORT: Final = {"http": 80, "https": 443}
# URL Standard §3.1: forbidden in host names. Includes percent signs that remain after decoding.
_FORBIDDEN: Final = frozenset("#/:<>?@[\\]^|%\x7f \x00") | {chr(code) for code in range(32)}
_DIGITS: Final = {8: frozenset("01234567"), 10: frozenset("0123456789"), 16: frozenset("0123456789abcdef")}


def loopback(host: str | None) -> bool:
    """Whether a host name is this machine: `localhost`, 127.0.0.0/8 or ::1."""
    if host is None:
        return False
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


@lru_cache(1024)
def web_origin(url: str) -> str | None:
    """Scheme, host and port of an http(s) URL; None for one that no browser can open, and for a host name that is not
    ASCII (browsers send its `xn--` form)."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    scheme = parts.scheme.lower()
    if scheme not in _DEFAULT_PORT:
        return None
    host = _host(parts.netloc.rpartition("@")[2])
    if host is None:
        return None
    return f"{scheme}://{host}" if port in {None, _DEFAULT_PORT[scheme]} else f"{scheme}://{host}:{port}"


def _host(netloc: str) -> str | None:
    if netloc.startswith("["):
        return _ipv6(netloc[1:].partition("]")[0])
    try:
        name = unquote_to_bytes(netloc.partition(":")[0]).decode("ascii").lower()
    except UnicodeDecodeError:
        return None
    labels = name.split(".")
    if not name or any(character in _FORBIDDEN for character in name) or not all(map(_label, labels)):
        return None
    last = labels[-2] if labels[-1] == "" and len(labels) > 1 else labels[-1]
    # a numeric last label makes the whole host an IPv4 address, in any base
    return _ipv4(name.removesuffix(".")) if _number(last) is not None or last.isdigit() else name


def _label(label: str) -> bool:
    if not label.startswith("xn--"):
        return True
    try:
        label[4:].encode().decode("punycode")
    except UnicodeError:
        return False
    return len(label) > 4


def _number(text: str) -> int | None:
    base = 16 if text.startswith("0x") else 8 if len(text) > 1 and text.startswith("0") else 10
    digits = text[2:] if base == 16 else text
    if base == 16 and not digits:
        return 0
    return int(digits, base) if digits and set(digits) <= _DIGITS[base] and len(digits) < 40 else None


def _ipv4(text: str) -> str | None:
    numbers = [_number(part) for part in text.split(".")]
    if len(numbers) > 4:
        return None
    known = [number for number in numbers if number is not None]
    if len(known) < len(numbers) or any(number > 255 for number in known[:-1]):
        return None
    if known[-1] >= 256 ** (5 - len(known)):
        return None
    value = known[-1] + sum(number << 8 * (3 - place) for place, number in enumerate(known[:-1]))
    return str(IPv4Address(value))


def _ipv6(text: str) -> str | None:
    try:
        address = IPv6Address(text)
    except AddressValueError:
        return None
    if address.scope_id is not None:
        return None
    mapped = address.ipv4_mapped
    # browsers write the last half of a mapped address in hexadecimal too
    return f"[::ffff:{int(mapped) >> 16:x}:{int(mapped) & 0xFFFF:x}]" if mapped else f"[{address.compressed}]"
