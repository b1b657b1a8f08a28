"""The nine causes of AWS's runbook AWSSupport-TroubleshootCodeDeploy, each proven here by the host and its logs alone.

The runbook asks GetDeployment, GetDeploymentTarget and DescribeInstances; it needs a failed deployment and an IAM role.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from typing import Any

import pytest

from agentdoctor import probes
from agentdoctor import rules as catalogue
from agentdoctor.doctor import Doctor
from agentdoctor.grammars import Source, every_entry
from agentdoctor.logs import read_as
from agentdoctor.model import Evidence, Finding, Outcome, State, Verdict
from agentdoctor.rules.lint import _GRAMMARS
from conftest import TOP

RULES = {rule.id: rule for rule in catalogue.from_sources()}
README = (TOP / "README.md").read_text(encoding="utf-8")
Host = Mapping[str, Mapping[str, Any]]

EC2: Host = {"identity.onpremises": {"present": False}}
GOOD_ROLE: Host = {
    "imds.role": {"role": "web", "code": "Success"},
    "clock.offset": {"seconds": 0.4, "abs_seconds": 0.4},
}
INSTALLED = {"installed": True, "generation": "1.x", "status": "installed"}
NO_AGENT = {"running": False, "workers": 0}

# cause, id, what the host says beside the sample of the rule
DOWN: Host = {"package.agent": INSTALLED, "process.agent": NO_AGENT, "unit.state": {"active_state": "failed"}}
NO_USE: Host = {"imds.profile": {"attached": True}, "imds.role": {"code": "AssumeRoleUnauthorizedAccess"}}
NONE = {"present": True, "exact": False, "near": "", "nested": ""}
BUCKET = {"bucket": "b", "key": "k", "host": "s3.x", "bucket_region": "us-east-2", "agent_region": "eu-west-1"}
PROOFS: list[tuple[int, str, Host]] = [
    (1, "agent-not-installed", {"package.agent": {"installed": False}}),
    (1, "agent-not-running", DOWN),
    (2, "instance-profile-missing", {**EC2, "imds.profile": {"attached": False, "status": 404}}),
    (2, "role-unusable", {**EC2, **NO_USE}),
    (3, "s3-access-denied", GOOD_ROLE),
    (4, "s3-object-missing", {"bucket.place": {**BUCKET, "status": 404, "exists": False}}),
    (4, "s3-wrong-region", {"bucket.place": {**BUCKET, "status": 301, "elsewhere": True}}),
    (5, "appspec-missing", {"revision.appspec": NONE}),
    (5, "appspec-misnamed", {"revision.appspec": {**NONE, "near": "appspec.yaml"}}),
    (5, "appspec-not-at-root", {"revision.appspec": {**NONE, "nested": "web/appspec.yml"}}),
    (5, "appspec-yaml-invalid", {"appspec.parsed": {"yaml_ok": False, "problem": "a tab", "line": 4, "column": 1}}),
    (5, "appspec-os-unsupported", {"appspec.parsed": {"yaml_ok": True, "os_ok": False, "os": "Linux"}}),
    (6, "file-already-exists", {"install.owner": {"exists": True, "owner": "nobody"}}),
    (7, "disk-full", {"disk.space": {"free_bytes": 0, "free_bytes_path": "/opt"}}),
    (7, "bundle-corrupt", {"bundle.file": {"present": True, "kind": "zip", "fits": True, "whole": False, "size": 400}}),
    (7, "source-file-missing", {"source.file": {"archive_present": True, "exists": False, "near": ""}}),
    (7, "owner-missing", {"identity.owner": {"exists": False}}),
    (8, "script-missing", {"hook.script": {"exists": False}}),
    (8, "script-line-endings", {"hook.script": {"exists": True, "crlf": True, "crlf_first": True}}),
    (8, "script-command-not-found", {"host.command": {"command": "nodee", "found": "", "elsewhere": ""}}),
    (8, "script-failed", {"hook.run": {"log": "/l", "group_id": "g", "started": True, "followed": False, "after": ""}}),
    (9, "instance-terminating", {**EC2, "imds.lifecycle": {"target": "Terminated", "spot": "", "leaving": True}}),
]  # fmt: skip
IDS = [f"{number}-{id_}" for number, id_, _ in PROOFS]


def judged(id_: str, host: Host) -> Finding:
    """The rule's finding, from its matching sample if it has one and from what the host says."""

    def ask(name: str, about: Mapping[str, str]) -> Evidence:
        value = host.get(name)
        outcome, reason = (Outcome.PASS, "") if value else (Outcome.UNKNOWN, "nobody asked")
        return Evidence(name, "disk", value, reason, outcome)

    doctor = Doctor(list(RULES.values()))
    sample = next((sample for sample in RULES[id_].samples if sample.match), None)
    if sample:
        stream = io.BytesIO(sample.text.encode())
        for record in read_as(every_entry(_GRAMMARS[sample.log]), stream, Source("sample"), doctor.wanted):
            doctor.observe(record)
    return {finding.rule.id: finding for finding in doctor.findings(1000.0, ask)}[id_]


@pytest.mark.parametrize(("number", "id_", "host"), PROOFS, ids=IDS)
def test_the_host_proves_it(number: int, id_: str, host: Host) -> None:
    """Confirmed by what the host says, and nothing else fits as well."""
    finding = judged(id_, host)

    assert finding.state is State.ACTIVE
    assert finding.verdict is Verdict.CONFIRMED
    assert not finding.siblings


@pytest.mark.parametrize(("number", "id_", "host"), PROOFS, ids=IDS)
def test_no_call_of_aws_is_needed(number: int, id_: str, host: Host) -> None:
    """Its probes read files, processes and the metadata service; what leaves the host asks without credentials."""
    wanted = {name for way in RULES[id_].confirm for name in way}

    assert wanted >= set(host)
    for name in RULES[id_].probes:
        assert not probes.find(name).network or name.startswith("bucket."), name


def test_what_no_probe_may_use() -> None:
    """Neither the SDK nor a way to sign a request."""
    for path in (TOP / "agentdoctor/probes").glob("*.py"):
        assert not re.search(r"^\s*(?:import|from) (?:boto|hmac)|AWS4-HMAC", path.read_text("utf-8"), re.MULTILINE), (
            path.name
        )


ROWS = re.findall(r"^\| (\d) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", README, re.MULTILINE)


def test_the_readme_has_all_nine() -> None:
    """Each with the ids that stand here."""
    told = {int(number): set(re.findall(r"`([a-z0-9-]+)`", ids)) for number, _, ids, _ in ROWS}

    assert sorted(told) == list(range(1, 10))
    assert {id_ for ids in told.values() for id_ in ids} <= RULES.keys()
    for number, id_, _ in PROOFS:
        assert id_ in told[number]
