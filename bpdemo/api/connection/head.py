"""A request's head, before anybody believes it: where it is meant for, and how its body comes."""

import re
from functools import lru_cache
from ipaddress import IPv6Address
from typing import NamedTuple
from urllib.parse import unquote

import httptools

#: Longer ones are looked at each time, so that what is remembered has a bound.
_REMEMBERED_BYTES = 64
_ABSOLUTE = re.compile(rb"https?://([^/?#]*)", re.IGNORECASE)
_HOST = re.compile(
    rb"(?:\[([0-9A-Fa-f:.]+)\]|(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+)(?::([0-9]{0,5}))?"
)


#: As far as the version's first letters.
_FIRST_LINE = re.compile(rb"[\r\n]*[^\r\n]* HTTP/")


class Unreadable(Exception):
    """This is no request: 400 unless another status says why."""

    def __init__(self, detail: str, status: int = 400) -> None:
        super().__init__(detail)
        self.status = status


def speaks_http(head: bytes) -> bool:
    """Whether the first line names HTTP. The parser takes those of its relatives, RTSP and ICE,
    and does not tell."""
    return _FIRST_LINE.match(head) is not None


class RequestTarget(NamedTuple):
    """`path` is decoded; `authority` is there only for a target in absolute form."""

    path: str
    raw_path: bytes
    query: bytes
    authority: bytes | None


def read_target(url: bytes) -> RequestTarget:
    """Raises `Unreadable`."""
    return _recall_target(url) if len(url) <= _REMEMBERED_BYTES else _read_target(url)


def _read_target(url: bytes) -> RequestTarget:
    absolute = _ABSOLUTE.match(url)
    if absolute is not None and absolute[1].endswith(b":"):
        # The scheme's own port, which the parser does not take.
        url = url[: absolute.end() - 1] + url[absolute.end() :]
    try:
        parsed = httptools.parse_url(url)
        # Without a path the root is meant (RFC 9110, 4.2.3).
        raw_path: bytes = b"/" if absolute is not None and not parsed.path else parsed.path
        path = raw_path.decode("ascii")
    except (httptools.HttpParserError, AttributeError, UnicodeDecodeError):
        raise Unreadable("The target of the request cannot be read.") from None
    authority = None
    if parsed.schema is not None:
        if absolute is None or not is_host(absolute[1]):
            raise Unreadable("The target of the request names no host of HTTP.")
        authority = absolute[1]
    path = unquote(path) if "%" in path else path
    return RequestTarget(path, raw_path, parsed.query or b"", authority)


_recall_target = lru_cache(maxsize=256)(_read_target)


def is_host(value: bytes) -> bool:
    """Whether that is `host[:port]` (RFC 9110, 7.2), with no user in it, and not empty."""
    return _recall_host(value) if len(value) <= _REMEMBERED_BYTES else _is_host(value)


def _is_host(value: bytes) -> bool:
    match = _HOST.fullmatch(value)
    if match is None:
        return False
    literal, port = match.groups()
    if literal is not None:
        try:
            IPv6Address(literal.decode())
        except ValueError:
            return False
    return not port or int(port) <= 65_535


_recall_host = lru_cache(maxsize=256)(_is_host)


#: The headers that `Framing` notes.
WATCHED = frozenset((b"host", b"content-length", b"transfer-encoding", b"expect"))


class Framing:
    """What the headers say of the message they are part of, noted as they come."""

    # In the class: one is made for each request, and most stay as they are.
    host = b""
    hosts = 0
    length_bytes = 0
    coding: bytes | None = None
    expects = False

    def note(self, name: bytes, value: bytes) -> None:
        """`name` is one of those that are watched."""
        if name == b"host":
            self.hosts += 1
            self.host = value
        elif name == b"content-length":
            # The parser took digits only, fewer than Python minds, and one such header.
            self.length_bytes = int(value)
        elif name == b"transfer-encoding":
            self.coding = value if self.coding is None else self.coding + b", " + value
        elif value.lower() == b"100-continue":
            self.expects = True

    def check(self, version: str) -> None:
        """Raises `Unreadable`."""
        if version not in ("1.0", "1.1"):  # the parser takes 0.9 and 2.0, too
            raise Unreadable("This is no request of HTTP/1.1.")
        if self.hosts != 1 and (self.hosts or version != "1.0"):
            raise Unreadable("A request of HTTP/1.1 has exactly one Host header.")
        if self.hosts and not is_host(self.host):
            raise Unreadable("The Host header is no host[:port].")
        if self.coding is None:
            return
        if version == "1.0":
            raise Unreadable("HTTP/1.0 knows no Transfer-Encoding.")
        if self.coding.lower() != b"chunked":
            raise Unreadable("The only transfer coding here is chunked.", 501)

    @property
    def has_body(self) -> bool:
        return bool(self.length_bytes) or self.coding is not None


def with_host(headers: list[tuple[bytes, bytes]], host: bytes) -> None:
    """The authority of the target takes the place of what the Host header says."""
    headers[:] = [(n, host if n == b"host" else v) for n, v in headers]
