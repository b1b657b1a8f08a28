"""Text from strangers, made safe: secrets replaced, control characters shown instead of obeyed."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

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


_DEPTH = 20  # of lists and maps in each other: probes say nothing deeper than three


def safe(value: Any, clean: Callable[[str], str] = scrub, depth: int = _DEPTH) -> Any:
    """A value as JSON can hold it, with every text in it made safe by ``clean``, the names of members too.

    Not a number and the infinities have no word in JSON, and become None as what is not known.
    """
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int):
        return value
    if depth and isinstance(value, Mapping):
        return dict(_member(str(name), member, clean, depth - 1) for name, member in value.items())
    if depth and isinstance(value, list | tuple):
        return [safe(member, clean, depth - 1) for member in value]
    return clean(f"a {type(value).__name__}")


def _member(name: str, value: Any, clean: Callable[[str], str], depth: int) -> tuple[str, Any]:
    """One of a mapping. Its name may be what tells that its value is a secret, so they are looked at together."""
    told, separator, rest = clean(f"{name}={value}").partition("=") if isinstance(value, str) else ("", "", "")
    return clean(name), rest if separator and told == clean(name) else safe(value, clean, depth)


def cut(text: str, limit: int) -> str:
    """At most so many characters, the last three of them dots where more would follow."""
    return text if len(text) <= limit else text[: limit - 3] + "..."
