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
            else f"the metadata service takes connections and gives no token ({_why_no_token(value)})"
        )
    return f"the metadata service does not answer ({value.get('error') or 'no connection'})"


def _hops(value: Mapping[str, Any]) -> str:
    reach = "survives" if value.get("further") else "does not survive"
    return f"the answer to a token request {reach} one more hop, by its hop limit"


def _behind(value: Mapping[str, Any]) -> str:
    if value.get("behind"):
        return "the agent reaches the metadata service through this host, one hop behind it"
    return "the agent is in the network of this host, or does not run"


def _tags(value: Mapping[str, Any]) -> str:
    group = value.get("auto_scaling_group")
    return f"its Auto Scaling group is {group}, says a tag" if group else ""


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


def _why_no_token(value: Mapping[str, Any]) -> str:
    """What a hop limit that is too small looks like to who is behind it: the answer to a PUT alone is lost."""
    error, other = value.get("error") or "no answer", value.get("v1_status")
    return f"{error}, while what is asked without one is answered with {other}" if other else str(error)


PHRASES: dict[str, Phrase] = {
    "imds.hops.further": _hops,
    "imds.hops.behind": _behind,
    "imds.tags": _tags,
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
    "imds.hops.further": (
        "the answer to a token request survives one more hop",
        "the answer to a token request does not survive one more hop",
    ),
    "imds.hops.behind": (
        "the agent reaches the metadata service through this host, as from a container",
        "the agent is in the network of this host",
    ),
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
