"""Nodes to the values that Psych makes of them (to_ruby.rb), and what Ruby 3.1 and later refuse to make.

Older Rubies load everything: aliases, dates, classes by tags. From 3.1 on YAML.load is the safe one, which knows no
aliases and of all classes Symbol alone. So one walk serves both.
"""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass, field

from agentdoctor.appspec.finding import RUBIES, RUBY_31, Problem
from agentdoctor.appspec.reading import Node
from agentdoctor.appspec.scalars import resolve
from agentdoctor.appspec.values import Data, Items, Moment, Opaque, Symbol, Table, Value

RULE = "appspec-yaml-unsupported"
_YAML = "tag:yaml.org,2002:"
_MERGED = 20_000  # keys that << copies: more would only keep us busy
# Classes that every Ruby has, as far as somebody may name them; of others it says that there is no such class.
_CLASSES = ("Object", "Exception", "StandardError", "Range", "Regexp", "Struct", "Set", "String", "Array", "Hash")
_SAFE = ("", "Hash", "Symbol")  # what a !ruby tag may name in Ruby 3.1 and later
_RUBY = re.compile(r"!ruby/(?P<kind>[a-z-]+):?(?P<name>.*)", re.DOTALL)
_NAMED = {"regexp": "Regexp", "range": "Range", "exception": "Exception", "struct": "Struct", "object": "Object"}


@dataclass
class Loaded:
    """The value of a document, and what is wrong with loading it, in the order of the file."""

    value: Value
    problems: list[Problem] = field(default_factory=list)


def load(root: Node) -> Loaded:
    """The document as Ruby sees it."""
    walk = _Walk()
    value = walk.value(root)
    return Loaded(value, walk.problems)


class _Walk:
    """One walk through the nodes, with the anchors that it has passed."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._anchors: dict[str, Value] = {}
        self._merged = 0

    def value(self, node: Node) -> Value:
        if node.kind == "alias":
            return self._alias(node)
        if node.kind == "scalar":
            plain = not node.quoted and not node.tag
            return self._known(node, Value(self._scalar(node), node.line, node.column, node.text, plain))
        return self._list(node) if node.kind == "list" else self._map(node)

    def _known(self, node: Node, value: Value) -> Value:
        if node.anchor:
            self._anchors[node.anchor] = value
        return value

    def _refuse(self, node: Node, text: str, targets: tuple[str, ...] = (RUBY_31,)) -> None:
        self.problems.append(Problem(RULE, text, node.line, node.column, targets=targets))

    def _alias(self, node: Node) -> Value:
        if node.text not in self._anchors:
            self._refuse(node, f"Unknown alias: {node.text}", RUBIES)
            return Value(None, node.line, node.column)
        self._refuse(node, f"*{node.text} is an alias, and aliases are not loaded")
        return self._anchors[node.text]

    def _scalar(self, node: Node) -> Data:
        if node.quoted:
            return node.text
        if node.tag in ("!binary", f"{_YAML}binary"):
            return _decoded(node.text)
        if node.tag == f"{_YAML}str" or re.match(r"!(?:str|ruby/string)(?::|$)", node.tag):
            return node.text
        if re.match(r"!ruby/sym(?:bol)?", node.tag):
            return Symbol(node.text)
        if node.tag.startswith("!ruby/"):
            return self._object(node)
        return self._resolved(node)

    def _resolved(self, node: Node) -> Data:
        try:
            data = resolve(node.text)
            if node.tag in (f"{_YAML}float", "!float"):
                data = _as_float(data)
        except ValueError:
            self._refuse(node, f"Ruby takes {node.text[:40]!r} for a number, and it is none", RUBIES)
            return None
        if not isinstance(data, Moment):
            return data
        kind = data.kind.removeprefix("no ")
        self._refuse(node, f"{node.text} without quotes is a {kind}, and that class is not loaded")
        return data if kind == data.kind else node.text

    def _object(self, node: Node) -> Data:
        """What a tag of Ruby makes: nothing that the agent can use, and mostly an error."""
        found = _RUBY.fullmatch(node.tag)
        name = (found["name"] or _NAMED.get(found["kind"], found["kind"].capitalize())) if found else node.tag
        known = name in _CLASSES
        self._refuse(node, f"the tag {node.tag[:80]} names a class that is not loaded", (RUBY_31,) if known else RUBIES)
        return Opaque(name[:80])

    def _list(self, node: Node) -> Value:
        if re.fullmatch(rf"!omap|{_YAML}omap", node.tag):
            return self._omap(node)
        items = Items()
        if re.match(r"!(?:seq|ruby/array):", node.tag):
            self._object(node)
        value = self._known(node, Value(items, node.line, node.column))
        items.values.extend(self.value(child) for child in node.children)
        return value

    def _omap(self, node: Node) -> Value:
        table = Table()
        value = self._known(node, Value(table, node.line, node.column))
        for child in node.children:
            if len(child.children) >= 2:
                table.put(self.value(child.children[0]), self.value(child.children[-1]))
        return value

    def _map(self, node: Node) -> Value:
        table = Table()
        value = self._known(node, Value(table, node.line, node.column))
        if node.tag in ("!set", f"{_YAML}set"):
            self._refuse(node, "a set is of the class Psych::Set, which is not loaded")
        elif node.tag.startswith(("!ruby/", "!map:")):
            value = self._tagged(node, value)
        for key, item in zip(node.children[::2], node.children[1::2], strict=True):
            self._pair(table, key, item)
        return value

    def _tagged(self, node: Node, value: Value) -> Value:
        if node.tag.startswith(("!ruby/hash", "!ruby/object:Hash")) and node.tag.endswith(("hash", ":Hash")):
            return value
        return self._known(node, Value(self._object(node), node.line, node.column))

    def _pair(self, table: Table, key: Node, item: Node) -> None:
        name, value = self.value(key), self.value(item)
        merges = name.data == "<<" and key.tag != f"{_YAML}str"
        parts = self._parts(item, value) if merges else None
        if parts is None:
            table.put(name, value)
            return
        self._merged += sum(len(part) for part in parts)
        if self._merged > _MERGED:
            self._refuse(key, "<< copies more keys than can be judged", RUBIES)
            return
        for part in parts:
            table.merge(part)

    @staticmethod
    def _parts(item: Node, value: Value) -> list[Table] | None:
        """The maps that << brings in, the weakest first; None if Ruby takes it for a key like any other."""
        if isinstance(value.data, Table):
            return [value.data] if item.kind in ("alias", "map") else None
        if item.kind != "list" or not isinstance(value.data, Items):
            return None
        parts = [part.data for part in value.data.values]
        tables = [part for part in parts if isinstance(part, Table)]
        return tables[::-1] if len(tables) == len(parts) else None


def _decoded(text: str) -> str:
    """Base64 as Ruby takes it: what is none is passed over."""
    kept = re.sub(r"[^A-Za-z0-9+/]", "", text.partition("=")[0])
    whole = kept[:-1] if len(kept) % 4 == 1 else kept
    return binascii.a2b_base64(whole + "==").decode("latin-1")


def _as_float(data: Data) -> float:
    """Float() of Ruby; ValueError for what it does not take."""
    if isinstance(data, bool) or not isinstance(data, int | float | str):
        raise ValueError(data)
    return float(data)
