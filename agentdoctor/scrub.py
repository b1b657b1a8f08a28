"""Text from strangers, made safe: secrets replaced, control characters shown instead of obeyed."""

from __future__ import annotations

import re

from agentdoctor import secrets

# C0 and C1 controls, line and paragraph separators, and the marks that turn the direction of text around.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_ANSI = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")


def scrub(text: str) -> str:
    """The text without secrets and without anything that a terminal obeys. Tabs and line breaks stay."""
    text = _ANSI.sub("", text)
    text = secrets.replace(text, lambda kind, _: f"<{kind}>")
    return _CONTROLS.sub(lambda match: f"\\x{ord(match[0]):02x}", text)


def line(text: str) -> str:
    """The same on one line."""
    return " ".join(scrub(text).split())


def cut(text: str, limit: int) -> str:
    """At most so many characters, the last three of them dots where more would follow."""
    return text if len(text) <= limit else text[: limit - 3] + "..."
