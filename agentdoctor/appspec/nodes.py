"""Nodes by the names of their fields, aliases followed, nothing resolved: as agent 2.x looks at them."""

from __future__ import annotations

from collections.abc import Iterator

from agentdoctor.appspec.reading import Node


def anchors(root: Node) -> dict[str, Node]:
    """What each anchor of a document names; of several equal ones the last."""
    found: dict[str, Node] = {}
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node.anchor:
            found.setdefault(node.anchor, node)  # the walk comes from the end
        waiting.extend(node.children)
    return found


class Fields:
    """The fields of a map, by the text of their keys."""

    def __init__(self, node: Node, known: dict[str, Node]) -> None:
        self._pairs: dict[str, tuple[Node, Node]] = {}
        self.repeated: list[Node] = []
        for key, value in zip(node.children[::2], node.children[1::2], strict=True):
            if key.kind != "scalar":
                continue
            if key.text in self._pairs:
                self.repeated.append(key)
            self._pairs[key.text] = (key, known.get(value.text, value) if value.kind == "alias" else value)

    def get(self, name: str) -> Node | None:
        """The value of a field; None if it is not there."""
        return self._pairs.get(name, (None, None))[1]

    def pairs(self) -> Iterator[tuple[Node, Node]]:
        """Keys and values."""
        return iter(self._pairs.values())

    def key(self, name: str) -> Node | None:
        """The key of a field; None if it is not there."""
        return self._pairs.get(name, (None, None))[0]
