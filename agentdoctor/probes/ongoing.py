"""Lifecycle events that the agent holds for running."""

from __future__ import annotations

import os

from agentdoctor import layout
from agentdoctor.probes import Look, Values, probe
from agentdoctor.probes._archive import names

_YOUNG = 24 * 3600  # seconds; an older file does not count (deployment_command_tracker.rb)
_SHOWN = 20


@probe("ongoing.deployments", source="disk", live=False)
def deployments(look: Look) -> Values:
    """``{files, young, youngest_age, deployment_ids}`` of ongoing-deployment below the deployment root.

    A file lies there while an event runs, named by the deployment. ``young`` counts those of less than 24 hours,
    which keep the agent from being stopped; ``youngest_age`` is in seconds. Both are None where there are files in a
    copied tree that does not say when it was taken, and ``youngest_age`` where there is no file.
    """
    directory = f"{layout.read(look.host).root_dir}/ongoing-deployment"
    found = names(look.host, directory)
    ages = [look.host.now() - os.lstat(look.host.path(f"{directory}/{name}")).st_mtime for name in found]
    dated = look.host.live or look.host.taken_at is not None or not found
    return {
        "files": len(found),
        "young": sum(age < _YOUNG for age in ages) if dated else None,
        "youngest_age": round(max(0.0, min(ages))) if ages and dated else None,
        "deployment_ids": [name.encode("utf-8", "replace").decode() for name in found[:_SHOWN]],
    }
