"""Where the AppSpec of a bundle lies, and under which name: what the agent finds, and what it does not."""

from __future__ import annotations

import difflib
import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, replace

from agentdoctor.appspec.finding import RUBIES, RUST, Problem
from agentdoctor.bundle.entries import Bundle, Entry
from agentdoctor.model import Severity

NAME, OTHER = "appspec.yml", "appspec.yaml"
_LIKE = 0.8
_PACKED = (".zip", ".tar", ".tgz", ".tar.gz", ".war", ".jar")
_MAC = "__MACOSX"


@dataclass(frozen=True)
class Place:
    """The AppSpec, or the file that is meant to be it, and the directory that it speaks of; "" is the top."""

    appspec: Entry | None
    root: str
    path: str = ""  # of the AppSpec in the bundle without its wrapping
    problems: tuple[Problem, ...] = ()


def wrapping(bundle: Bundle) -> str:
    """The single folder around everything that the agent takes away (command_executor.rb:521-537); "" if none is."""
    top = {path.partition("/")[0] for path in bundle.entries}
    folder = next(iter(top)) if len(top) == 1 else ""
    if not folder or bundle.entries[folder].kind != "directory":
        return ""
    own = [path for path in bundle.entries if path.startswith(f"{folder}/") and path.count("/") == 1]
    return folder if any("appspec" in path.lower() for path in own) else ""


def unwrapped(bundle: Bundle) -> Bundle:
    """Without that folder."""
    folder = wrapping(bundle)
    if not folder:
        return bundle
    begin = f"{folder}/"
    entries = {path[len(begin) :]: entry for path, entry in bundle.entries.items() if path.startswith(begin)}
    return replace(bundle, entries=entries)


def find(entries: dict[str, Entry]) -> Place:
    """The AppSpec of a bundle without its wrapping."""
    exact = _file(entries, NAME)
    if exact:
        return Place(exact, "", NAME)
    named = _near([path for path, entry in entries.items() if "/" not in path and entry.kind == "file"])
    if named:
        return Place(entries[named], "", named, tuple(_misnamed(named)))
    below = sorted((path for path in entries if posixpath.basename(path) in (NAME, OTHER)), key=_depth)
    below = [path for path in below if entries[path].kind == "file" and not path.startswith(f"{_MAC}/")]
    if below:
        path = below[0]
        return Place(entries[path], posixpath.dirname(path), path, (_nested(path, entries),))
    return Place(None, "", problems=(_missing(entries),))


def _file(entries: dict[str, Entry], name: str) -> Entry | None:
    entry = entries.get(name)
    return entry if entry and entry.kind == "file" else None


def _depth(path: str) -> tuple[int, str]:
    return path.count("/"), path


def _near(names: list[str]) -> str:
    """The name at the top that is meant to be the AppSpec; "" if none is."""
    if OTHER in names:
        return OTHER
    like = {name: difflib.SequenceMatcher(None, name[:40].lower(), NAME).ratio() for name in names}
    good = [name for name in names if like[name] >= _LIKE or name.lower().startswith("appspec.")]
    return max(good, key=lambda name: like[name], default="")


def _misnamed(name: str) -> Iterator[Problem]:
    """Under its other name agent 2.x finds it in Install, and in hooks since a release that nobody has dated."""
    words = f"the AppSpec is called {name}; the agent looks for {NAME}, unless the deployment names another file"
    told = Problem("appspec-misnamed", words, path=name, details=_details(near=name))
    if name != OTHER:
        yield told
        return
    yield replace(told, targets=RUBIES)
    words = f"the AppSpec is called {name}; not every agent 2.x takes that for hooks, and agent 1.x does not"
    yield replace(told, text=words, targets=(RUST,), severity=Severity.WARNING)


def _details(**details: str) -> dict[str, str]:
    return {"name": NAME, **details}


def _nested(path: str, entries: dict[str, Entry]) -> Problem:
    why = f"the AppSpec lies at {path}; the agent looks for it at the top alone"
    if _MAC in {other.partition("/")[0] for other in entries}:
        why += f", and {_MAC} beside the folder keeps the agent from taking that away"
    return Problem("appspec-not-at-root", why, path=path, details=_details(nested=path))


def _missing(entries: dict[str, Entry]) -> Problem:
    packed = [path for path, entry in entries.items() if entry.kind == "file" and path.lower().endswith(_PACKED)]
    top = [path for path in packed if "/" not in path]
    if top and len(entries) <= len(packed) + 1:
        why = f"the bundle holds nothing but {top[0]}; the agent unpacks no archive in an archive"
        return Problem("appspec-not-at-root", why, path=top[0], details=_details(nested=top[0]))
    found = entries.get(NAME)
    why = f"{NAME} is a {found.kind}" if found else f"there is no {NAME}, and nothing like it"
    return Problem("appspec-missing", why, path=NAME, details=_details())
