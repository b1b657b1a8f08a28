"""Each probe fails in each way in turn: every check keeps its one row, the run ends in time and is never well."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from agentdoctor import probes, runs
from agentdoctor import rules as catalogue
from agentdoctor.host import Host
from agentdoctor.model import Outcome, State, Verdict
from agentdoctor.probes import CannotLook, Look, Values
from agentdoctor.report import Run, document
from agentdoctor.report.text import render

RULES = catalogue.load(samples=True).rules
NAMES = probes.names()
STANDING = {name for rule in RULES if rule.standing for way in rule.confirm for name in way}
ASKED = {name for rule in RULES for name in rule.probes}
CHECK_SECONDS = 5.0  # that a whole check may take

AGENT = {"running": True, "generation": "1.x", "master_pid": 21, "workers": 1, "worker_pid": 24, "worker_age": 9000.0}
PACKAGE = {"installed": True, "generation": "1.x", "status": "installed", "file_version": "OFFICIAL_1.8.1-99_deb"}
UNIT = {"load_state": "loaded", "active_state": "active", "sub_state": "running", "unit_file_state": "enabled"}
# What the probes that need a living host say of a healthy one; those that read files look at the tree.
HEALTHY: Mapping[str, Values] = {
    "clock.offset": {"seconds": 0.4, "abs_seconds": 0.4, "against": "metadata service"},
    "config.age": {"path": "/etc/x", "newer_than_process": False, "changed_at": 1.0, "started_at": 2.0},
    "config.wire_log": {"path": "", "enabled": False, "exists": False, "size": 0},
    "disk.space": {"free_bytes": 9**10, "free_bytes_path": "/", "free_inodes": 9**6, "free_inodes_path": "/"},
    "dpkg.state": {"lock_holder": ""},
    "held.deleted": {"cwd": "/", "cwd_deleted": False, "log_deleted": False, "log": "/x"},
    "imds.document": {"status": 200, "region": "eu-west-1", "instance_id": "i-0123456789abcdef0"},
    "imds.lifecycle": {"target": "InService", "spot": "", "leaving": False},
    "imds.profile": {"attached": True, "status": 200, "code": "Success", "message": ""},
    "imds.role": {"role": "web", "status": 200, "code": "Success", "message": ""},
    "imds.token": {"connected": True, "status": 200, "given": True, "error": "", "ms": 2.0},
    "log.activity": {
        "path": "/x", "exists": True, "size": 9, "torn_end": False, "age_seconds": 5.0, "quiet_seconds": 5.0,
        "last_stamp_age": 5.0, "last_poll_age": 5.0, "deployments_after": 0,
    },
    "package.agent": PACKAGE,
    "package.support": {"supported": True, "reason": "", "version": "OFFICIAL_1.8.1-99_deb"},
    "process.agent": AGENT,
    "process.work": {"connections": 1, "cpu_seconds": 3.0, "state": "S", "children": 0, "deploying": False},
    "unit.state": UNIT,
}  # fmt: skip
# The failure of these changes nothing on a healthy host: another probe rules out all that they could prove.
SETTLED = {"dpkg.state", "imds.document", "log.activity", "process.agent", "process.work"}

Looks = Callable[[Look], Values]
Check = Callable[..., Run]


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Check:
    """A check of a small host that is well but for the probes that are given, and for what its log says."""
    tree = tmp_path / "host"
    log = tree / "var/log/aws/codedeploy-agent/codedeploy-agent.log"
    log.parent.mkdir(parents=True)
    found = dict(probes._found)
    for name in NAMES:
        if name in HEALTHY or (found[name].live and name != "rules.site"):
            found[name] = found[name]._replace(look=_saying(HEALTHY.get(name)))
    monkeypatch.setattr(runs, "_read_journal", lambda *_: set())  # that of this machine says nothing of the tree

    def run(broken: Mapping[str, Looks], text: str = "", seconds: float | None = None) -> Run:
        log.write_text(text)
        changed = {name: found[name]._replace(look=look) for name, look in broken.items()}
        monkeypatch.setattr(probes, "_found", {**found, **changed})
        return runs.check(RULES, Host(root=str(tree), broken_rules=()), seconds=seconds)

    return run


def _saying(value: Values | None) -> Looks:
    def look(_: Look) -> Values:
        if value is None:
            raise CannotLook("there is none here", skip=True)
        return value

    return look


def raises(_: Look) -> Values:
    raise RuntimeError("it broke")


def is_refused(_: Look) -> Values:
    raise PermissionError(13, os.strerror(13))


def cannot_look(_: Look) -> Values:
    raise CannotLook("no way to tell")


WAYS: Mapping[str, tuple[Looks, Outcome, str]] = {
    "raises": (raises, Outcome.ERROR, "the probe failed: RuntimeError: it broke"),
    "is refused": (is_refused, Outcome.UNKNOWN, "Permission denied"),
    "cannot look": (cannot_look, Outcome.UNKNOWN, "no way to tell"),
}


def whole(run: Run) -> None:
    """Each rule has its one row, each row its outcome, its time and where it needs one its reason; it can be shown."""
    assert [row.id for row in run.checks] == [rule.id for rule in RULES]
    for row in run.checks:
        assert isinstance(row.outcome, Outcome)
        assert row.reason or row.outcome in (Outcome.PASS, Outcome.FAIL), row.id
        assert 0 <= row.duration_ms < CHECK_SECONDS * 1000, row.id
    assert run.duration_ms < CHECK_SECONDS * 1000
    for shown in (render(run), str(document(run))):
        assert "Traceback" not in shown


def test_nothing_fails(check: Check) -> None:
    """Otherwise the rest would prove nothing."""
    run = check({})
    whole(run)

    assert (run.exit_code, run.complete) == (0, True), [row for row in run.checks if row.outcome is not Outcome.PASS]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("look", "outcome", "reason"), WAYS.values(), ids=WAYS)
def test_one_probe_fails(name: str, look: Looks, outcome: Outcome, reason: str, check: Check) -> None:
    """Its rows say why, and if a standing check asked it the run is not well."""
    run = check({name: look})
    whole(run)
    rows = [row for row in run.checks if row.outcome is outcome and f"{name}: {reason}" in row.reason]

    if name in STANDING - SETTLED:
        assert rows
        assert (run.exit_code, run.complete) == (3, False)
    else:
        assert not rows or run.exit_code == 3


def asking(name: str) -> tuple[str, str] | None:
    """A rule that asks the probe once a log shows it, and the log."""
    for rule in RULES:
        if not rule.standing and any(name in way for way in rule.confirm):
            for sample in rule.samples:
                if sample.match and sample.log == "agent":
                    return rule.id, sample.text
    return None


# What asks the first is ruled out by the metadata service, which answers here, and what asks the second is an info.
NO_HARM = {"host.hypervisor", "ongoing.deployments"}
LOGGED = {name: found for name in NAMES if name not in STANDING | NO_HARM and (found := asking(name))}


@pytest.mark.parametrize("name", LOGGED)
@pytest.mark.parametrize(("look", "outcome", "reason"), WAYS.values(), ids=WAYS)
def test_the_probe_of_a_finding_fails(name: str, look: Looks, outcome: Outcome, reason: str, check: Check) -> None:
    """What the log shows is told all the same, as unverified if nothing else settles it."""
    id_, text = LOGGED[name]
    run = check({name: look}, f"{text}\n")
    whole(run)
    told = [finding for finding in run.findings if id_ in (finding.rule.id, *finding.siblings)]

    assert run.exit_code != 0
    assert told
    assert told[0].state is State.ACTIVE
    assert told[0].verdict is not Verdict.CONFIRMED or told[0].rule.id != id_


def test_what_is_asked_by_no_rule_alone() -> None:
    """Every probe is broken above for a standing check or for a finding, or only other probes ask it."""
    helpers = set(NAMES) - STANDING - NO_HARM - LOGGED.keys()

    assert not {name for name in helpers if any(name in way for rule in RULES for way in rule.confirm)}


@pytest.fixture
def hang() -> Iterator[Looks]:
    """A look that does not come back before the test ends: as good as a thread that was killed."""
    end = threading.Event()

    def look(_: Look) -> Values:
        end.wait()
        return {}

    yield look
    end.set()


@pytest.mark.parametrize("name", sorted(STANDING - SETTLED))
def test_one_probe_hangs(name: str, hang: Looks, check: Check) -> None:
    """The run waits for it no longer than its budget, and says so."""
    run = check({name: hang}, seconds=0.1)
    whole(run)

    assert run.exit_code == 3
    assert [row for row in run.checks if row.outcome is Outcome.UNKNOWN and f"{name}: no answer within" in row.reason]


@pytest.mark.parametrize("name", LOGGED)
def test_the_probe_of_a_finding_hangs(name: str, hang: Looks, check: Check) -> None:
    """What the log shows stays."""
    id_, text = LOGGED[name]
    run = check({name: hang}, f"{text}\n", seconds=0.1)
    whole(run)

    assert run.exit_code != 0
    assert [finding for finding in run.findings if id_ in (finding.rule.id, *finding.siblings)]


@pytest.mark.parametrize("text", ["", LOGGED["disk.path"][1]], ids=["nothing logged", "a failure logged"])
def test_all_of_them_hang(text: str, hang: Looks, check: Check) -> None:
    """However many: each is given up at the same moment."""
    run = check(dict.fromkeys(NAMES, hang), text, seconds=0.2)
    whole(run)

    assert run.exit_code == (2 if text else 3)
    assert not run.complete


@pytest.mark.parametrize(("look", "outcome", "reason"), WAYS.values(), ids=WAYS)
def test_all_of_them_fail(look: Looks, outcome: Outcome, reason: str, check: Check) -> None:
    """Nothing is known then, and nothing is called well."""
    run = check(dict.fromkeys(NAMES, look))
    whole(run)
    standing = {rule.id for rule in RULES if rule.standing}

    assert run.exit_code == 3
    assert {row.outcome for row in run.checks if row.id in standing} == {outcome}
    assert all(reason in row.reason for row in run.checks if row.id in standing)


def test_names_of_the_healthy_host() -> None:
    """A probe that is gone does not stay in the table."""
    known: dict[str, Any] = dict.fromkeys(NAMES)
    assert HEALTHY.keys() <= known.keys()
    assert SETTLED <= STANDING
