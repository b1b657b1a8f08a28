"""Probes: functions that look at one thing and report; they never judge.

A probe is named ``module.question`` and lives in ``probes/module.py``. It gets a ``Look`` and returns plain
values (a dict that JSON can hold), or raises: ``CannotLook`` with the reason, ``OSError`` for the same.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from agentdoctor.host import Host
from agentdoctor.model import Evidence, Outcome

Values = dict[str, Any]


class CannotLook(Exception):
    """The probe could not look, and why. ``skip``: there was nothing to look at, which is no one's fault."""

    def __init__(self, reason: str, skip: bool = False) -> None:
        super().__init__(reason)
        self.outcome = Outcome.SKIP if skip else Outcome.UNKNOWN


class Look(NamedTuple):
    """What a probe gets: the host, what the finding is about, and the other probes."""

    host: Host
    about: Mapping[str, str]
    ask: Callable[[str], Evidence]

    def value(self, probe_name: str) -> Mapping[str, Any]:
        """What another probe saw. CannotLook when it could not."""
        evidence = self.ask(probe_name)
        if evidence.value is None:
            raise CannotLook(f"{probe_name}: {evidence.reason}", skip=evidence.outcome is Outcome.SKIP)
        return evidence.value


class Probe(NamedTuple):
    """A registered probe.

    ``about``: the details of a finding that it asks about, empty for the whole host; ``also``: those that it uses
    where they are known. ``network``: it opens connections that leave this host; the metadata service's are not
    among them.
    """

    name: str
    source: str
    look: Callable[[Look], Values]
    live: bool
    about: tuple[str, ...]
    network: bool = False
    also: tuple[str, ...] = ()


_found: dict[str, Probe] = {}


def probe(
    name: str,
    source: str,
    live: bool = True,
    about: tuple[str, ...] = (),
    also: tuple[str, ...] = (),
    network: bool = False,
) -> Callable[[Callable[[Look], Values]], Callable[[Look], Values]]:
    """Register a probe. ``live=False``: it reads files only, so it works on a copied tree too."""

    def register(look: Callable[[Look], Values]) -> Callable[[Look], Values]:
        _found[name] = Probe(name, source, look, live, about, network, also)
        return look

    return register


def find(name: str) -> Probe:
    """The probe of that name. KeyError if there is none.

    Its module is imported only now, or when it first looks if it was declared.
    """
    if name in _found:
        return _found[name]
    return _declared.get(name) or _import(name)


def _import(name: str) -> Probe:
    module = f"{__name__}.{name.partition('.')[0]}"
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
    return _found[name]


_declared: dict[str, Probe] = {}


def declare(name: str, source: str, live: bool, about: tuple[str, ...], network: bool, also: tuple[str, ...]) -> None:
    """Make a probe known without its module: of a copied tree most are only asked whether it could answer them."""
    _declared[name] = Probe(name, source, lambda look: _import(name).look(look), live, about, network, also)


def names() -> list[str]:
    """Every probe there is; imports all their modules."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return sorted(_found)
