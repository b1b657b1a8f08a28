"""Words for what ``probes/imds.py`` sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentdoctor.words import Phrase


def _token(value: Mapping[str, Any]) -> str:
    if value.get("given"):
        return f"the metadata service gave a token in {value.get('ms') or 0:.0f} ms"
    if value.get("connected"):
        status = value.get("status")
        return (
            f"the metadata service answers a token request with {status}"
            if status
            else (f"the metadata service takes connections and gives no token ({value.get('error') or 'no answer'})")
        )
    return f"the metadata service does not answer ({value.get('error') or 'no connection'})"


def _profile(value: Mapping[str, Any]) -> str:
    code = f", Code {value['code']}" if value.get("code") else ""
    return f"iam/info answers {value.get('status')}{code}"


def _role(value: Mapping[str, Any]) -> str:
    name = value.get("role") or "none"
    return f"role {name}, Code {value.get('code')}"


def _leaving(value: Mapping[str, Any]) -> str:
    if value.get("spot"):
        return f"EC2 has announced: this Spot instance will {value['spot']}"
    if value.get("target"):
        return f"Auto Scaling moves the instance to {value['target']}"
    return "neither Auto Scaling nor EC2 is taking the instance away"


PHRASES: dict[str, Phrase] = {
    "imds.lifecycle.leaving": _leaving,
    "imds.token.connected": _token,
    "imds.token.given": _token,
    "imds.token.status": _token,
    "imds.profile.attached": _profile,
    "imds.profile.status": _profile,
    "imds.profile.code": _profile,
    "imds.role.code": _role,
    "imds.role.role": _role,
}
STATED = {
    "imds.lifecycle.leaving": (
        "Auto Scaling or EC2 is taking the instance away",
        "nobody is taking the instance away",
    ),
    "imds.document.instance_id": (
        "the identity document names the instance",
        "the identity document does not name the instance",
    ),
    "imds.profile.attached": ("an instance profile is attached", "no instance profile is attached"),
    "imds.token.connected": ("the metadata service takes connections", "the metadata service takes no connection"),
    "imds.token.given": ("the metadata service gives a token", "the metadata service gives no token"),
}
NAMED = {
    "imds.document.region": "the region in the identity document",
    "imds.document.status": "the HTTP status of the identity document",
    "imds.role.code": "the code of the role's credentials",
}
