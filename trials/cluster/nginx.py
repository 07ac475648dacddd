"""nginx before the nodes, configured as in the reference, deploy/nginx: the trial tests what the
documentation recommends.

Only addresses, certificate and files differ. Its own 503 is marked, so that the trial can count it.
"""

from __future__ import annotations

import re
from pathlib import Path

from trials.cluster.addresses import Addresses
from trials.cluster.node import ROOT

REFERENCE = ROOT / "deploy" / "nginx"
_MAIN = """\
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/nginx-error.log warn;
events {{ worker_connections 8192; }}
http {{
  client_body_temp_path {folder}/nginx-body;
  proxy_temp_path {folder}/nginx-proxy;
  fastcgi_temp_path {folder}/nginx-fastcgi;
  uwsgi_temp_path {folder}/nginx-uwsgi;
  scgi_temp_path {folder}/nginx-scgi;
{reference}
}}
"""


def configuration(folder: Path, places: Addresses) -> str:
    """nginx.conf for these machines; certificate, logs and temporary files are in `folder`. Raises ValueError
    when the reference has an unexpected form."""
    (folder / "doorward-proxy.conf").write_text(
        (REFERENCE / "doorward-proxy.conf").read_text("utf-8"), "utf-8"
    )
    return _MAIN.format(folder=folder, reference=_placed(folder, places))


def _placed(folder: Path, places: Addresses) -> str:
    text = (REFERENCE / "doorward.conf").read_text("utf-8")
    found = re.search(r"^ *server 127\.0\.0\.1:8000( .*;)$", text, re.MULTILINE)
    if found is None:
        raise ValueError("the reference names no node at 127.0.0.1:8000")
    nodes = "\n".join(f"    server {node.address}{found[1]}" for node in places.nodes)
    # the server on port 80 only redirects to https
    text = _once(text, r"^server \{\n(?:(?!^\}).*\n)*? *listen 80;\n(?:(?!^\}).*\n)*^\}\n", "")
    text = _once(text, re.escape(found[0]), nodes)
    text = _once(text, r"^ *listen \[::\]:443 ssl.*\n", "")
    text = _once(text, r"\blisten 443 ssl", f"listen {places.proxy.address} ssl")
    text = _once(text, r"\bssl_certificate .*;", f"ssl_certificate {folder}/proxy.pem;")
    text = _once(text, r"\bssl_certificate_key .*;", f"ssl_certificate_key {folder}/proxy.key;")
    text = text.replace("/etc/nginx/", f"{folder}/")
    return _once(text, r"(?=add_header Retry-After)", "add_header X-Answered-By proxy always;\n        ")


def _once(text: str, pattern: str, by: str) -> str:
    changed, times = re.subn(pattern, lambda _: by, text, flags=re.MULTILINE)
    if times != 1:
        raise ValueError(f"the reference of nginx has {times} times what looks like {pattern}")
    return changed
