"""Text from strangers, made safe: secrets replaced, control characters shown instead of obeyed."""

from __future__ import annotations

import re

_SECRETS = (
    (re.compile(r"(?:AKIA|ASIA)[A-Z0-9]{12,}"), "[access key id]"),
    (
        re.compile(
            r"(?i)\b(aws_secret_access_key|secret_?access_?key|(?:session|security)_?token|password|passwd|pwd|secret"
            r"|api_?key|x-amz-security-token|x-aws-ec2-metadata-token)(\"?\s*[=:>]+\s*\"?)[^\s\"',&]+"
        ),
        r"\1\2[removed]",
    ),
    (
        re.compile(r"(?i)\b(authorization\"?\s*[=:]\s*\"?(?:(?:basic|bearer|token|aws4-hmac-sha256)\s+)?)[^\s\"',]+"),
        r"\1[removed]",
    ),
    # One letter of the scheme is enough: to look for all of them would take the square of the length of a word.
    (re.compile(r"(\w://)[^/\s:@]+:[^/\s@]+@"), r"\1[removed]@"),
    (
        re.compile(r"(?i)([?&](?:x-amz-signature|x-amz-credential|x-amz-security-token|token)=)[^&\s\"']+"),
        r"\1[removed]",
    ),
    (re.compile(r"\b(?:gh[pousr]_|github_pat_)\w{20,}"), "[token]"),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*", re.DOTALL), "[private key]"),
)

# C0 and C1 controls, line and paragraph separators, and the marks that turn the direction of text around.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_ANSI = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")


def scrub(text: str) -> str:
    """The text without secrets and without anything that a terminal obeys. Tabs and line breaks stay."""
    text = _ANSI.sub("", text)
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return _CONTROLS.sub(lambda match: f"\\x{ord(match[0]):02x}", text)


def line(text: str) -> str:
    """The same on one line."""
    return " ".join(scrub(text).split())


def cut(text: str, limit: int) -> str:
    """At most so many characters, the last three of them dots where more would follow."""
    return text if len(text) <= limit else text[: limit - 3] + "..."
