"""Will the next ApplicationStop find what it runs? It takes AppSpec and scripts from the last successful revision."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Sequence

from agentdoctor.appspec.reading import read
from agentdoctor.host import Host
from agentdoctor.probes import CannotLook, Look, Values, probe
from agentdoctor.probes._appspec import NAMES, LeadsOut, find, locations
from agentdoctor.probes._archive import checked, groups, is_directory, names, pointed


@probe("stop.next", source="disk", live=False, also=("archive",))
def next_stop(look: Look) -> Values:
    """``{groups, missing, appspec_missing, scripts_missing, archive, group_id, script}``.

    Of each group that has a pointer to its last successful revision, of the group of ``archive`` alone where the log
    names one: ``missing`` are groups whose revision is gone, ``appspec_missing`` those in whose revision no YAML
    file is left, ``scripts_missing`` the places of ApplicationStop's scripts that are not there. ``archive`` and
    ``group_id`` are of the first group of the former two, ``script`` the first of these, "" if there is none. No
    pointer (before the first deployment) and no ApplicationStop are fine; so is a revision that is gone to agent
    2.x, which then skips the event, unless a log tells that it failed.
    """
    named = look.about.get("archive", "")
    of_log = [posixpath.basename(posixpath.dirname(posixpath.dirname(checked(look.host, named))))] if named else []
    known = of_log or groups(look.host)
    archives = {group: archive for group in known if (archive := _archive(look.host, group))}
    there = {group: archive for group, archive in archives.items() if is_directory(look.host, archive)}
    skipped = not named and _generation(look) == "2.x"
    missing = [] if skipped else [group for group in archives if group not in there]
    bare = [group for group, archive in there.items() if not _has_yaml(look.host, archive)]
    scripts = [path for archive in there.values() for path in _absent(look.host, archive)]
    first = next(iter(missing + bare), "")
    return {
        "groups": len(known),
        "missing": missing,
        "appspec_missing": bare,
        "scripts_missing": scripts,
        "archive": archives.get(first, ""),
        "group_id": first,
        "script": scripts[0] if scripts else "",
    }


def _archive(host: Host, group: str) -> str:
    """Where a pointer leads; "" if it is torn or leads elsewhere, of which nothing can be said."""
    try:
        return pointed(host, group)
    except CannotLook:
        return ""


def _generation(look: Look) -> str:
    seen = look.ask("package.version").value
    return str(seen["generation"]) if seen else ""


def _has_yaml(host: Host, archive: str) -> bool:
    """The service may name any file as AppSpec, so only where none is left it is sure to be gone."""
    return any(name.lower().endswith((".yml", ".yaml")) or "appspec" in name.lower() for name in names(host, archive))


def _absent(host: Host, archive: str) -> list[str]:
    """The scripts of ApplicationStop that are not in the revision, by their locations."""
    try:
        raw = find(host, archive, NAMES[:1])
    except LeadsOut:  # of which nothing can be said
        return []
    wanted: Sequence[str] = locations(read(raw), "ApplicationStop") if raw is not None else ()
    return [place for place in wanted if _is_absent(host, archive, place)]


def _is_absent(host: Host, archive: str, location: str) -> bool:
    relative = posixpath.normpath(location.strip().lstrip("/"))
    if relative.startswith("..") or "\0" in relative:
        return False
    top = os.path.realpath(host.path(archive))
    real = os.path.realpath(os.path.join(top, relative))
    inside = real.startswith(f"{top}/")
    return inside and not os.path.exists(real)
