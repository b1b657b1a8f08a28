"""Names of topics: the good ones taken apart, the others with what is wrong and the nearest right form."""

from __future__ import annotations

import pytest

from agentdoctor.settings import SettingsError
from agentdoctor.settings import parse as parse_settings
from agentdoctor.sinks.topic import parse

GOOD = {
    "arn:aws:sns:eu-west-1:123456789012:alerts": ("aws", "eu-west-1", "alerts", False),
    "arn:aws:sns:us-east-1:123456789012:alerts.fifo": ("aws", "us-east-1", "alerts.fifo", True),
    "arn:aws-cn:sns:cn-north-1:123456789012:A_b-9": ("aws-cn", "cn-north-1", "A_b-9", False),
    "arn:aws-us-gov:sns:us-gov-west-1:123456789012:a": ("aws-us-gov", "us-gov-west-1", "a", False),
    "arn:aws-iso-b:sns:us-isob-east-1:123456789012:a": ("aws-iso-b", "us-isob-east-1", "a", False),
}
RIGHT = "did you mean arn:aws:sns:eu-west-1:123456789012:alerts?"
BAD = {
    "a zone": ("arn:aws:sns:eu-west-1a:123456789012:alerts", RIGHT),
    "another service": ("arn:aws:sqs:eu-west-1:123456789012:alerts", RIGHT),
    "an account as the console shows it": ("arn:aws:sns:eu-west-1:1234-5678-9012:alerts", RIGHT),
    "capitals": ("arn:aws:sns:EU-WEST-1:123456789012:alerts", RIGHT),
    "a mistyped begin": ("arm:aws:sns:eu-west-1:123456789012:alerts", RIGHT),
    "no region": ("arn:aws:sns::123456789012:alerts", "did you mean arn:aws:sns:REGION:123456789012:alerts?"),
    "a blank in the name": (
        "arn:aws:sns:eu-west-1:123456789012:my alerts",
        "arn:aws:sns:eu-west-1:123456789012:my-alerts?",
    ),
    "eleven digits": ("arn:aws:sns:eu-west-1:12345678901:alerts", "'12345678901' is no account, of 12 digits"),
    "other digits": ("arn:aws:sns:eu-west-1:\u0661\u0662\u0663456789012:alerts", "is no account, of 12 digits"),
    "a subscription": (
        "arn:aws:sns:eu-west-1:123456789012:alerts:0a1b-22",
        "is a subscription; its topic is arn:aws:sns:eu-west-1:123456789012:alerts",
    ),
    "a name alone": ("alerts", "for a topic of that name arn:aws:sns:REGION:ACCOUNT:alerts"),
    "an address": ("https://sns.eu-west-1.amazonaws.com/", "those are arn:aws:sns:REGION:ACCOUNT:NAME"),
    "a line break at the end": ("arn:aws:sns:eu-west-1:123456789012:alerts\n", RIGHT),
}


@pytest.mark.parametrize(("arn", "parts"), GOOD.items(), ids=GOOD)
def test_good(arn: str, parts: tuple[str, str, str, bool]) -> None:
    """Of each partition."""
    topic = parse(arn)

    assert (topic.partition, topic.region, topic.name, topic.fifo) == parts
    assert (topic.arn, topic.account) == (arn, "123456789012")


@pytest.mark.parametrize(("arn", "said"), BAD.values(), ids=BAD)
def test_bad(arn: str, said: str) -> None:
    """What is wrong, and what was meant."""
    with pytest.raises(ValueError, match=r"is no ARN of a topic|is a subscription") as caught:
        parse(arn)

    assert said in str(caught.value)


SETTINGS = {
    "not an ARN": ("sns: {topic_arn: alerts}", "x.yaml:1: sns.topic_arn: 'alerts' is no ARN of a topic"),
    "no scheme": ("sns: {endpoint_url: sns.eu-west-1.amazonaws.com}", "x.yaml:1: sns.endpoint_url: must be like https://HOST"),
    "another scheme": ("sns: {endpoint_url: 'ftp://h'}", "must be like https://HOST"),
    "no host": ("sns: {endpoint_url: 'https://'}", "must be like https://HOST"),
    "a port that is none": ("sns: {endpoint_url: 'http://h:99999'}", "must be like https://HOST"),
    "a password": ("sns: {endpoint_url: 'https://u:p@h'}", "must be like https://HOST"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "problem"), SETTINGS.values(), ids=SETTINGS)
def test_settings_that_cannot_be_used(text: str, problem: str) -> None:
    """The key and what it must look like."""
    with pytest.raises(SettingsError) as caught:
        parse_settings(text, "x.yaml")

    assert problem in str(caught.value)


def test_settings() -> None:
    """Without a topic alerts go to the journal alone; blanks around an ARN do no harm."""
    assert parse_settings("sns: {topic_arn: null}", "x").topic is None
    assert parse_settings("sns: {topic_arn: ''}", "x").topic is None

    settings = parse_settings(f"sns: {{topic_arn: ' {next(iter(GOOD))} ', endpoint_url: 'https://h:1'}}", "x")

    assert settings.topic == parse(next(iter(GOOD)))
    assert settings.sns_endpoint_url == "https://h:1"
