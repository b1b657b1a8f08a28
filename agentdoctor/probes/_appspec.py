"""The AppSpec as YAML nodes: enough to see that it is YAML, and to find single values in it. No schema is applied.

libyaml, which Ruby's Psych is made of as well, reads it, so syntax errors have the agent's own texts and places.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agentdoctor.host import Host
from agentdoctor.probes import CannotLook

if TYPE_CHECKING:
    import yaml

NAMES = ("appspec.yml", "appspec.yaml")
_LIMIT = 256 << 10  # bytes; libyaml reads that in a fraction of a second
_DEPTH = 100  # of lists and maps in each other: to compose some ten thousand overflows the stack of the C code
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Document:
    """The first document of a file; ``line`` and ``column`` of its syntax error count from 1, as in the log."""

    root: yaml.Node | None = None
    bom: bool = False
    problem: str = ""
    line: int | None = None
    column: int | None = None

    @property
    def empty(self) -> bool:
        """Nothing but blanks and comments, or a null."""
        return not self.problem and (self.root is None or self.root.tag == "tag:yaml.org,2002:null")


def find(host: Host, archive: str, names: tuple[str, ...] = NAMES) -> bytes | None:
    """The content of the first of these names that is a regular file in the archive, which must have been checked."""
    for name in names:
        try:
            flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(host.path(f"{archive}/{name}"), flags)
        except (FileNotFoundError, NotADirectoryError):
            continue
        with os.fdopen(descriptor, "rb") as file:
            if stat.S_ISREG(os.fstat(descriptor).st_mode):
                return _whole(file.read(_LIMIT + 1))
    return None


def _whole(raw: bytes) -> bytes:
    if len(raw) > _LIMIT:
        raise CannotLook("the AppSpec is too large to be read")
    return raw


def parse(raw: bytes) -> Document:
    """Read the first document; what follows it the agent does not read either."""
    import yaml

    reader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    loader, bom = reader(raw), raw.startswith(_BOM)
    try:
        if _too_deep(yaml.parse(raw, reader)):
            return Document(None, bom, f"more than {_DEPTH} lists and maps in each other")
        return Document(loader.get_node() if loader.check_node() else None, bom)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = (mark.line + 1, mark.column + 1) if mark else (None, None)
        return Document(None, bom, error.problem or "not YAML", *place)
    except yaml.YAMLError as error:
        return Document(None, bom, getattr(error, "reason", "") or "not YAML")
    finally:
        loader.dispose()


def _too_deep(events: Iterable[yaml.Event]) -> bool:
    """Whether the first document goes deeper than anybody writes."""
    import yaml

    depth = 0
    for event in events:
        if isinstance(event, yaml.DocumentEndEvent):
            return False
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEPTH:
            return True
    return False


def value(node: yaml.Node | None, key: str) -> yaml.Node | None:
    """What stands under a key, of several equal ones the last; None if there is none or the node is no mapping."""
    import yaml

    if not isinstance(node, yaml.MappingNode):
        return None
    found = [item for name, item in node.value if isinstance(name, yaml.ScalarNode) and name.value == key]
    return found[-1] if found else None


def locations(document: Document, event: str) -> list[str]:
    """The locations of an event's scripts, as far as the AppSpec has the right shape."""
    import yaml

    scripts = value(value(document.root, "hooks"), event)
    if not isinstance(scripts, yaml.SequenceNode):
        return []
    found = [value(script, "location") for script in scripts.value]
    return [node.value for node in found if isinstance(node, yaml.ScalarNode) and node.value.strip()]
