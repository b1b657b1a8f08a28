"""What S3, the hooks' own log and the way of a token prove: confirmed, ruled out by a value, or left open."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from test_verdicts_deployment import SHIPPED, Host, judge

from agentdoctor.model import Proof, Role, State, Verdict
from agentdoctor.report import Run
from agentdoctor.report.json import render

ASKED = {"bucket": "my-bucket", "key": "app.zip", "host": "s3.eu-west-1.amazonaws.com"}
NEAR = {"status": 403, "exists": True, "bucket_region": "eu-west-1", "agent_region": "eu-west-1", "elsewhere": False}
PLACE = {**ASKED, **NEAR}
NO_BUCKET = {**PLACE, "status": 404, "exists": False, "bucket_region": None, "elsewhere": None}
FAR = {**PLACE, "status": 301, "bucket_region": "us-east-2", "elsewhere": True}
SENT_ON = {**FAR, "exists": None, "bucket_region": None}
NOT_TOLD = {**PLACE, "exists": None, "bucket_region": None, "elsewhere": None}
PUBLIC = {**ASKED, "version": "", "status": 200, "exists": True}
NO_OBJECT = {**PUBLIC, "status": 404, "exists": False}
NOT_FOR_US = {**PUBLIC, "status": 403, "exists": None, "reason": "S3 answers 403 to a stranger"}
RAN = {"log": "/l", "group_id": "g", "started": True, "followed": False, "after": ""}
TOKEN = {"connected": True, "given": True, "status": 200, "ms": 2.0}
NO_TOKEN = {**TOKEN, "given": False, "status": None, "error": "timed out", "v1_status": 401}


def s3(place: Mapping[str, Any], object_: Mapping[str, Any] = NOT_FOR_US) -> Host:
    return {"bucket.place": place, "bucket.object": object_}


def way(token: Mapping[str, Any], further: bool, behind: bool | None) -> Host:
    return {"imds.token": token, "imds.hops": {"further": further, "behind": behind}}


# rule, name, what the host shows, and of what confirms or contradicts it a piece of the text
CONFIRMED = [
    ("s3-object-missing", "no bucket", s3(NO_BUCKET), "bucket my-bucket does not exist"),
    ("s3-object-missing", "no object", s3(PLACE, NO_OBJECT), "s3://my-bucket/app.zip is not there"),
    ("s3-object-missing", "no bucket, so no object", s3(NO_BUCKET, NO_OBJECT), "bucket my-bucket does not exist"),
    ("s3-wrong-region", "another Region", s3({**FAR, "status": 403}), "my-bucket is in us-east-2; the agent is in eu-"),
    ("s3-wrong-region", "sent on", s3(FAR), "the bucket's Region is us-east-2"),
    ("s3-wrong-region", "sent on without a word", s3(SENT_ON), "is in another Region; the agent is in eu-west-1"),
    ("script-failed", "it ran and was the last", {"hook.run": RAN}, "the agent started the script, by /l"),
    ("imds-token-refused", "no token", {"imds.token": NO_TOKEN}, "what is asked without one is answered with 401"),
    ("imds-token-refused", "a container", way(TOKEN, False, True), "does not survive one more hop"),
]
CONTRADICTED = [
    ("s3-object-missing", "it is there", s3(PLACE, PUBLIC), "s3://my-bucket/app.zip is there, says"),
    ("s3-wrong-region", "in our Region", s3(PLACE), "my-bucket is in eu-west-1, as the agent is"),
    ("script-failed", "never started", {"hook.run": {**RAN, "started": False, "followed": None}}, "never started"),
    ("script-failed", "others ran after it", {"hook.run": {**RAN, "followed": True, "after": "b.sh"}}, "on with b.sh"),
    ("imds-token-refused", "a token, in our network", way(TOKEN, False, False), "gave a token in 2 ms"),
    ("imds-token-refused", "a token that goes far", way(TOKEN, True, True), "survives one more hop"),
]
OPEN = [
    ("s3-object-missing", "S3 tells strangers nothing", s3(PLACE)),
    ("s3-object-missing", "not even of the bucket", s3(NOT_TOLD)),
    ("s3-object-missing", "no answer", {}),
    ("s3-wrong-region", "S3 does not tell the Region", s3(NOT_TOLD)),
    ("s3-wrong-region", "no such bucket any more", s3(NO_BUCKET)),
    ("s3-wrong-region", "no answer", {}),
    ("script-failed", "the log does not reach back", {"hook.run": {**RAN, "started": None, "followed": None}}),
    ("script-failed", "the log is gone", {}),
    ("imds-token-refused", "nobody knows whose network it is", way(TOKEN, False, None)),
    ("imds-token-refused", "the way was not measured", {"imds.token": TOKEN}),
]


def names(table: list[Any]) -> list[str]:
    return [f"{row[0]}: {row[1]}" for row in table]


def said(proofs: tuple[Proof, ...], role: Role) -> str:
    return "\n".join(proof.text for proof in proofs if proof.role is role)


@pytest.mark.parametrize(("id_", "_", "host", "text"), CONFIRMED, ids=names(CONFIRMED))
def test_what_confirms(id_: str, _: str, host: Host, text: str) -> None:
    finding = judge(SHIPPED[id_], host)[id_]

    assert (finding.verdict, finding.state) == (Verdict.CONFIRMED, State.ACTIVE)
    assert text in said(finding.evidence, Role.CONFIRMS)


@pytest.mark.parametrize(("id_", "_", "host", "text"), CONTRADICTED, ids=names(CONTRADICTED))
def test_what_contradicts(id_: str, _: str, host: Host, text: str) -> None:
    """It failed, nobody saw it work since, and the value that rules the cause out is told."""
    finding = judge(SHIPPED[id_], host)[id_]

    assert (finding.verdict, finding.state) == (Verdict.RULED_OUT, State.QUIET)
    assert text in said(finding.evidence, Role.CONTRADICTS)


@pytest.mark.parametrize(("id_", "_", "host"), OPEN, ids=names(OPEN))
def test_what_leaves_it_open(id_: str, _: str, host: Host) -> None:
    finding = judge(SHIPPED[id_], host)[id_]

    assert (finding.verdict, finding.state) == (Verdict.UNVERIFIED, State.ACTIVE)


COMMANDS = [
    ("s3-object-missing", s3(NO_BUCKET), "aws s3api list-object-versions --bucket my-bucket --prefix app.zip"),
    ("s3-wrong-region", s3(FAR), "s3://BUCKET_IN_THIS_REGION/app.zip --source-region us-east-2 --region us-east-1"),
    ("script-failed", {"hook.run": RAN}, "/opt/codedeploy-agent/deployment-root/g/d-AAAAAAAAA/logs/scripts.log"),
]


@pytest.mark.parametrize(("id_", "host", "text"), COMMANDS, ids=[row[0] for row in COMMANDS])
def test_commands_have_the_names(id_: str, host: Host, text: str) -> None:
    """The agent's line names neither bucket, key nor group; what was found out stands in what is to be typed."""
    found = judge(SHIPPED[id_], host, number=1)
    run = Run("check", 0.0, 1.0, list(found.values()), host={"region": "us-east-1"})
    commands = [step["command"] for step in json.loads(render(run))["findings"][0]["remediation"]]

    assert any(text in (command or "") for command in commands), commands


def test_a_guess_hides_what_only_proves_that_it_failed() -> None:
    """Of one event: that the script failed is proven, and who held the lock of dpkg nobody could see."""
    found = judge(SHIPPED["script-package-lock"], {"hook.run": RAN}, alone=False)
    lock, failed = found["script-package-lock"], found["script-failed"]

    assert (lock.state, lock.verdict) == (State.ACTIVE, Verdict.UNVERIFIED)
    assert (failed.state, failed.verdict, failed.masked_by) == (
        State.MASKED,
        Verdict.CONFIRMED,
        "script-package-lock",
    )
