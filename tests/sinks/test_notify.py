"""``agentdoctor notify test`` as people meet it: what came of a test message, in words, as JSON, as exit code."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agentdoctor.cli import main
from agentdoctor.sinks import advice
from agentdoctor.sinks.sending import Reply
from agentdoctor.sinks.topic import parse
from agentdoctor.verbs.notifying import Attempt
from sinks import TOPIC
from sinks.conftest import CREDENTIALS
from sinks.fake_sns import ERRORS, FakeSns

Notify = Callable[..., tuple[int, str]]


@pytest.fixture
def notify(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Notify:
    """Run it in this process, the child apart as always: exit code and standard output."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)

    def run(topic: str, url: str, *arguments: str) -> tuple[int, str]:
        config = tmp_path / "agentdoctor.yaml"
        settings = {"imds": {"endpoint": "http://127.0.0.1:1"}, "sns": {"topic_arn": topic, "endpoint_url": url}}
        config.write_text(json.dumps(settings))
        code = main(["notify", "test", "--config", str(config), *arguments])
        return code, capsys.readouterr().out

    return run


def test_sent(notify: Notify, fake: FakeSns) -> None:
    """Receipt, identity, who listens and who has not confirmed yet; the message is marked as a test."""
    code, out = notify(f"{TOPIC}-heard", fake.url)

    (message,) = [entry for entry in fake.received if entry["TopicArn"] == f"{TOPIC}-heard"]
    assert code == 0
    assert out.startswith("SENT: a test message is at the topic\n")
    for row in (
        f"topic        {TOPIC}-heard\n",
        "region       eu-west-1\n",
        "identity     arn:aws:sts::999999999999:assumed-role/web/i-0\n",
        f"message id   m-{1 + fake.received.index(message)}\n",
        "subscribers  1 confirmed, 2 not confirmed yet: each has to follow the link in the mail from AWS\n",
    ):
        assert row in out
    assert message["Subject"].startswith("TEST: test-message on ")
    assert "nothing is wrong" in json.loads(message["Message"])["email"]


def test_sent_as_json(notify: Notify, fake: FakeSns) -> None:
    """The same for machines. That subscriptions may not be listed is no failure."""
    code, out = notify(f"{TOPIC}-unlisted", fake.url, "--format", "json")

    told = json.loads(out)
    assert code == told["exit_code"] == 0
    assert (told["schema"], told["sent"], told["error"]) == ("agentdoctor.notify/1", True, None)
    assert told["message_id"]
    assert told["subscriptions"] is None


REFUSED = {
    "denied": (2, "not allowed: sns:Publish on arn:aws:sns:eu-west-1:123456789012:x-denied"),
    "500": (3, "SNS has failed"),
}


@pytest.mark.parametrize(("name", "expected"), REFUSED.items(), ids=REFUSED)
def test_not_sent(notify: Notify, fake: FakeSns, name: str, expected: tuple[int, str]) -> None:
    """The exact reason, and an exit code that tells what is known from what is not."""
    code, out = notify(f"arn:aws:sns:eu-west-1:123456789012:x-{name}", fake.url, "--format", "json")

    error = json.loads(out)["error"]
    assert (code, error["summary"]) == expected
    assert (error["code"], error["text"]) == ERRORS[name][1:]


# code and kind -> exit code, what it means, an action that the policy allows
ADVICE = {
    ("AuthorizationError", "hold"): (2, "not allowed: sns:Publish on", "sns:Publish"),
    ("AccessDeniedException", "hold"): (2, "not allowed: sns:Publish on", "sns:Publish"),
    ("KMSAccessDenied", "hold"): (2, "not allowed: kms:GenerateDataKey and kms:Decrypt", "kms:Decrypt"),
    ("KMSDisabled", "hold"): (2, "the key that encrypts the topic cannot be used", ""),
    ("NotFound", "hold"): (2, "there is no such topic", ""),
    ("InvalidTopic", "hold"): (2, "the topic does not belong to where it was sent", ""),
    ("UnknownRegion", "hold"): (2, "the ARN names a region that does not exist", ""),
    ("InvalidClientTokenId", "hold"): (2, "AWS does not know these credentials", ""),
    ("SignatureDoesNotMatch", "hold"): (2, "AWS does not know these credentials", ""),
    ("ExpiredToken", "retry"): (2, "the credentials have expired", ""),
    ("NoCredentials", "retry"): (2, "there are no credentials", ""),
    ("ClockSkew", "retry"): (2, "the clock is wrong", ""),
    ("InvalidParameter", "poison"): (2, "SNS refused it", ""),
    ("NoBoto3", "hold"): (2, "boto3 is not installed", ""),
    ("Network", "retry"): (3, "SNS could not be reached", ""),
    ("SenderLost", "retry"): (3, "there was no answer in time", ""),
    ("KMSThrottling", "retry"): (3, "SNS asks to slow down", ""),
    ("InternalError", "retry"): (3, "SNS has failed", ""),
    ("SomethingNew", "retry"): (3, "SNS refused it", ""),
}


@pytest.mark.parametrize(("code", "kind"), ADVICE)
def test_advice(code: str, kind: str) -> None:
    """Each reason has its own words; nothing of them is left to fill in; a policy only where one is missing."""
    exit_code, summary, action = ADVICE[code, kind]
    told = advice.advise(code, parse(TOPIC))

    published = Reply("k", error=code, kind=kind)
    assert Attempt(parse(TOPIC), None, published, published, published).exit_code == exit_code
    assert told.summary.startswith(summary)
    assert told.fix
    assert "{" not in told.fix
    assert (action in told.policy["Statement"][0]["Action"]) if told.policy else not action


def test_another_account_is_named(notify: Notify, fake: FakeSns) -> None:
    """In text, with the policy to paste: who asks is of account 9..., the topic of 1..."""
    code, out = notify("arn:aws:sns:eu-west-1:123456789012:x-denied", fake.url)

    assert code == 2
    assert "its own policy must allow account 999999999999 too" in out
    policy = json.loads(out[out.index("\n{") :])
    assert policy["Statement"] == [
        {"Effect": "Allow", "Action": ["sns:Publish"], "Resource": "arn:aws:sns:eu-west-1:123456789012:x-denied"}
    ]


def test_no_credentials(notify: Notify, fake: FakeSns, monkeypatch: pytest.MonkeyPatch) -> None:
    """Said as such; nothing reached AWS."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")

    code, out = notify(f"{TOPIC}-well", fake.url)

    assert code == 2
    assert out.startswith("NOT SENT: there are no credentials\n")


def test_no_network(notify: Notify) -> None:
    """It is not known, so 3; and a region that does not exist is known for one."""
    assert notify(TOPIC, "http://127.0.0.1:1")[0] == 3

    code, out = notify(TOPIC.replace("eu-west-1", "eu-wset-1"), "http://127.0.0.1:1")

    assert code == 2
    assert "there is no region 'eu-wset-1' (did you mean 'eu-west-1'?)" in out


def test_no_topic(notify: Notify) -> None:
    """How to configure one."""
    code, out = notify("", "")

    assert code == 3
    assert out.startswith("NOT SENT: no topic is configured")
    assert "sns: {topic_arn: arn:aws:sns:REGION:ACCOUNT:NAME}" in out


def test_a_topic_that_is_none(cli: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path) -> None:
    """With the nearest right form, on standard error, for every verb."""
    (tmp_path / "x.yaml").write_text("sns: {topic_arn: 'arn:aws:sns:eu-west-1a:123456789012:alerts'}")

    done = cli("notify", "test", "--config", "x.yaml")

    assert (done.returncode, done.stdout) == (3, "")
    assert "did you mean arn:aws:sns:eu-west-1:123456789012:alerts?" in done.stderr


ENDPOINTS = {
    "https://sns.us-east-1.amazonaws.com": True,
    "https://vpce-0a-1b.sns.us-east-1.vpce.amazonaws.com": True,
    "https://sns.eu-west-1.amazonaws.com": False,
    "http://127.0.0.1:5000": False,
}


@pytest.mark.parametrize(("url", "wrong"), ENDPOINTS.items(), ids=ENDPOINTS)
def test_an_endpoint_of_another_region(url: str, wrong: bool) -> None:
    """Said before all else: every other advice would lead astray."""
    told: Any = advice.advise("NotFound", parse(TOPIC), endpoint_url=url)

    assert (told.summary == "the region is wrong") is wrong
