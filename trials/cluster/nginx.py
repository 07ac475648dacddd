"""How does nginx stand before the nodes? As in the reference: a request goes to another node only where nothing can happen twice.

A node that refuses the connection never saw the request, so the next one gets it. A node that dies with a request under way may have
done what was asked, so nobody else is asked: what nginx calls 502 or 504 is told as 503 with Retry-After, and the client, who knows
what a repetition means, comes again.
"""

from __future__ import annotations

from pathlib import Path

from trials.cluster.addresses import Addresses, Machine

_TEXT = """\
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/nginx-error.log warn;
events {{ worker_connections 8192; }}
http {{
  access_log off;
  client_body_temp_path {folder}/nginx-body;
  proxy_temp_path {folder}/nginx-proxy;
  fastcgi_temp_path {folder}/nginx-fastcgi;
  uwsgi_temp_path {folder}/nginx-uwsgi;
  scgi_temp_path {folder}/nginx-scgi;
  upstream doorward {{
{servers}
    keepalive 32;
  }}
  server {{
    listen {address} ssl backlog=2048;
    ssl_certificate {folder}/proxy.pem;
    ssl_certificate_key {folder}/proxy.key;
    keepalive_requests 100000;
    location / {{
      proxy_pass http://doorward;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto https;
      proxy_connect_timeout 1s;
      proxy_read_timeout 30s;
      proxy_buffering on;
      proxy_next_upstream error timeout;
      error_page 502 504 =503 @away;
    }}
    location @away {{
      internal;
      default_type application/json;
      add_header Retry-After 1 always;
      add_header Cache-Control no-store always;
      add_header X-Answered-By proxy always;
      return 503 '{{"error":"temporarily_unavailable","error_description":"Please try again in a moment."}}';
    }}
  }}
}}
"""


def configuration(folder: Path, places: Addresses) -> str:
    """nginx.conf for these machines; certificate, logs and temporary files are in `folder`."""
    servers = "\n".join(f"    {_server(node)}" for node in places.nodes)
    return _TEXT.format(folder=folder, servers=servers, address=places.proxy.address)


def _server(node: Machine) -> str:
    # a node that is back is asked again after a second, not after ten
    return f"server {node.address} max_fails=1 fail_timeout=1s;"
