"""Probes are asked once, in parallel and within their time; whatever they do, there is an answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from agentdoctor import asking, probes, record
from agentdoctor.asking import Asker
from agentdoctor.doctor import Doctor
from agentdoctor.host import Host
from agentdoctor.model import Outcome, Rule
from agentdoctor.probes import CannotLook, Look, Probe, Values
from agentdoctor.rules.schema import parse

Register = Callable[..., None]


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Register:
    """Add probes for one test, one by one: what registers itself meanwhile does so once in a process."""

    def add(name: str, look: Callable[[Look], Values], live: bool = True, **parts: Any) -> None:
        about, network, also = parts.get("about", ()), parts.get("network", False), parts.get("also", ())
        monkeypatch.setitem(probes._found, name, Probe(name, "disk", look, live, about, network, also))

    return add


@pytest.mark.parametrize("name", ["", "disk", "disk.nothing", "nothing.at_all", "_chain.x", "..", "disk.space.more"])
def test_an_unknown_probe_is_a_key_error(name: str) -> None:
    with pytest.raises(KeyError):
        probes.find(name)


def sees(look: Look) -> Values:
    return {"x": 1}


def raises_cannot_look(look: Look) -> Values:
    raise CannotLook("no permission")


def raises_skip(look: Look) -> Values:
    raise CannotLook("there is none", skip=True)


def raises_os_error(look: Look) -> Values:
    raise PermissionError(13, "Permission denied")


def crashes(look: Look) -> Values:
    return {"x": 1 // 0}


def hangs(look: Look) -> Values:
    threading.Event().wait()
    return {}


WAYS = {
    "sees": (sees, Outcome.PASS, ""),
    "cannot look": (raises_cannot_look, Outcome.UNKNOWN, "no permission"),
    "nothing to look at": (raises_skip, Outcome.SKIP, "there is none"),
    "refused by the system": (raises_os_error, Outcome.UNKNOWN, "Permission denied"),
    "crashes": (crashes, Outcome.ERROR, "the probe failed: ZeroDivisionError"),
    "hangs": (hangs, Outcome.UNKNOWN, "no answer within"),
}


@pytest.mark.parametrize(("look", "outcome", "reason"), WAYS.values(), ids=WAYS)
def test_every_way_a_probe_ends(
    look: Callable[[Look], Values], outcome: Outcome, reason: str, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer each time, and the reason when there is no value."""
    monkeypatch.setattr(asking, "PROBE_SECONDS", 0.2)
    register("test.way", look)
    evidence = Asker(Host()).ask("test.way")

    assert evidence.outcome is outcome
    assert reason in evidence.reason
    assert (evidence.value == {"x": 1}) is (outcome is Outcome.PASS)


RULE = """\
title: The test says so
severity: critical
area: test
standing: true
confirm: {test.way: {x: 1}}
cause: It does.
remediation: [{text: Mend it, where: instance}]
recovery: {evidence: true}
docs: https://example.com
"""


@pytest.mark.parametrize(("look", "outcome", "reason"), WAYS.values(), ids=WAYS)
def test_the_row_of_a_check_stays(
    look: Callable[[Look], Values], outcome: Outcome, reason: str, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A probe that is killed, hangs, raises or is refused costs its verdict and never its row."""
    monkeypatch.setattr(asking, "PROBE_SECONDS", 0.2)
    register("test.way", look)
    rule: Rule = parse(RULE, "test-says-so.yaml")
    asker, doctor = Asker(Host()), Doctor([rule])
    findings = doctor.findings(0.0, asker.ask)
    (row,) = doctor.checks(findings, set(), asker.ask)

    assert row.outcome is (Outcome.FAIL if outcome is Outcome.PASS else outcome)
    assert reason in row.reason
    assert bool(findings) is (outcome is Outcome.PASS)


def test_each_question_is_asked_once(register: Register) -> None:
    """Ten rules that name one probe cost one look; another subject is another question."""
    seen: list[dict[str, str]] = []

    def look(look: Look) -> Values:
        seen.append(dict(look.about))
        return {}

    register("test.host", look)
    register("test.path", look, about=("path",))
    asker = Asker(Host())
    for path in ("/a", "/b", "/a"):
        asker.ask("test.host", {"path": path})
        asker.ask("test.path", {"path": path, "other": "x"})

    assert seen == [{}, {"path": "/a"}, {"path": "/b"}]


def test_what_the_log_does_not_say_is_not_known(register: Register) -> None:
    """A probe about a path needs one."""
    register("test.path", sees, about=("path",))
    evidence = Asker(Host()).ask("test.path", {})

    assert evidence.outcome is Outcome.UNKNOWN
    assert evidence.reason == "the log does not say which path"


def test_probes_run_side_by_side(register: Register) -> None:
    """Two that wait for each other both come to an end."""
    meet = threading.Barrier(2, timeout=10)

    def look(look: Look) -> Values:
        meet.wait()
        return {}

    register("test.one", look)
    register("test.two", look)
    asker = Asker(Host())
    asker.start(["test.one", "test.two"])

    assert asker.ask("test.one").value == {}
    assert asker.ask("test.two").value == {}


def test_the_whole_has_its_own_end(register: Register) -> None:
    """However many hang: when the time of the whole is over, no one is waited for."""
    for number in range(20):
        register(f"test.h{number}", hangs)
    asker = Asker(Host(), total_seconds=0.3)
    started = time.monotonic()
    answers = [asker.ask(f"test.h{number}") for number in range(20)]

    assert all(answer.outcome is Outcome.UNKNOWN for answer in answers)
    assert time.monotonic() - started < 20 * asking.PROBE_SECONDS


def test_a_probe_may_ask_another(register: Register) -> None:
    """And says why when that one could not look."""
    register("test.base", raises_cannot_look)
    register("test.derived", lambda look: dict(look.value("test.base")))
    evidence = Asker(Host()).ask("test.derived")

    assert evidence.outcome is Outcome.UNKNOWN
    assert evidence.reason == "test.base: no permission"


SNAPSHOT = {
    "recorded": ({"test.live": {"value": {"x": 2}}}, {"x": 2}, Outcome.PASS),
    "recorded that it could not look": ({"test.live": {"reason": "why", "outcome": "error"}}, None, Outcome.ERROR),
    "not recorded": ({}, None, Outcome.SKIP),
}


@pytest.mark.parametrize(("recorded", "value", "outcome"), SNAPSHOT.values(), ids=SNAPSHOT)
def test_a_snapshot_answers_from_its_record(
    recorded: dict[str, dict[str, object]], value: object, outcome: Outcome, register: Register
) -> None:
    """What needs a living host comes from the record; what only reads files is looked at."""
    register("test.live", crashes)
    register("test.files", sees, live=False)
    asker = Asker(Host(root="/nowhere", live=False, recorded=recorded))

    assert asker.ask("test.live").value == value
    assert asker.ask("test.live").outcome is outcome
    assert asker.ask("test.files").value == {"x": 1}


def test_recorded_about_something(register: Register) -> None:
    """The very question counts; then what is recorded of the probe; then a probe of files may look."""
    register("test.place", crashes, about=("path",))
    register("test.bundle", sees, live=False, about=("path",))
    register("test.files", sees, live=False, also=("path",))
    host = Host(
        root="/nowhere",
        live=False,
        recorded={"test.bundle": {"outcome": "skip", "reason": "not taken"}},
        answers={
            record.key("test.place", {"path": "/a"}): {"value": {"x": 2}},
            record.key("test.bundle", {"path": "/a"}): {"value": {"x": 3}},
        },
    )
    asker = Asker(host)

    assert asker.ask("test.place", {"path": "/a", "other": "y"}).value == {"x": 2}
    assert asker.ask("test.place", {"path": "/b"}).outcome is Outcome.SKIP
    assert asker.ask("test.bundle", {"path": "/a"}).value == {"x": 3}
    assert asker.ask("test.bundle", {"path": "/b"}).reason == "not taken"
    assert asker.ask("test.files", {"path": "/a"}).value == {"x": 1}
    assert [name for name, _ in asker.answered()] == [
        *("test.bundle", "test.bundle", "test.files", "test.place", "test.place")
    ]


WITHOUT_NETWORK = {
    "one that leaves the host": (True, {}, None, Outcome.SKIP),
    "one that stays": (False, {}, {"x": 1}, Outcome.PASS),
    "one that leaves the host, recorded": (True, {"test.far": {"value": {"x": 2}}}, {"x": 2}, Outcome.PASS),
}


@pytest.mark.parametrize(("network", "recorded", "value", "outcome"), WITHOUT_NETWORK.values(), ids=WITHOUT_NETWORK)
def test_without_the_network(
    network: bool, recorded: dict[str, dict[str, object]], value: object, outcome: Outcome, register: Register
) -> None:
    """What would leave the host is not begun and not asked, and says so; a record is as good as ever."""
    asked: list[str] = []

    def look(look: Look) -> Values:
        asked.append("test.far")
        return {"x": 1}

    register("test.far", look, network=network)
    asker = Asker(Host(live=not recorded, recorded=recorded), network=False)
    asker.start(["test.far"])
    evidence = asker.ask("test.far")

    assert (evidence.value, evidence.outcome) == (value, outcome)
    assert (evidence.reason == "not asked: --no-network") is (outcome is Outcome.SKIP)
    assert bool(asked) is (not network)


def tells(look: Look) -> Values:
    return dict(look.about)


def test_what_is_known_beside_it(register: Register) -> None:
    """Details that a probe uses where they are known; without them it is not the same question."""
    register("test.place", tells, about=("path",), also=("group",))
    asker = Asker(Host())

    assert asker.ask("test.place", {"path": "/a", "other": "x"}).value == {"path": "/a"}
    assert asker.ask("test.place", {"path": "/a", "group": "g"}).value == {"path": "/a", "group": "g"}
    assert asker.ask("test.place", {"group": "g"}).value is None


def test_what_may_be_about_something_is_not_begun_early(register: Register) -> None:
    """It would be asked about nothing, in vain."""
    asked = []
    register("test.place", lambda look: asked.append(dict(look.about)) or {}, also=("group",))
    asker = Asker(Host())
    asker.start(["test.place"])
    asker.ask("test.place", {"group": "g"})

    assert asked == [{"group": "g"}]
