"""Calls addresses outside the house that other people wrote down, without being led astray.

A name is resolved once, every address it has is judged, and the connection goes to the one that was
judged: what the name says a moment later does not matter. Nothing is followed that answers with
another address, little of an answer is read, and no call lasts longer than its limit.
"""

import http.client
import ipaddress
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

READ_MAX = 2_000
FOUND = range(200, 300)
PORTS = {"https": 443, "http": 80}


class BadAddress(ValueError):
    """That is no address outside that may be called; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: the status (0: nothing did), the first of the body, or why it failed."""

    status: int
    said: str
    milliseconds: int

    @property
    def is_taken(self) -> bool:
        return self.status in FOUND


def check_address(url: str, *, may_be_private: bool = False) -> None:
    """Refuse what is no https address with a name.

    With `may_be_private`, http is allowed as well. Resolves nothing: see `post_outside`.

    Raises:
        BadAddress: another scheme, no host, a user, a fragment, or a literal private address.
    """
    parts = urlsplit(url)
    if parts.scheme not in (PORTS if may_be_private else ("https",)):
        raise BadAddress("The address must begin with https://.")
    if not parts.hostname or parts.username or parts.password or parts.fragment:
        raise BadAddress("The address needs a host, and neither a user nor a fragment.")
    try:
        literal = ipaddress.ip_address(parts.hostname)
    except ValueError:
        return
    _judge(literal, may_be_private=may_be_private)


def post_outside(
    url: str,
    *,
    body: bytes,
    headers: Mapping[str, str],
    seconds: float = 10.0,
    may_be_private: bool = False,
) -> Reply:
    """Send `body` there once and return what came back; a failure is an answer with status 0."""
    began = time.monotonic()
    try:
        status, said = _post(url, body, headers, seconds, may_be_private=may_be_private)
    except BadAddress as refusal:
        status, said = 0, str(refusal)
    except (OSError, http.client.HTTPException) as failure:
        status, said = 0, f"{type(failure).__name__}: {failure}"[:READ_MAX]
    return Reply(status, said, round((time.monotonic() - began) * 1000))


def _post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    seconds: float,
    *,
    may_be_private: bool,
) -> tuple[int, str]:
    check_address(url, may_be_private=may_be_private)
    parts = urlsplit(url)
    host = str(parts.hostname)
    port = parts.port or PORTS[parts.scheme]
    address = _resolve(host, port, may_be_private=may_be_private)
    sock = socket.create_connection((address, port), timeout=seconds)
    try:
        if parts.scheme == "https":
            sock = ssl.create_default_context().wrap_socket(sock, server_hostname=host)
        line = http.client.HTTPConnection(host, port, timeout=seconds)
        line.sock = sock
        path = parts.path or "/"
        line.request("POST", f"{path}?{parts.query}" if parts.query else path, body, dict(headers))
        answer = line.getresponse()
        return answer.status, answer.read(READ_MAX).decode("utf-8", "replace")
    finally:
        sock.close()


def _resolve(host: str, port: int, *, may_be_private: bool) -> str:
    """Return the first address of a name, once all of them were judged."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as failure:
        raise BadAddress(f"{host} is not known.") from failure
    addresses = [str(one[4][0]) for one in found]
    for address in addresses:
        _judge(ipaddress.ip_address(address.partition("%")[0]), may_be_private=may_be_private)
    return addresses[0]


def _judge(address: Any, *, may_be_private: bool) -> None:
    mapped = getattr(address, "ipv4_mapped", None)
    if may_be_private or ((mapped or address).is_global and not address.is_multicast):
        return
    raise BadAddress("That address is inside a network, not outside: it is not called.")
