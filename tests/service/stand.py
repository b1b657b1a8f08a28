"""A stand for the service: a tree with logs, a metadata service, a topic with a queue behind it, and the process."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conftest import TOP

AGENT_LOG = "var/log/aws/codedeploy-agent/codedeploy-agent.log"
POLLER = "InstanceAgent::Plugins::CodeDeployPlugin::CommandPoller"
GOOD_POLL = (
    "INFO  [codedeploy-agent(812)]: [Aws::CodeDeployCommand::Client 200 45.1 0 retries] "
    'poll_host_command(host_identifier:"arn:aws:ec2:eu-west-1:123456789012:instance/i-0123456789abcdef0") '
)
NO_CREDENTIALS = (
    f"ERROR [codedeploy-agent(812)]: {POLLER}: Missing credentials - please check if this instance was started with "
    "an IAM instance profile"
)
DENIED = (
    f"ERROR [codedeploy-agent(812)]: {POLLER}: Cannot reach InstanceService: "
    "Aws::CodeDeployCommand::Errors::AccessDeniedException - User is not authorized"
)


@dataclass
class Topic:
    """An SNS topic of a server that stands for AWS, and what arrived in the queue behind it."""

    sns: Any
    sqs: Any
    arn: str
    queue: str
    url: str
    seen: list[dict[str, Any]] = field(default_factory=list)

    def messages(self) -> list[dict[str, Any]]:
        """All that arrived so far, as the queue got them."""
        while found := self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages"):
            for message in found:
                self.seen.append(json.loads(message["Body"]))
                self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
        return self.seen

    def told(self) -> list[tuple[str, str]]:
        """What arrived, as (event, rule)."""
        return [tuple(m["MessageAttributes"][n]["Value"] for n in ("event", "rule")) for m in self.messages()]  # type: ignore[misc]


@dataclass
class Stand:
    """The service on a tree of its own."""

    folder: Path
    topic: Topic | None = None
    imds: str = "http://127.0.0.1:9"
    process: subprocess.Popen[str] | None = None
    settings: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("root/etc", "root/tmp", f"root/{AGENT_LOG}", "none"):
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / "root/tmp").mkdir(exist_ok=True)
        (self.folder / "root/etc").mkdir(exist_ok=True)
        self.configure()

    @property
    def log_path(self) -> Path:
        return self.folder / "root" / AGENT_LOG

    @property
    def state_dir(self) -> Path:
        return self.folder / "state"

    def configure(self, **more: Any) -> None:
        """Write the settings."""
        sns = {"topic_arn": self.topic.arn, "endpoint_url": self.topic.url} if self.topic else {}
        self.settings = {
            "root": str(self.folder / "root"),
            "state_dir": str(self.state_dir),
            "rules_dir": str(self.folder / "rules"),
            "imds": {"endpoint": self.imds},
            "sns": sns,
            **more,
        }
        (self.folder / "agentdoctor.yaml").write_text(json.dumps(self.settings))

    def log(self, *entries: str, ago: float = 0.0) -> None:
        """Append entries to the agent's log, as of so many seconds ago."""
        with self.log_path.open("a") as file:
            stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(time.time() - ago))
            file.write("".join(f"{stamp} {entry}\n" for entry in entries))

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "agentdoctor", *arguments, "--config", str(self.folder / "agentdoctor.yaml")]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Another verb, beside the service."""
        return subprocess.run(self.command(*arguments), capture_output=True, text=True, env=environment(), check=False)

    def start(self) -> None:
        """Start the service, and wait until it follows its logs."""
        with (self.folder / "stderr").open("a") as stderr:
            self.process = subprocess.Popen(self.command("run"), env=environment(), text=True, stderr=stderr)
        pid = self.process.pid
        wait_for(lambda: self.pulse().get("pid") == pid, "the service to start")

    def pulse(self) -> dict[str, Any]:
        try:
            return dict(json.loads((self.state_dir / "pulse.json").read_text()))
        except (OSError, ValueError):
            return {}

    def end(self, number: int = signal.SIGTERM) -> int:
        """End the service; its exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        code = self.process.wait(10)
        self.process = None
        return code

    def status(self) -> dict[str, Any]:
        return dict(json.loads(self.run("status", "--format", "json").stdout))

    def findings(self) -> dict[str, dict[str, Any]]:
        """What it knows, by rule."""
        return {finding["id"]: finding for finding in self.status()["findings"]}

    def stderr(self) -> str:
        return (self.folder / "stderr").read_text()


@contextlib.contextmanager
def server() -> Iterator[str]:
    """A server that stands for AWS: its address."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    aws = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    aws.start()
    host, port = aws.get_host_and_port()
    yield f"http://{host}:{port}"
    aws.stop()


def subscribed(aws: str, name: str) -> Topic:
    """A new topic of that name, with a queue that gets its messages."""
    import boto3

    keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing", "region_name": "eu-west-1"}
    sns, sqs = (boto3.client(service, endpoint_url=aws, **keys) for service in ("sns", "sqs"))
    arn = sns.create_topic(Name=name)["TopicArn"]
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    address = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=address)
    return Topic(sns, sqs, arn, queue, aws)


def environment() -> dict[str, str]:
    """Of processes under test: no name of a real account, no runtime directory of a real unit."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    kept.pop("RUNTIME_DIRECTORY", None)
    own = {"PYTHONPATH": str(TOP), "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    return {**kept, **own, "AWS_EC2_METADATA_DISABLED": "true"}


def wait_for(so: Callable[[], Any], what: str, seconds: float = 30.0) -> Any:
    """Wait until something is so; the limit is for machines that have no time."""
    end = time.monotonic() + seconds
    while not (found := so()):
        assert time.monotonic() < end, f"waited {seconds:.0f} s for {what}"
        time.sleep(0.02)
    return found


def started(stand: Stand) -> Iterator[Stand]:
    """The stand, with the service ended after the test."""
    yield stand
    if stand.process is not None and stand.process.poll() is None:
        stand.process.kill()
        stand.process.wait()
