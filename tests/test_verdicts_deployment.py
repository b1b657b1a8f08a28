"""What the host says of failed deployments: of each rule what confirms it, what contradicts it, what leaves it open."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from agentdoctor import rules as catalogue
from agentdoctor.doctor import Doctor
from agentdoctor.grammars import Source, every_entry
from agentdoctor.logs import read_as
from agentdoctor.model import Evidence, Finding, Outcome, Rule, Severity, State, Verdict
from agentdoctor.rules.lint import _GRAMMARS

SHIPPED = {rule.id: rule for rule in catalogue.from_sources()}
Host = Mapping[str, Mapping[str, Any] | None]


def asking(host: Host) -> Callable[[str, Mapping[str, str]], Evidence]:
    """An ask over fixed values; what is not among them could not be looked at."""

    def ask(name: str, about: Mapping[str, str]) -> Evidence:
        value = host.get(name)
        return Evidence(
            name, "disk", value, "" if value else "no permission", Outcome.PASS if value else Outcome.UNKNOWN
        )

    return ask


def judge(rule: Rule, host: Host, number: int = 0, alone: bool = True) -> dict[str, Finding]:
    """Findings of the rule's matching sample of that number, by the rule alone or by all."""
    doctor = Doctor([rule] if alone else list(SHIPPED.values()))
    sample = [sample for sample in rule.samples if sample.match][number]
    grammar = every_entry(_GRAMMARS[sample.log])
    for record in read_as(grammar, io.BytesIO(sample.text.encode()), Source("sample"), doctor.wanted):
        doctor.observe(record)
    return {finding.rule.id: finding for finding in doctor.findings(0.0, asking(host))}


GOOD = {"exists": True, "crlf": False, "crlf_first": False, "interpreter_exists": True, "kind": "script"}
GOOD_SCRIPT = {**GOOD, "executable": True, "has_space": False, "shebang": "/bin/sh"}
ROOM = {"available_percent": 50.0, "available_bytes": 5, "total_bytes": 10, "swap_total": 0, "swap_free": 0}
FULL = {**ROOM, "available_percent": 1.0}
KILLED, NONE_KILLED = {"kills": 1, "last_victim": "ruby", "last_at": 0.0}, {"kills": 0}
FREE_PATH = {"in_the_way": "", "read_only": False, "immutable": False, "owner": "root", "mode": "0755"}
PACKAGE = {"installed": True, "generation": "1.x", "file_version": "OFFICIAL_1.8.1-99_deb", "status": "installed"}
WRITABLE = {"read_only": [], "noexec": []}

# rule, what confirms it, what contradicts it, and what it is then
DECIDED = [
    ("file-already-exists", {"install.owner": {"exists": True}}, {"install.owner": {"exists": False}}),
    ("script-missing", {"hook.script": {"exists": False}}, {"hook.script": GOOD_SCRIPT}),
    ("script-line-endings", {"hook.script": {**GOOD, "crlf": True}}, {"hook.script": GOOD_SCRIPT}),
    (
        "script-interpreter-invalid",
        {"hook.script": {**GOOD, "interpreter_exists": False}},
        {"hook.script": GOOD_SCRIPT},
    ),
    ("script-interpreter-invalid", {"hook.script": {**GOOD, "kind": "elf"}}, {"hook.script": GOOD_SCRIPT}),
    (
        "script-interpreter-invalid",
        {"hook.script": {**GOOD, "kind": "text", "interpreter_exists": None}},
        {"hook.script": {**GOOD, "crlf_first": True, "interpreter_exists": None}},
    ),
    ("script-not-executable", {"hook.script": {"executable": False}}, {"hook.script": GOOD_SCRIPT}),
    ("script-location-has-space", {"hook.script": {"has_space": True}}, {"hook.script": GOOD_SCRIPT}),
    (
        "script-runas-failed",
        {"identity.user": {"exists": False}},
        {"identity.user": {"exists": True, "can_login": True}},
    ),
    (
        "script-runas-failed",
        {"identity.user": {"exists": True, "can_login": False}},
        {"identity.user": {"exists": True, "can_login": True}},
    ),
    ("source-file-missing", {"source.file": {"exists": False}}, {"source.file": {"exists": True}}),
    ("owner-missing", {"identity.owner": {"exists": False}}, {"identity.owner": {"exists": True}}),
    ("destination-conflict", {"disk.path": {"in_the_way": "/srv"}}, {"disk.path": FREE_PATH}),
    (
        "filesystem-read-only",
        {"disk.path": {"read_only": True}},
        {"disk.path": FREE_PATH, "disk.mounts": WRITABLE},
    ),
    (
        "filesystem-read-only",
        {"disk.mounts": {"read_only": ["/tmp"]}},
        {"disk.path": FREE_PATH, "disk.mounts": WRITABLE},
    ),
]

STOPS = {"archive": "", "group_id": "", "script": "", "scripts_missing": []}
GONE = {**STOPS, "archive": "/a", "group_id": "g"}
DECIDED.append(("last-revision-missing", {"stop.next": GONE}, {"stop.next": STOPS}))

# Where the host shows that it is over, it is over.
ENDED = [
    ("agent-stop-refused", {"ongoing.deployments": {"young": 1}}, {"ongoing.deployments": {"young": 0}}),
    (
        "agent-update-half-done",
        {"package.agent": {"installed": True, "generation": "1.x", "file_version": "", "status": "installed"}},
        {"package.agent": PACKAGE, "dpkg.state": {"lock_holder": ""}},
    ),
    (
        "agent-update-half-done",
        {"package.agent": {**PACKAGE, "status": "half-configured"}, "dpkg.state": {"lock_holder": ""}},
        {"package.agent": {**PACKAGE, "status": "half-configured"}, "dpkg.state": {"lock_holder": "apt-get"}},
    ),
]

# The evidence passes, or is one of many: where it is not seen, the log is believed all the same.
PASSING = [
    ("memory-exhausted", {"memory.oom": KILLED}, {"memory.oom": NONE_KILLED, "memory.state": ROOM}),
    ("memory-exhausted", {"memory.state": FULL}, {"memory.oom": NONE_KILLED, "memory.state": ROOM}),
    ("script-command-not-found", {"host.command": {"found": ""}}, {"host.command": {"found": "/usr/bin/npm"}}),
    ("script-permission-denied", {"disk.mounts": {"root_noexec": True}}, {"disk.mounts": {"root_noexec": False}}),
    ("path-permission-denied", {"disk.path": {"immutable": True}}, {"disk.path": FREE_PATH}),
    ("acl-command-failed", {"host.commands": {"setfacl": False}}, {"host.commands": {"setfacl": True}}),
    (
        "selinux-command-failed",
        {"host.commands": {"semanage": True, "restorecon": False}},
        {"host.commands": {"semanage": True, "restorecon": True}},
    ),
    ("agent-ruby-missing", {"host.commands": {"ruby": False}}, {"host.commands": {"ruby": True}}),
    ("update-package-locked", {"dpkg.state": {"lock_holder": "apt-get"}}, {"dpkg.state": {"lock_holder": ""}}),
    ("script-package-lock", {"dpkg.state": {"lock_holder": "apt-get"}}, {"dpkg.state": {"lock_holder": ""}}),
    ("bundle-filename-encoding", {"source.names": {"bad": 1}}, {"source.names": {"bad": 0}}),
]
APPSPEC = {"yaml_ok": True, "empty": False, "version_ok": True, "version": "0.0", "os_ok": True, "os": "linux"}
PASSING += [
    ("appspec-yaml-invalid", {"appspec.parsed": {"yaml_ok": False, "problem": "a tab"}}, {"appspec.parsed": APPSPEC}),
    ("appspec-empty", {"appspec.parsed": {"empty": True}}, {"appspec.parsed": APPSPEC}),
    ("appspec-version-invalid", {"appspec.parsed": {"version_ok": False}}, {"appspec.parsed": APPSPEC}),
    ("appspec-os-unsupported", {"appspec.parsed": {"os_ok": False}}, {"appspec.parsed": APPSPEC}),
    ("last-revision-script-failed", {"stop.next": {"script": "stop.sh"}}, {"stop.next": STOPS}),
]
ROWS = [*DECIDED, *ENDED, *PASSING]
IDS = [f"{row[0]}-{number}" for number, row in enumerate(ROWS)]


@pytest.mark.parametrize(("id_", "confirming", "_"), ROWS, ids=IDS)
def test_what_confirms(id_: str, confirming: Host, _: Host) -> None:
    """The host shows the cause."""
    finding = judge(SHIPPED[id_], confirming)[id_]

    assert (finding.verdict, finding.state) == (Verdict.CONFIRMED, State.ACTIVE)


@pytest.mark.parametrize(("id_", "_", "contradicting"), ROWS, ids=IDS)
def test_what_contradicts(id_: str, _: Host, contradicting: Host) -> None:
    """It is not so any more: no active finding, where the evidence decides."""
    finding = judge(SHIPPED[id_], contradicting)[id_]
    rule = SHIPPED[id_]
    over = State.RECOVERED if rule.recovery.evidence else State.QUIET

    assert finding.verdict is (Verdict.RULED_OUT if rule.rules_out else Verdict.LIKELY)
    assert finding.state is (over if rule.rules_out else State.ACTIVE)


@pytest.mark.parametrize("id_", sorted({row[0] for row in ROWS}))
def test_what_is_unknown(id_: str) -> None:
    """Nothing could be looked at, so nothing is proven and nothing is over."""
    finding = judge(SHIPPED[id_], {})[id_]

    assert (finding.verdict, finding.state) == (Verdict.UNVERIFIED, State.ACTIVE)


# What the kernel says of a script that it cannot start: "No such file or directory", whatever is missing.
SAME_WORDS = [
    ("carriage returns", {**GOOD, "crlf": True, "crlf_first": True, "interpreter_exists": None}, "script-line-endings"),
    ("no interpreter", {**GOOD, "interpreter_exists": False}, "script-interpreter-invalid"),
    ("a program of another kind", {**GOOD, "kind": "elf"}, "script-interpreter-invalid"),
]


@pytest.mark.parametrize(("seen", "id_"), [row[1:] for row in SAME_WORDS], ids=[row[0] for row in SAME_WORDS])
@pytest.mark.parametrize("by", ["script-line-endings", "script-interpreter-invalid"])
def test_same_words_other_causes(by: str, seen: Mapping[str, Any], id_: str) -> None:
    """The evidence decides, whichever rule's sample it is."""
    found = judge(SHIPPED[by], {"hook.script": seen}, alone=False)

    assert found[id_].verdict is Verdict.CONFIRMED
    assert {name for name, finding in found.items() if finding.state is State.ACTIVE} == {id_}


def test_same_words_and_nothing_known() -> None:
    """The most frequent cause, which names the other."""
    found = judge(SHIPPED["script-line-endings"], {}, alone=False)["script-line-endings"]

    assert (found.verdict, found.siblings) == (Verdict.UNVERIFIED, ("script-interpreter-invalid",))


SHOWN = [
    ("file-already-exists", "install.owner", {"exists": True, "owner": "nobody"}, "no deployment group here"),
    ("agent-restarted-mid-deployment", "dpkg.state", {"last_agent_change": 0.0}, "dpkg last changed the agent 1970"),
    ("clock-skew", "clock.sync", {"synchronised": False, "service": ""}, "no time service runs"),
    ("script-killed", "memory.oom", KILLED, "the kernel killed 1"),
    ("script-runas-failed", "host.command", {"command": "sudo", "found": ""}, "sudo is not on the PATH"),
    ("script-permission-denied", "hook.script", GOOD_SCRIPT, "the script has an execute bit"),
    ("script-not-executable", "disk.mounts", {"read_only": ["/opt"], "noexec": []}, "/opt mounted read-only"),
]


@pytest.mark.parametrize(("id_", "probe", "seen", "said"), SHOWN, ids=[f"{row[0]}-{row[1]}" for row in SHOWN])
def test_what_is_shown_beside_it(id_: str, probe: str, seen: Mapping[str, Any], said: str) -> None:
    """What neither proves nor contradicts, and helps who reads it."""
    proofs = judge(SHIPPED[id_], {probe: seen})[id_].evidence

    assert any(said in proof.text for proof in proofs if proof.name == probe)


NO_KEY = {"key": "", "place": "", "line": 0, "meant": "", "archive": "", "count": 0}
KEY = {"key": "timout", "place": "hooks", "line": 7, "meant": "timeout", "archive": "/a", "count": 1}
WELL_HOOKS = {"text": "", "log": "", "command": "", "running": None}
HIDDEN = {"text": "nohup: failed to run command 'java'", "log": "/l", "command": "java", "running": False}
RUNS_NOW = {**HIDDEN, "running": True}
EC2 = {"identity.onpremises": {"present": False}}
LEAVES = {**EC2, "imds.lifecycle": {"target": "Terminated", "spot": "", "leaving": True}}
STAYS = {**LEAVES, "imds.lifecycle": {"target": "InService", "spot": "", "leaving": False}}
STANDING = [
    ("instance-terminating", LEAVES, STAYS),
    ("instance-terminating", LEAVES, {"identity.onpremises": {"present": True, "path": "/etc/x"}}),
    ("script-hid-failure", {"hooks.hidden": HIDDEN}, {"hooks.hidden": WELL_HOOKS}),
    ("script-hid-failure", {"hooks.hidden": HIDDEN}, {"hooks.hidden": RUNS_NOW}),
    ("appspec-key-ignored", {"appspec.ignored": KEY}, {"appspec.ignored": NO_KEY}),
    ("last-revision-missing", {"stop.next": GONE}, {"stop.next": STOPS}),
    ("last-revision-script-failed", {"stop.next": {"script": "a", "scripts_missing": ["a"]}}, {"stop.next": STOPS}),
    ("agent-update-half-done", *ENDED[2][1:]),
]


@pytest.mark.parametrize(("id_", "shown", "not_shown"), STANDING, ids=[row[0] for row in STANDING])
def test_found_before_it_hurts(id_: str, shown: Host, not_shown: Host) -> None:
    """Without a line in a log, as a warning; a host without it passes, and one that cannot be looked at does not."""
    doctor = Doctor([SHIPPED[id_]])
    (finding,) = doctor.findings(0.0, asking(shown))
    outcomes = [check.outcome for host in (not_shown, {}) for check in doctor.checks([], set(), asking(host))]

    assert (finding.verdict, finding.severity) == (Verdict.CONFIRMED, Severity.WARNING)
    assert doctor.findings(0.0, asking(not_shown)) == []
    assert doctor.findings(0.0, asking({})) == []
    assert outcomes == [Outcome.PASS, Outcome.UNKNOWN]


def test_what_a_copied_tree_does_not_show() -> None:
    """Whether the program runs now: then it is not told, and not called well."""
    doctor, host = Doctor([SHIPPED["script-hid-failure"]]), asking({"hooks.hidden": {**HIDDEN, "running": None}})

    assert doctor.findings(0.0, host) == []
    assert [check.outcome for check in doctor.checks([], set(), host)] == [Outcome.UNKNOWN]


HID_OR_NOT = [
    ("it runs not", {"hooks.hidden": HIDDEN}, "script-hid-failure"),
    ("the command is not there", {"host.command": {"found": ""}}, "script-command-not-found"),
    ("nobody could look", {}, "script-command-not-found"),
]


@pytest.mark.parametrize(("host", "told"), [row[1:] for row in HID_OR_NOT], ids=[row[0] for row in HID_OR_NOT])
def test_what_a_pasted_hook_printed(host: Host, told: str) -> None:
    """The same words stand for a hook that failed and for one that hid it."""
    found = judge(SHIPPED["script-hid-failure"], host, number=1, alone=False)
    other = {"script-hid-failure": "script-command-not-found"}.get(told, "script-hid-failure")

    assert {name for name, finding in found.items() if finding.state is State.ACTIVE} == {told}
    assert found[told].siblings == (() if host else (other,))


@pytest.mark.parametrize("found", ["", "/usr/bin/java"])
def test_a_reported_failure_was_not_hidden(found: str) -> None:
    """The agent's report of a failed event is one cause alone, and what its hook left behind is not told beside it."""
    rule = SHIPPED["script-hid-failure"]
    text = next(sample.text for sample in rule.samples if not sample.match and "put_host_command" in sample.text)
    doctor = Doctor(list(SHIPPED.values()))
    for record in read_as(every_entry(_GRAMMARS["agent"]), io.BytesIO(text.encode()), Source("x"), doctor.wanted):
        doctor.observe(record)
    host = asking({"hooks.hidden": HIDDEN, "host.command": {"found": found}})
    findings = {finding.rule.id: finding for finding in doctor.findings(0.0, host)}

    assert findings["script-command-not-found"].siblings == ()
    assert findings["script-hid-failure"].masked_by == "script-command-not-found"
    assert {id_ for id_, finding in findings.items() if finding.state is State.ACTIVE} == {"script-command-not-found"}
