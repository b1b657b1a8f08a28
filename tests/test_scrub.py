"""Log text is data: secrets go, and what a terminal would obey is shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentdoctor.scrub import line, scrub

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
    "passwords": ("http://a:b@" * 100_000, "http://[removed]@" * 100_000),
}


@pytest.mark.parametrize(("text", "shown"), LONG.values(), ids=LONG)
def test_work_grows_with_the_text(text: str, shown: str) -> None:
    """Where it grew with the square of it, this would take hours."""
    assert scrub(text) == shown


HEADERS = {
    "a scheme": ("Authorization: Bearer abc, x", "Authorization: Bearer [removed], x"),
    "none": ("authorization: abc", "authorization: [removed]"),
    "one that only begins so": ("authorization=basically", "authorization=[removed]"),
    "in JSON": ('{"Authorization": "token abc"}', '{"Authorization": "token [removed]"}'),
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
