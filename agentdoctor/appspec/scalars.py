"""Plain scalars as Psych reads them (scalar_scanner.rb of psych 3 and 4): YAML 1.1, and some ways of its own.

It differs from PyYAML: commas in numbers, 0o17 is a text, 1:30 is 5400, y is a text, a colon makes a Symbol.
"""

from __future__ import annotations

import datetime as dt
import re

from agentdoctor.appspec.values import Data, Moment, Symbol

_LONGEST_WORD = 5  # characters of false; what is longer and begins like a word is a text
_WORD = re.compile(r"[^\d.:-]?(?:[^\W\d]|[_\s!@#$%^&*(){}<>|/\\~;=])")
_TIME = re.compile(
    r"-?(\d{4})-(\d{1,2})-(\d{1,2})(?:[Tt]|\s+)(\d{1,2}):(\d\d):(\d\d)(?:\.\d*)?(?:\s*(?:Z|[-+]\d{1,2}:?(?:\d\d)?))?",
    re.ASCII,
)
_DATE = re.compile(r"(\d{4})-(1[012]|0\d|\d)-([12]\d|3[01]|0\d|\d)", re.ASCII)
_BASE_60 = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9]){1,2}")
_FLOAT_60 = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9]){1,2}\.[0-9_]*")
_FLOAT = re.compile(r"[-+]?(?:[0-9][0-9_,]*)?\.[0-9]*(?:[eE][-+][0-9]+)?")
_INTEGER = re.compile(
    r"(?P<sign>[-+]?)(?:0b(?P<two>[01_,]+)|0(?P<eight>[0-7_,]+)"
    r"|(?P<ten>0|[1-9](?:[,_]?[0-9])*)|0x(?P<sixteen>[0-9a-fA-F_,]+))"
)
_BASES = {"two": 2, "eight": 8, "ten": 10, "sixteen": 16}
_WORDS: dict[str, bool | None] = {"~": None, "null": None, "yes": True, "true": True, "on": True, "no": False}
_WORDS |= {"false": False, "off": False}
_INFINITE = {".inf": float("inf"), "+.inf": float("inf"), "-.inf": float("-inf"), ".nan": float("nan")}
_MOST_DIGITS = 400  # of a number; Ruby counts on, and nothing in an AppSpec needs it


def resolve(text: str) -> Data:
    """The value of a plain scalar. ValueError where Psych takes it for a number and Ruby then does not."""
    if not text:
        return None
    if "\n" in text or _WORD.match(text):
        return _WORDS.get(text.lower(), text) if len(text) <= _LONGEST_WORD else text
    moment = _moment(text)
    if moment is not None:
        return moment
    if text.lower() in _INFINITE:
        return _INFINITE[text.lower()]
    if len(text) > 1 and text[0] == ":":
        return _symbol(text)
    return _number(text)


def _moment(text: str) -> Data:
    """A time or a date; None if it is neither. One that no calendar has is a Moment of kind "" (a text to Ruby)."""
    time = _TIME.fullmatch(text)
    if time:
        month, day, hour, minute, second = (int(part) for part in time.groups()[1:6])
        real = 1 <= month <= 12 and 1 <= day <= 31 and hour <= 24 and minute <= 59 and second <= 60
        return Moment("Time" if real else "no Time", text)
    date = _DATE.fullmatch(text)
    if not date:
        return None
    try:
        dt.date(max(int(date[1]), 1), int(date[2]), int(date[3]))
    except ValueError:
        return Moment("no Date", text)
    return Moment("Date", text)


def _symbol(text: str) -> Symbol:
    quoted = re.match(r":([\"'])(.*)\1", text)
    return Symbol(quoted[2].removeprefix(":") if quoted else text[1:])


def _number(text: str) -> Data:
    if _BASE_60.fullmatch(text):
        return int(sum(_leading(part) * 60 ** abs(place - 2) for place, part in enumerate(text.split(":"))))
    if _FLOAT_60.fullmatch(text):
        parts = [float(_bare(part).rstrip(".")) for part in text.split(":")]
        return float(sum(part * 60 ** abs(place - 2) for place, part in enumerate(parts)))
    if _FLOAT.fullmatch(text):
        return text if text.lstrip("-+") == "." else float(re.sub(r"\.([Ee]|$)", r"\1", _bare(text)))
    whole = _INTEGER.fullmatch(text)
    if not whole:
        return text
    if len(text) > _MOST_DIGITS:
        return float("inf")
    base = whole.lastgroup or "ten"
    return int(whole["sign"] + (_bare(whole[base]) or ("0" if base == "eight" else "")), _BASES[base])


def _bare(text: str) -> str:
    return text.replace(",", "").replace("_", "")


def _leading(text: str) -> int:
    """to_i of what holds digits and underscores: it ends at the second of two underscores."""
    return int(text.partition("__")[0].rstrip("_").replace("_", ""))
