"""The chain of prerequisites: a link that fails hides what hangs on it, and two failures of their own are both told.

Host, agent installed, running, metadata service, identity, clock, way out, download, bundle, AppSpec, Install, hooks.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from agentdoctor import rules as catalogue
from agentdoctor.doctor import Doctor
from agentdoctor.evidence import Ask
from agentdoctor.grammars import Source, every_entry
from agentdoctor.logs import read_as
from agentdoctor.model import Evidence, Finding, Outcome, Record, Rule, State, Verdict
from agentdoctor.rules.lint import _GRAMMARS

RULES = {rule.id: rule for rule in catalogue.from_sources()}
Values = dict[str, dict[str, Any]]

# root cause -> what is no failure of its own as long as that holds
HIDDEN: Mapping[str, tuple[str, ...]] = {
    # the host
    "disk-full": (
        *("agent-not-running", "agent-pidfile-stale", "agent-log-off", "agent-silent", "agent-config-invalid"),
        *("agent-update-half-done", "bundle-corrupt", "bundle-type-mismatch", "unzip-fallback-failed"),
        *("appspec-missing", "appspec-empty", "file-already-exists", "cleanup-failed", "script-failed"),
    ),
    "inodes-full": ("agent-pidfile-stale", "cleanup-failed", "source-file-missing", "script-missing", "script-failed"),
    "filesystem-read-only": (
        *("path-permission-denied", "agent-pidfile-stale", "deployment-root-damaged", "cleanup-failed"),
        *("bundle-corrupt", "script-not-executable", "deployment-failed"),
    ),
    "memory-exhausted": ("agent-not-running", "agent-pidfile-stale", "agent-stalled", "script-killed", "script-failed"),
    "process-limit-reached": ("agent-not-running", "agent-crash-loop", "script-failed"),
    "instance-terminating": ("agent-not-running", "agent-restarted-mid-deployment"),
    # the agent is installed
    "agent-not-installed": (
        *("agent-disabled-at-boot", "agent-load-error", "agent-ruby-missing", "agent-config-invalid"),
        *("imds-unreachable", "instance-profile-missing", "endpoint-dns-failed", "endpoint-tls-failed"),
    ),
    # and can start
    "agent-config-invalid": ("agent-not-running", "agent-crash-loop", "agent-config-restart-pending"),
    "agent-load-error": ("agent-not-running", "agent-crash-loop", "agent-pidfile-stale"),
    "agent-ruby-missing": ("agent-not-running", "agent-pidfile-stale"),
    "agent-log-deleted": ("agent-silent",),
    "agent-orphan-master": ("agent-already-running",),
    # the metadata service, and who the host is
    "imds-unreachable": ("instance-profile-missing", "region-unknown", "credentials-expired", "endpoint-check-failed"),
    "imds-token-refused": ("role-unusable", "imds-error", "agent-crash-loop", "update-region-guessed"),
    "onpremises-config-missing": ("imds-unreachable", "agent-crash-loop"),
    "host-identifier-mismatch": ("command-rejected",),
    "instance-profile-missing": ("agent-crash-loop", "credentials-expired"),
    "role-unusable": ("credentials-rejected", "credentials-expired"),
    "credentials-shadowed": ("s3-access-denied",),
    # the clock
    "clock-skew": (
        *("credentials-expired", "endpoint-tls-failed", "endpoint-check-failed"),
        *("s3-unreachable", "github-unreachable", "update-download-failed"),
    ),
    # the way out
    "region-unknown": ("endpoint-dns-failed", "endpoint-unreachable", "endpoint-check-failed", "s3-unreachable"),
    "endpoint-dns-failed": (
        *("endpoint-check-failed", "endpoint-interrupted", "agent-stalled"),
        *("s3-unreachable", "github-unreachable", "update-download-failed"),
    ),
    "proxy-misconfigured": (
        *("endpoint-check-failed", "endpoint-server-error", "s3-unreachable", "github-unreachable"),
        "update-download-failed",
    ),
    # what a deployment brings, and what it runs
    "cleanup-failed": ("file-already-exists",),
    "appspec-hook-invalid": ("appspec-key-ignored",),
    "last-revision-script-failed": ("script-failed", "script-command-not-found", "script-missing"),
    "script-line-endings": ("script-failed", "script-command-not-found", "script-permission-denied"),
    "script-interpreter-invalid": ("script-failed", "script-permission-denied"),
    "script-runas-failed": ("script-failed", "script-command-not-found"),
    "script-command-not-found": ("script-failed", "script-hid-failure"),
    "script-package-lock": ("script-failed",),
    # the installer
    "update-package-locked": ("update-package-failed", "update-script-error"),
    "update-metadata-unavailable": ("update-region-guessed",),
}
PAIRS = [(root, id_) for root, consequences in HIDDEN.items() for id_ in consequences]

# Where the proof of one contradicts the other: the root's host, with the log of what would follow from it.
APART = [
    ("agent-not-installed", "agent-not-running"),
    ("role-unusable", "s3-access-denied"),
    ("clock-skew", "credentials-rejected"),
    ("clock-skew", "s3-access-denied"),
    ("endpoint-dns-failed", "endpoint-unreachable"),
    ("agent-log-deleted", "agent-log-off"),
]

INDEPENDENT = [
    ("disk-full", "instance-profile-missing"),
    ("disk-full", "clock-skew"),
    ("disk-full", "credentials-shadowed"),
    ("disk-full", "appspec-key-ignored"),
    ("disk-full", "s3-access-denied"),
    ("memory-exhausted", "instance-profile-missing"),
    ("memory-exhausted", "owner-missing"),
    ("clock-skew", "script-failed"),
    ("clock-skew", "agent-not-running"),
    ("endpoint-dns-failed", "agent-config-restart-pending"),
    ("endpoint-throttled", "file-already-exists"),
    ("agent-version-unsupported", "s3-object-missing"),
    ("agent-disabled-at-boot", "s3-wrong-region"),
    ("agent-wire-log-on", "script-failed"),
    ("agent-not-running", "appspec-misnamed"),
    ("agent-not-running", "last-revision-missing"),
    ("imds-unreachable", "script-line-endings"),
    ("instance-profile-missing", "file-already-exists"),
    ("script-hid-failure", "appspec-key-ignored"),
    ("github-download-failed", "s3-kms-denied"),
    ("instance-terminating", "script-failed"),
    ("instance-terminating", "disk-full"),
]

QUIET = {
    "path": "/x",
    "size": 9,
    "quiet_seconds": 9e3,
    "last_poll_age": 9e3,
    "deployments_after": 0,
    "age_seconds": 9e3,
}
# What the words of a value want beside what the rule asks.
BESIDE: Values = {
    "config.age": {"changed_at": 900.0, "started_at": 500.0},
    "bundle.file": {"kind": "zip", "size": 400},
    "clock.offset": {"seconds": 900.0, "against": "metadata service"},
    "disk.space": {"free_bytes_path": "/", "free_inodes_path": "/"},
    "install.owner": {"owner": "nobody"},
    "log.activity": QUIET,
    "memory.oom": {"last_victim": "ruby", "last_at": 0.0},
    "memory.state": {"available_bytes": 1, "total_bytes": 9, "swap_total": 0, "swap_free": 0},
    "process.agent": {"generation": "1.x", "worker_age": 9e3, "master_age": 9e3, "workers": 1},
    "process.work": {"connections": 0, "cpu_seconds": 3.0, "state": "S", "children": 0},
    "stop.next": {"appspec_missing": [], "scripts_missing": ["a.sh"]},
}


def shown(rule: Rule, way: int = 0) -> Values:
    """Values that confirm a rule in one of its ways, with what their words need beside them."""
    values: Values = {}
    for name, fields in rule.confirm[way].items() if rule.confirm else ():
        values[name] = {field: _wanted(wanted) for field, wanted in fields.items()}
    return values


def _wanted(wanted: Any) -> Any:
    """A value that is as a rule wants it."""
    if isinstance(wanted, list):
        return wanted[0]
    if not isinstance(wanted, Mapping):
        return wanted
    if "not" in wanted:
        return ["x"] if isinstance(wanted["not"], list) else "x"
    return wanted.get("min", wanted.get("max"))


def together(one: Rule, other: Rule) -> Values:
    """A host that confirms both, in the first two of their ways that do not contradict each other."""
    for ways in ((a, b) for a in range(max(1, len(one.confirm))) for b in range(max(1, len(other.confirm)))):
        mine, theirs = shown(one, ways[0]), shown(other, ways[1])
        agree = all(
            mine[name].get(field, value) == value
            for name in mine.keys() & theirs
            for field, value in theirs[name].items()
        )
        if agree:
            merged = {name: {**mine.get(name, {}), **theirs.get(name, {})} for name in mine.keys() | theirs}
            return {name: {**BESIDE.get(name, {}), **fields} for name, fields in merged.items()}
    raise AssertionError(f"no host has both {one.id} and {other.id}")


def asking(host: Values) -> Ask:
    def ask(name: str, _: Mapping[str, str]) -> Evidence:
        value = host.get(name)
        return Evidence(
            name, "disk", value, "" if value else "nobody asked", Outcome.PASS if value else Outcome.UNKNOWN
        )

    return ask


def records(rule: Rule) -> Iterator[Record]:
    """What is logged of a rule, as often as its signature asks: once a minute, in no deployment in particular."""
    sample = next((sample for sample in rule.samples if sample.match), None)
    if sample is None or rule.signature is None:
        return
    for number in range(rule.signature.times):
        stream = io.BytesIO(sample.text.encode())
        for record in read_as(every_entry(_GRAMMARS[sample.log]), stream, Source("sample"), tuple):
            yield record._replace(
                at=1000.0 + 60 * number, deployment=record.deployment.__class__("", "", record.deployment.event)
            )


def judged(*rules: Rule, host: Values) -> dict[str, Finding]:
    """Findings of some rules by id, each with its log and all with one host."""
    doctor = Doctor(rules)
    for rule in rules:
        for record in records(rule):
            doctor.observe(record)
    return {finding.rule.id: finding for finding in doctor.findings(9000.0, asking(host))}


@pytest.mark.parametrize(("root", "consequence"), PAIRS, ids=[f"{a}-{b}" for a, b in PAIRS])
def test_the_root_hides_its_consequence(root: str, consequence: str) -> None:
    """Both are logged and proven, and only the root is told; the consequence alone is told."""
    one, other = RULES[root], RULES[consequence]
    found = judged(one, other, host=together(one, other))
    alone = judged(other, host=together(other, other))

    assert {id_ for id_, finding in found.items() if finding.state is State.ACTIVE} == {root}
    assert (found[consequence].state, found[consequence].masked_by) == (State.MASKED, root)
    assert found[consequence].verdict is not Verdict.UNVERIFIED
    assert alone[consequence].state is State.ACTIVE


@pytest.mark.parametrize(("root", "other"), APART, ids=[f"{a}-{b}" for a, b in APART])
def test_the_host_tells_them_apart(root: str, other: str) -> None:
    """What the root's proof contradicts is not told beside it."""
    found = judged(RULES[root], RULES[other], host=together(RULES[root], RULES[root]))

    assert {id_ for id_, finding in found.items() if finding.state is State.ACTIVE} == {root}


@pytest.mark.parametrize(("one", "other"), INDEPENDENT, ids=[f"{a}-{b}" for a, b in INDEPENDENT])
def test_two_failures_of_their_own(one: str, other: str) -> None:
    """Neither is the reason of the other, so both are told."""
    found = judged(RULES[one], RULES[other], host=together(RULES[one], RULES[other]))

    assert {id_ for id_, finding in found.items() if finding.state is State.ACTIVE} == {one, other}


def test_how_many_there_are() -> None:
    """Each pair once, and over the whole chain."""
    areas = {RULES[id_].area for pair in PAIRS for id_ in pair}

    assert len(set(PAIRS)) == len(PAIRS) >= 30
    assert len(set(INDEPENDENT)) == len(INDEPENDENT) >= 10
    assert {
        "host",
        "agent",
        "identity",
        "clock",
        "network",
        "download",
        "bundle",
        "appspec",
        "install",
        "hook",
    } <= areas
    assert not set(PAIRS) & set(INDEPENDENT) | set(PAIRS) & {(b, a) for a, b in INDEPENDENT}


ALIKE = [("disk-full", "inodes-full")]


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_full_is_full(one: str, other: str) -> None:
    """A file system without inodes fails as one without space does."""
    assert [rule.id for rule in RULES.values() if one in rule.depends_on and other not in rule.depends_on] == []
