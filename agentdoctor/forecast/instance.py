"""The instance that a revision is held against, and the deployment group that it is for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from agentdoctor.appspec.finding import RUBIES, RUST, TARGETS
from agentdoctor.host import Host
from agentdoctor.model import Evidence
from agentdoctor.probes.install import listed_groups

Ask: TypeAlias = Callable[[str, Mapping[str, str]], Evidence]
FIRST = "new"  # instead of an id: a group that has deployed nothing here


class GroupUnclear(Exception):
    """Which deployment group is meant cannot be told, and what is needed for it."""


@dataclass(frozen=True)
class Instance:
    """``group`` is the id of the deployment group, "" for one that has deployed nothing here."""

    host: Host
    ask: Ask
    group: str
    others: tuple[str, ...] = ()  # groups that have

    def value(self, probe: str, **about: str) -> Mapping[str, Any] | str:
        """What a probe saw, or why it could not look, as a sentence."""
        evidence = self.ask(probe, about)
        if evidence.value is not None:
            return evidence.value
        return f"{' '.join([probe, *about.values()])}: {evidence.reason}"


def chosen(host: Host, ask: Ask, wanted: str) -> Instance:
    """The instance with the group that was named, or else the only one. GroupUnclear; OSError if nobody may look."""
    known = listed_groups(host)
    if wanted == FIRST:
        return Instance(host, ask, "", tuple(known))
    if wanted and wanted not in known:
        raise GroupUnclear(_unknown(wanted, known))
    if not wanted and len(known) > 1:
        raise GroupUnclear(f"several deployment groups are on this instance; name one: {_listed(known)}, or {FIRST}")
    group = wanted or next(iter(known), "")
    return Instance(host, ask, group, tuple(other for other in known if other != group))


def _unknown(wanted: str, known: Sequence[str]) -> str:
    from agentdoctor.nearest import nearest

    words = f"no deployment group {wanted!r} has installed anything on this instance{nearest(wanted, known)}"
    others = f"; those that have are {_listed(known)}" if known else ", nor has any other"
    return f"{words}{others}; {FIRST} is for one that has not"


def _listed(known: Sequence[str]) -> str:
    return ", ".join(known[:10]) + (", ..." if len(known) > 10 else "")


def targets(ask: Ask) -> tuple[str, ...]:
    """The agents of this instance; all where that cannot be told."""
    seen = ask("package.version", {}).value
    generation = seen["generation"] if seen else ""
    return {"1.x": RUBIES, "2.x": (RUST,)}.get(str(generation), TARGETS)
