"""What S3 tells a stranger, by a server on the loopback that answers as S3 does, and which object it is asked for."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from agentdoctor.asking import Asker
from agentdoctor.host import Host
from agentdoctor.model import Evidence, Outcome
from agentdoctor.probes import CannotLook, Look, find
from agentdoctor.probes._asked import Asked, asked
from agentdoctor.words import say

from .conftest import Listen, ask, cases, live, write
from .servers import CLOSE, Peer

AGENT = "/etc/codedeploy-agent/conf/codedeployagent.yml"
LOG = "/var/log/aws/codedeploy-agent/codedeploy-agent.log"
VERSION = {"/opt/codedeploy-agent/.version": "agent_version: OFFICIAL_1.8.1-99_deb"}
OURS = "x-amz-request-id: 4442587FB7D0A2F9"
NAMED = {"bucket": "my-bucket", "key": "a b/app.zip"}
HERE, THERE = "x-amz-bucket-region: eu-west-1", "X-Amz-Bucket-Region: us-east-2"


def seen(name: str, host: Host, region: str | None = "eu-west-1", **about: str) -> dict[str, Any]:
    """What the probe says on an instance in a Region, about a download."""

    def answer(other: str) -> Evidence:
        if other == "imds.document":
            return Evidence(other, "", {"region": region} if region else None, "no answer")
        return ask(other, host)

    return find(name).look(Look(host, about or NAMED, answer))


def at(tmp_path: Path, peer: Peer) -> Host:
    """A host whose agent downloads from a server of ours."""
    return live(tmp_path, {**VERSION, AGENT: f":s3_endpoint_override: http://127.0.0.1:{peer.port}\n"})


PLACES: list[tuple[str, int, tuple[str, ...], dict[str, Any]]] = [
    ("no such bucket", 404, (OURS,), {"exists": False, "bucket_region": None, "elsewhere": None}),
    ("private, in our Region", 403, (OURS, HERE), {"exists": True, "bucket_region": "eu-west-1", "elsewhere": False}),
    ("public, in our Region", 200, (OURS, HERE), {"exists": True, "elsewhere": False}),
    ("private, in another", 403, (OURS, THERE), {"exists": True, "bucket_region": "us-east-2", "elsewhere": True}),
    ("S3 sends us on", 301, (OURS, THERE), {"exists": True, "bucket_region": "us-east-2", "elsewhere": True}),
    ("the override leads astray", 301, (OURS, HERE), {"bucket_region": "eu-west-1", "elsewhere": True}),
    ("sent on without a word", 301, (OURS,), {"exists": None, "bucket_region": None, "elsewhere": True}),
    ("a VPC endpoint refuses", 403, (OURS,), {"exists": None, "elsewhere": None}),
    ("a Region that is none", 403, (OURS, "x-amz-bucket-region: <b>"), {"exists": None, "bucket_region": None}),
    ("S3 is ill", 503, (OURS,), {"exists": None, "elsewhere": None}),
]


@cases(PLACES)
def test_place(tmp_path: Path, listen: Listen, status: int, headers: tuple[str, ...], expected: dict[str, Any]) -> None:
    peer = listen(Peer(status, headers=headers))
    found = seen("bucket.place", at(tmp_path, peer))
    assert {name: found[name] for name in expected} == expected
    assert (found["bucket"], found["status"], found["agent_region"]) == ("my-bucket", status, "eu-west-1")


def test_one_request_of_a_stranger(tmp_path: Path, listen: Listen) -> None:
    """By HEAD, without a signature, the names quoted."""
    peer = listen(Peer(403, headers=(OURS, HERE)))
    seen("bucket.place", at(tmp_path, peer))
    seen("bucket.object", at(tmp_path, peer), **NAMED, version="v&1=/..")
    (place, object_) = peer.heads
    assert place.startswith("HEAD /my-bucket HTTP/1.1\r\nHost: 127.0.0.1\r\n")
    assert object_.startswith("HEAD /my-bucket/a%20b/app.zip?versionId=v%261%3D%2F.. HTTP/1.1\r\n")
    assert "uthorization" not in place + object_


def test_our_own_region_is_not_known(tmp_path: Path, listen: Listen) -> None:
    found = seen("bucket.place", at(tmp_path, listen(Peer(403, headers=(OURS, THERE)))), region=None)
    assert (found["exists"], found["agent_region"], found["elsewhere"]) == (True, None, None)


OBJECTS: list[tuple[str, int, tuple[str, ...], bool | None]] = [
    ("none, says a public list", 404, (OURS,), False),
    ("deleted", 404, (OURS, "x-amz-delete-marker: true"), False),
    ("the version that deletes", 405, (OURS, "x-amz-delete-marker: true"), False),
    ("public", 200, (OURS,), True),
    ("not for strangers, there or not", 403, (OURS,), None),
    ("elsewhere", 301, (OURS, THERE), None),
]


@cases(OBJECTS)
def test_object(tmp_path: Path, listen: Listen, status: int, headers: tuple[str, ...], exists: bool | None) -> None:
    found = seen("bucket.object", at(tmp_path, listen(Peer(status, headers=headers))))
    assert (found["exists"], found["status"]) == (exists, status)
    assert found.get("reason") == (f"S3 answers {status} to a stranger" if exists is None else None)


@pytest.mark.parametrize("name", ["bucket.place", "bucket.object"])
@pytest.mark.parametrize(("status", "headers", "reason"), [
    (404, (), "is not S3"),
    (404, ("Server: corporate proxy",), "is not S3"),
    (CLOSE, (), "gives no answer: connection closed"),
])  # fmt: skip
def test_no_answer_of_s3(
    tmp_path: Path, listen: Listen, name: str, status: int, headers: tuple[str, ...], reason: str
) -> None:
    """A portal that says 404 to everything proves nothing."""
    with pytest.raises(CannotLook, match=reason):
        seen(name, at(tmp_path, listen(Peer(status, headers=headers))))


def test_nothing_leaves_without_leave(tmp_path: Path, listen: Listen) -> None:
    peer = listen(Peer(404, headers=(OURS,)))
    told = Asker(at(tmp_path, peer), network=False).ask("bucket.place", NAMED)
    assert (told.outcome, told.reason, peer.heads) == (Outcome.SKIP, "not asked: --no-network", [])
    assert ask("bucket.object", write(tmp_path, {}), **NAMED).outcome is Outcome.SKIP


BEGUN = "2026-11-22T21:02:0{} INFO  [codedeploy-agent(25)]: CommandExecutor: Downloading artifact bundle from bucket "
BEGUN_2X = "2026-09-10 08:15:02  INFO deployment{deployment_id=d-ABCDEF123 command=DownloadBundle app=a}: "
FAILED_2X = BEGUN_2X.replace(" INFO", "ERROR") + "Command failed elapsed_ms=4 error=S3 GetObject failed: x\n"
DONE = "2026-11-22T21:02:05 INFO  [codedeploy-agent(25)]: CommandExecutor: Download complete from bucket {} and key k\n"


def begun(bucket: str, key: str = "app.zip", version: str = "") -> str:
    return BEGUN.format(1) + f"'{bucket}' and key '{key}', version '{version}', etag ''\n"


def failed(id_: str, event: str = "DownloadBundle") -> str:
    identifier = base64.b64encode(f"{id_}/{event}".encode()).decode()
    return (
        "2026-11-22T21:02:07 INFO  [codedeploy-agent(25)]: [Aws::CodeDeployCommand::Client 200 0.005 0 retries] "
        'put_host_command_complete(command_status:"Failed",diagnostics:{format:"JSON",payload:"{\\"error_code\\":5,'
        '\\"script_name\\":\\"\\",\\"message\\":\\"The specified key does not exist.\\",\\"log\\":\\"\\"}"},'
        f'host_command_identifier:"{identifier}")  \n\n'
    )


MINE, OTHER = "d-ABCDEF123", "d-XYZ000000"
LOGS: list[tuple[str, str, Asked | None]] = [
    ("one download", begun("mine") + failed(MINE), Asked("mine", "app.zip", "")),
    ("a version", begun("mine", version="3HL4") + failed(MINE), Asked("mine", "app.zip", "3HL4")),
    ("a quote in the name", begun("mine", "it's, really.zip") + failed(MINE), Asked("mine", "it's, really.zip", "")),
    ("2.x", BEGUN_2X + begun("mine", version="none").split("Executor: ")[1] + FAILED_2X, Asked("mine", "app.zip", "")),
    ("one that ended well before it", begun("old") + DONE.format("old") + begun("mine") + failed(MINE),
     Asked("mine", "app.zip", "")),
    ("one that failed before it", begun("old") + failed(OTHER) + begun("mine") + failed(MINE),
     Asked("mine", "app.zip", "")),
    ("a hook of another failed meanwhile", begun("mine") + failed(OTHER, "AfterInstall") + failed(MINE),
     Asked("mine", "app.zip", "")),
    ("told twice", begun("mine") + failed(MINE) + begun("new") + failed(MINE), Asked("mine", "app.zip", "")),
    ("two at once", begun("mine") + begun("other") + failed(MINE), None),
    ("two at once of one object", begun("mine") + begun("mine") + failed(MINE), Asked("mine", "app.zip", "")),
    ("it came from elsewhere", failed(MINE), None),
    ("another deployment", begun("other") + failed(OTHER), None),
    ("what a hook prints is none", "[stdout]" + begun("x")[:40] + "\n" + failed(MINE), None),
]  # fmt: skip


@cases(LOGS)
def test_asked(tmp_path: Path, text: str, expected: Asked | None) -> None:
    """By the log; with several downloads at once nobody can tell."""
    host = write(tmp_path, {LOG: text})
    if expected:
        assert asked(host, {"deployment_id": MINE}) == expected
        return
    with pytest.raises(CannotLook, match="which object this deployment asked for"):
        asked(host, {"deployment_id": MINE})


HOSTILE = ["..", ".", "a/b", "a b", "b\r\nHost: evil", "arn:aws:s3:eu-west-1:1:accesspoint/x", "x" * 256, "buck\u0435t"]


@pytest.mark.parametrize("bucket", HOSTILE)
def test_what_is_no_bucket(tmp_path: Path, bucket: str) -> None:
    with pytest.raises(CannotLook, match="has no name of one"):
        asked(write(tmp_path, {}), {"bucket": bucket, "key": "k"})


def test_a_log_that_says_nothing(tmp_path: Path) -> None:
    with pytest.raises(CannotLook, match="which deployment"):
        asked(write(tmp_path, {}), {"bucket": "only-half"})
    with pytest.raises(FileNotFoundError):
        asked(write(tmp_path, {}), {"deployment_id": MINE})


PLACE = {"bucket": "b", "key": "k", "host": "s3.x", "status": 404, "exists": False}
FAR = {**PLACE, "status": 301, "elsewhere": True, "bucket_region": "us-east-2", "agent_region": "eu-west-1"}
SAID = [
    ("bucket.place.exists", PLACE, "bucket b does not exist, says s3.x (404)"),
    ("bucket.place.exists", {**PLACE, "exists": True, "status": 403}, "bucket b is there, says s3.x (403)"),
    (
        "bucket.place.elsewhere",
        FAR,
        "S3 says that bucket b is in us-east-2; the agent is in eu-west-1 and asks s3.x",
    ),
    (
        "bucket.place.elsewhere",
        {**FAR, "elsewhere": False, "bucket_region": "eu-west-1"},
        "S3 says that bucket b is in eu-west-1, as the agent is",
    ),
    ("bucket.object.exists", {**PLACE, "version": "v"}, "s3://b/k, version v, is not there, says s3.x (404)"),
    ("bucket.object.exists", {**PLACE, "exists": True, "status": 200}, "s3://b/k is there, says s3.x (200)"),
]


@pytest.mark.parametrize(("name", "values", "said"), SAID)
def test_words(name: str, values: dict[str, Any], said: str) -> None:
    probe, _, field = name.rpartition(".")
    assert say(probe, field, values[field], values) == said
