"""The rules: the shipped catalogue beside this file, and the rules of a site."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from agentdoctor.model import Rule
from agentdoctor.rules import compiled

SHIPPED = Path(__file__).parent
SITE = "/etc/agentdoctor/rules.d"


class RuleError(ValueError):
    """A rule file that cannot be used; the text starts with file:line."""


class Catalogue(NamedTuple):
    """Rules that can be used, and what is wrong with those that cannot."""

    rules: tuple[Rule, ...]
    broken: tuple[str, ...] = ()  # a line for each, beginning with file:line

    def get(self, id_: str) -> Rule | None:
        """The rule of that id."""
        return next((rule for rule in self.rules if rule.id == id_), None)

    @property
    def ids(self) -> list[str]:
        return [rule.id for rule in self.rules]


def load(site_dir: str | None = None, samples: bool = False) -> Catalogue:
    """The shipped rules and those of ``site_dir``.

    Without ``samples`` the shipped ones come from their compiled form: a tenth of the time.

    A broken shipped rule is an error of ours and raises RuleError; a broken site rule is left out and named. A
    site rule cannot take the id of a shipped one: what a public id means does not differ from host to host.
    """
    shipped = from_sources() if samples else compiled.load()
    site, broken = _site(site_dir, {rule.id for rule in shipped}) if site_dir else ((), [])
    return Catalogue((*shipped, *site), tuple(broken))


def from_sources() -> tuple[Rule, ...]:
    """The shipped rules from their files, with their samples."""
    return tuple(read(path) for path in sorted(SHIPPED.glob("*.yaml")))


def read(path: Path) -> Rule:
    from agentdoctor.rules.schema import parse

    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise RuleError(f"{path}:1: is not UTF-8 text") from None
    except OSError as error:
        raise RuleError(f"{path}:1: cannot be read: {error.strerror}") from None
    return parse(text, str(path))


def _site(directory: str, taken: set[str]) -> tuple[tuple[Rule, ...], list[str]]:
    rules: list[Rule] = []
    broken: list[str] = []
    for path in _files(directory, broken):
        try:
            rule = read(path)
        except RuleError as error:
            broken.append(str(error))
            continue
        if rule.id in taken:
            broken.append(f"{path}:1: the id {rule.id!r} belongs to a shipped rule")
        else:
            rules.append(rule)
    return _usable(rules, taken, broken), broken


def _files(directory: str, broken: list[str]) -> list[Path]:
    try:
        names = sorted(os.listdir(directory))
    except FileNotFoundError:
        return []
    except OSError as error:
        broken.append(f"{directory}:1: cannot be read: {error.strerror}")
        return []
    return [Path(directory, name) for name in names if name.endswith(".yaml")]


def _usable(rules: Sequence[Rule], shipped: set[str], broken: list[str]) -> tuple[Rule, ...]:
    """Leave out rules that name what does not exist, and those that then lack one they depend on."""
    left = list(rules)
    while True:
        ids = shipped | {rule.id for rule in left}
        problems = {rule.id: list(references(rule, ids)) for rule in left}
        if not any(problems.values()):
            return tuple(left)
        for rule in left:
            broken.extend(f"{rule.origin}:1: {problem}" for problem in problems[rule.id])
        left = [rule for rule in left if not problems[rule.id]]


def references(rule: Rule, ids: Iterable[str]) -> Iterator[str]:
    """What a rule names that does not exist."""
    from agentdoctor.nearest import nearest
    from agentdoctor.probes import find, names

    known = set(ids)
    for id_ in rule.depends_on:
        if id_ not in known:
            yield f"depends_on: there is no rule {id_!r}{nearest(id_, known)}"
    for name in rule.probes:
        try:
            find(name)
        except KeyError:
            yield f"there is no probe {name!r}{nearest(name, names())}"
