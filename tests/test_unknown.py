"""Patterns made from messages: what varies from host to host is left open, the rest is as it was."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentdoctor.linear import check
from agentdoctor.model import Record
from agentdoctor.patterns import words
from agentdoctor.rules.unknown import pattern_of
from agentdoctor.scrub import scrub

PATTERNS = {
    "Ruby's classes and trace": (
        "InstanceAgent::Plugins::X: Error during perform: RuntimeError - the odd thing - /opt/a.rb:1:in `x'",
        r"\bthe odd thing\b",
    ),
    "a path that is no trace": ("RuntimeError - no room @ write - /srv/a", r"\bno room @ write - (?P<path>/X)\b"),
    "a path in brackets, and the end of a sentence": (
        "cannot read (/srv/a b) in /srv/c.",
        r"\bcannot read \((?P<path>/X) b\) in (?P<path_2>/X)\.",
    ),
    "numbers": ("took 12 of 3.5 GB on S3 in x86_64", r"\btook N of N.N GB on S3 in x86_64\b"),
    "ids": (
        "d-ABCDEF123 on i-0123456789abcdef0 has no such plan",
        r"\bd-[A-Z0-9]{9} on m?i-[0-9a-f]{8,17} has no such plan\b",
    ),
    "a uuid": ("group 11111111-2222-3333-4444-555555555555 is odd", r"\bgroup [0-9a-fA-F-]{36} is odd\b"),
    "an arn": (
        "arn:aws:iam::123456789012:role/x may not do this",
        r"""\b(?P<arn>arn:aws[^\s'",()]{1,400}) may not do this\b""",
    ),
    "a host": ("no route to a.b.example.com now", r"\bno route to (?P<host>[\w.-]{1,253}) now\b"),
    "a header in plain text": ("2026-11-22T21:01:09 ERROR [x(1)]: the odd thing", r"\bthe odd thing\b"),
    "a header without a stamp": ("ERROR [codedeploy-agent]: the odd thing", r"\bthe odd thing\b"),
    "marks of patterns": ("what (is) a+b* [odd]?", r"\bwhat \(is\) a\+b\* \[odd\]\?"),
    "several lines": ("\nthe odd thing\nand more", r"\bthe odd thing\b"),
    "a secret at the end": ("login as bob with password=hunter2", r"\blogin as bob with password="),
    "what Ruby puts around it, alone": ("InstanceAgent::Plugins::X: Error during perform: RuntimeError - ", ""),
    "no word": ("--- +++ ---", ""),
    "nothing": ("", ""),
    "a number alone": ("12345", r"\b12345\b"),
}


@pytest.mark.parametrize(("message", "pattern"), PATTERNS.values(), ids=PATTERNS)
def test_patterns(message: str, pattern: str) -> None:
    """What varies is named or bounded, the rest is as it was; X and N stand for a path's rest and a number."""
    made = pattern_of(Record("agent", message))

    assert made.replace(r"""[^\s'",():;]{1,400}""", "X").replace(r"\d{1,30}", "N").replace(r"\.N", ".N") == pattern


ORDINARY = (
    "x y /srv/a https://x.y/z 12 a.b.com a/b.sh d-ABCDEF123 i-0123456789abcdef0 0x1f password= {} | ` # -"
    " AKIAABCDEFGHIJKLMNOP RuntimeError ' \" ( ) ] : . \\ größe 😀 ͥ"
).split()
ODD = ("\t", "\n", "\x1b[1m", "\x07", "\ud800", "\u2028", "\ufffe", "\u0661", "the ", "odd ", " - ")
PIECES = st.sampled_from((*ORDINARY, *ODD))


@given(st.one_of(st.lists(PIECES, max_size=30).map("".join), st.text(max_size=300)))
def test_every_pattern_is_one_that_a_rule_may_have(message: str) -> None:
    """Linear, with a word, found in the message, and without what the scrubber takes out."""
    pattern = pattern_of(Record("agent", message))

    if pattern:
        check(pattern)
        assert words(pattern)
        assert re.search(pattern, message)
        assert "AKIAABCDEFGHIJKLMNOP" not in pattern or "AKIAABCDEFGHIJKLMNOP" in scrub(message)
