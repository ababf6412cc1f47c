"""Who may turn the knobs: anyone who has the token or, where none is set, this very machine."""

import re
from hmac import compare_digest
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

from fastapi import Request
from pydantic import SecretStr

from bpdemo.api.errors import Forbidden

#: Marks of a proxy, behind which every peer looks local: how such headers begin, `_` being `-`.
FORWARDING = (
    "x-origin", "x-cluster-", "x-remote-", "remote-", "x-host", "x-proxy", "proxy-client-ip",
    "proxy-forwarded", "wl-proxy-", "x-envoy", "x-azure", "x-arr-", "x-ms-client-",
    "x-amzn-", "x-amz-cf-", "cf-", "cdn-", "cloudfront-", "fastly-", "fly-", "akamai-", "x-akamai-",
    "ali-cdn-", "incap-", "x-sucuri-", "x-vercel-", "x-nf-", "x-appengine-", "x-goog-",
    "x-cloud-trace-context", "x-railway-", "rndr-", "tailscale-", "x-kong-", "x-nginx-",
    "x-varnish", "x-haproxy", "x-traefik", "x-scheme", "x-url-scheme", "front-end-https",
    "x-coming-from", "x-bluecoat-via", "via", "x-via", "surrogate-", "x-sendfile-type",
    "x-http-destinationurl", "x-http-host-override", "x-rewrite-url", "x-backend-",
    "x-auth-request-", "x-request-start", "x-queue-start", "x-ssl-", "ssl-client-",
)  # fmt: skip
#: What such headers have in their names, wherever it stands: each gateway puts its own before it.
_FORWARDED = re.compile(
    "forward|client-?ip|real-?(?:ip|host|port|proto)|connecting-?ip|(?:source|user|peer|viewer)-ip"
    "|viewer-address|client-?cert|proxy-?user"
)


def marks_a_proxy(name: str) -> bool:
    """Whether a header of that name is set by what stands between a caller and a service."""
    name = name.lower().replace("_", "-")
    return name.startswith(FORWARDING) or _FORWARDED.search(name) is not None


def authorize(request: Request, token: SecretStr | None) -> None:
    """Raise `Forbidden` unless the caller may change settings."""
    allowed = _has_token(request, token) if token else _is_local(request)
    if not allowed:
        raise Forbidden


def _has_token(request: Request, token: SecretStr) -> bool:
    given = request.headers.getlist("authorization")
    if len(given) != 1:
        return False
    scheme, _, credentials = given[0].encode("latin-1").partition(b" ")
    wanted = token.get_secret_value().encode()
    # In constant time: how long a no takes must not tell how much of the token was right.
    is_right = compare_digest(credentials, wanted)
    return is_right and scheme.lower() == b"bearer"


def _is_local(request: Request) -> bool:
    """Peer and Host are loopback, no other site's page is behind it, and no proxy is between.

    Checking Host stops DNS rebinding, checking Origin stops a page that posts across sites.
    """
    headers = request.headers
    hosts = headers.getlist("host")
    if request.client is None or len(hosts) != 1:
        return False
    if any(map(marks_a_proxy, headers)):
        return False
    same_origins = (f"http://{hosts[0]}", f"https://{hosts[0]}")
    if any(origin not in same_origins for origin in headers.getlist("origin")):
        return False
    return is_loopback(request.client.host) and is_loopback(_host_name(hosts[0]))


def is_loopback(host: str) -> bool:
    """Whether that name or address can only be this machine."""
    if host.lower() in ("localhost", "localhost."):
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback


def _host_name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
