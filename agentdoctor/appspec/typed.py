"""The judgement of agent 2.x (src/application_specification of 2.1.0), which reads the AppSpec into fixed types.

Every text is taken as it is written, so 0755 is a mode and true a user; a number must be one, a list must be a list.
Aliases and dates are nothing special, << is a key like any other, which nobody reads. serde_yaml 0.9 takes an empty
section for an empty list, and ~ for an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from agentdoctor.appspec.finding import RUST, Problem
from agentdoctor.appspec.nodes import Fields, anchors
from agentdoctor.appspec.permissions import RULE as PERMISSIONS
from agentdoctor.appspec.permissions import TYPES, wrong_mode
from agentdoctor.appspec.ranges import wrong_range
from agentdoctor.appspec.reading import Node
from agentdoctor.appspec.shapes import SHAPE

_FLOAT = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?", re.ASCII)
_WHOLE = re.compile(r"\+?(?:0|[1-9]\d*|0x[0-9a-fA-F]+|0o[0-7]+|0b[01]+)", re.ASCII)
_LARGEST = (1 << 32) - 1
_SWITCHES = ("true", "True", "TRUE", "false", "False", "FALSE")
_BEHAVIORS = ("DISALLOW", "OVERWRITE", "RETAIN")
_TOP = ("version", "os", "hooks", "files", "permissions", "file_exists_behavior")


Wrong = Callable[[str], tuple[str, str]]  # a text to the rule that it breaks ("" for none) and what is wrong


def _nothing(text: str) -> tuple[str, str]:
    return "", ""


def refused(root: Node) -> list[Problem]:
    """All that agent 2.x refuses: first what does not fit its types, then the values."""
    judge = _Typed(anchors(root))
    problems = list(judge.whole(root))
    shape = [problem for problem in problems if problem.rule == SHAPE]
    return shape + [problem for problem in problems if problem.rule != SHAPE]


def _at(node: Node, rule: str, text: str) -> Problem:
    return Problem(rule, text, node.line, node.column, targets=(RUST,))


class _Typed:
    """The judgement, with what the aliases of the file stand for."""

    def __init__(self, known: dict[str, Node]) -> None:
        self._known = known
        self._judged: set[tuple[int, str]] = set()

    def _fields(self, node: Node) -> Fields | None:
        return Fields(node, self._known) if node.kind == "map" else None

    def whole(self, root: Node) -> Iterator[Problem]:
        spec = self._fields(root)
        if spec is None:
            yield _at(root, SHAPE, "the whole file must be keys with values")
            return
        for key in spec.repeated:
            if key.text in _TOP:
                yield _at(key, SHAPE, f"{key.text} stands there twice, which agent 2.x refuses")
        yield from self._version(spec, root)
        os = spec.get("os")
        if os is None or os.kind != "scalar" or os.text not in ("linux", "windows"):
            yield _at(os or root, "appspec-os-unsupported", "os must be linux")
        yield from self._text(spec.get("file_exists_behavior"), "file_exists_behavior", _behavior)
        yield from self._hooks(spec.get("hooks"))
        yield from self._listed(spec.get("files"), "files", self._file)
        permissions = spec.get("permissions")
        if os is not None and os.text == "windows" and permissions is not None and permissions.children:
            yield _at(permissions, "appspec-os-unsupported", "with os windows there are no permissions")
        yield from self._listed(permissions, "permissions", self._permission)

    def _version(self, spec: Fields, root: Node) -> Iterator[Problem]:
        version = spec.get("version")
        number = version is not None and version.plain and _FLOAT.fullmatch(version.text)
        if version is None or not number or float(version.text) != 0:
            yield _at(version or root, "appspec-version-invalid", "version must be the number 0.0, without quotes")

    def _listed(self, node: Node | None, name: str, judge: Callable[[Node], Iterator[Problem]]) -> Iterator[Problem]:
        """A section that must be a list; agent 2.x judges each entry once, however many aliases lead to it."""
        if node is None or node.blank:
            return
        if node.kind != "list":
            yield _at(node, SHAPE, f"{name} must be a list")
            return
        for item in node.children:
            entry = self._known.get(item.text, item) if item.kind == "alias" else item
            if (id(entry), name) not in self._judged:
                self._judged.add((id(entry), name))
                yield from judge(entry)

    def _text(self, node: Node | None, name: str, wrong: Wrong = _nothing) -> Iterator[Problem]:
        """A text that may be left out: any scalar. ``wrong`` gives the rule and what is wrong with its value."""
        if node is not None and not node.null:
            yield from self._one(node, name, wrong)

    @staticmethod
    def _one(node: Node, name: str, wrong: Wrong) -> Iterator[Problem]:
        if node.kind != "scalar":
            yield _at(node, SHAPE, f"{name} must be a text")
            return
        rule, text = wrong(node.text)
        if rule:
            yield _at(node, rule, text)

    def _texts(self, node: Node | None, name: str, wrong: Wrong = _nothing) -> Iterator[Problem]:
        """A list of texts that may be left out."""
        if node is not None and not node.null:
            yield from self._listed(node, name, lambda one: self._one(one, name, wrong))

    def _hooks(self, hooks: Node | None) -> Iterator[Problem]:
        if hooks is None or hooks.blank:
            return
        events = self._fields(hooks)
        if events is None:
            yield _at(hooks, SHAPE, "hooks must be one key for each event")
            return
        for event, scripts in events.pairs():
            if not scripts.null:
                yield from self._listed(scripts, event.text[:40], self._script)

    def _script(self, node: Node) -> Iterator[Problem]:
        script = self._fields(node)
        if script is None:
            yield _at(node, SHAPE, "a script must have a location")
            return
        location = script.get("location")
        yield from self._text(location, "location")
        if location is None or location.null or (location.kind == "scalar" and not location.text.strip()):
            yield _at(location or node, "appspec-hook-invalid", "a script without location")
        yield from self._text(script.get("runas"), "runas")
        sudo = script.get("sudo")
        if sudo is not None and not sudo.null and not (sudo.plain and sudo.text in _SWITCHES):
            yield _at(sudo, SHAPE, "sudo must be true or false")
        timeout = script.get("timeout")
        if timeout is not None and not timeout.null and not _seconds(timeout):
            shown = f"{timeout.text[:40]!r}" if timeout.kind == "scalar" else "no number"
            yield _at(timeout, "appspec-hook-invalid", f"timeout is {shown}; it must be a whole number above 0")

    def _file(self, node: Node) -> Iterator[Problem]:
        file = self._fields(node)
        if file is None:
            yield _at(node, SHAPE, "an entry of files must have source and destination")
            return
        for name in ("source", "destination"):
            told = file.get(name)
            yield from self._text(told, name)
            if told is None or told.null or (told.kind == "scalar" and not told.text):
                yield _at(told or node, "appspec-files-invalid", f"an entry of files without {name}")

    def _permission(self, node: Node) -> Iterator[Problem]:
        entry = self._fields(node)
        if entry is None:
            yield _at(node, SHAPE, "an entry of permissions must have an object")
            return
        name = entry.get("object")
        if name is None or name.null or (name.kind == "scalar" and not name.text.strip()):
            yield _at(name or node, PERMISSIONS, "an entry of permissions without object")
        for key in ("object", "pattern", "owner", "group"):
            yield from self._text(entry.get(key), key)
        yield from self._texts(entry.get("except"), "except")
        yield from self._texts(entry.get("type"), "type", _type)
        yield from self._text(entry.get("mode"), "mode", _mode)
        yield from self._texts(entry.get("acls"), "acls", _ace)
        yield from self._context(entry.get("context"))
        yield from _for_directories(entry)

    def _context(self, node: Node | None) -> Iterator[Problem]:
        if node is None or node.null:
            return
        context = self._fields(node)
        if context is None:
            yield _at(node, SHAPE, "context must have name, type and range")
            return
        for key in ("name", "type"):
            yield from self._text(context.get(key), key)
        type_ = context.get("type")
        if type_ is None or type_.null:
            yield _at(node, "appspec-context-invalid", "the context has no type")
        yield from self._text(context.get("range"), "range", _range)


def _for_directories(entry: Fields) -> Iterator[Problem]:
    """What agent 2.x allows for directories alone, and 1.x refuses only when it meets a file (permissions.rs)."""
    types = entry.get("type")
    if types is not None and not types.null and "file" not in [one.text for one in types.children]:
        return
    pattern, except_, acls = entry.get("pattern"), entry.get("except"), entry.get("acls")
    if pattern is not None and not pattern.null and pattern.text != "**":
        yield _at(pattern, PERMISSIONS, "a pattern other than ** needs type: [directory]")
    if except_ is not None and except_.kind == "list" and except_.children:
        yield _at(except_, PERMISSIONS, "except needs type: [directory]")
    for ace in acls.children if acls is not None else ():
        if ace.text.startswith(("d:", "default:")):
            yield _at(
                ace, "appspec-acl-invalid", f"{ace.text[:60]!r} is a default entry, which needs type: [directory]"
            )


def _seconds(node: Node) -> bool:
    """Whether it is a number that agent 2.x takes as timeout."""
    if not (node.plain and _WHOLE.fullmatch(node.text)):
        return False
    text = node.text.lstrip("+")
    return len(text) < 40 and 0 < int(text, 0) <= _LARGEST


def _behavior(text: str) -> tuple[str, str]:
    rule = "" if text in _BEHAVIORS else "appspec-file-exists-behavior-invalid"
    return rule, f"file_exists_behavior is {text[:40]!r}; it must be {', '.join(_BEHAVIORS)}"


def _type(text: str) -> tuple[str, str]:
    return "" if text in TYPES else PERMISSIONS, f"type has {text[:40]!r}; there are only file and directory"


def _mode(text: str) -> tuple[str, str]:
    wrong = wrong_mode(text)
    return PERMISSIONS if wrong else "", f"mode is {text[:40]!r}; {wrong}"


def _range(text: str) -> tuple[str, str]:
    wrong = wrong_range(text)
    return "appspec-context-invalid" if wrong else "", f"range is {text[:40]!r}: {wrong}"


_ACE = re.compile(
    r"(?:(?P<default>d|default):)?(?P<kind>u|user|g|group|m|mask|o|other):(?P<name>[^:]*):(?P<allowed>[^:]*)"
)


def _ace(text: str) -> tuple[str, str]:
    """Agent 2.x wants kind and name written out: no bob:7 and no d:bob:7."""
    found = _ACE.fullmatch(text)
    if not found:
        wrong = "agent 2.x wants u, g, m or o, a name and permissions"
    elif not re.fullmatch(r"[0-7]|[rwx-]*", found["allowed"]):
        wrong = "permissions are one digit up to 7, or r, w, x and -"
    elif found["kind"][0] in "mo":
        wrong = f"{found['kind']} has no name" if found["name"] else ""
    else:
        wrong = "" if found["default"] or found["name"] else "without a name it is what mode sets"
    return "appspec-acl-invalid" if wrong else "", f"{text[:60]!r} in acls: {wrong}"
