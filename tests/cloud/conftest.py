"""An account of AWS, by moto's server: what our templates make there, and whether an alert arrives."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from conftest import TOP

REGION = "eu-west-1"
KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_EC2_METADATA_DISABLED": "true"}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}

_SERVER = """
import logging, time
from moto.server import ThreadedMotoServer
logging.disable()
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print("http://{}:{}".format(*server.get_host_and_port()), flush=True)
time.sleep(3600)
"""


@dataclass(frozen=True)
class Account:
    """An account: its address, a role of instances, and a queue that can subscribe."""

    url: str
    role: str
    queue_url: str
    queue_arn: str

    def client(self, service: str) -> Any:
        import boto3

        session = boto3.session.Session(KEYS["AWS_ACCESS_KEY_ID"], KEYS["AWS_SECRET_ACCESS_KEY"], region_name=REGION)
        return session.client(service, endpoint_url=self.url)

    def environment(self) -> dict[str, str]:
        """Of programs that shall talk to it."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return {**kept, **KEYS, "AWS_ENDPOINT_URL": self.url, "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION}

    def policies(self) -> list[dict[str, Any]]:
        """The policies that the role got, as documents."""
        iam = self.client("iam")
        found = []
        for policy in iam.list_attached_role_policies(RoleName=self.role)["AttachedPolicies"]:
            version = iam.get_policy(PolicyArn=policy["PolicyArn"])["Policy"]["DefaultVersionId"]
            read = iam.get_policy_version(PolicyArn=policy["PolicyArn"], VersionId=version)
            found.append(read["PolicyVersion"]["Document"])
        return found

    def heard(self) -> list[dict[str, Any]]:
        """What arrived in the queue, as SNS wrapped it."""
        answer = self.client("sqs").receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10)
        return [json.loads(message["Body"]) for message in answer.get("Messages", [])]


@pytest.fixture
def account() -> Iterator[Account]:
    """A new one, with a role and a queue."""
    # moto keeps what it knows in its process, and warns of what it lacks: one of its own for each account
    process = subprocess.Popen([sys.executable, "-W", "ignore", "-c", _SERVER], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        url = process.stdout.readline().strip()
        bare = Account(url, "web-hosts", "", "")
        bare.client("iam").create_role(RoleName=bare.role, AssumeRolePolicyDocument=json.dumps(TRUST))
        sqs = bare.client("sqs")
        queue = sqs.create_queue(QueueName="on-call")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        yield Account(url, bare.role, queue, arn)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def judge(account: Account, topic: str, key: str, folder: Path) -> None:
    """What both templates must have made, and that an alert of ours arrives at the subscriber."""
    sns, kms = account.client("sns"), account.client("kms")
    attributes = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
    assert {"KeyId": key.rpartition("/")[2], "KeyArn": key} in kms.list_keys()["Keys"]
    assert attributes["KmsMasterKeyId"] in (key, key.rpartition("/")[2])
    assert kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"] is True
    assert _statements(json.loads(attributes["Policy"])) == [
        {
            "Sid": "NothingWithoutTls",
            "Effect": "Deny",
            "Principal": "*",
            "Action": ["sns:Publish"],
            "Resource": topic,
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    ]
    (policy,) = account.policies()
    assert _statements(policy) == [
        {"Sid": "Publish", "Effect": "Allow", "Action": ["sns:Publish"], "Resource": topic},
        {
            "Sid": "EncryptWhatIsPublished",
            "Effect": "Allow",
            "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
            "Resource": key,
        },
    ]
    _publish(account, topic, folder)
    (message,) = account.heard()
    assert (message["TopicArn"], message["MessageAttributes"]["event"]["Value"]) == (topic, "test")


def _statements(policy: dict[str, Any]) -> list[dict[str, Any]]:
    """One form for what may be written as a text or as a list, and in any order."""
    statements = []
    for statement in policy["Statement"]:
        action = statement["Action"]
        statements.append({**statement, "Action": sorted([action] if isinstance(action, str) else action)})
    return statements


def _publish(account: Account, topic: str, folder: Path) -> None:
    """agentdoctor notify test, with what the outputs of the template say."""
    settings = {"sns": {"topic_arn": topic, "endpoint_url": account.url}, "imds": {"endpoint": "http://127.0.0.1:9"}}
    (folder / "agentdoctor.yaml").write_text(json.dumps(settings))
    done = subprocess.run(
        [sys.executable, "-m", "agentdoctor", "notify", "test", "--config", folder / "agentdoctor.yaml"],
        capture_output=True,
        text=True,
        env={**account.environment(), "PYTHONPATH": str(TOP)},
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
