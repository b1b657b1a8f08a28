"""The index that decides which patterns are worth trying never loses a match."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentdoctor.patterns import MESSAGE_LIMIT, Index, compile_all, compiled, needle, words

WORDS = {
    "inner words only, the edges may be cut": ("Missing credentials - please check", {b"credentials", b"please"}),
    "an anchor is an edge": ("^Access Denied$", {b"Access", b"Denied"}),
    "a word boundary is an edge": (r"\bEACCES\b", {b"EACCES"}),
    "no boundary is none": (r"\BEACCES\B", set()),
    "a group interrupts": (r"exit code (?P<code>\d+) now", {b"code"}),
    "a plain group does not": (r"(?:exit code here)", {b"code"}),
    "an alternation gives nothing": (r"one two three|four", set()),
    "letters beyond ASCII": (" größe x", {b"gr", b"e"}),
    "a dash beyond ASCII": (" a—b x", {b"a", b"b"}),
    "an optional part gives nothing": (r"(?:a bcd e)?x yz w", {b"yz"}),
}


@pytest.mark.parametrize(("pattern", "expected"), WORDS.values(), ids=WORDS)
def test_words_of_a_pattern(pattern: str, expected: set[bytes]) -> None:
    """Only words that stand whole in every match may be looked for."""
    assert words(pattern) == expected


def test_needle() -> None:
    """The bytes searched for in a file stand in every match, and in as few other lines as can be."""
    poll = r"\[Aws::CodeDeployCommand::Client 200 [^\]]*\] poll_host_command\("

    assert needle(poll) == "] poll_host_command("
    assert needle(r"x (\d+) some (a|b) y") == " some "


@pytest.mark.parametrize("text", ["“foo”", "—foo", "foo…", "(foo)"])
def test_punctuation_beyond_ascii_hides_no_word(text: str) -> None:
    """Pastes have curly quotes."""
    assert Index([r"\bfoo\b"]).search(text)


_WORD = st.sampled_from(["disk", "full", "no", "space", "code", "4", "exit", "a"])
_GAP = st.sampled_from([" ", ": ", "-", "x", ""])
_TEXT = st.lists(st.tuples(_WORD, _GAP), min_size=1, max_size=8).map(lambda x: "".join(w + g for w, g in x))
_PIECE = st.one_of(
    _TEXT.map(re.escape), st.sampled_from([r"(?P<n>\d+)", r"\S+", r"(?:no|space)", r"\b", r"(?:disk )?"])
)


@given(st.lists(_PIECE, min_size=1, max_size=4).map("".join), st.lists(_TEXT, min_size=1, max_size=5).map(" ".join))
def test_index_finds_what_search_finds(pattern: str, text: str) -> None:
    """For any pattern and text: found through the index exactly when found by a search."""
    try:
        compiled = re.compile(pattern)
    except re.error:
        return  # two groups of one name
    found = [name for name, _ in Index([pattern]).search(text)]

    assert found == ([pattern] if compiled.search(text) else [])


def test_a_long_message_is_cut() -> None:
    """What stands beyond the limit is payload, whatever it says."""
    index = Index(["no space left here"])

    assert not list(index.search("x " * MESSAGE_LIMIT + "no space left here"))
    assert list(index.search("x " * 100 + "no space left here"))


def test_what_an_index_knows_can_be_compiled_ahead() -> None:
    """Then no text that is searched waits for it."""
    index = Index([r"disk \d+ is full", r"no \w+ found"])
    compile_all()
    before = compiled.cache_info().misses

    assert [pattern for pattern, _ in index.search("no room found: disk 7 is full")]
    assert compiled.cache_info().misses == before
