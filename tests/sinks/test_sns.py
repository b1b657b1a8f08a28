"""The child against an SNS that misbehaves, and against moto, where the message really arrives."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agentdoctor.sinks import sns
from agentdoctor.sinks.message import compose
from agentdoctor.sinks.sending import Sender
from sinks import FINDING, NOW, TOPIC, letter
from sinks.conftest import CREDENTIALS, Publish, wait
from sinks.fake_sns import FakeSns, black_hole

CLASSES = {
    "429": ("Throttled", "retry"),
    "throttling": ("Throttling", "retry"),
    "kms-throttling": ("KMSThrottling", "retry"),
    "500": ("InternalError", "retry"),
    "expired": ("ExpiredToken", "retry"),
    "skew": ("ClockSkew", "retry"),
    "reset": ("Network", "retry"),
    "hang": ("Network", "retry"),
    "denied": ("AuthorizationError", "hold"),
    "gone": ("NotFound", "hold"),
    "kms-denied": ("KMSAccessDenied", "hold"),
    "disabled": ("EndpointDisabled", "hold"),
    "unknown-keys": ("InvalidClientTokenId", "hold"),
    "other-region": ("InvalidTopic", "hold"),
    "poison": ("InvalidParameter", "poison"),
}


@pytest.mark.parametrize(("behaviour", "expected"), CLASSES.items(), ids=CLASSES)
def test_trouble(publish: Publish, fake: FakeSns, behaviour: str, expected: tuple[str, str]) -> None:
    """Each kind of trouble has its code and its class, and the child goes on."""
    answer = publish(fake.url, f"x-{behaviour}")

    assert (answer.error, answer.kind) == expected
    assert not answer.message_id
    assert answer.text


def test_a_black_hole(publish: Publish, fake: FakeSns) -> None:
    """Nobody takes the connection; the next letter goes out all the same."""
    with black_hole() as url:
        assert publish(url, "x").error == "Network"

    assert publish(fake.url, "x-well").message_id


def test_r16_a_poisoned_letter_does_not_stop_the_next(sender: Sender, fake: FakeSns) -> None:
    """Behind each other in the pipe: the wrong shape, a surrogate, a megabyte, a bad line, and one that is well."""
    params = compose(letter(), NOW, False)
    where = {"topic_arn": f"{TOPIC}-well", "endpoint_url": fake.url}
    wrong = ({"Message": 7}, {"Message": "\ud800"}, {**params, "Subject": None}, [], {})
    for number, bad in enumerate(wrong):
        sender.submit({"key": f"bad-{number}", **where, "params": bad})
    sender.submit({"key": "bad-topic", **where, "topic_arn": "arn:aws:sqs:x", "params": params})
    sender.submit({"key": "large", **where, "params": {**params, "Message": "m" * (1 << 20)}})
    sender.submit({"key": "good", **where, "params": params})

    answers = wait(sender, 8)

    assert [answer.key for answer in answers] == [*(f"bad-{n}" for n in range(5)), "bad-topic", "large", "good"]
    assert [answer.kind for answer in answers[:6]] == [*["poison"] * 5, "hold"]  # the topic is no fault of the letter
    assert answers[-1].message_id


def test_r14_the_receipt_is_lost(publish: Publish, fake: FakeSns) -> None:
    """Committed, and no answer: the next tries have the same key, so that it is delivered once."""
    first, second = publish(fake.url, "x-lost.fifo", "k-lost"), publish(fake.url, "x-lost.fifo", "k-lost")

    tries = [entry for entry in fake.received if entry["TopicArn"].endswith("x-lost.fifo")]
    assert first.kind == "retry"
    assert second.message_id
    assert len(tries) == 4  # two of the child's, twice
    assert fake.delivered("x-lost.fifo") == ["k-lost"]


def test_credentials_that_come_later(fake: FakeSns, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when a role is attached to a running host: the same child finds them at the next try."""
    for name, value in {**CREDENTIALS, "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "late")}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    sender = Sender()
    request = {
        "key": "k",
        "topic_arn": f"{TOPIC}-well",
        "endpoint_url": fake.url,
        "params": compose(letter(), NOW, False),
    }

    sender.submit(request)
    (before,) = wait(sender)
    child = sender.pid
    (tmp_path / "late").write_text("[default]\naws_access_key_id = AKID\naws_secret_access_key = secret\n")
    sender.submit(request)
    (after,) = wait(sender)

    assert (before.error, before.kind) == ("NoCredentials", "retry")
    assert after.message_id
    assert sender.pid == child
    sender.close(0.0)


BOUND = f"sns: {{topic_arn: {TOPIC}-well, endpoint_url: URL}}"
ELSEWHERE: dict[str, tuple[str | None, dict[str, Any], str]] = {
    "our topic": (BOUND, {}, ""),
    "another topic": (BOUND, {"topic_arn": "arn:aws:sns:eu-west-1:999999999999:theirs"}, "reload agentdoctor"),
    "another endpoint": (BOUND, {"endpoint_url": "http://127.0.0.1:1"}, "reload agentdoctor"),
    "the endpoint of the Region": (BOUND, {"endpoint_url": None}, "reload agentdoctor"),
    "who listens to another topic": (BOUND, {"ask": "subscriptions", "topic_arn": f"{TOPIC}-x"}, "reload agentdoctor"),
    "no topic in the settings": ("", {}, "reload agentdoctor"),
    "settings that are none": ("sns: [", {}, "cannot read its settings: "),
    "no settings": (None, {}, "there is no such file"),
}


@pytest.mark.parametrize(("text", "changes", "why"), ELSEWHERE.values(), ids=ELSEWHERE)
def test_bound_by_settings(
    text: str | None, changes: dict[str, Any], why: str, fake: FakeSns, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever takes over the service hands us what it read: it goes to the topic of the settings or nowhere."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    path = tmp_path / "agentdoctor.yaml"
    if text is not None:
        path.write_text(text.replace("URL", fake.url))
    params = compose(letter(), NOW, False)
    fields = {"key": "k", "topic_arn": f"{TOPIC}-well", "endpoint_url": fake.url, "params": params, **changes}
    received = len(fake.received)

    answer = sns.answered(json.dumps(fields).encode(), sns.Clients(), str(path))

    assert (answer.get("error", ""), answer.get("kind", "")) == (("NotInSettings", "hold") if why else ("", ""))
    assert why in answer.get("text", "")
    assert len(fake.received) - received == (0 if why else 1)


def test_the_child_takes_the_settings_as_its_argument(tmp_path: Path) -> None:
    """As its unit gives them."""
    sender = Sender((sys.executable, "-m", "agentdoctor.sinks.sns", str(tmp_path / "none.yaml")))
    sender.submit({"key": "k", "topic_arn": f"{TOPIC}-well", "endpoint_url": "http://127.0.0.1:1", "params": {}})

    assert [(answer.error, answer.kind) for answer in wait(sender)] == [("NotInSettings", "hold")]
    sender.close(0.0)


def test_no_secret_comes_back(publish: Publish, fake: FakeSns) -> None:
    """Not even where AWS's own words hold one; and it is one line."""
    answer = publish(fake.url, "x-secret")

    assert answer.error == "AccessDenied"
    assert "wJalr" not in answer.text
    assert "AKIAIOSFODNN7EXAMPLE" not in answer.text
    assert "\n" not in answer.text


def test_the_clock_is_measured(publish: Publish, fake: FakeSns) -> None:
    """By the time stamp of the answer."""
    assert "s ahead of that of AWS" in publish(fake.url, "x-skew").text


@pytest.fixture(scope="module")
def aws() -> Iterator[tuple[str, Any, Any]]:
    """moto's server: its address, and clients of SNS and SQS there."""
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        url = "http://{}:{}".format(*server.get_host_and_port())
        session = boto3.session.Session(CREDENTIALS["AWS_ACCESS_KEY_ID"], CREDENTIALS["AWS_SECRET_ACCESS_KEY"])
        yield url, *(session.client(name, "eu-west-1", endpoint_url=url) for name in ("sns", "sqs"))
    finally:
        server.stop()


def subscribed(aws: tuple[str, Any, Any], name: str, raw: bool = False) -> str:
    """A topic with a queue that hears it; the queue's address."""
    _, sns, sqs = aws
    fifo = {"FifoQueue": "true"} if name.endswith(".fifo") else {}
    topic = sns.create_topic(Name=name, Attributes={"FifoTopic": "true"} if fifo else {})["TopicArn"]
    queue: str = sqs.create_queue(QueueName=name, Attributes=fifo)["QueueUrl"]
    endpoint = f"arn:aws:sqs:eu-west-1:123456789012:{name}"
    sns.subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=endpoint, Attributes={"RawMessageDelivery": "true"} if raw else {}
    )
    return queue


def heard(aws: tuple[str, Any, Any], queue: str) -> list[dict[str, Any]]:
    """All that the queue got."""
    found: list[dict[str, Any]] = []
    while (
        messages := aws[2]
        .receive_message(QueueUrl=queue, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
        .get("Messages")
    ):
        found += messages
        for message in messages:
            aws[2].delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return found


def test_the_message_arrives(publish_patiently: Publish, aws: tuple[str, Any, Any]) -> None:
    """A queue gets subject, attributes and the finding as JSON."""
    queue = subscribed(aws, "arrives")

    receipt = publish_patiently(aws[0], "arrives")

    (message,) = [json.loads(entry["Body"]) for entry in heard(aws, queue)]
    assert message["MessageId"] == receipt.message_id
    assert message["Subject"] == "CRITICAL: instance-profile-missing on i-0123456789abcdef0"
    assert json.loads(message["Message"]) == FINDING
    assert message["MessageAttributes"]["event"] == {"Type": "String", "Value": "opened"}


def test_raw_delivery_keeps_all_attributes(publish_patiently: Publish, aws: tuple[str, Any, Any]) -> None:
    """The body is the finding and nothing else."""
    queue = subscribed(aws, "raw", raw=True)

    publish_patiently(aws[0], "raw")

    (message,) = heard(aws, queue)
    assert json.loads(message["Body"]) == FINDING
    assert message["MessageAttributes"]["rule"]["StringValue"] == "instance-profile-missing"


def test_r14_r15_fifo(publish_patiently: Publish, aws: tuple[str, Any, Any]) -> None:
    """Opened, opened again, recovered, all within five minutes: both changes arrive, once each and in order."""
    queue = subscribed(aws, "alerts.fifo")

    publish_patiently(aws[0], "alerts.fifo", "k-opened")
    publish_patiently(aws[0], "alerts.fifo", "k-opened")
    publish_patiently(aws[0], "alerts.fifo", "k-recovered", event="recovered")

    events = [json.loads(entry["Body"])["MessageAttributes"]["event"]["Value"] for entry in heard(aws, queue)]
    assert events == ["opened", "recovered"]


def test_a_topic_that_is_gone(publish_patiently: Publish, aws: tuple[str, Any, Any]) -> None:
    """To be held, not thrown away: somebody may create it again."""
    answer = publish_patiently(aws[0], "no-such-topic")

    assert (answer.error, answer.kind) == ("NotFound", "hold")
