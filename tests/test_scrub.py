"""Log text is data: secrets go, and what a terminal would obey is shown."""

from __future__ import annotations

import json
from collections.abc import Sequence

import canaries
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentdoctor import rules as catalogue
from agentdoctor import secrets
from agentdoctor.doctor import Doctor
from agentdoctor.model import Rule
from agentdoctor.scrub import line, safe, scrub
from conftest import records

SECRETS = {
    "access key id": "key AKIAIOSFODNN7EXAMPLE in use",
    "secret key": "aws_secret_access_key = wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY",
    "secret in JSON": '{"SecretAccessKey" : "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY"}',
    "session token": "session_token: FwoGZXIvYXdzEJrEXAMPLE",
    "password": "mysql --password=hunter2EXAMPLE",
    "authorization header": "Authorization: Basic dXNlcjpFWEFNUExF",
    "password in an address": "git clone https://user:EXAMPLEpw@github.com/x",
    "signed address": "GET /b?X-Amz-Signature=EXAMPLEdeadbeef&x=1",
    "github token": "ghp_EXAMPLEEXAMPLEEXAMPLE1234",
    "private key": "-----BEGIN RSA PRIVATE KEY-----\nEXAMPLE",
    "metadata token": "X-aws-ec2-metadata-token: EXAMPLEtoken==",
}


@pytest.mark.parametrize("text", SECRETS.values(), ids=SECRETS)
def test_secrets_are_removed(text: str) -> None:
    """None of it is left."""
    assert "EXAMPLE" not in scrub(text)


LONG = {
    "a word": ("x" * 1_000_000, "x" * 1_000_000),
    "words that begin a secret": ("password" * 100_000, "password" * 100_000),
    "blanks in a header": ("authorization:" + " " * 1_000_000, "authorization:" + " " * 1_000_000),
    "addresses": ("http://a" * 100_000, "http://a" * 100_000),
    "passwords": ("http://a:b@" * 100_000, "http://a:<password>@" * 100_000),
}


@pytest.mark.parametrize(("text", "shown"), LONG.values(), ids=LONG)
def test_work_grows_with_the_text(text: str, shown: str) -> None:
    """Where it grew with the square of it, this would take hours."""
    assert scrub(text) == shown


HEADERS = {
    "a scheme": ("Authorization: Bearer abc, x", "Authorization: Bearer <authorization>, x"),
    "none": ("authorization: abc", "authorization: <authorization>"),
    "one that only begins so": ("authorization=basically", "authorization=<authorization>"),
    "in JSON": ('{"Authorization": "token abc"}', '{"Authorization": "token <authorization>"}'),
    "nothing to remove": ("authorization: ", "authorization: "),
}


@pytest.mark.parametrize(("text", "shown"), HEADERS.values(), ids=HEADERS)
def test_headers(text: str, shown: str) -> None:
    """The scheme tells something, and is no secret."""
    assert scrub(text) == shown


KEPT = {
    "a path": "/opt/codedeploy-agent/deployment-root/x",
    "a host name": "mybucket.s3.amazonaws.com:443",
    "a plain address": "https://api.github.com/repos/o/r/tarball/c0ffee",
    "an arn": "arn:aws:sts::123456789012:assumed-role/web/i-0123456789abcdef0",
    "a word about passwords": "password authentication failed for user",
    "tabs and lines": "a\tb\nc",
}


@pytest.mark.parametrize("text", KEPT.values(), ids=KEPT)
def test_the_rest_stays(text: str) -> None:
    """A fix needs names, paths and hosts."""
    assert scrub(text) == text


HOSTILE = {
    "colour": ("\x1b[31mred\x1b[0m", "red"),
    "title of the window": ("\x1b]0;owned\x07x", "x"),
    "clear screen": ("\x1b[2J\x1b[Hx", "x"),
    "a bare escape": ("\x1b", "\\x1b"),
    "carriage return": ("real\rfake", "real\\x0dfake"),
    "C1 control": ("\x9b31m", "\\x9b31m"),
    "text turned around": ("a\u202eb", "a\\x202eb"),
    "backspaces": ("ok\x08\x08no", "ok\\x08\\x08no"),
    "bell and NUL": ("\x07\x00", "\\x07\\x00"),
}


@pytest.mark.parametrize(("text", "shown"), HOSTILE.values(), ids=HOSTILE)
def test_nothing_is_obeyed(text: str, shown: str) -> None:
    """Control characters are shown as what they are."""
    assert scrub(text) == shown


@given(st.text())
def test_never_a_control_character(text: str) -> None:
    """Whatever comes in: one printable line comes out."""
    shown = line(text)

    assert "\n" not in shown
    assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 for c in shown)


@pytest.mark.parametrize("name", canaries.CANARIES)
def test_every_kind_of_secret(name: str) -> None:
    """As it stands, inside of JSON, and inside of JSON that Ruby has quoted once more, as in the agent's log."""
    text, secret = canaries.TEXTS[name], canaries.SECRETS[name]
    quoted = json.dumps({"log": f"[stderr]before\n{text}\n[stderr]after"})

    for shown in (scrub(text), scrub(quoted), scrub(json.dumps(quoted)), scrub(f"x\n{text}\nx")):
        assert secret not in shown.replace('\\\\"', '"').replace('\\"', '"')
    assert "<" in scrub(text)


@pytest.mark.parametrize("text", canaries.KEPT.values(), ids=canaries.KEPT)
def test_what_only_looks_like_one(text: str) -> None:
    """Ids, digests, references and words stay."""
    assert scrub(text) == text


@pytest.mark.parametrize("text", [*canaries.TEXTS.values(), *canaries.KEPT.values()])
def test_scrubbed_is_scrubbed(text: str) -> None:
    """Once more changes nothing."""
    assert scrub(scrub(text)) == scrub(text)


SECRET = "wJalrXUtnFEMIK7MDENGEXAMPLE"
VALUES = {
    "a list": ["x", f"password={SECRET}"],
    "a map": {"x": f"password={SECRET}"},
    "the name of a member": {f"password={SECRET}": 1},
    "a name that tells what the value is": {"password": SECRET},
    "lists and maps in each other": [{"x": (1, [f"token: {SECRET}"])}],
    "what JSON cannot hold": {SECRET},
}


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_values_in_every_depth(value: object) -> None:
    """As JSON writes them."""
    assert SECRET not in json.dumps(safe(value), allow_nan=False)


deep: list[object] = []
for _ in range(10_000):
    deep = [deep]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"a": [1, None, True, 0.5, "b"]}, {"a": [1, None, True, 0.5, "b"]}),
        ([float("nan"), float("inf"), -float("inf")], [None, None, None]),
        (["\x1b[2Jx", {"a": "\x07"}], ["x", {"a": "\\x07"}]),
        (("a", 10**400), ["a", 10**400]),
    ],
    ids=["plain", "no numbers", "controls", "a tuple"],
)
def test_other_values(value: object, shown: object) -> None:
    """What is plain stays; what is no number is not known."""
    assert safe(value) == shown


def test_values_without_end() -> None:
    """They are cut where nothing of ours goes."""
    assert "a list" in json.dumps(safe(deep))


def test_no_rule_needs_a_secret() -> None:
    """What matches a sample of a rule matches it as well without its secrets, and the reverse."""
    shipped = catalogue.from_sources()
    for text in [sample.text for rule in shipped for sample in rule.samples]:
        without = scrub_keeping_controls(text)
        assert without == text or ids_of(without, shipped) == ids_of(text, shipped), text


def scrub_keeping_controls(text: str) -> str:
    """Only what is taken for a secret."""
    return secrets.replace(text, lambda kind, _: f"<{kind}-1>")


def ids_of(text: str, rules: Sequence[Rule]) -> set[str]:
    """The rules of what a text shows."""
    doctor = Doctor(rules)
    for record in records(text):
        doctor.observe(record)
    return {finding.rule.id for finding in doctor.findings(0.0)}
