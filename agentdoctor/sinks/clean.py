"""Text from strangers, made fit for a message: nothing that hides, turns around or can be clicked."""

from __future__ import annotations

import re

# What SNS and SQS refuse (they take what XML 1.0 takes) and what a reader does not see: controls, marks of direction,
# joiners and other format characters, tags, surrogates, noncharacters. Tab and line break are white space, and stay.
_UNFIT = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5"
    "\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\ufffe\uffff\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff]"
)
_SCHEME = re.compile(r"([\w+.-]{0,40})://")
_HOST = re.compile(r"(?:(?<=[^3]://)|(?<=\[:\]//))[^\s/?#\"'<>]+")
_WWW = re.compile(r"(?<=www)\.", re.IGNORECASE)
_HTTP = re.compile(r"tt(?=ps?$)", re.IGNORECASE)
_ADDRESS = re.compile(r"(mailto|(?<![^\W\d_])tel):(?=\S)", re.IGNORECASE)
# Mail programs make links of bare names too, of those that end like a name of the net or go on with a path.
_DOT = re.compile(
    r"(?<=\w)\.(?=[^\W\d_]{2,24}/)"
    r"|(?<=\w)\.(?=(?:com|net|org|io|info|biz|dev|app|xyz|top|site|online|click|link|me|co|cn|ru)(?![\w-]))",
    re.IGNORECASE,
)


def clean(text: str) -> str:
    """The text without characters that are unseen or not allowed in a message. Tabs and line breaks stay."""
    return _UNFIT.sub("", text)


def one_line(text: str) -> str:
    """The same on one line."""
    return " ".join(_UNFIT.sub("", text.replace("\r", "\n")).split())


def defanged(text: str) -> str:
    """The text without anything that a mail program would make a link of: ``hxxps://example[.]com/x``.

    A log line is written by strangers, and the mail that quotes it comes from AWS.
    """
    spoilt = _HOST.sub(lambda match: match[0].replace(".", "[.]"), typed(text))
    return _DOT.sub("[.]", spoilt)


def typed(command: str) -> str:
    """A command whose addresses are no links; the rest of it stays as it is typed."""
    return _WWW.sub("[.]", _ADDRESS.sub(r"\1[:]", _SCHEME.sub(_spoilt, command)))


def _spoilt(scheme: re.Match[str]) -> str:
    """A scheme that is none. A bucket's stays: no mail program makes a link of it."""
    name = scheme[1]
    if name == "s3":
        return scheme[0]
    spoilt = _HTTP.sub("xx", name)
    return f"{name}[:]//" if spoilt == name else f"{spoilt}://"
