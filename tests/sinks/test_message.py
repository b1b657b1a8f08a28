"""What SNS is given: within its rules, readable on a phone, and the finding for machines."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from agentdoctor.sinks.message import LIMIT, compose, minimal, size
from sinks import FINDING, HOST, NOW, letter

LATER = NOW + 3600.0


def parts(params: dict[str, Any]) -> dict[str, str]:
    """What each protocol gets."""
    message: dict[str, str] = json.loads(params["Message"])
    return message


def attributes(params: dict[str, Any]) -> dict[str, str]:
    """Names and values."""
    return {name: entry["StringValue"] for name, entry in params["MessageAttributes"].items()}


RULE = "instance-profile-missing"
ON = f"{RULE} on i-0123456789abcdef0 web-07"
SUBJECTS = {
    "opened": ({}, NOW, f"CRITICAL: {ON}"),
    "a warning": ({"severity": "warning"}, NOW, f"WARNING: {ON}"),
    "escalated": ({"event": "escalated"}, NOW, f"CRITICAL (escalated): {ON}"),
    "recovered": ({"event": "recovered"}, NOW, f"RECOVERED: {ON}"),
    "a test": ({"event": "test", "rule": "test-message"}, NOW, f"TEST: {ON.replace(RULE, 'test-message')}"),
    "late": ({}, LATER, f"CRITICAL: {ON} (late)"),
    "a rule that is none": ({"rule": "x\r\nBcc: all"}, NOW, f"CRITICAL: {ON.replace(RULE, 'unknown-rule')}"),
    "a rule that is too long": ({"rule": "a" * 61}, NOW, f"CRITICAL: {ON.replace(RULE, 'unknown-rule')}"),
    "a severity that is none": ({"severity": "{}"}, NOW, f"ALERT: {ON}"),
    "an instance that is none": ({"instance_id": "i-0 evil.com"}, NOW, f"CRITICAL: {RULE} on web-07"),
    "on premises": ({"instance_id": "mi-0a"}, NOW, f"CRITICAL: {RULE} on mi-0a web-07"),
}


@pytest.mark.parametrize(("changes", "now", "subject"), SUBJECTS.values(), ids=SUBJECTS)
def test_r18_subject(changes: dict[str, Any], now: float, subject: str) -> None:
    """Severity, event, rule and host, each checked by its form."""
    assert compose(letter(**changes), now, False, HOST)["Subject"] == subject


def test_r18_subject_is_cut() -> None:
    """The longest names there are leave it under 100 characters, and late is still said."""
    long = letter(rule="-".join(["abc"] * 13), instance_id="i" * 63)

    subject = compose(long, LATER, False, {"name": "h" * 63})["Subject"]

    assert len(subject) <= 99
    assert subject.endswith("... (late)")


def test_mail_reads_on_a_phone() -> None:
    """What, where, since, proven how, ruled out, fix, verify: in this order."""
    mail = parts(compose(letter(), NOW, False, HOST))["email"]

    expected = (
        "CRITICAL: No instance profile is attached",
        "Where: i-0123456789abcdef0 web-07, eu-west-1",
        "Deployment group: web-production",
        "Deployment: id d-ABCDEFGH1, event AfterInstall, script after.sh",
        "Since: 2026-09-21 13:11:05 UTC, seen 214 times",
        "Cause: confirmed",
        "Proven by:\n- imds: iam/info answers 404",
        "Log:\n| Missing credentials",
        "Ruled out:\n- clock-skew: 0.4 s off",
        "Fix:\n1. Attach a profile [operator, risk: low]\n   aws ec2 associate --x y",
        "Verify:\n   sudo agentdoctor verify instance-profile-missing",
        "More: https://docs.aws.amazon.com/codedeploy/x.html",
    )
    places = [mail.find(text) for text in expected]
    assert -1 not in places
    assert places == sorted(places)
    assert "LATE" not in mail


def test_text_message_fits_one_part() -> None:
    """140 characters of ASCII, what to type among them."""
    sms = parts(compose(letter(), NOW, False, HOST))["sms"]

    assert len(sms) <= 140
    assert sms.isascii()
    assert sms.endswith("confirmed. sudo agentdoctor status")


def test_machines_get_the_finding() -> None:
    """As it was, for every protocol that has no text of its own."""
    message = parts(compose(letter(), NOW, False, HOST))

    assert set(message) == {"default", "email", "sms"}
    assert json.loads(message["default"]) == FINDING


def test_attributes_for_filter_policies() -> None:
    """Those that others rely on; ten at most, none of them empty."""
    found = attributes(compose(letter(), NOW, False, HOST))

    assert found == {
        "severity": "critical",
        "event": "opened",
        "rule": "instance-profile-missing",
        "instance_id": "i-0123456789abcdef0",
        "deployment_group": "web-production",
        "dedup_key": "3f0e4c55-opened",
        "created_at": "2026-09-21T14:13:20.000Z",
    }
    assert attributes(compose(letter(deployment_group=""), NOW, False))["deployment_group"] == "none"


def test_late_has_both_times() -> None:
    """When it happened and when it could be sent; attribute and subject say it too."""
    late = compose(letter(), LATER, False, HOST)

    assert "it happened at 2026-09-21 14:13:20 UTC" in parts(late)["email"]
    assert "could not be sent before 2026-09-21 15:13:20 UTC" in parts(late)["email"]
    assert attributes(late)["late"] == "true"
    assert "late" not in attributes(compose(letter(created_at=LATER), NOW, False))  # the clock was set back
    assert "late" not in attributes(compose(letter(spread=3600.0), LATER, False))  # its slot among the fleet's


RECOVERIES = {
    "the host shows it": (
        {"role": "contradicts", "source": "imds", "text": "role web, Code Success"},
        "imds: role web, Code Success",
    ),
    "a later line": (
        {"role": "context", "source": "log", "at": "2026-09-21T14:13:00.000Z", "text": "a poll"},
        "log: a poll",
    ),
    "nothing that says it": ({"role": "confirms", "source": "imds", "text": "404"}, "the record does not say"),
}


@pytest.mark.parametrize(("proof", "shown"), RECOVERIES.values(), ids=RECOVERIES)
def test_recovered_says_what_showed_it(proof: dict[str, Any], shown: str) -> None:
    """Evidence and both ends; no fix for what is over."""
    over = {**FINDING, "state": "recovered", "recovered_at": "2026-09-21T14:12:00.000Z", "evidence": [proof]}

    mail = parts(compose(letter(over, event="recovered"), NOW, False, HOST))["email"]

    assert mail.startswith("RECOVERED: ")
    assert f"Shown by:\n- {shown}" in mail
    assert "Over: 2026-09-21 14:12:00 UTC" in mail
    assert "Fix:" not in mail


def test_digest() -> None:
    """Counts by rule and event; machines get it whole."""
    digest = {"schema": "agentdoctor.digest/1", "count": 7, "counts": {"disk-full": {"opened": 4, "recovered": 3}}}

    message = parts(compose(letter(digest, event="digest", rule="digest"), NOW, False, HOST))

    assert message["email"].startswith("DIGEST: digest")
    assert "Not told one by one:\n- disk-full: 4 opened, 3 recovered" in message["email"]
    assert json.loads(message["default"]) == digest


def test_r14_r15_fifo_ids() -> None:
    """A second try has the same key, the recovery another; both are in one group, so their order holds."""
    first, again = compose(letter(), NOW, True), compose(letter(), LATER, True)
    over = compose(letter(event="recovered", key="3f0e4c55-recovered"), NOW + 60, True)

    assert first["MessageDeduplicationId"] == again["MessageDeduplicationId"] == "3f0e4c55-opened"
    assert over["MessageDeduplicationId"] == "3f0e4c55-recovered"
    assert {params["MessageGroupId"] for params in (first, again, over)} == {
        "i-0123456789abcdef0.instance-profile-missing"
    }
    assert "MessageGroupId" not in compose(letter(), NOW, False)


LARGE = {
    "a long text": {"text": "x" * 1_000_000},
    "four bytes a character": {"text": "\U0001f600" * 300_000},
    "many": {"more": ["y" * 100] * 50_000},
    "many names": {f"name{n}": "z" for n in range(40_000)},
}


@pytest.mark.parametrize("extra", LARGE.values(), ids=LARGE)
def test_too_large_is_cut_on_characters(extra: dict[str, Any]) -> None:
    """Under the limit, marked, valid, and the finding still known by its id."""
    params = compose(letter({**FINDING, "evidence": [{"role": "symptom", **extra}]}), NOW, True, HOST)

    finding = json.loads(parts(params)["default"])
    assert size(params) <= LIMIT
    assert finding["truncated"] is True
    assert attributes(params)["truncated"] == "true"
    assert finding["id"] == "instance-profile-missing"
    json.dumps(finding, ensure_ascii=False).encode()  # no half of a character


def test_half_a_command_is_never_shown() -> None:
    """What does not fit is left out whole, and the mail says where it is."""
    step = {"text": "Do", "where": "instance", "command": "rm -rf /srv/app/" + "a" * 3000}
    mail = parts(compose(letter({**FINDING, "remediation": [step] * 9}), NOW, False))["email"]
    long = parts(compose(letter({**FINDING, "remediation": [{**step, "command": "b" * 5000}]}), NOW, False))["email"]

    commands = re.findall(r"^   rm .*$", mail, re.MULTILINE)
    assert commands
    assert all(command.strip() == step["command"] for command in commands)
    assert mail.endswith("(shortened; sudo agentdoctor status has the rest)")
    assert "bbb" not in long
    assert "sudo agentdoctor check shows it" in long


UNREADABLE = {
    "no JSON": "{",
    "no object": "[1]",
    "empty": "",
    "deep": "[" * 100_000,
    "a number of 9,000 digits": f'{{"a": {"9" * 9000}}}',
}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
def test_r16_a_body_that_cannot_be_read(body: str) -> None:
    """Something is told all the same."""
    params = compose(letter(body=body), NOW, False, HOST)

    assert json.loads(parts(params)["default"]) == {
        "id": "instance-profile-missing",
        "fingerprint": "4189a1a0edd7edc7",
        "severity": "critical",
        "truncated": True,
    }
    assert parts(params)["email"].startswith("CRITICAL: instance-profile-missing")


def test_r16_the_least_message() -> None:
    """A line of ASCII that depends on nothing which SNS could have refused."""
    params = minimal(letter(body="\ud800" * 10, deployment_group="gr\u00fcn \ud800"), fifo=True)

    assert params["Message"].isascii()
    assert size(params) < 1000
    assert "MessageStructure" not in params
    assert attributes(params)["deployment_group"] == "gr-n"
    assert params["MessageDeduplicationId"] == "3f0e4c55-opened"
