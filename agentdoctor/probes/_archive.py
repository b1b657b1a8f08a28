"""Unpacked revisions below the deployment root. What a log says of them is checked: strangers write logs too."""

from __future__ import annotations

import os
import posixpath
import re
import stat
from collections.abc import Mapping

from agentdoctor import layout
from agentdoctor.host import Host
from agentdoctor.probes import CannotLook

FOLDER = "deployment-archive"
# These run the scripts of the last successful revision (hook_executor.rb:71-79).
LAST_EVENTS = ("ApplicationStop", "BeforeBlockTraffic", "AfterBlockTraffic")
_ID = re.compile(r"d-[A-Z0-9]{9}")
_TEXT_LIMIT = 4096
# What the agent writes at the end of Install and at the end of DownloadBundle (agent.md 1.2): a revision's directory.
LAST_INSTALLED, LAST_UNPACKED = "_last_successful_install", "_most_recent_install"
_STALE = 90 * 86400  # seconds: a group that was last seen so long before the newest may have left this host
_GROUPS = 50


def checked(host: Host, archive: str) -> str:
    """The path of an archive, or CannotLook if it is anything but ``<root_dir>/<group>/<d-ID>/deployment-archive``."""
    root = layout.read(host).root_dir
    parts = archive.removeprefix(f"{root}/").split("/")
    normal = posixpath.normpath(archive) == archive and "\0" not in archive
    if not (normal and archive.startswith(f"{root}/") and len(parts) == 3 and parts[2] == FOLDER):
        raise CannotLook("the log names a directory that is no deployment archive below the agent's root")
    real_root = os.path.realpath(host.path(root))
    if os.path.realpath(host.path(archive)) != os.path.join(real_root, *parts):
        raise CannotLook("a link stands in the way to the deployment archive")
    return archive


def is_deployment(id_: str) -> bool:
    """Whether a text has the form of a deployment's id."""
    return _ID.fullmatch(id_) is not None


def is_directory(host: Host, path: str) -> bool:
    """Whether a directory stands there; a link to one does not count."""
    try:
        return stat.S_ISDIR(os.lstat(host.path(path)).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False


def names(host: Host, directory: str) -> list[str]:
    """Names in a directory, none if it is not there."""
    try:
        return host.listing(directory)
    except (FileNotFoundError, NotADirectoryError):
        return []


def group_of(host: Host, about: Mapping[str, str]) -> str:
    """The deployment group, from its id or the folder that holds the deployment's; "" if neither tells."""
    group, id_ = about.get("group_id", ""), about.get("deployment_id", "")
    if re.fullmatch(r"[\w-]+", group):
        return group
    root = layout.read(host).root_dir
    if not _ID.fullmatch(id_):
        return ""
    return next((name for name in names(host, root) if is_directory(host, f"{root}/{name}/{id_}")), "")


def groups(host: Host, pointer: str = LAST_INSTALLED) -> list[str]:
    """The groups that have this pointer, the newest first, without those that seem to have left this host."""
    directory = layout.read(host).instructions
    pointers = [name for name in names(host, directory) if name.endswith(pointer)]
    written = {name: os.lstat(host.path(f"{directory}/{name}")).st_mtime for name in pointers}
    newest = max(written.values(), default=0.0)
    recent = [name for name in sorted(written, key=lambda name: -written[name]) if newest - written[name] < _STALE]
    return [name.removesuffix(pointer) for name in recent][:_GROUPS]


def pointed(host: Host, group: str, pointer: str = LAST_INSTALLED) -> str:
    """The archive of the group's revision that a pointer file names, "" if there is no such file.

    CannotLook when it names anything else: it is empty after a full disk, and holds zeros after a crash.
    """
    known = layout.read(host)
    try:
        text = host.read(f"{known.instructions}/{group}{pointer}", _TEXT_LIMIT).strip()
    except (FileNotFoundError, NotADirectoryError):
        return ""
    return checked(host, f"{text}/{FOLDER}")


def of_finding(host: Host, about: Mapping[str, str]) -> str:
    """The archive that a finding is about: of the path in the log, else of its deployment and event."""
    if about.get("archive"):
        return checked(host, about["archive"])
    for path in (about.get("path", ""), about.get("script", "")):
        before, found, _ = path.partition(f"/{FOLDER}/")
        if found:
            return checked(host, f"{before}/{FOLDER}")
    group, id_ = group_of(host, about), about.get("deployment_id", "")
    if not group or not _ID.fullmatch(id_):
        raise CannotLook("the log does not say of which revision it is")
    if about.get("event") not in LAST_EVENTS:
        return checked(host, f"{layout.read(host).root_dir}/{group}/{id_}/{FOLDER}")
    last = pointed(host, group)
    if not last or posixpath.basename(posixpath.dirname(last)) == id_:
        raise CannotLook("the revision whose script ran is not the last successful one any more")
    return last
