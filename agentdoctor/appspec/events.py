"""The lifecycle events of a deployment to EC2, and what becomes of scripts under other names."""

from __future__ import annotations

import difflib

SCRIPTED = (
    "ApplicationStop",
    "BeforeInstall",
    "AfterInstall",
    "ApplicationStart",
    "ValidateService",
    "BeforeBlockTraffic",
    "AfterBlockTraffic",
    "BeforeAllowTraffic",
    "AfterAllowTraffic",
)
BALANCED = SCRIPTED[5:]  # only where the deployment group has a load balancer
_RESERVED = ("Start", "DownloadBundle", "Install", "BlockTraffic", "AllowTraffic", "End")
_ELSEWHERE = {"AfterAllowTestTraffic": "ECS", "PreTraffic": "Lambda", "PostTraffic": "Lambda"}


def unknown(name: str) -> str:
    """Why no script under this event ever runs; "" if it is one of the nine."""
    if name in SCRIPTED:
        return ""
    if name in _RESERVED:
        return f"{name} is an event without scripts"
    if name in _ELSEWHERE:
        return f"{name} is an event of {_ELSEWHERE[name]}, not of EC2"
    near = _nearest(name)
    return f"there is no event {name[:60]!r}" + (f"; did you mean {near}?" if near else "")


def _nearest(name: str) -> str:
    plain = {event.lower(): event for event in SCRIPTED}
    near = difflib.get_close_matches(name[:60].lower().replace("_", "").replace("-", ""), list(plain), 1, 0.75)
    return plain[near[0]] if near else ""
