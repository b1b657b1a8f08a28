"""AppSpecs made at random around the rules: judged without a crash, the same way each time, each place in the file."""

from __future__ import annotations

import os
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from agentdoctor.appspec.allowing import allow, comments
from agentdoctor.appspec.finding import RUBIES, RUST, TARGETS, Problem
from agentdoctor.appspec.lint import lint
from agentdoctor.appspec.reading import read
from agentdoctor.appspec.refusals import reason, refusals
from agentdoctor.bundle.mending import Change, changes
from agentdoctor.model import Severity
from agentdoctor.rules import load

RULES = load().ids
EXAMPLES = 100 * (25 if os.environ.get("AGENTDOCTOR_LONG") else 1)

SCALARS = st.sampled_from(
    """
    0.0 '0.0' 0 0x0 0o0 -0.0 linux Linux windows ~ null yes no on true 0755 0644 '0644' 1_000 1,000 190:20:30 5m 3600 0
    -1 1e3 .inf .nan :sym :'s' 2024-01-01 2024-01-01T00:00:00Z OVERWRITE RETAIN overwrite scripts/a.sh /srv/x ../x root
    u:bob:7 d:u:bob:rwx m::7 s0 s0-s1:c0.c3 file directory ** '*.sh' !ruby/object:X !!int !!str = << *a *b '' # \ufeff
    """.split()
)
KEYS = st.sampled_from(
    """
    version os files hooks permissions file_exists_behavior source destination location timeout runas sudo object
    pattern except owner group mode acls context type range name << timout ApplicationStop BeforeInstall AfterInstal
    Install &a &b ? :version '' ~ 1 overwrite resources
    """.split()
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(lambda items: "[" + ", ".join(items) + "]"),
        st.lists(st.tuples(KEYS, inner), max_size=4).map(
            lambda pairs: "{" + ", ".join(f"{key}: {value}" for key, value in pairs) + "}"
        ),
        st.tuples(st.sampled_from(["&a ", "&b ", "!t ", ""]), inner).map("".join),
    ),
    max_leaves=12,
)
HEADS = st.sampled_from(["version: 0.0\nos: linux\n", "version: 0.0\n", "", "---\n", "\ufeffversion: 0.0\nos: linux\n"])
COMMENTS = st.sampled_from(["", "", " # agentdoctor: ignore appspec-hook-invalid -- known", " # agentdoctor: ignore x"])
LINES = st.tuples(KEYS, VALUES, COMMENTS).map(lambda line: f"{line[0]}: {line[1]}{line[2]}\n")
APPSPECS = st.tuples(HEADS, st.lists(LINES, max_size=6)).map(lambda parts: parts[0] + "".join(parts[1]))


@settings(max_examples=EXAMPLES, deadline=None)
@given(APPSPECS)
def test_an_appspec_is_judged(text: str) -> None:
    """Known rules, places in the file, a refusal for a target only where there is a critical problem for it."""
    raw = text.encode()
    document = read(raw)
    lines = text.count("\n") + 1

    found = lint(document)

    assert found == lint(read(raw))
    for problem in found:
        assert problem.rule in RULES
        assert 0 <= problem.line <= lines
        assert problem.targets
        assert "\n" not in problem.text
    for target in TARGETS:
        refused = reason(refusals(document), target) is not None
        critical = any(p.severity is Severity.CRITICAL and target in p.targets for p in found)
        assert refused is critical


@settings(max_examples=EXAMPLES, deadline=None)
@given(APPSPECS, st.sampled_from([(RUST,), RUBIES, RUBIES[:1]]))
def test_a_target_alone_is_judged_as_among_others(text: str, targets: tuple[str, ...]) -> None:
    """What is found for one does not hang on who else is asked."""
    document = read(text.encode())

    alone = {(p.rule, p.line, p.column, p.text) for p in lint(document, targets)}
    among = {(p.rule, p.line, p.column, p.text) for p in lint(document) if set(p.targets) & set(targets)}

    assert alone == among


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.binary(max_size=200))
def test_bytes_are_judged(raw: bytes) -> None:
    """Whatever they are."""
    assert isinstance(lint(read(raw)), list)
    assert isinstance(comments(raw, RULES), tuple)


@settings(max_examples=EXAMPLES, deadline=None)
@given(APPSPECS)
def test_comments_take_nothing_away(text: str) -> None:
    """They give reasons, and no more."""
    raw = text.encode()
    found = lint(read(raw))

    allowed = allow(found, comments(raw, RULES)[0])

    assert [(p.rule, p.line, p.text) for p in allowed] == [(p.rule, p.line, p.text) for p in found]
    assert {p.allowed for p in allowed} <= {"", "known"}


@settings(max_examples=EXAMPLES, deadline=None)
@given(APPSPECS, st.sampled_from(["", "\r"]))
def test_what_is_mended_is_no_worse(text: str, carriage: str) -> None:
    """And a second time there is nothing left that one look can mend, but for what a byte order mark had hidden."""
    raw = text.replace("\n", f"{carriage}\n").encode()
    before = lint(read(raw))

    (mended,) = [change.after for change in _changes(raw, before)] or [raw]
    after = lint(read(mended))

    if not read(raw).bom:
        assert {(p.rule, p.line, p.text) for p in after} <= {(p.rule, p.line, p.text) for p in before}
        assert not list(_changes(mended, after))


def _changes(raw: bytes, problems: list[Problem]) -> list[Change]:
    own = [replace(problem, path="appspec.yml") for problem in problems]
    return list(changes(own, "appspec.yml", lambda _: (raw, 0o644)))
