"""AppSpecs that are made to take long: each is judged, and the work is counted, not timed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType

import pytest

from agentdoctor.appspec.allowing import comments
from agentdoctor.appspec.lint import lint
from agentdoctor.appspec.reading import LIMIT, read

HEAD = b"version: 0.0\nos: linux\n"


def _rows(row: str, count: int) -> bytes:
    return "".join(row.format(number) for number in range(count)).encode()


# How a file grows with a number, and may not make the work grow faster.
GROWING: dict[str, Callable[[int], bytes]] = {
    "keys": lambda n: HEAD + _rows("key{:05}: 1\n", n),
    "the same key": lambda n: HEAD + b"timout: 1\n" * n,
    "events that do not exist": lambda n: HEAD + b"hooks:\n" + _rows("  Before{:05}: [{{location: a}}]\n", n),
    "scripts": lambda n: HEAD + b"hooks:\n  AfterInstall:\n" + _rows("  - {{location: s{:05}, timeout: 5m}}\n", n),
    "permissions": lambda n: HEAD + b"permissions:\n" + _rows("- {{object: /a{:05}, mode: 0644}}\n", n),
    "aliases of one script": lambda n: (
        HEAD + b"x: &s {location: a}\nhooks:\n  AfterInstall: [" + b"*s, " * n + b"*s]\n"
    ),
    "a chain of aliases": lambda n: HEAD + b"a0: &a0 [x, x]\n" + _rows("b{0:05}: &b{0:05} [*a0, *a0]\n", n),
    "comments that allow": lambda n: b"# agentdoctor: ignore appspec-empty -- why\n" * n + HEAD,
}


def _work(raw: bytes) -> int:
    """How many calls of functions it takes."""
    calls = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        lint(read(raw))
        comments(raw, ["appspec-empty"])
    finally:
        sys.setprofile(None)
    return calls


@pytest.mark.parametrize("grown", GROWING.values(), ids=GROWING)
def test_the_work_grows_with_the_file(grown: Callable[[int], bytes]) -> None:
    """Four times the file, at most five times the work."""
    lint(read(grown(2)))  # what is loaded once
    small = _work(grown(100))

    assert _work(grown(400)) < 5 * small


LAUGHS = HEAD + b"a0: &a0 [x, x]\n" + b"".join(b"a%d: &a%d [*a%d, *a%d]\n" % (i, i, i - 1, i - 1) for i in range(1, 60))
# What is refused, for one list that many aliases bring to a place where an agent looks.
BOMBS = {
    "a list of scripts for many events": b"x: &l\n"
    + b"- {location: a}\n" * 1000
    + b"hooks:\n"
    + _rows(" E{}: *l\n", 1000),
    "acls of many entries": b"x: &l ["
    + b"'u:a:7', " * 1500
    + b"]\npermissions:\n"
    + b"- {object: a, acls: *l}\n" * 1500,
    "entries of entries": b"x: &p {object: a, acls: ["
    + b"x, " * 1500
    + b"]}\npermissions: ["
    + b"*p, " * 1500
    + b"]\n",
    "a long text": b"x: &t " + b"a" * 100_000 + b"\nfiles:\n" + b"- {source: *t, destination: b}\n" * 3000,
    "an anchor used twice": b"x: &p {a: ["
    + b"x, " * 1500
    + b"]}\npermissions: ["
    + b"*p, " * 1500
    + b"]\ny: &p [1, 2]\n",
    "a list in itself": b"files: &f [" + b"*f, " * 300 + b"]\n",
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_aliases_that_stand_for_too_much_are_refused(bomb: bytes) -> None:
    """By their number, before anybody looks at each."""
    raw = HEAD + bomb
    assert len(raw) < LIMIT

    (problem,) = lint(read(raw))

    assert problem.rule == "appspec-yaml-invalid"
    assert "aliases stand for more than" in problem.text


NEAR_MISSES = {
    "a billion laughs where nobody looks": LAUGHS,
    "a list in itself": HEAD + b"files: &f [*f]\nhooks: &h {A: [*h]}\n",
    "as many values without aliases": HEAD + b"x: [" + b"1, " * 20_000 + b"]\n",
    "one list for all events": HEAD + b"x: &l [{location: a}]\nhooks:\n" + _rows("  E{}: *l\n", 100),
}


@pytest.mark.parametrize("raw", NEAR_MISSES.values(), ids=NEAR_MISSES)
def test_aliases_that_stand_for_little_are_judged(raw: bytes) -> None:
    """They are read as the agent reads them."""
    document = read(raw)

    assert document.syntax is None
    assert "appspec-yaml-invalid" not in {problem.rule for problem in lint(document)}


def test_what_is_too_large_or_too_deep_is_said() -> None:
    """Before it is read, and as soon as it is met."""
    (large,) = lint(read(HEAD + b"#" * LIMIT))
    (deep,) = lint(read(HEAD + b"x: " + b"[" * 150))

    assert "larger than 256 KiB" in large.text
    assert ("more than 100 lists" in deep.text, deep.line) == (True, 3)
