"""Which object of S3 a deployment asked for, by the agent's log. Its names are text of strangers, and are checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from agentdoctor import layout
from agentdoctor.grammars import Source, agent
from agentdoctor.host import Host
from agentdoctor.probes import CannotLook

_TAIL = 1 << 20  # bytes of the log, some hours of an agent at work
_BEGUN = re.compile(
    rb"Downloading artifact bundle from bucket '(?P<bucket>[^']{1,255})' and key '(?P<key>[^\n]{1,1024})', "
    rb"version '(?P<version>[^'\n]{0,1024})'"
)
_DONE = re.compile(rb"Download complete from bucket '?(?P<bucket>[^' \n]{1,255})'? and key ")
# S3 user guide, "Bucket naming rules", also those of old buckets in us-east-1; the ARN of an access point is no name.
_bucket = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._-]{3,255}", re.ASCII)


class Asked(NamedTuple):
    """An object of S3; ``version`` is "" for the newest."""

    bucket: str
    key: str
    version: str


def asked(host: Host, about: Mapping[str, str]) -> Asked:
    """What the agent asked S3 for: of the finding where its text names it, else of its deployment. CannotLook."""
    if about.get("bucket") and about.get("key"):
        found: Asked | None = Asked(about["bucket"], about["key"], about.get("version", ""))
    elif about.get("deployment_id"):
        found = _of_deployment(_end_of_log(host), about["deployment_id"])
    else:
        raise CannotLook("the log does not say which deployment it is")
    if found is None:
        raise CannotLook("the log does not say which object this deployment asked for")
    if not _bucket.fullmatch(found.bucket):
        raise CannotLook("what the log calls a bucket has no name of one")
    return found._replace(version="" if found.version == "none" else found.version)


def _end_of_log(host: Host) -> bytes:
    known = layout.read(host)
    return host.tail(f"{known.log_dir}/{known.program_name}.log", _TAIL)[1]


def _of_deployment(text: bytes, id_: str) -> Asked | None:
    """The download that was under way when this deployment failed; None where there were several, or none.

    The line itself names no deployment (in 1.x), and several may be at work at once.
    """
    under_way: list[Asked] = []
    for line in text.split(b"\n"):
        begun, done = _BEGUN.search(line), _DONE.search(line)
        if begun:
            under_way.append(Asked(*(part.decode("utf-8", "replace") for part in begun.groups())))
        elif done:
            under_way = [one for one in under_way if one.bucket.encode() != done["bucket"]]
        elif b'command_status:"Failed"' in line or b"Command failed elapsed_ms=" in line:
            record = agent.parse(line, (), Source(), 0)
            if record and record.deployment.id == id_ and under_way:
                return under_way[0] if len(set(under_way)) == 1 else None
            under_way = under_way if record and record.deployment.event != "DownloadBundle" else []
    return None
