"""What makes a bundle dangerous, or more than a host can take, whatever its AppSpec says."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from agentdoctor.appspec.finding import RUBIES, RUST, Problem
from agentdoctor.bundle.entries import Bundle, Entry
from agentdoctor.bundle.names import leads_to
from agentdoctor.model import Severity

_LONGEST_PART = 255  # bytes of a name on every file system of Linux
# What stands before it below /opt/codedeploy-agent, of the 4,096 bytes that a path may have.
_LONGEST_PATH = 4096 - len("/opt/codedeploy-agent/deployment-root/") - 36 - 12 - len("/deployment-archive/")
_FOREIGN = re.compile("[\udc80-\udcff]")  # bytes that are no UTF-8
_LARGE = 2 << 30  # bytes unpacked; the agent keeps five revisions, packed and unpacked
_BROKEN, _UNSAFE, _LARGE_RULE = "bundle-corrupt", "bundle-unsafe-entry", "bundle-too-large"
_HARDENED = "agent-config-invalid"


def dangers(bundle: Bundle) -> Iterator[Problem]:
    """All of them; of each kind the first, with how many there are."""
    if bundle.broken:
        yield Problem(_BROKEN, bundle.wrong)
    elif bundle.large:
        yield _mild(_LARGE_RULE, f"not all of it was judged: {bundle.wrong}", Severity.INFO)
    if bundle.outside:
        yield from _outside(bundle)
    if bundle.moved:
        words = "the zip says that it was made on Windows, and unzip writes these names in another encoding"
        told = _several("bundle-filename-encoding", words, bundle.moved)
        yield replace(told, severity=Severity.WARNING, targets=RUBIES)
    yield from _names(bundle.entries)
    yield from _kinds(bundle.entries)
    total = sum(entry.size for entry in bundle.entries.values())
    if total > _LARGE and not bundle.wrong:
        words = f"its files have {total >> 20} MiB; a host keeps five revisions, packed, unpacked and installed"
        yield _mild(_LARGE_RULE, words)


def _outside(bundle: Bundle) -> Iterator[Problem]:
    """tar ends with an error for .. in a name and takes a slash away; unzip takes both away."""
    stops = [name for name in bundle.outside if not name.startswith("/") and bundle.kind != "zip"]
    moved = [name for name in bundle.outside if name not in stops]
    if stops:
        yield _several(_UNSAFE, "names lead out of the bundle, or are none that Linux takes", stops)
    if moved:
        words = "names lead out of the bundle; such files are unpacked elsewhere, or not at all"
        yield replace(_several(_UNSAFE, words, moved), severity=Severity.WARNING)


def _mild(rule: str, words: str, severity: Severity = Severity.WARNING) -> Problem:
    return replace(Problem(rule, words), severity=severity)


def _several(rule: str, words: str, paths: list[str] | tuple[str, ...]) -> Problem:
    more = f", and {len(paths) - 1} more" if len(paths) > 1 else ""
    return Problem(rule, f"{words}: {_shown(paths[0])}{more}")


def _shown(path: str) -> str:
    return path.encode("utf-8", "backslashreplace").decode()[:120]


def _names(paths: Iterable[str]) -> Iterator[Problem]:
    foreign, long = [], []
    for path in paths:
        if len(path) <= _LONGEST_PART and path.isascii():  # nearly all
            continue
        if _FOREIGN.search(path):
            foreign.append(path)
        raw = path.encode("utf-8", "surrogateescape")
        if len(raw) > _LONGEST_PATH or any(len(part) > _LONGEST_PART for part in raw.split(b"/")):
            long.append(path)
    if foreign:
        yield _several("bundle-filename-encoding", "names are not UTF-8", foreign)
    if long:
        yield _several(_UNSAFE, "names are longer than Linux takes", long)


def _kinds(entries: Mapping[str, Entry]) -> Iterator[Problem]:
    links = [path for path, entry in entries.items() if entry.kind == "link"]
    out = [path for path in links if leads_to(path, entries[path]) is None]
    other = [path for path, entry in entries.items() if entry.kind == "other"]
    bits = [path for path, entry in entries.items() if entry.kind == "file" and (entry.mode or 0) & 0o6000]
    if out:
        words = "links lead out of the bundle, to what lies there on each host"
        yield replace(_several(_UNSAFE, words, out), severity=Severity.WARNING)
    if other:
        words = "pipes, devices or the like are no files to install"
        yield replace(_several(_UNSAFE, words, other), severity=Severity.WARNING)
    if bits:
        words = "files are set-uid or set-gid; agent 2.x refuses that where reject_unsafe_permissions_in_bundle is on"
        yield replace(_several(_HARDENED, words, bits), severity=Severity.WARNING, targets=(RUST,))
    if links:
        words = "there are links; agent 2.x refuses them where reject_symlinks_in_bundle is on"
        yield replace(_several(_HARDENED, words, links), severity=Severity.INFO, targets=(RUST,))
