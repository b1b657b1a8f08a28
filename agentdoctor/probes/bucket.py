"""What S3 tells a stranger of the bucket and the object that a deployment asked for: no key signs these requests.

A stranger mostly learns little, so little is claimed. 404 is S3's word that there is none; of a private bucket it tells
the Region (HeadBucket, x-amz-bucket-region) with 403; of a private object 403 tells nothing, there or not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

from agentdoctor.probes import CannotLook, Look, Values, _route, probe
from agentdoctor.probes._asked import asked
from agentdoctor.probes._chain import TALK_SECONDS, Way, follow
from agentdoctor.probes._connection import Deadline

_ABOUT = ("bucket", "key", "version", "deployment_id")
_REGION, _OURS = "x-amz-bucket-region", "x-amz-request-id"  # the second stands in every answer of S3, and in no proxy's
_MARKER = "x-amz-delete-marker"


class _Answer(NamedTuple):
    host: str
    status: int
    headers: Mapping[str, str]


@probe("bucket.place", source="network", network=True, also=_ABOUT)
def place(look: Look) -> Values:
    """``{bucket, key, host, status, exists, bucket_region, agent_region, elsewhere}`` of the bucket, by HEAD.

    Of the bucket that the failed download names, asked of ``host``: S3 where the agent asks it, in the agent's way.
    ``exists`` is False after 404, True where S3 tells its Region, else None. ``elsewhere``: S3 sends the agent on, or
    the bucket is in another Region than the agent; None if neither can be told.
    """
    bucket, key, _ = asked(look.host, look.about)
    answer = _head(look, f"/{quote(bucket, safe='')}")
    found, mine = answer.headers.get(_REGION), _own_region(look)
    known = found is not None and _route.is_region(found)
    return {
        "bucket": bucket,
        "key": key,
        "host": answer.host,
        "status": answer.status,
        "exists": False if answer.status == 404 else True if known else None,
        "bucket_region": found if known else None,
        "agent_region": mine,
        "elsewhere": True if answer.status == 301 else found != mine if known and mine else None,
    }


@probe("bucket.object", source="network", network=True, also=_ABOUT)
def object_(look: Look) -> Values:
    """``{bucket, key, version, host, status, exists}`` of the object that the failed download asked for, by HEAD.

    ``exists`` is False after 404 and for a delete marker, True after 200, else None with the reason: S3 says 403 of
    what a stranger may not see, whether or not it is there.
    """
    bucket, key, version = asked(look.host, look.about)
    which = f"?versionId={quote(version, safe='')}" if version else ""
    answer = _head(look, f"/{quote(bucket, safe='')}/{quote(key)}{which}")
    gone = answer.status == 404 or answer.headers.get(_MARKER) == "true"
    exists = False if gone else True if answer.status == 200 else None
    return {
        "bucket": bucket,
        "key": key,
        "version": version,
        "host": answer.host,
        "status": answer.status,
        "exists": exists,
        **({"reason": f"S3 answers {answer.status} to a stranger"} if exists is None else {}),
    }


def _own_region(look: Look) -> str | None:
    try:
        return _route.region(look)[0]
    except CannotLook:
        return None


def _head(look: Look, path: str) -> _Answer:
    """The answer to a HEAD without a signature, by the way that the agent takes. CannotLook unless it is S3's."""
    deadline = Deadline(TALK_SECONDS)
    values = _route.settings(look)
    server = _route.s3(look, values)
    way = Way(method="HEAD", path=path, headers=(_REGION, _OURS, _MARKER))
    seen = follow(server, _route.proxy_of_agent(look, values, server.host, "s3"), look.host.now, deadline, way)
    if seen["http"] is None:
        raise CannotLook(f"{server.host} gives no answer: {_why(seen)}")
    if _OURS not in seen["headers"]:
        raise CannotLook(f"what answers for {server.host} is not S3")
    return _Answer(server.host, seen["http"], seen["headers"])


def _why(seen: Mapping[str, Any]) -> str:
    links = ("dns", "tcp", "proxy", "tls", "http")
    status = f"the proxy answers {seen['proxy_status']}" if seen["proxy_status"] else "no answer"
    return next((str(seen[f"{link}_error"]) for link in links if seen[f"{link}_error"]), status)
