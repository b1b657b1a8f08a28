"""Settings: defaults, what a site sets, and what is wrong with a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from agentdoctor.settings import Settings, SettingsError, load, parse

GOOD = {
    "empty": ("", Settings()),
    "only a comment": ("# nothing\n", Settings()),
    "one key": ("rules_dir: /srv/rules", Settings(rules_dir="/srv/rules")),
    "inside a part": ("imds: {endpoint: 'http://127.0.0.1:1'}", Settings(imds_endpoint="http://127.0.0.1:1")),
    "null is the default": ("root: null\nimds:\n", Settings()),
    "keys of other parts": ("state_dir: /x\nsns: {topic_arn: null}", Settings()),
}

BAD = {
    "unknown key": ("rule_dir: /x", "x.yaml: unknown key 'rule_dir' (did you mean 'rules_dir'?)"),
    "unknown key inside": ("imds: {endpoit: x}", "unknown key 'imds.endpoit' (did you mean 'endpoint'?)"),
    "wrong type": ("rules_dir: [a]", "rules_dir must be a text"),
    "not a mapping": ("- a", "the file must be a mapping"),
    "a part that is no mapping": ("imds: x", "imds must be a mapping"),
    "not YAML": ("a: [", "x.yaml:"),
    "not http": ("imds: {endpoint: 'ftp://x'}", "must begin with http://"),
    "a relative root": ("root: tree", "must be an absolute path"),
}


@pytest.mark.parametrize(("text", "settings"), GOOD.values(), ids=GOOD)
def test_good(text: str, settings: Settings) -> None:
    """Everything has a default."""
    assert parse(text, "x.yaml") == settings


@pytest.mark.parametrize(("text", "problem"), BAD.values(), ids=BAD)
def test_bad(text: str, problem: str) -> None:
    """The file, what is wrong, the nearest right name."""
    with pytest.raises(SettingsError) as caught:
        parse(text, "x.yaml")

    assert problem in str(caught.value)
    assert str(caught.value).startswith("x.yaml")


def test_a_named_file_must_exist(tmp_path: Path) -> None:
    """A file that nobody named may be absent, one that was named may not."""
    with pytest.raises(SettingsError, match="there is no such file"):
        load(str(tmp_path / "absent.yaml"))


def test_not_text(tmp_path: Path) -> None:
    """A file of another kind is an error in words."""
    (tmp_path / "x.yaml").write_bytes(b"\xff\xfe")

    with pytest.raises(SettingsError, match="is not UTF-8"):
        load(str(tmp_path / "x.yaml"))
