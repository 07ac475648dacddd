"""Junk values for requests: inputs of attackers and broken programs that have broken servers before."""

from __future__ import annotations

import base64

METHODS = (b"GET", b"POST", b"HEAD", b"PUT", b"PATCH", b"DELETE", b"OPTIONS", b"PROPFIND", b"TRACE")
JUNK: tuple[bytes, ...] = (
    b"",
    b" ",
    b"\x00",
    b"a\x00b",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"\r\nSet-Cookie: dw_session=x",
    b"%",
    b"%zz",
    b"a" * 5_000,
    b"a" * 70_000,
    b"'\";--",
    b"<script>alert(1)</script>",
    b"{{7*7}}",
    "ünïcödé \u202e\u2028".encode(),
    ("e" + "\u0301" * 2_000).encode(),
    "٣٣".encode(),
    "²".encode(),
    "1.²".encode(),
    "１２３４５６".encode(),
    "İ@ẞ.example".encode(),
    b"-1",
    b"1e999",
    b"nan",
    b"0" * 5_000,
    b"9" * 5_000,
    b"true",
    b"null",
    b"[]",
    b"{}",
    b"[" * 20_000,
    b'{"id_token":{"sub":{"value":1}},"userinfo":[]}',
    b'{"id_token":{"acr":{"essential":true,"values":[[],{}]}}}',
    b'{"userinfo":{"\\ud800":null}}',
    b"../../etc/passwd",
    b"//evil.example.net",
    b"http://[",
    b"http://[::1]:99999/",
    b"http://127.0.0.1:65536/back",
    b"http://127.0.0.1:x/back",
    b"javascript:alert(1)",
    b"ada@example.com",
    b"ada@example.com\n",
    b"@",
    b"a@" + b"b" * 300 + b".example",
    b"urn:doorward:aal2",
    b"none login",
    b"eyJhbGciOiJub25lIn0.e30.",
    b"a.b.c",
    b"." * 1_000,
)
FOR_THE_STORE = tuple(
    junk
    for junk in JUNK
    if not junk.isascii()
    or b"\x00" in junk
    or b"\\u" in junk
    or junk.startswith((b"a" * 70, b"9" * 70, b"'"))
)
"""What a database could take otherwise than another one: no text, too much of it, or what ends a string."""
HEADER_JUNK: tuple[bytes, ...] = (
    b"",
    b"Basic",
    b"Basic =",
    b"Basic " + base64.b64encode(b"no colon"),
    b"Basic " + base64.b64encode(b"\xff\xfe:\xff"),
    b"Basic " + base64.b64encode(b"%zz:%ff"),
    b"Bearer",
    b"Bearer a b",
    b"Bearer " + b"x" * 9_000,
    b"Bearer \xff",
    b"DPoP x",
    b"\xff\xfe\x80",
    b"dw_browser=\xff; dw_session=" + b"a" * 43,
    b"dw_locale=" + b"z" * 3_000,
    b"dw_at=a.b.c; dw_rt=dw_rt_x",
    b"; ; =; a",
    b"text/html;q=nan, */*;q=-1",
    b"de;q=1e999, fr;q=, *",
    b"xx-" * 2_000,
    b"http://127.0.0.1:99999999",
    b"null",
    b"*",
)
HEADERS = (
    b"authorization",
    b"cookie",
    b"origin",
    b"accept-language",
    b"accept",
    b"user-agent",
    b"sec-fetch-site",
    b"x-forwarded-for",
    b"x-csrf-token",
    b"dpop",
    b"if-none-match",
    b"accept-encoding",
)
CONTENT_TYPES = (
    b"application/x-www-form-urlencoded",
    b"application/x-www-form-urlencoded; charset=utf-16",
    b"application/json",
    b"multipart/form-data; boundary=x",
    b"text/plain",
    b"",
    b"\xff",
)
