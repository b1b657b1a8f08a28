"""Settings: defaults, what a site sets, and what is wrong with a file."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from agentdoctor.settings import KEYS, Key, Settings, SettingsError, load, parse

GOOD = {
    "empty": ("", Settings()),
    "only a comment": ("# nothing\n", Settings()),
    "one key": ("rules_dir: /srv/rules", Settings(rules_dir="/srv/rules")),
    "inside a part": ("imds: {endpoint: 'http://127.0.0.1:1'}", Settings(imds_endpoint="http://127.0.0.1:1")),
    "null is the default": ("root: null\nimds:\n", Settings()),
    "one host": ("sns: {fleet_size: 1}", Settings(fleet_size=1)),
    "an empty text is the default": ("state_dir: ''", Settings()),
    "keys of other parts": ("state_dir: /x\nsns: {topic_arn: null}", Settings(state_dir="/x")),
}

BAD = {
    "unknown key": ("rule_dir: /x", "x.yaml:1: unknown key 'rule_dir' (did you mean 'rules_dir'?)"),
    "unknown key inside": ("imds: {endpoit: x}", "unknown key 'imds.endpoit' (did you mean 'imds.endpoint'?)"),
    "the line of an unknown key": ("root: /\n\nsns:\n  topic: x\n", "x.yaml:4: unknown key 'sns.topic'"),
    "a key of a part without it": ("topic_arn: x", "unknown key 'topic_arn' (did you mean 'sns.topic_arn'?)"),
    "a key that is not near": ("colour: x", "x.yaml:1: unknown key 'colour'"),
    "a key twice": ("root: /\nroot: /\n", "x.yaml:2: root stands twice; first in line 1"),
    "a part twice": (
        "imds: {endpoint: 'http://a'}\nimds: {endpoint: 'http://b'}",
        "x.yaml:2: imds.endpoint stands twice",
    ),
    "wrong type": ("rules_dir: [a]", "x.yaml:1: rules_dir must be a text, not that"),
    "a number for a text": ("root: 7", "root must be a text, not 7"),
    "a text for a number": ("sns:\n  fleet_size: many", "x.yaml:2: sns.fleet_size must be a whole number, not 'many'"),
    "truth for a number": ("sns: {fleet_size: true}", "sns.fleet_size must be a whole number, not True"),
    "no hosts": ("sns: {fleet_size: 0}", "sns.fleet_size: must be 1 or more, not 0"),
    "a date that is none": ("root: 2026-99-99", "x.yaml:1: root must be a text"),
    "an object": ("root: !!python/name:os.system x", "x.yaml:1: root must be a text"),
    "not a mapping": ("- a", "x.yaml:1: the file must be a mapping"),
    "a text alone": ("hello", "x.yaml:1: the file must be a mapping"),
    "a part that is no mapping": ("root: /\nimds: x", "x.yaml:2: imds must be a mapping"),
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


def test_each_setting_has_its_key() -> None:
    """No setting that nobody can set, and no key twice."""
    assert sorted(key.field for key in KEYS) == sorted(field.name for field in fields(Settings))
    assert len({key.name for key in KEYS}) == len(KEYS)


@pytest.mark.parametrize("key", [key for key in KEYS if key.default], ids=lambda key: key.name)
def test_defaults_are_good(key: Key) -> None:
    """To write a default down changes nothing."""
    part, _, name = key.name.rpartition(".")
    text = f"{name}: {key.default}"

    assert parse(f"{part}: {{{text}}}" if part else text, "x.yaml") == Settings()
