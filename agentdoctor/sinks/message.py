"""A letter as the parameters of SNS Publish: text for people, the finding as JSON for machines. Pure."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from agentdoctor.digests import hexadecimal
from agentdoctor.host import iso
from agentdoctor.outbox import Letter, is_late
from agentdoctor.sinks import text
from agentdoctor.sinks.clean import clean, one_line

LIMIT = 200 * 1024  # bytes of message, subject and attributes; SNS refuses more than 256 KiB
_KEY = re.compile(r"[A-Za-z0-9-]{1,128}")
_NOT_IN_GROUP = re.compile(r"[^A-Za-z0-9.-]")
_ATTRIBUTE_LIMIT = 256  # characters
# A finding that is too large loses the ends of its texts (characters), then of its lists (entries), until it fits.
_CUTS = ((1 << 20, 1 << 20), (8192, 500), (2048, 100), (512, 50), (128, 20), (32, 5))


def compose(letter: Letter, now: float, fifo: bool, host: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What Publish takes, but for the topic. ``now``: seconds since the epoch; ``host``: name and region, if known.

    ``default`` is the finding as JSON: what sqs, lambda, http(s) and firehose get. ``email`` is text, ``sms`` a line.
    """
    host = host or {}
    late = is_late(letter, now)
    finding = _parsed(letter)
    mail, shortened = text.mail(letter, finding, host, now)
    parts = {"email": mail, "sms": text.sms(letter, finding, host, late)}
    for limits in _CUTS:
        cut = _Cut(*limits)
        kept = _kept(finding, cut)
        truncated = cut.happened or shortened or bool(finding.get("truncated"))
        message = _message(letter, {**kept, "truncated": True} if cut.happened else kept, parts)
        params = _published(letter, message, text.subject(letter, host, late), fifo, late, truncated)
        if size(params) <= LIMIT:
            return params
    message = _message(letter, _stub(letter), parts)
    return _published(letter, message, text.subject(letter, host, late), fifo, late, truncated=True)


def minimal(letter: Letter, fifo: bool) -> dict[str, Any]:
    """The least that still tells: for a letter that SNS has refused as it was. One line of ASCII."""
    told = f"{text.subject(letter, {}, late=False)}. SNS refused the full message; sudo agentdoctor status shows it."
    params = _published(letter, told, text.subject(letter, {}, late=False), fifo, late=False, truncated=True)
    del params["MessageStructure"]
    for attribute in params["MessageAttributes"].values():
        value = attribute["StringValue"].encode("ascii", "replace").decode()
        attribute["StringValue"] = re.sub(r"[^\w.:-]", "-", value, flags=re.ASCII)
    return params


def size(params: Mapping[str, Any]) -> int:
    """Bytes that count against the limit of SNS: message, subject, and the attributes' names, types and values."""
    texts = [params["Message"], params.get("Subject", "")]
    for name, attribute in params["MessageAttributes"].items():
        texts += [name, attribute["DataType"], attribute["StringValue"]]
    return sum(len(part.encode("utf-8")) for part in texts)


def _published(letter: Letter, message: str, subject: str, fifo: bool, late: bool, truncated: bool) -> dict[str, Any]:
    params: dict[str, Any] = {
        "Subject": subject,
        "Message": message,
        "MessageStructure": "json",
        "MessageAttributes": _attributes(letter, late, truncated),
    }
    if fifo:
        params["MessageGroupId"] = _group(letter)
        params["MessageDeduplicationId"] = _key(letter)
    return params


def _message(letter: Letter, finding: Mapping[str, Any], parts: Mapping[str, str]) -> str:
    """ASCII: nobody has to guess an encoding. A slash may be escaped in JSON, and then a link is none in a mail."""
    machine = json.dumps(finding, allow_nan=False).replace("://", ":\\/\\/")
    return json.dumps({"default": machine, **parts})


def _attributes(letter: Letter, late: bool, truncated: bool) -> dict[str, dict[str, str]]:
    """For filter policies. Ten at most: SQS takes no more when delivery is raw. SNS takes no empty ones."""
    values = {
        "severity": letter.severity,
        "event": letter.event,
        "rule": letter.rule,
        "instance_id": letter.instance_id,
        "deployment_group": letter.deployment_group,
        "dedup_key": _key(letter),
        "created_at": _stamp(letter.created_at),
        **({"late": "true"} if late else {}),
        **({"truncated": "true"} if truncated else {}),
    }
    return {
        name: {"DataType": "String", "StringValue": one_line(value)[:_ATTRIBUTE_LIMIT].strip() or "none"}
        for name, value in values.items()
    }


def _stamp(at: float) -> str:
    try:
        return iso(at) or ""
    except (OverflowError, ValueError, OSError):
        return ""


def _key(letter: Letter) -> str:
    """The key of the letter: each try of it has the same, and its recovery another."""
    return letter.key if _KEY.fullmatch(letter.key) else _digest(letter.key)


def _group(letter: Letter) -> str:
    """Order is kept within a rule on an instance; others do not wait for it."""
    plain = f"{letter.instance_id}.{letter.rule}"
    named = _NOT_IN_GROUP.sub("-", plain)
    return named if named == plain and len(named) <= 128 else f"{named[:63]}.{_digest(plain)}"


def _digest(value: str) -> str:
    return hexadecimal(value)


def _parsed(letter: Letter) -> dict[str, Any]:
    """The finding of a letter, cleaned; of one that cannot be read what the letter itself says."""
    try:
        data = json.loads(letter.body)
        if isinstance(data, dict):
            kept: dict[str, Any] = _kept(data, _Cut(1 << 30, 1 << 30))
            return kept
    except (ValueError, RecursionError):
        pass
    return _stub(letter)


def _stub(letter: Letter) -> dict[str, Any]:
    values = {"id": letter.rule, "fingerprint": letter.fingerprint, "severity": letter.severity}
    return {**{name: one_line(value)[:_ATTRIBUTE_LIMIT] for name, value in values.items()}, "truncated": True}


class _Cut:
    """How much of texts and lists is kept, and whether anything was lost."""

    def __init__(self, characters: int, entries: int) -> None:
        self.characters, self.entries = characters, entries
        self.happened = False


def _kept(value: Any, cut: _Cut) -> Any:
    """A JSON value with its texts cleaned, and no longer than allowed. What is no number in JSON becomes null."""
    if isinstance(value, str):
        value = clean(value)
        cut.happened |= len(value) > cut.characters
        return value[: cut.characters]
    if isinstance(value, dict):
        return {clean(name): _kept(entry, cut) for name, entry in value.items()}
    if isinstance(value, list):
        cut.happened |= len(value) > cut.entries
        return [_kept(entry, cut) for entry in value[: cut.entries]]
    return None if isinstance(value, float) and not math.isfinite(value) else value
