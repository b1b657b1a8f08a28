"""What a rule wants a probe to have said, in words: the other side of ``words.py``, which says what was found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentdoctor.words import size

# Of what is so or not so: both, as sentences.
_STATED = {
    "bundle.file.fits": (
        "the bundle is of the type that was to be unpacked",
        "the bundle is of another type than the one that was to be unpacked",
    ),
    "bundle.file.whole": ("the downloaded bundle is whole", "the downloaded bundle is not whole"),
    "config.agent.valid": ("the agent takes its configuration file", "the agent refuses its configuration file"),
    "identity.attachment.role_after_worker": (
        "the role was attached after the agent's worker had started",
        "the role was there before the agent's worker started",
    ),
    "identity.onpremises.present": (
        "there is a configuration for on-premises hosts",
        "there is no configuration for on-premises hosts",
    ),
    "imds.document.instance_id": (
        "the identity document names the instance",
        "the identity document does not name the instance",
    ),
    "imds.profile.attached": ("an instance profile is attached", "no instance profile is attached"),
    "imds.token.connected": ("the metadata service takes connections", "the metadata service takes no connection"),
    "imds.token.given": ("the metadata service gives a token", "the metadata service gives no token"),
    "install.target.exists": ("something stands at the path", "nothing stands at the path"),
    "package.agent.installed": ("the agent is installed", "the agent is not installed"),
    "package.agent.file_version": ("the agent's version file names a version", "the agent's version file is not there"),
    "process.agent.running": ("the agent's master process runs", "no master process of the agent runs"),
    "revision.appspec.exact": (
        "appspec.yml is at the root of the revision",
        "no appspec.yml is at the root of the revision",
    ),
    "revision.appspec.near": (
        "a file at the root of the revision has nearly the right name",
        "no file at the root of the revision has nearly the right name",
    ),
    "revision.appspec.nested": (
        "an AppSpec lies below the root of the revision",
        "no AppSpec lies below the root of the revision",
    ),
    "revision.appspec.present": ("the unpacked revision is there", "the unpacked revision is gone"),
    "revision.last.archive_present": (
        "the directory of the last successful revision is there",
        "the directory of the last successful revision is gone",
    ),
}
# Of what has a value: its name.
_NAMED = {
    "clock.offset.abs_seconds": "the error of the clock, in seconds,",
    "disk.space.free_bytes": "the free space, the least of all places that the agent writes to,",
    "disk.space.free_inodes": "the number of free inodes, the least of all places that the agent writes to,",
    "identity.keys.found": "the number of files with static keys of the agent's user",
    "imds.document.region": "the region in the identity document",
    "imds.document.status": "the HTTP status of the identity document",
    "imds.role.code": "the code of the role's credentials",
    "process.agent.worker_age": "the age of the agent's youngest worker, in seconds,",
    "process.agent.workers": "the number of the agent's workers",
    "rules.site.broken": "the number of site rules that cannot be used",
    "unit.state.active_state": "the unit's ActiveState",
    "unit.state.load_state": "the unit's LoadState",
    "unit.state.sub_state": "the unit's SubState",
    "unit.state.unit_file_state": "the unit's UnitFileState",
}
KNOWN = frozenset((*_STATED, *_NAMED))  # probe.field of everything that has words of its own
_RELATIONS = {"min": "is at least", "max": "is at most", "not": "is not"}


def say(name: str, wanted: Any) -> str:
    """What must hold, e.g. ``no agent process runs``; ``name`` is ``probe.field``, ``wanted`` as the rule has it."""
    stated = _STATED.get(name)
    if stated and (wanted is True or wanted == {"not": ""}):
        return stated[0]
    if stated and (wanted is False or wanted == ""):
        return stated[1]
    subject = _NAMED.get(name) or name.rpartition(".")[2]
    return f"{subject} {_relation(wanted, name.endswith('_bytes'))}"


def terms(name: str, wanted: Any) -> str:
    """The same in the rule's own terms, e.g. ``process.agent: running is False``."""
    probe, _, field = name.rpartition(".")
    return f"{probe}: {field} {_relation(wanted, False)}"


def _relation(wanted: Any, in_bytes: bool) -> str:
    if isinstance(wanted, Mapping):
        return " and ".join(f"{_RELATIONS[key]} {_value(value, in_bytes)}" for key, value in wanted.items())
    values = wanted if isinstance(wanted, list) else [wanted]
    return "is " + " or ".join(_value(value, in_bytes) for value in values)


def _value(value: Any, in_bytes: bool) -> str:
    return size(value) if in_bytes and isinstance(value, int) else repr(value)
