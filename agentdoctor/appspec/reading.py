"""Bytes to the nodes of the first YAML document, with their places. No meaning is given to any of them.

libyaml, which Ruby's Psych is made of as well, reads it where PyYAML has it, so syntax errors have the agent's own
texts and places. Without it PyYAML's own reader takes its place; that one refuses a tab behind a colon.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import yaml

LIMIT = 256 << 10  # bytes; libyaml reads that in a fraction of a second
DEEPEST = 100  # lists and maps in each other: more than anybody writes, and less than Ruby's stack
MOST = 1_000_000  # values that a file may stand for; without aliases it cannot have a sixth of them
_LEVELS = 5  # of lists and maps that an agent looks into: the file, its permissions, an entry, its acls, one of them
_LETTERS = 16  # of a text that take as long as one value
_BOM = b"\xef\xbb\xbf"


@dataclass
class Node:
    """A scalar, list, map or alias. ``tag`` is "" if none is written, ``line`` and ``column`` count from 1."""

    kind: str  # scalar, list, map, alias
    line: int
    column: int
    tag: str = ""
    text: str = ""  # of a scalar; of an alias the name
    quoted: bool = False
    anchor: str = ""
    children: list[Node] = field(default_factory=list)  # of a map: key, value, key, value

    @property
    def plain(self) -> bool:
        """Whether neither quotes nor a tag say what the scalar is."""
        return self.kind == "scalar" and not self.quoted and not self.tag

    @property
    def blank(self) -> bool:
        """Whether nothing stands there."""
        return self.plain and not self.text

    @property
    def null(self) -> bool:
        """Whether nothing stands there, or a word for it that YAML 1.2 has."""
        return self.plain and self.text in ("", "~", "null", "Null", "NULL")


class Syntax(NamedTuple):
    """Why a text is no YAML. ``line`` and ``column`` count from 1, None where the reader names no place."""

    problem: str
    line: int | None = None
    column: int | None = None


class Document(NamedTuple):
    """The first document of a file, or why it cannot be read. ``root`` is None without any document."""

    root: Node | None = None
    syntax: Syntax | None = None
    bom: bool = False
    more: int | None = None  # the line on which a second document begins, which the agent never reads


def read(raw: bytes) -> Document:
    """The first document of a file."""
    bom = raw.startswith(_BOM)
    wrong = _too_large(raw) or _encoding(raw)
    if wrong:
        return Document(None, wrong, bom)
    # Psych tells libyaml that it is UTF-8, so the mark is not taken off: the first line is then indented by one
    # character, and the document ends where the second begins.
    text = b" " + raw[len(_BOM) :] if bom else raw
    import yaml

    events = yaml.parse(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    try:
        root = _compose(events)
        if root and _stands_for(root) > MOST:
            return Document(None, Syntax(f"its aliases stand for more than {MOST:,} values, which is no AppSpec"), bom)
        return Document(root, None, bom, _second(events) if root else None)
    except _TooDeep as error:
        return Document(None, Syntax(f"more than {DEEPEST} lists and maps in each other", *error.args), bom)
    except yaml.MarkedYAMLError as error:
        return Document(None, _marked(error), bom)
    except yaml.reader.ReaderError as error:
        return Document(None, _unreadable(error, text), bom)


class _TooDeep(Exception):
    """Lists and maps in each other; the arguments are the line and the column where it is too much."""


def _too_large(raw: bytes) -> Syntax | None:
    return Syntax(f"larger than {LIMIT >> 10} KiB, which is no AppSpec") if len(raw) > LIMIT else None


def _encoding(raw: bytes) -> Syntax | None:
    """What libyaml says of bytes that are no UTF-8, and where they stand."""
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        byte = "leading" if error.reason == "invalid start byte" else "trailing"
        return Syntax(f"invalid {byte} UTF-8 octet", *_place(raw, error.start))
    return None


def _place(raw: bytes, offset: int) -> tuple[int, int]:
    line = raw.rfind(b"\n", 0, offset) + 1
    return raw.count(b"\n", 0, offset) + 1, len(raw[line:offset].decode("utf-8", "replace")) + 1


def _marked(error: yaml.MarkedYAMLError) -> Syntax:
    problem = error.problem or "not YAML"
    text = f"{problem} {error.context}" if error.context else problem
    mark = error.problem_mark
    return Syntax(text, mark.line + 1, mark.column + 1) if mark else Syntax(text)


def _unreadable(error: yaml.reader.ReaderError, raw: bytes) -> Syntax:
    position = error.position if isinstance(error.position, int) else 0
    reason = "control characters are not allowed" if "special characters" in error.reason else error.reason
    return Syntax(reason, *_place(raw, position))


def _compose(events: Iterable[Any]) -> Node | None:
    """The root of the first document; None if there is none. Its lists and maps are filled as they are met."""
    import yaml

    top = Node("list", 1, 1)
    open_: list[Node] = [top]
    for event in events:
        if isinstance(event, yaml.DocumentEndEvent):
            break
        if isinstance(event, yaml.CollectionEndEvent):
            open_.pop()
        elif isinstance(event, yaml.NodeEvent):
            node = _node(event)
            open_[-1].children.append(node)
            if isinstance(event, yaml.CollectionStartEvent):
                open_.append(node)
            if len(open_) > DEEPEST:
                raise _TooDeep(node.line, node.column)
    return top.children[0] if top.children else None


def _stands_for(root: Node) -> int:
    """How many values there are to look at where each alias is what it stands for, as deep as an agent looks."""
    named = _anchored(root)
    counted: dict[tuple[int | str, int], int] = {}

    def count(node: Node, levels: int) -> int:
        alias = node.kind == "alias"
        key = node.text if alias else id(node), levels
        if key not in counted and alias:
            counted[key] = max((count(meant, levels) for meant in named.get(node.text, ())), default=1)
        elif key not in counted:
            below = sum(count(child, levels - 1) for child in node.children) if levels else 0
            counted[key] = 1 + len(node.text) // _LETTERS + below
        return counted[key]

    return count(root, _LEVELS)


def _anchored(root: Node) -> dict[str, list[Node]]:
    """All that has each anchor: which of them an alias means is no matter for a bound."""
    found: dict[str, list[Node]] = {}
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node.anchor:
            found.setdefault(node.anchor, []).append(node)
        waiting.extend(node.children)
    return found


def _node(event: Any) -> Node:
    import yaml

    line, column = event.start_mark.line + 1, event.start_mark.column + 1
    anchor = event.anchor or ""
    if isinstance(event, yaml.AliasEvent):
        return Node("alias", line, column, text=anchor)
    if isinstance(event, yaml.ScalarEvent):
        return Node("scalar", line, column, event.tag or "", event.value, event.implicit[1], anchor)
    kind = "list" if isinstance(event, yaml.SequenceStartEvent) else "map"
    return Node(kind, line, column, event.tag or "", anchor=anchor)


def _second(events: Iterable[Any]) -> int | None:
    """The line of a second document. What is wrong behind the first the agent does not see, so nor do we."""
    import yaml

    try:
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                mark = event.start_mark
                return mark.line + 1 if mark else None
    except yaml.YAMLError:
        return None
    return None
