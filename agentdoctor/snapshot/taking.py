"""Taking a snapshot: a check whose questions and answers are kept, and the files that it read, both without secrets."""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from agentdoctor import __version__, journal, record, runs
from agentdoctor.asking import TOTAL_SECONDS, Asker
from agentdoctor.grammars import text
from agentdoctor.host import Host, iso
from agentdoctor.model import Evidence, Rule
from agentdoctor.probes import find
from agentdoctor.report import Run
from agentdoctor.snapshot.files import Files, Item, collect
from agentdoctor.snapshot.pseudonyms import Pseudonyms, in_all, of_host

MANIFEST = "agentdoctor.manifest/1"
BUNDLE = {"outcome": "skip", "reason": "a snapshot holds no bundles"}


@dataclass(frozen=True)
class Snapshot:
    """What goes into the archive, in order, and what tells of it."""

    name: str  # of the host, for file names
    taken_at: float
    items: Sequence[Item]  # of which the paths begin with a slash, as on the host
    manifest: dict[str, Any]


def take(
    host: Host,
    rules: Sequence[Rule],
    since: float | None = None,
    seconds: float | None = None,
    network: bool = True,
    pseudonyms: bool = False,
) -> Snapshot:
    """Look at a host as ``check`` does and keep what it saw. ``pseudonyms``: of account, addresses and host too."""
    asker = Asker(host, TOTAL_SECONDS if seconds is None else seconds, network)
    whole = _of_whole_host(rules)
    asker.start(whole)
    run = runs.check(rules, host, since, None, network, asker)
    for name in sorted(whole):  # rules that are not here yet may ask them
        asker.ask(name)
    account = asker.ask("imds.document").value if pseudonyms else None
    others = of_host(run.host.get("name"), (account or {}).get("account_id")) if pseudonyms else []
    return _made(host, run, asker, collect(host, since), Pseudonyms(others), since)


def _of_whole_host(rules: Sequence[Rule]) -> set[str]:
    """The probes of all rules that ask about nothing and stay on the host."""
    named = {name for rule in rules for name in (*rule.probes, *rule.context)} | {"imds.document", runs.RESTART}
    probes = [find(name) for name in named | {"package.version"}]
    return {probe.name for probe in probes if not (probe.about or probe.also or probe.network)}


def _made(host: Host, run: Run, asker: Asker, found: Files, names: Pseudonyms, since: float | None) -> Snapshot:
    counts: dict[str, Counter[str]] = {}
    items = [_cleaned(item, names.clean, counts) for item in found.items.values()]
    entries = _journal(host, since)
    told: Counter[str] = Counter()
    noted = in_all(_record(host, run, asker, entries is not None), lambda x: names.clean(x, told))
    about = in_all(_about(run, found, since), lambda x: names.clean(x, told))
    if entries is not None:
        content = "".join(f"{journal.line(entry)}\n" for entry in entries).encode("utf-8", "surrogateescape")
        items.append(_cleaned(Item(f"/{record.JOURNAL_FILE}", content, 0o600), names.clean, counts))
    names.learn()
    items = sorted((_cleaned(item, names.sweep, counts) for item in items), key=lambda item: item.path)
    noted, about = (in_all(part, lambda x: names.sweep(x, told)) for part in (noted, about))
    items.insert(0, Item(f"/{record.RECORD_FILE}", _json(noted), 0o600))
    counts[f"/{record.RECORD_FILE}"] = told
    manifest = {
        **about,
        "files": [_told(item, counts) for item in items],
        "removed": dict(sum(counts.values(), Counter())),
    }
    name = str(about["host"].get("name") or about["host"].get("instance_id") or "tree")
    return Snapshot(name, run.started_at, [Item(f"/{record.MANIFEST_FILE}", _json(manifest), 0o600), *items], manifest)


def _cleaned(item: Item, clean: Callable[[str, Counter[str]], str], counts: dict[str, Counter[str]]) -> Item:
    """An item without secrets, in its path either; bytes that are no UTF-8 stay as they are."""
    mine: Counter[str] = Counter()
    path = clean(item.path, mine)
    content = clean(item.content.decode("utf-8", "surrogateescape"), mine).encode("utf-8", "surrogateescape")
    counts[path] = counts.pop(item.path, Counter[str]()) + mine
    return replace(item, path=path, content=content)


def _journal(host: Host, since: float | None) -> list[Any] | None:
    """The entries of the agent's unit; None where they cannot be read, which the run has noted."""
    try:
        if host.live:
            return list(journal.read(since or 0.0))
        return list(journal.written(host.path(host.journal))) if host.journal else None
    except OSError:
        return None


def _record(host: Host, run: Run, asker: Asker, has_journal: bool) -> dict[str, Any]:
    """The record: by probe what was asked of the whole host, one by one what was asked about something."""
    evidence: dict[str, Any] = {"bundle.file": BUNDLE, **host.recorded}
    answers = [{"probe": name, "about": dict(about), **entry} for (name, about), entry in host.answers.items()]
    seen = {(entry["probe"], tuple(sorted(entry["about"].items()))) for entry in answers}
    for (name, about), answer in asker.answered().items():
        probe = find(name)
        if not (probe.about or probe.also):
            evidence[name] = _entry(answer)
        elif (name, about) not in seen and all(key in dict(about) for key in probe.about):
            answers.append({"probe": name, "about": dict(about), **_entry(answer)})
    offset = time.localtime(run.started_at).tm_gmtoff if host.live else host.utc_offset
    return {
        "schema": record.SCHEMA,
        "taken_at": run.started_at if host.live else host.taken_at,
        "utc_offset": offset,
        "host": {"name": run.host.get("name")},
        "journal": has_journal,
        "problems": list(run.problems),
        "notes": list(run.notes),
        "evidence": dict(sorted(evidence.items())),
        "answers": answers,
    }


def _entry(answer: Evidence) -> dict[str, Any]:
    if answer.value is not None:
        return {"value": dict(answer.value), "duration_ms": answer.duration_ms}
    return {"outcome": answer.outcome.value, "reason": answer.reason}


def _about(run: Run, found: Files, since: float | None) -> dict[str, Any]:
    """The beginning of the manifest: what this is, of which host, what was found, and what is not in it."""
    return {
        "schema": MANIFEST,
        "tool": {"name": "agentdoctor", "version": __version__},
        "taken_at": iso(run.started_at),
        "since": iso(since),
        "host": dict(run.host),
        "findings": summary(run),
        "left_out": [{"path": path, "why": why} for path, why in sorted(found.left_out.items())]
        + [{"path": "journal", "why": note} for note in run.notes],
    }


def summary(run: Run) -> list[dict[str, str]]:
    """The findings of a run as far as they must be the same elsewhere."""
    return [
        {"id": f.rule.id, "state": f.state.value, "verdict": f.verdict.value, "subject": f.subject}
        for f in run.findings
    ]


def _told(item: Item, counts: dict[str, Counter[str]]) -> dict[str, Any]:
    """A row of the manifest."""
    row: dict[str, Any] = {"path": text(item.path.encode("utf-8", "surrogateescape")), "mode": f"{item.mode:04o}"}
    if item.directory:
        return {**row, "directory": True}
    row |= {"bytes": len(item.content), "sha256": hashlib.sha256(item.content).hexdigest(), "of_bytes": item.size}
    removed = dict(counts.get(item.path, ()))
    return {**row, "note": item.note, "removed": removed}


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=1, ensure_ascii=True) + "\n").encode()
