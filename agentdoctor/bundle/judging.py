"""A bundle, judged from its archive to the last line of its scripts."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from agentdoctor.appspec.allowing import allow, comments
from agentdoctor.appspec.finding import Problem
from agentdoctor.appspec.lint import chosen, lint
from agentdoctor.appspec.loading import load
from agentdoctor.appspec.reading import LIMIT, read
from agentdoctor.appspec.values import Table
from agentdoctor.bundle import scripts
from agentdoctor.bundle.confidential import confidential, content_of, telling
from agentdoctor.bundle.dangers import dangers
from agentdoctor.bundle.entries import Bundle, Entry
from agentdoctor.bundle.expecting import expected
from agentdoctor.bundle.names import Names, followed
from agentdoctor.bundle.place import Place, find, unwrapped
from agentdoctor.bundle.plan import permitted, planned
from agentdoctor.bundle.revision import Meet, Revision
from agentdoctor.model import Severity

_UNMET = "what the instance makes of it is not known: the bundle cannot be judged as far as that"


def judge(
    bundle: Bundle, targets: Sequence[str], known: Collection[str], meet: Meet | None = None
) -> tuple[list[Problem], list[str]]:
    """All problems of a bundle, and what could not be judged. ``known`` are the ids of rules, for comments.

    ``meet`` says what an instance makes of it.
    """
    whole = unwrapped(bundle)
    problems, entries = list(dangers(whole)), dict(whole.entries)
    errors = [bundle.wrong] if bundle.wrong and not bundle.broken else []
    if bundle.broken and not entries:
        return chosen(problems, targets), errors
    if not bundle.wrong:
        problems += confidential(bundle, entries)
    place = find(entries)
    if not bundle.wrong:  # what is not there may stand in the part that could not be read
        problems += place.problems
    raw = _appspec(bundle, place)
    if raw is None:
        return chosen(problems, targets), errors + ([f"{place.path}: cannot be read"] if place.appspec else [])
    allowed, wrong = comments(raw, known)
    own, more = _content(raw, targets, place, bundle, entries, meet)
    judged = allow(chosen([*problems, *own], targets), allowed, place.path)
    return judged, [*errors, *more, *(f"{place.path}: {text}" for text in wrong)]


def _appspec(bundle: Bundle, place: Place) -> bytes | None:
    if place.appspec is None:
        return None
    return next((content for _, content in bundle.read([place.appspec], LIMIT + 1)), None)


def _content(
    raw: bytes, targets: Sequence[str], place: Place, bundle: Bundle, entries: dict[str, Entry], meet: Meet | None
) -> tuple[list[Problem], list[str]]:
    """What the AppSpec says, and whether the bundle has what it speaks of."""
    document = read(raw)
    found = [replace(problem, path=place.path) for problem in lint(document, targets)]
    found += content_of(place.path, raw)
    spec = load(document.root).value.data if document.root is not None else None
    if not isinstance(spec, Table) or bundle.wrong:
        return found, [_UNMET] if meet else []
    # That a location is taken in the bundle is told of one that is not there; of one that is, it is no news.
    found = [p for p in found if p.rule != "script-missing" or p.severity is Severity.CRITICAL]
    names = Names(entries)
    plan, problems = planned(spec, place.root, entries, names)
    problems += permitted(spec, plan)
    sure = {(p.rule, p.line, p.column) for p in problems}  # what might have been is now known
    found = [p for p in found if p.severity is Severity.CRITICAL or (p.rule, p.line, p.column) not in sure]
    errors = ["files: too many files are installed to compare all of them"] if plan.cut else []
    problems += _missing(spec, place, entries, names)
    found += [replace(problem, path=place.path) for problem in problems]
    unread: list[str] = []
    programs: dict[str, str] = {}
    found += _scripts(spec, place, bundle, entries, unread, programs)
    found += [] if meet else [replace(problem, path=place.path) for problem in expected(spec, plan)]
    if meet:
        met, unknown = meet(Revision(spec, place.root, entries, plan, programs))
        # What must be on any host was asked of this one.
        found = [p for p in found if not (p.details.get("program") and p.severity is Severity.WARNING)]
        found += [replace(problem, path=problem.path or place.path, here=True) for problem in met]
        errors += unknown
    return found, errors + unread


def _missing(spec: Table, place: Place, entries: dict[str, Entry], names: Names) -> Iterator[Problem]:
    for path, location in scripts.locations(spec, place.root).items():
        problem = scripts.absent(path, location, entries, names)
        if problem:
            yield problem
    for location in scripts.outside(spec):
        yield scripts.leads_out(location)


def _scripts(
    spec: Table,
    place: Place,
    bundle: Bundle,
    entries: dict[str, Entry],
    unread: list[str],
    programs: dict[str, str],
) -> Iterator[Problem]:
    """What is wrong inside of the scripts. Those that cannot be read are added to ``unread``, what runs the others to
    ``programs``.
    """
    wanted = {path: followed(entries, path) for path in scripts.locations(spec, place.root)}
    files = {entry.path: (path, entry) for path, entry in wanted.items() if entry is not None and entry.kind == "file"}
    for entry, text in bundle.read([entry for _, entry in files.values()], scripts.READ):
        path, _ = files.pop(entry.path)
        programs[path] = scripts.program(text)
        yield from scripts.content(path, entry, text)
        yield from () if telling(path) else content_of(path, text)
    unread += [f"{path}: cannot be read" for path, _ in files.values()]
