"""Which patterns may run on log text that strangers write."""

import pytest

from agentdoctor.linear import PatternError, check

ALLOWED = {
    "a literal": "Missing credentials - please check",
    "a repeat that its follower ends": r"bucket '([^']*)' and key",
    "several of them": r"names (\S+) and (\S+) for \(([^)]*)\)",
    "one open repeat": r"location: (?P<script>.+?) failed with exit code (?P<code>\d+)",
    "open repeat at the end": r"Error message: .*",
    "an optional group after an open repeat": r"location: (.+?)(?: run as user (\S+))? failed with",
    "a short limited repeat": r"service[\s\S]{0,400}?Active: active",
    "an alternation of literals": r"(?:Errno::ENOSPC|No space left on device)",
    "anchors": r"^Access Denied$",
    "a repeat of a group that ends itself": r"x(?:\\.|[^\\])y",
}

REFUSED = {
    "not a pattern": ("(", "unterminated"),
    "matches everything": ("a*", "empty text"),
    "two open repeats": ("a.*b.*c", "more than one"),
    "the same in disguise": ('[^"]*x[^"]*y', "more than one"),
    "neighbours that share characters": (r"x\w+\w+y", "more than one"),
    "a repeat of repeats": ("(a+)+b", "inside a repeat"),
    "a repeat of an alternation with a repeat": (r"(?:a+|b)*c", "inside a repeat"),
    "a long limited repeat counts too": (r"a.{0,5000}b.{0,5000}c", "more than one"),
    "a back reference": (r"(\w)\1x", "back reference"),
    "a digit run before a digit": (r"\d+\d*\d+x", "more than one"),
}


@pytest.mark.parametrize("pattern", ALLOWED.values(), ids=ALLOWED)
def test_allows(pattern: str) -> None:
    """Patterns whose time a message's length bounds pass."""
    check(pattern)


@pytest.mark.parametrize(("pattern", "reason"), REFUSED.values(), ids=REFUSED)
def test_refuses(pattern: str, reason: str) -> None:
    """Patterns that may explode are refused, and the error says why."""
    with pytest.raises(PatternError, match=reason):
        check(pattern)
