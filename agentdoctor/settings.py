"""Settings: /etc/agentdoctor/agentdoctor.yaml as a frozen value. Everything has a default."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from agentdoctor.host import IMDS_ENDPOINT

if TYPE_CHECKING:
    from agentdoctor.sinks.topic import Topic

DEFAULT_PATH = "/etc/agentdoctor/agentdoctor.yaml"


class SettingsError(ValueError):
    """Settings that cannot be used, and why; the text starts with the file, and the line where there is one."""


@dataclass(frozen=True)
class Settings:
    """What a person may set."""

    root: str = "/"
    state_dir: str = "/var/lib/agentdoctor"
    rules_dir: str = "/etc/agentdoctor/rules.d"
    imds_endpoint: str = IMDS_ENDPOINT
    topic: Topic | None = None  # where alerts go; None: only to the journal
    sns_endpoint_url: str | None = None  # instead of the one of the topic's region
    textfile: str | None = None  # where the service writes its metrics; None: nowhere
    fleet_size: int = 50  # hosts that alert the same people: what all of them see they spread over time


class Said(NamedTuple):
    """What a file says of a key, and in which line."""

    value: Any
    line: int


def load(path: str | None) -> Settings:
    """Read settings. Without a path the default file is read if it is there; a path that is named must exist."""
    return parse(read(path) or "", path or DEFAULT_PATH)


def read(path: str | None) -> str | None:
    """The text of the file; None where nobody named one and the default one is not there."""
    try:
        with open(path or DEFAULT_PATH, encoding="utf-8") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        if path is None:
            return None
        raise SettingsError(f"{path}: there is no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "is not UTF-8 text"
        raise SettingsError(f"{path or DEFAULT_PATH}: {reason}") from None


def parse(text: str, origin: str) -> Settings:
    """Settings from YAML text. SettingsError on YAML errors, unknown keys and values that cannot be used."""
    said = keys_said(text, origin)
    return Settings(**{key.field: _fit(key, said[key.name], origin) for key in KEYS if key.name in said})


def keys_said(text: str, origin: str) -> Mapping[str, Said]:
    """What the text says, by the key's name with dots; null and the empty text are the default, so they are left out.

    SettingsError on YAML errors, unknown keys and keys that stand twice.
    """
    import yaml

    try:
        node = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{origin}:{mark.line + 1}" if mark else origin
        raise SettingsError(f"{where}: {getattr(error, 'problem', None) or 'not YAML'}") from None
    found: dict[str, Said] = {}
    for name, said in _entries(node, origin, ""):
        if name in found:
            raise SettingsError(f"{origin}:{said.line}: {name} stands twice; first in line {found[name].line}")
        found[name] = said
    return {name: said for name, said in found.items() if said.value not in (None, "")}


def _entries(node: Any, origin: str, prefix: str) -> Iterator[tuple[str, Said]]:
    """Keys and values of a mapping of YAML nodes, of its parts too."""
    if node is None or _plain(node) is None:
        return
    if not isinstance(node.value, list) or not all(isinstance(pair, tuple) for pair in node.value):
        where = f"{origin}:{node.start_mark.line + 1}"
        raise SettingsError(f"{where}: {prefix.rstrip('.') or 'the file'} must be a mapping of keys")
    for key, value in node.value:
        name, line = f"{prefix}{key.value}", key.start_mark.line + 1
        if any(known.name.startswith(f"{name}.") for known in KEYS):
            yield from _entries(value, origin, f"{name}.")
        elif any(known.name == name for known in KEYS):
            yield name, Said(_plain(value), line)
        else:
            raise SettingsError(f"{origin}:{line}: unknown key {name!r}{_near(name)}")


def _plain(node: Any) -> Any:
    """A scalar's value; ``...`` for what is none, or what cannot be read as what it says it is."""
    import yaml

    try:
        return ... if node.id != "scalar" else yaml.constructor.SafeConstructor().construct_object(node)
    except (ValueError, yaml.YAMLError):
        return ...


def _near(name: str) -> str:
    """The key that was meant: the nearest name, or the same name in another part."""
    from agentdoctor.nearest import nearest

    names = [key.name for key in KEYS]
    last = name.rpartition(".")[2]
    return nearest(next((x for x in names if x.rpartition(".")[2] == last), name), names)


def _fit(key: Key, said: Said, origin: str) -> Any:
    """The value of a key as Settings holds it."""
    where = f"{origin}:{said.line}: {key.name}"
    if type(said.value) is not key.kind:  # True is an int, and no number of hosts
        shown = "that" if said.value is ... else repr(said.value)
        raise SettingsError(f"{where} must be {KINDS[key.kind]}, not {shown}")
    try:
        return key.check(said.value)
    except ValueError as error:
        raise SettingsError(f"{where}: {error}") from None


def _absolute(path: str) -> str:
    if not os.path.isabs(path):
        raise ValueError(f"must be an absolute path, not {path!r}")
    return path


def _plain_http(url: str) -> str:
    if not url.startswith("http://"):
        raise ValueError(f"must begin with http://, not {url!r}")
    return url


def _topic(arn: str) -> Topic | None:
    """The topic of an ARN; none where there are only blanks."""
    from agentdoctor.sinks.topic import parse

    return parse(arn.strip()) if arn.strip() else None


def _url(text: str) -> str:
    """An endpoint: a scheme and a host, as of a VPC endpoint."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(text)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and not parts.username
    except ValueError:  # a port that is no number
        good = False
    if not good:
        raise ValueError(f"must be like https://HOST or http://HOST:PORT, not {text!r}")
    return text


def _positive(number: int) -> int:
    if number < 1:
        raise ValueError(f"must be 1 or more, not {number}")
    return number


class Key(NamedTuple):
    """A key of the file: its name with dots, the field that it fills, its meaning, and what makes a value fit."""

    name: str
    field: str
    kind: type
    about: str
    check: Callable[[Any], Any]

    @property
    def default(self) -> str | int | None:
        """None: there is none."""
        value: str | int | None = getattr(Settings, self.field)
        return value


KINDS = {str: "a text", int: "a whole number"}
KEYS = (
    Key("root", "root", str, "Where files are looked for; another folder is read as a copied tree.", _absolute),
    Key("rules_dir", "rules_dir", str, "The folder of the rules of this site.", str),
    Key("state_dir", "state_dir", str, "Where the service keeps what must survive a restart.", _absolute),
    Key("imds.endpoint", "imds_endpoint", str, "The instance metadata service.", _plain_http),
    Key("sns.topic_arn", "topic", str, "The topic that alerts go to; the Region is that of the ARN.", _topic),
    Key("sns.endpoint_url", "sns_endpoint_url", str, "A VPC endpoint, instead of the Region's own.", _url),
    Key("sns.fleet_size", "fleet_size", int, "How many hosts alert the same people.", _positive),
    Key("prometheus.textfile", "textfile", str, "The file that the service writes its metrics to.", _absolute),
)
