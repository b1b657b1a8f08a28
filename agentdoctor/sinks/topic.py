"""The name of an SNS topic, taken apart; what is wrong with one that is none, and the nearest right form. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

FORM = "arn:aws:sns:REGION:ACCOUNT:NAME"
_PARTS = ("arn", "partition", "service", "region", "account", "name")
_PARTITION = re.compile(r"aws(?:-[a-z]{1,4}){0,2}")
_REGION = re.compile(r"[a-z]{2,4}(?:-[a-z]+)+-\d")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,256}|[A-Za-z0-9_-]{1,251}\.fifo")


class Topic(NamedTuple):
    """A topic by its ARN (Service Authorization Reference, "Resource types defined by Amazon SNS")."""

    arn: str
    partition: str
    region: str
    account: str
    name: str

    @property
    def fifo(self) -> bool:
        return self.name.endswith(".fifo")


def parse(arn: str) -> Topic:
    """A topic. ValueError that says what is wrong, and the nearest right form."""
    fields = arn.split(":")
    if len(fields) == 7 and fields[2] == "sns" and _problem(fields[:6]) is None:
        raise ValueError(f"{arn!r} is a subscription; its topic is {':'.join(fields[:6])}")
    if len(fields) != len(_PARTS):
        near = f"; for a topic of that name {FORM.replace('NAME', arn)}" if _NAME.fullmatch(arn) else ""
        raise ValueError(f"{arn!r} is no ARN of a topic: those are {FORM}{near}")
    problem = _problem(fields)
    if problem:
        raise ValueError(f"{arn!r} is no ARN of a topic: {problem}; did you mean {':'.join(_nearest(fields))}?")
    return Topic(arn, fields[1], fields[3], fields[4], fields[5])


def _problem(fields: list[str]) -> str | None:
    start, partition, service, region, account, name = fields
    if start != "arn" or not _PARTITION.fullmatch(partition):
        return f"it begins with {start}:{partition}, not with arn:aws"
    if service != "sns":
        return f"its service is {service!r}, not 'sns'"
    if not _REGION.fullmatch(region):
        return f"{region!r} is no region, such as us-east-1"
    if not re.fullmatch(r"[0-9]{12}", account):
        return f"{account!r} is no account, of 12 digits"
    return None if _NAME.fullmatch(name) else f"{name!r} is no name of a topic: letters, digits, - and _, or NAME.fifo"


def _nearest(fields: list[str]) -> list[str]:
    """The same with what fits kept, tidied where that is enough, and a word in capitals where nothing is known."""
    _, partition, _, region, account, name = (field.strip().strip("'\"") for field in fields)
    zone = re.fullmatch(r"(.*-\d)[a-z]", region)  # an availability zone names its region
    region = (zone[1] if zone else region).lower().replace("_", "-")
    digits = account.replace("-", "")  # as the console shows it
    return [
        "arn",
        partition if _PARTITION.fullmatch(partition) else "aws",
        "sns",
        region if _REGION.fullmatch(region) else "REGION",
        digits if re.fullmatch(r"[0-9]{12}", digits) else "ACCOUNT",
        name if _NAME.fullmatch(name) else re.sub(r"[^A-Za-z0-9_-]", "-", name)[:256] or "NAME",
    ]
