"""Words for what ``probes/bucket.py`` sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentdoctor.words import Phrase


def _exists(value: Mapping[str, Any]) -> str:
    there = "is there" if value.get("exists") else "does not exist"
    return f"bucket {value['bucket']} {there}, says {value.get('host')} ({value.get('status')})"


def _elsewhere(value: Mapping[str, Any]) -> str:
    found, mine = value.get("bucket_region") or "another Region", value.get("agent_region") or "a Region not known"
    if not value.get("elsewhere"):
        return f"S3 says that bucket {value['bucket']} is in {found}, as the agent is"
    return f"S3 says that bucket {value['bucket']} is in {found}; the agent is in {mine} and asks {value.get('host')}"


def _object(value: Mapping[str, Any]) -> str:
    there = "is there" if value.get("exists") else "is not there"
    version = f", version {value['version']}," if value.get("version") else ""
    return f"s3://{value['bucket']}/{value['key']}{version} {there}, says {value.get('host')} ({value.get('status')})"


def _bucket(value: Mapping[str, Any]) -> str:
    return f"the deployment asked for bucket {value['bucket']}"


def _key(value: Mapping[str, Any]) -> str:
    return f"the deployment asked for {value['key']} in it"


def _region(value: Mapping[str, Any]) -> str:
    return f"the bucket's Region is {value['bucket_region']}"


PHRASES: dict[str, Phrase] = {
    "bucket.place.exists": _exists,
    "bucket.place.elsewhere": _elsewhere,
    "bucket.place.bucket": _bucket,
    "bucket.place.key": _key,
    "bucket.place.bucket_region": _region,
    "bucket.object.exists": _object,
    "bucket.object.bucket": _bucket,
    "bucket.object.key": _key,
}
STATED = {
    "bucket.place.exists": ("S3 has the bucket", "S3 has no such bucket"),
    "bucket.place.elsewhere": (
        "the bucket is in another Region than the agent, or S3 sends the agent to another address",
        "the bucket is in the Region of the agent",
    ),
    "bucket.place.bucket": ("the log names the bucket", "the log does not name the bucket"),
    "bucket.place.key": ("the log names the object", "the log does not name the object"),
    "bucket.place.bucket_region": ("S3 tells the bucket's Region", "S3 does not tell the bucket's Region"),
    "bucket.object.exists": ("S3 has the object", "S3 has no such object"),
    "bucket.object.bucket": ("the log names the bucket", "the log does not name the bucket"),
    "bucket.object.key": ("the log names the object", "the log does not name the object"),
}
