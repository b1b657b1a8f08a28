"""Evidence in words: one short phrase per value, for people. Pure text, no judgement."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def say(probe: str, field: str, actual: Any, value: Mapping[str, Any]) -> str:
    """What a probe saw, e.g. ``iam/info answers 404``; ``value`` is all of it."""
    if actual is None:
        return f"{probe} does not say {field}"
    phrase = _PHRASES.get(f"{probe}.{field}")
    return phrase(value) if phrase else f"{probe} says {field} = {actual}"


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


def _unit(value: Mapping[str, Any]) -> str:
    return f"systemd: {value.get('load_state')}, {value.get('active_state')} ({value.get('sub_state')})"


def _process(value: Mapping[str, Any]) -> str:
    if not value.get("running"):
        return "no agent process"
    return f"agent master {value.get('master_pid')} with {value.get('workers')} worker(s)"


def _clock(value: Mapping[str, Any]) -> str:
    return f"clock {abs(value['seconds']):.0f} s {'ahead' if value['seconds'] > 0 else 'behind'}"


def _disk(value: Mapping[str, Any]) -> str:
    return f"{size(value['free_bytes'])} free at {value.get('free_bytes_path')}"


def _keys(value: Mapping[str, Any]) -> str:
    files = value.get("files") or []
    return f"static keys in {', '.join(files)}" if files else "no static keys in /root/.aws"


def _package(value: Mapping[str, Any]) -> str:
    return (
        f"agent {value.get('version') or 'of unknown version'} installed"
        if value.get("installed")
        else ("no agent package and no /opt/codedeploy-agent/bin")
    )


def _appspec(value: Mapping[str, Any]) -> str:
    if not value.get("present"):
        return "the unpacked revision is gone"
    if value.get("exact"):
        return "appspec.yml is at the root of the revision"
    if value.get("near"):
        return f"the revision holds {value['near']} instead"
    if value.get("nested"):
        return f"the revision holds {value['nested']}, below its root"
    return f"none of the {value.get('entries')} entries of the revision is an AppSpec"


def _bundle(value: Mapping[str, Any]) -> str:
    if not value.get("present"):
        return "the downloaded bundle is gone"
    known = value.get("whole")
    whole = "" if known is None else ", whole" if known else ", not whole"
    return f"bundle.tar is of kind {value.get('kind')}{whole} ({size(value['size'])})"


def _last(value: Mapping[str, Any]) -> str:
    return f"the directory of {value.get('revision')} {'is there' if value.get('archive_present') else 'is gone'}"


def _target(value: Mapping[str, Any]) -> str:
    if not value.get("exists"):
        return "the path does not exist now"
    listed = "on" if value.get("listed") else "on none of"
    return f"a {value.get('kind')} stands there, {listed} the agent's cleanup lists"


def _attachment(value: Mapping[str, Any]) -> str:
    order = "after" if value.get("role_after_worker") else "before"
    return f"the role was attached {order} the agent's worker started"


def _onpremises(value: Mapping[str, Any]) -> str:
    return f"{value.get('path')} {'exists' if value.get('present') else 'does not exist'}"


def _config(value: Mapping[str, Any]) -> str:
    return f"{value.get('path')}: {value.get('problem') or 'the agent takes it'}"


def _site_rules(value: Mapping[str, Any]) -> str:
    return str(value.get("first") or "every rule of this site can be used")


_PHRASES = {
    "imds.token.connected": _token,
    "imds.token.given": _token,
    "imds.token.status": _token,
    "imds.profile.attached": _profile,
    "imds.profile.status": _profile,
    "imds.profile.code": _profile,
    "imds.role.code": _role,
    "imds.role.role": _role,
    "identity.attachment.role_after_worker": _attachment,
    "identity.keys.found": _keys,
    "identity.onpremises.present": _onpremises,
    "unit.state.active_state": _unit,
    "unit.state.sub_state": _unit,
    "unit.state.load_state": _unit,
    "process.agent.running": _process,
    "package.agent.installed": _package,
    "clock.offset.seconds": _clock,
    "clock.offset.abs_seconds": _clock,
    "disk.space.free_bytes": _disk,
    "revision.appspec.present": _appspec,
    "revision.appspec.exact": _appspec,
    "revision.appspec.near": _appspec,
    "revision.appspec.nested": _appspec,
    "revision.last.archive_present": _last,
    "install.target.exists": _target,
    "bundle.file.fits": _bundle,
    "bundle.file.whole": _bundle,
    "config.agent.valid": _config,
    "rules.site.broken": _site_rules,
}


def size(count: float) -> str:
    """A number of bytes for people: 0 bytes, 14.2 GB."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
