"""Letters and topics that the tests of the sinks share."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from agentdoctor.outbox import Letter

NOW = 1_790_000_000.0
TOPIC = "arn:aws:sns:eu-west-1:123456789012:alerts"
HOST = {"name": "web-07", "region": "eu-west-1"}

FINDING: dict[str, Any] = {
    "id": "instance-profile-missing",
    "fingerprint": "4189a1a0edd7edc7",
    "state": "active",
    "verdict": "confirmed",
    "severity": "critical",
    "title": "No instance profile is attached",
    "cause": "The agent asked the metadata service for credentials and got none.",
    "subject": {"kind": "path", "name": "/srv/app"},
    "deployment": {"id": "d-ABCDEFGH1", "group_id": "g-1", "event": "AfterInstall", "script": "after.sh"},
    "first_seen": "2026-09-21T13:11:05.000Z",
    "last_seen": "2026-09-21T14:10:05.000Z",
    "recovered_at": None,
    "count": 214,
    "evidence": [
        {"role": "symptom", "source": "log", "at": "2026-09-21T13:11:05.000Z", "text": "Missing credentials"},
        {"role": "confirms", "source": "imds", "at": None, "text": "iam/info answers 404"},
    ],
    "ruled_out": [{"id": "clock-skew", "title": "The clock is wrong", "because": "0.4 s off"}],
    "remediation": [
        {
            "text": "Attach a profile",
            "where": "operator",
            "command": "aws ec2 associate --x y",
            "risk_note": "risk: low",
        }
    ],
    "verify": "sudo agentdoctor verify instance-profile-missing",
    "docs": "https://docs.aws.amazon.com/codedeploy/x.html",
}


def letter(finding: dict[str, Any] | None = None, **changes: Any) -> Letter:
    """A letter that opens the finding, or another with some of its parts changed."""
    plain = Letter(
        key="3f0e4c55-opened",
        event="opened",
        rule="instance-profile-missing",
        severity="critical",
        instance_id="i-0123456789abcdef0",
        deployment_group="web-production",
        fingerprint="4189a1a0edd7edc7",
        created_at=NOW,
        body=json.dumps(FINDING if finding is None else finding),
    )
    return dataclasses.replace(plain, **changes)
