"""The chain to a server, broken at each link in turn. Nothing here leaves 127.0.0.1."""

from __future__ import annotations

import errno
import socket
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from agentdoctor.probes import CannotLook
from agentdoctor.probes._address import Proxy, Target, proxy
from agentdoctor.probes._chain import PLAIN, Way, are_private, follow
from agentdoctor.probes._connection import Deadline, trusting

from .conftest import Listen, cases
from .servers import CLOSE, DRIP, GARBAGE, HANG, Authority, Peer, now

SOON, LATER = 1.0, 30.0  # seconds: for what hangs, and for what must not be cut off by a busy machine


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """``trusted`` is whom the tests trust; the others are for servers."""
    by = Authority(tmp_path_factory.mktemp("certificates"))
    trusted = by.found("trusted", "/O=Test Authority/CN=Root 1")
    by.found("proxy", "/O=Inspecting Proxy Ltd/CN=Root 2")
    by.found("own", "/O=Own/CN=server")
    return {
        "trusted": trusted,
        "good": by.sign("good", "trusted"),
        "expired": by.sign("expired", "trusted", days=-1),
        "another name": by.sign("elsewhere", "trusted", names="DNS:elsewhere.example"),
        "inspected": by.sign("inspected", "proxy"),
        "self-signed": by.sign("own", "own"),
    }


def walk(port: int, scheme: str = "http", seconds: float = LATER, way: Way = PLAIN, by: Proxy | None = None) -> Any:
    return follow(Target(scheme, "localhost", port), by, now, Deadline(seconds), way)


def pick(values: Mapping[str, Any], expected: Mapping[str, Any]) -> dict[str, Any]:
    return {name: values[name] for name in expected}


UP = {"dns": True, "dns_error": "", "private": True, "tcp": True, "tcp_error": "", "via_proxy": False, "proxy": ""}
NOT_REACHED = {"tls": None, "issuer": None, "http": None, "date_offset": None, "proxy_ok": None, "proxy_status": None}
PLAIN_PEERS: list[tuple[str, int, float, dict[str, Any]]] = [
    ("answers 200", 200, LATER, {"http": 200, "http_error": ""}),
    ("refuses the request", 403, LATER, {"http": 403}),
    ("does not know the page", 404, LATER, {"http": 404}),
    ("has trouble", 503, LATER, {"http": 503}),
    ("says nothing", HANG, SOON, {"http": None, "http_error": "timed out"}),
    ("drips", DRIP, SOON, {"http": None, "http_error": "timed out"}),
    ("hangs up", CLOSE, LATER, {"http": None, "http_error": "connection closed"}),
    ("speaks something else", GARBAGE, LATER, {"http": None, "http_error": "not an HTTP answer"}),
]


@cases(PLAIN_PEERS)
def test_plain(listen: Listen, status: int, seconds: float, expected: dict[str, Any]) -> None:
    seen = walk(listen(Peer(status)).port, seconds=seconds)
    wanted = {**UP, **NOT_REACHED, **expected}
    assert pick(seen, wanted) == wanted
    assert "127.0.0.1" in seen["addresses"]
    assert 0 <= seen["ms"] < (seconds + 5) * 1000


def test_the_request_says_who_asks_and_nothing_else(listen: Listen) -> None:
    peer = listen(Peer())
    walk(peer.port)
    assert [head.splitlines() for head in peer.heads] == [
        ["GET / HTTP/1.1", "Host: localhost", "User-Agent: agentdoctor", "Connection: close", ""]
    ]


DATES: list[tuple[str, float | None, float | None]] = [
    ("right", 0.0, 0.0),
    ("the host is behind", 600.0, -600.0),
    ("the host is ahead", -600.0, 600.0),
    ("no date", None, None),
]


@cases(DATES)
def test_date(listen: Listen, shift: float | None, expected: float | None) -> None:
    seen = walk(listen(Peer(date=None if shift is None else now() + shift)).port)["date_offset"]
    assert (seen is None) if expected is None else abs(seen - expected) < 30


def test_refused() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        seen = walk(bound.getsockname()[1])
    wanted = {**UP, **NOT_REACHED, "tcp": False, "tcp_error": "refused"}
    assert pick(seen, wanted) == wanted


def test_packets_are_dropped() -> None:
    """Linux does that where the queue of a listener is full, as a firewall may."""
    with socket.socket() as bound, socket.socket() as first, socket.socket() as second:
        bound.bind(("127.0.0.1", 0))
        bound.listen(0)
        for client in (first, second):
            client.setblocking(False)
            client.connect_ex(bound.getsockname())
        port = bound.getsockname()[1]
        seen = walk(port, seconds=SOON, way=Way(lookup=only(f"127.0.0.1:{port}")))
    wanted = {**UP, **NOT_REACHED, "tcp": False, "tcp_error": "timed out"}
    assert pick(seen, wanted) == wanted


def only(*addresses: str) -> Callable[..., list[tuple[Any, ...]]]:
    """A look-up with these answers."""
    return lambda _, port, **__: [(2, 1, 6, "", (each.partition(":")[0], port)) for each in addresses]


def test_the_next_address_is_tried(listen: Listen) -> None:
    seen = walk(listen(Peer()).port, way=Way(lookup=only("127.0.0.2", "127.0.0.1", "127.0.0.1")))
    assert (seen["tcp"], seen["http"], seen["addresses"]) == (True, 403, ["127.0.0.2", "127.0.0.1"])


def fails(error: Exception) -> Callable[..., list[tuple[Any, ...]]]:
    def lookup(host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        raise error

    return lookup


NAMES: list[tuple[str, Exception, str]] = [
    ("no such name", socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "no such name"),
    ("no server", socket.gaierror(socket.EAI_AGAIN, "Temporary failure"), "no name server gives an answer"),
    ("something else", socket.gaierror(socket.EAI_FAIL, "Non-recoverable failure"), "Non-recoverable failure"),
    ("an empty label", UnicodeError("label empty or too long"), "not a name"),
]


@cases(NAMES)
def test_names(error: Exception, expected: str) -> None:
    seen = walk(1, way=Way(lookup=fails(error)))
    wanted = {**NOT_REACHED, "dns": False, "dns_error": expected, "addresses": [], "private": None, "tcp": None}
    assert pick(seen, wanted) == wanted


def test_a_look_up_that_hangs_proves_nothing() -> None:
    """The agent waits longer than we may."""
    end = threading.Event()
    with pytest.raises(CannotLook, match="no answer to a look-up of localhost"):
        walk(1, seconds=SOON, way=Way(lookup=lambda *_, **__: [end.wait(30)]))
    end.set()


def test_no_time_left_proves_nothing(listen: Listen) -> None:
    with pytest.raises(CannotLook, match="no time was left"):
        walk(listen(Peer()).port, seconds=0.0)


@pytest.mark.parametrize("number", [errno.EMFILE, errno.EPERM])
def test_our_own_limits_prove_nothing(number: int) -> None:
    with pytest.raises(CannotLook, match="this process cannot connect"):
        walk(1, way=Way(lookup=fails(OSError(number, "ours"))))


PRIVATE: list[tuple[str, list[str], bool]] = [
    ("of a VPC", ["10.0.3.7", "172.31.0.9"], True),
    ("of a VPC's second network", ["100.64.8.1"], True),
    ("IPv6 of a VPC", ["fd00:ec2::23"], True),
    ("of the link", ["fe80::1%eth0"], True),
    ("of the internet", ["52.94.5.1"], False),
    ("of both", ["10.0.3.7", "52.94.5.1"], False),
]


@cases(PRIVATE)
def test_private(addresses: list[str], expected: bool) -> None:
    assert are_private(addresses) is expected


SIGNED: list[tuple[str, str, bool, dict[str, Any]]] = [
    ("trusted", "good", True, {"tls": True, "tls_error": "", "issuer": "Test Authority", "http": 403}),
    ("not trusted", "good", False, {"tls_error": "this host does not trust who signed the certificate"}),
    ("expired", "expired", True, {"tls_error": "the certificate has expired", "issuer": "Test Authority"}),
    ("another name", "another name", True, {"tls_error": "the certificate is for another name"}),
    (
        "a proxy that opens TLS",
        "inspected",
        True,
        {"tls_error": "this host does not trust who signed the certificate", "issuer": "Inspecting Proxy Ltd"},
    ),
    ("self-signed", "self-signed", True, {"tls_error": "the certificate is signed by itself alone", "issuer": "Own"}),
]


@cases(SIGNED)
def test_certificates(
    listen: Listen, certificates: dict[str, Path], shown: str, trusted: bool, expected: dict[str, Any]
) -> None:
    peer = listen(Peer(certificate=certificates[shown]))
    trust = trusting(str(certificates["trusted"])) if trusted else None
    seen = walk(peer.port, "https", way=Way(trust=trust))
    wanted = {**UP, "tls": False, "issuer": "Test Authority", "http": None, **expected}
    assert pick(seen, wanted) == wanted
    assert [head.split("\r\n")[0] for head in peer.heads if head] == (["GET / HTTP/1.1"] if seen["tls"] else [])


NO_TLS: list[tuple[str, int, float, tuple[str, ...]]] = [
    ("speaks plain HTTP", 400, LATER, ("wrong version number", "record layer failure", "packet length too long")),
    ("speaks something else", GARBAGE, LATER, ("wrong version number", "record layer failure")),
    ("says nothing", HANG, SOON, ("timed out",)),
    ("hangs up", CLOSE, LATER, ("connection closed",)),
]


@cases(NO_TLS)
def test_no_tls(listen: Listen, status: int, seconds: float, errors: tuple[str, ...]) -> None:
    seen = walk(listen(Peer(status)).port, "https", seconds=seconds)
    assert (seen["tcp"], seen["tls"], seen["http"], seen["issuer"]) == (True, False, None, None)
    assert seen["tls_error"] in errors


PROXIES: list[tuple[str, int, float, dict[str, Any]]] = [
    ("lets us through", 200, LATER, {"proxy_ok": True, "proxy_status": 200, "tls": True, "http": 403}),
    ("wants a password", 407, LATER, {"proxy_ok": False, "proxy_status": 407}),
    ("does not let us through", 403, LATER, {"proxy_ok": False, "proxy_status": 403}),
    ("cannot reach the server", 502, LATER, {"proxy_ok": False, "proxy_status": 502}),
    ("says nothing", HANG, SOON, {"proxy_ok": False, "proxy_error": "timed out"}),
    ("hangs up", CLOSE, LATER, {"proxy_ok": False, "proxy_error": "connection closed"}),
    ("is no proxy", GARBAGE, LATER, {"proxy_ok": False, "proxy_error": "not an HTTP answer"}),
]


@cases(PROXIES)
def test_proxies(
    listen: Listen, certificates: dict[str, Path], status: int, seconds: float, expected: dict[str, Any]
) -> None:
    server = listen(Peer(certificate=certificates["good"]))
    peer = listen(Peer(status, behind=server.port))
    trust = trusting(str(certificates["trusted"]))
    seen = walk(server.port, "https", seconds, Way(trust=trust), proxy(f"http://127.0.0.1:{peer.port}"))
    wanted = {
        "dns": True, "tcp": True, "private": None, "via_proxy": True, "proxy": f"127.0.0.1:{peer.port}",
        "host": "localhost", "port": server.port, "tls": None, "http": None, "proxy_status": None, **expected,
    }  # fmt: skip
    assert pick(seen, wanted) == wanted
    assert {head.split("\r\n")[0] for head in peer.heads} <= {f"CONNECT localhost:{server.port} HTTP/1.1"}


def test_a_proxy_that_opens_tls_is_named(listen: Listen, certificates: dict[str, Path]) -> None:
    server = listen(Peer(certificate=certificates["inspected"]))
    peer = listen(Peer(200, behind=server.port))
    seen = walk(server.port, "https", by=proxy(f"http://127.0.0.1:{peer.port}"))
    assert (seen["proxy_ok"], seen["tls"], seen["issuer"]) == (True, False, "Inspecting Proxy Ltd")


def test_nobody_is_the_proxy() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        seen = walk(443, "https", by=Proxy("127.0.0.1", bound.getsockname()[1]))
    wanted = {"tcp": False, "tcp_error": "refused", "proxy_ok": False, "proxy_status": None, "tls": None}
    assert pick(seen, wanted) == wanted


def test_the_proxy_has_no_name() -> None:
    lookup = fails(socket.gaierror(socket.EAI_NONAME, ""))
    seen = walk(443, "https", way=Way(lookup=lookup), by=Proxy("proxy.invalid", 3128))
    assert (seen["dns"], seen["proxy_ok"], seen["tcp"], seen["private"]) == (False, False, None, None)


def test_the_password_goes_to_the_proxy_alone(listen: Listen, certificates: dict[str, Path]) -> None:
    server = listen(Peer(certificate=certificates["good"]))
    peer = listen(Peer(200, behind=server.port))
    trust = trusting(str(certificates["trusted"]))
    by = proxy(f"http://canary:can%40ary@127.0.0.1:{peer.port}")
    seen = walk(server.port, "https", way=Way(trust=trust), by=by)
    assert "Proxy-Authorization: Basic Y2FuYXJ5OmNhbkBhcnk=\r\n" in peer.heads[0]
    assert "Authorization" not in server.heads[0]
    assert "canary" not in repr((seen, by))
    assert "Y2Fu" not in repr((seen, by))
