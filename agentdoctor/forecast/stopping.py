"""The first event of the next deployment runs scripts of the last successful revision: will it find them?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from agentdoctor.appspec.finding import RUBIES, Problem
from agentdoctor.bundle.revision import Revision
from agentdoctor.forecast.instance import Instance
from agentdoctor.probes import CannotLook
from agentdoctor.probes._archive import pointed


def failing(_: Revision, instance: Instance) -> Iterator[Problem | str]:
    """Whatever the new bundle holds: nothing in it helps against that."""
    if not instance.group:
        return
    try:
        archive = pointed(instance.host, instance.group)
    except CannotLook as error:
        yield f"ApplicationStop: the pointer to the last successful revision: {error}"
        return
    seen = instance.value("stop.next", archive=archive) if archive else {}
    if isinstance(seen, str):
        yield seen
        return
    details = {"archive": archive, "group_id": instance.group}
    if seen and (seen["missing"] or seen["appspec_missing"]):
        what = "is gone" if seen["missing"] else "has no AppSpec any more"
        words = f"ApplicationStop will fail: the last successful revision {what} ({archive})"
        yield replace(Problem("last-revision-missing", words, details=details), targets=RUBIES)
    for script in seen["scripts_missing"] if seen else ():
        words = f"ApplicationStop will fail: {script[:80]} is not in the last successful revision ({archive})"
        yield Problem("last-revision-script-failed", words, details={**details, "script": script[:80]})
