"""The AppSpec of an unpacked revision: the file, and the single values that a probe asks for."""

from __future__ import annotations

import os
import stat

from agentdoctor.appspec.nodes import Fields, anchors
from agentdoctor.appspec.reading import LIMIT, Document, Node
from agentdoctor.host import Host
from agentdoctor.probes import CannotLook

NAMES = ("appspec.yml", "appspec.yaml")


class LeadsOut(CannotLook):
    """The AppSpec is a link out of the revision. The agent follows it; what lies there is not for us to read."""


def find(host: Host, archive: str, names: tuple[str, ...] = NAMES) -> bytes | None:
    """The content of the first of these names that is a regular file in the archive, which must have been checked.

    A link is followed within the archive, as the agent does; one to nothing is no file. LeadsOut.
    """
    for name in names:
        try:
            flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(_real(os.path.join(os.path.realpath(host.path(archive)), name)), flags)
        except (FileNotFoundError, NotADirectoryError):
            continue
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            continue
        with os.fdopen(descriptor, "rb") as file:
            return _whole(file.read(LIMIT + 1))
    return None


def _real(path: str) -> str:
    """Where a name of an archive leads."""
    real, (archive, name) = os.path.realpath(path), os.path.split(path)
    if os.path.islink(real):
        raise FileNotFoundError(path)  # a circle, which is nothing to the agent
    if real == archive or real.startswith(f"{archive}/"):
        return real
    target = os.readlink(path).encode("utf-8", "replace").decode()
    raise LeadsOut(f"{name} is a link to {target[:200]}, out of the revision, and only the agent follows it there")


def _whole(raw: bytes) -> bytes:
    if len(raw) > LIMIT:
        raise CannotLook("the AppSpec is too large to be read")
    return raw


def value(root: Node | None, key: str) -> Node | None:
    """What stands under a key of a document, of several equal ones the last; None if there is none."""
    return Fields(root, anchors(root)).get(key) if root is not None and root.kind == "map" else None


def locations(document: Document, event: str) -> list[str]:
    """The locations of an event's scripts, as far as the AppSpec has the right shape."""
    hooks = value(document.root, "hooks")
    if document.root is None or hooks is None or hooks.kind != "map":
        return []
    aliases = anchors(document.root)
    scripts = Fields(hooks, aliases).get(event)
    listed = scripts.children if scripts is not None and scripts.kind == "list" else []
    maps = [Fields(script, aliases) for script in listed if script.kind == "map"]
    found = [script.get("location") for script in maps]
    return [node.text for node in found if node is not None and node.kind == "scalar" and node.text.strip()]
