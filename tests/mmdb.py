"""Writer of small files in the MaxMind DB format, version 2.0: a binary tree of address bits, a data section, and the metadata.

IPv4 networks stand at ::/96. Record size 24; the text of the format is published by MaxMind.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from ipaddress import IPv4Network, ip_network
from pathlib import Path
from typing import Any

LONDON = {
    "country": {"iso_code": "GB", "names": {"en": "United Kingdom"}},
    "subdivisions": [{"iso_code": "ENG", "names": {"en": "England"}}],
    "city": {"names": {"de": "London (de)", "en": "London"}},
    "location": {"latitude": 51.5142, "longitude": -0.0931, "accuracy_radius": 10},
}


def write_mmdb(
    path: Path, entries: Mapping[str, object], *, built: int = 1_780_000_000, version: int = 6
) -> Path:
    """Write a database of these networks and their records; `built` in seconds. Networks must not lie in one another."""
    nodes: list[list[Any]] = [[None, None]]
    for text, record in entries.items():
        network = ip_network(text)
        bits = f"{int(network.network_address):0{network.max_prefixlen}b}"[: network.prefixlen]
        if isinstance(network, IPv4Network) and version == 6:
            bits = "0" * 96 + bits
        at = 0
        for bit in bits[:-1]:
            if nodes[at][int(bit)] is None:
                nodes.append([None, None])
                nodes[at][int(bit)] = len(nodes) - 1
            at = nodes[at][int(bit)]
        nodes[at][int(bits[-1])] = _encoded(record)
    data = b""
    tree = b""
    for node in nodes:
        for held in node:
            value = len(nodes) if held is None else held
            if isinstance(held, bytes):
                value = len(nodes) + 16 + len(data)
                data += held
            tree += value.to_bytes(3, "big")
    metadata = {
        "binary_format_major_version": 2,
        "binary_format_minor_version": 0,
        "build_epoch": built,
        "database_type": "Test-City",
        "description": {"en": "written by a test"},
        "ip_version": version,
        "languages": ["en"],
        "node_count": len(nodes),
        "record_size": 24,
    }
    path.write_bytes(tree + b"\0" * 16 + data + b"\xab\xcd\xefMaxMind.com" + _encoded(metadata))
    return path


def _encoded(value: object) -> bytes:
    match value:
        case str():
            raw = value.encode()
            return _head(2, len(raw)) + raw
        case float():
            return _head(3, 8) + struct.pack(">d", value)
        case bool():
            return _head(14, int(value))
        case int():
            raw = value.to_bytes((value.bit_length() + 7) // 8, "big")
            return _head(6 if len(raw) <= 4 else 9, len(raw)) + raw
        case dict():
            pairs = b"".join(_encoded(key) + _encoded(held) for key, held in value.items())
            return _head(7, len(value)) + pairs
        case list():
            return _head(11, len(value)) + b"".join(_encoded(one) for one in value)
        case _:
            raise TypeError(type(value))


def _head(kind: int, size: int) -> bytes:
    """The control byte, and the second byte of kinds above 7. Sizes up to 284."""
    extended = bytes([kind - 7]) if kind > 7 else b""
    first = 0 if kind > 7 else kind << 5
    if size < 29:
        return bytes([first | size]) + extended
    return bytes([first | 29]) + extended + bytes([size - 29])
