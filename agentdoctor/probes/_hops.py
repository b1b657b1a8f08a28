"""How far the answer to a request for a token goes: the hop limit, as far as it can be learned on the instance.

The limit (HttpPutResponseHopLimit) is an option of EC2 that the metadata service does not tell. It is the TTL of the
packets that answer a PUT, and Linux does not tell that of TCP packets: IP_RECVTTL is for datagrams alone (ip(7)), and
to read raw packets takes CAP_NET_RAW. But a socket may refuse packets with less than some TTL (IP_MINTTL, since Linux
2.6.34), and TCP sends again what was not taken. So nothing is said that was not seen: the answer came all the same, or
it came as soon as it was no longer refused.
"""

from __future__ import annotations

import re
import select
import socket
import struct
import sys
import time
from collections.abc import Collection

from agentdoctor.probes import CannotLook

_IP_MINTTL = 21  # linux/in.h; the socket module has no name for it
_REFUSING = 0.3  # seconds; the answer to a token request takes some milliseconds
_ANSWER = re.compile(rb"HTTP/1\.\d 200\b")


def survives(connected: socket.socket, request: bytes, end: float) -> bool:
    """Whether the answer to a request would survive one more hop. ``end`` by the monotonic clock. OSError, CannotLook.

    It does if it comes with a TTL of 2 and more, since whoever passes a packet on takes one of it, and drops it at 0.
    """
    if connected.family != socket.AF_INET:
        raise CannotLook("hops are counted over IPv4 alone")
    connected.setsockopt(socket.IPPROTO_IP, _IP_MINTTL, 2)
    connected.sendall(request)
    if _has_answer(connected, time.monotonic() + _REFUSING):
        return True
    connected.setsockopt(socket.IPPROTO_IP, _IP_MINTTL, 0)
    if _has_answer(connected, end):
        return False
    raise CannotLook("the metadata service gives no token here, so its way cannot be measured")


def _has_answer(connected: socket.socket, end: float) -> bool:
    """Whether an answer with a token begins in time. What follows, the token above all, is not read."""
    if not select.select([connected], [], [], max(0.0, end - time.monotonic()))[0]:
        return False
    if not _ANSWER.match(connected.recv(16)):
        raise CannotLook("the metadata service gives no token here, so its way cannot be measured")
    return True


def goes_through(routes: str, ours: Collection[str]) -> bool | None:
    """Whether packets to the metadata service go through a host with these addresses.

    ``routes``: proc_net_route of the sender. None where it cannot be told: no default route, or one of its own for
    link-local addresses.
    """
    rows = [line.split() for line in routes.splitlines()[1:]]
    gateways = {row[1]: row[2] for row in rows if len(row) > 2 and re.fullmatch("[0-9A-F]{8}", row[2])}
    if any(_address(to).startswith("169.254.") for to in gateways if to != _DEFAULT):
        return None
    return _address(gateways[_DEFAULT]) in ours if _DEFAULT in gateways else None


_DEFAULT = "00000000"


def _address(number: str) -> str:
    """An address as /proc writes it: the bytes of a number, in the order of this machine."""
    order = "<" if sys.byteorder == "little" else ">"
    try:
        return socket.inet_ntoa(struct.pack(f"{order}L", int(number, 16)))
    except (ValueError, struct.error):
        return ""
