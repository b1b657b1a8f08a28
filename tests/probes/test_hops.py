"""How far a token goes, and what the instance's tags say, against a metadata service on the loopback.

Packets on the loopback lose nothing of their TTL, so the server's is what arrives, as on an instance.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable
from typing import Any

import pytest

from agentdoctor.host import Host
from agentdoctor.model import Outcome
from agentdoctor.probes import CannotLook
from agentdoctor.probes._hops import goes_through, survives
from agentdoctor.words import say, tell

from .conftest import Answers, ask, cases, seen_with, value
from .imds_server import CANARIES, CLOSE, GARBAGE, HANG, META, Imds

Serve = Callable[[Imds], Host]
NOBODY_RUNS: Answers = {"process.agent": {"running": False, "worker_pid": 0, "master_pid": 0}}

LIMITS = [
    ("as by default, for the instance alone", 1, False),
    ("as containers need it", 2, True),
    ("the largest", 64, True),
]


@cases(LIMITS)
def test_further(serve: Serve, limit: int, further: bool) -> None:
    imds = Imds(hop_limit=limit)
    seen = seen_with("imds.hops", serve(imds), NOBODY_RUNS)
    assert seen == {"further": further, "behind": False}
    assert imds.requests == ["PUT /latest/api/token"]


NO_TOKEN: list[tuple[str, dict[str, Any]]] = [
    ("refused", {"token_status": 403}),
    ("not EC2", {"token_status": 404}),
    ("lost, as behind a hop limit", {"token_status": HANG}),
    ("hangs up", {"token_status": CLOSE}),
    ("no HTTP", {"token_status": GARBAGE}),
]


@cases(NO_TOKEN)
def test_without_a_token_there_is_no_measure(serve: Serve, behaviour: dict[str, Any]) -> None:
    with pytest.raises(CannotLook, match=r"gives no token here|does not answer"):
        seen_with("imds.hops", serve(Imds(**behaviour)), NOBODY_RUNS)


def test_nobody_answers() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        with pytest.raises(CannotLook, match="does not answer: refused"):
            seen_with("imds.hops", Host(imds_endpoint=f"http://127.0.0.1:{bound.getsockname()[1]}"), NOBODY_RUNS)


def test_hops_of_ipv6_are_not_counted() -> None:
    with socket.socket(socket.AF_INET6) as other, pytest.raises(CannotLook, match="IPv4 alone"):
        survives(other, b"", 0.0)


HEAD = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"


def route(to: str, gateway: str) -> str:
    """A row of /proc/net/route."""
    shown = (f"{int.from_bytes(socket.inet_aton(each), sys.byteorder):08X}" for each in (to, gateway))
    return "eth0\t{}\t{}\t0003\t0\t0\t0\t00000000\t0\t0\t0\n".format(*shown)


BRIDGE = route("0.0.0.0", "172.17.0.1") + route("172.17.0.0", "0.0.0.0")
ROUTES = [
    ("a container on a bridge", HEAD + BRIDGE, True),
    ("a network card of its own", HEAD + route("0.0.0.0", "10.0.0.1"), False),
    ("a way of its own", HEAD + BRIDGE + route("169.254.169.254", "10.0.0.1"), None),
    ("no way out", HEAD + route("172.17.0.0", "0.0.0.0"), None),
    ("nothing", "", None),
    ("not a table", "a\nb\nc d\n", None),
]


@cases(ROUTES)
def test_who_stands_between(routes: str, behind: bool | None) -> None:
    assert goes_through(routes, {"127.0.0.1", "172.17.0.1", "fe80::1"}) is behind


WHOSE: list[tuple[str, Answers, bool | None]] = [
    ("an agent in our network", {"process.agent": {"running": True, "worker_pid": os.getpid()}}, False),
    ("a master without a worker", {"process.agent": {"worker_pid": 0, "master_pid": os.getpid()}}, False),
    ("one that has ended", {"process.agent": {"running": True, "worker_pid": 1 << 22}}, None),
    ("nobody may know", {"process.agent": None}, None),
]


@cases(WHOSE)
def test_behind(serve: Serve, answers: Answers, behind: bool | None) -> None:
    assert seen_with("imds.hops", serve(Imds()), answers)["behind"] is behind


GROUP = "aws:autoscaling:groupName"
TAGS: list[tuple[str, dict[str, tuple[int, Any]], dict[str, Any]]] = [
    ("switched off", {}, {"enabled": False, "count": None, "names": None, "auto_scaling_group": None}),
    (
        "some",
        {"": (200, "Name\nstage\n"), "Name": (200, "canary")},
        {"enabled": True, "count": 2, "names": ["Name", "stage"], "auto_scaling_group": ""},
    ),
    ("of a group", {"": (200, f"a\n{GROUP}"), GROUP: (200, "web asg")}, {"count": 2, "auto_scaling_group": "web asg"}),
    ("of a group that it does not tell", {"": (200, GROUP), GROUP: (404, "")}, {"auto_scaling_group": ""}),
    ("none", {"": (200, "")}, {"enabled": True, "count": 0, "names": []}),
    ("names that are none", {"": (200, "<html>\nok\n a/b")}, {"count": 3, "names": ["ok"]}),
    ("more than there can be", {"": (200, "\n".join(f"t{n}" for n in range(99)))}, {"count": 99}),
    ("an error", {"": (500, "")}, {"enabled": None, "count": None}),
]  # fmt: skip


@cases(TAGS)
def test_tags(serve: Serve, answers: dict[str, tuple[int, Any]], expected: dict[str, Any]) -> None:
    imds = Imds(answers={f"{META}tags/instance/{name}": said for name, said in answers.items()})
    seen = value("imds.tags", serve(imds))
    assert {name: seen[name] for name in expected} == expected
    assert len(seen["names"] or ()) <= 50
    assert not any(canary in repr(seen) for canary in (*CANARIES, "canary"))
    values = [request for request in imds.requests if "tags/instance/" in request and not request.endswith("/")]
    assert set(values) <= {f"GET {META}tags/instance/{GROUP}"}


def test_tags_without_a_service() -> None:
    assert ask("imds.tags", Host(imds_endpoint="http://127.0.0.1:9")).outcome is Outcome.UNKNOWN


def test_words() -> None:
    hops = {"further": False, "behind": True}
    assert (
        say("imds.hops", "further", False, hops)
        == "the answer to a token request does not survive one more hop, by its hop limit"
    )
    assert say("imds.hops", "behind", True, hops).startswith("the agent reaches the metadata service through this host")
    assert tell("imds.tags", {"auto_scaling_group": "web"}) == "its Auto Scaling group is web, says a tag"
    assert tell("imds.tags", {"enabled": False, "auto_scaling_group": None}) == ""
    lost = {"connected": True, "given": False, "status": None, "error": "timed out", "v1_status": 401}
    assert "timed out, while what is asked without one is answered with 401" in say("imds.token", "given", False, lost)
