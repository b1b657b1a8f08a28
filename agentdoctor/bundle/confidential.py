"""Secrets in a bundle: it lies in S3 and, five times over, on each instance, readable for whoever reads those.

What is found is told by its kind and its place, and never shown.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from agentdoctor import secrets
from agentdoctor.appspec.finding import Problem
from agentdoctor.bundle.entries import Bundle, Entry
from agentdoctor.model import Severity

_READ = 64 << 10  # bytes of a file that are looked at
_FILES = 500
_TOLD = 20  # files; whoever has more of them has understood
_RULE = "bundle-secret"
# Names of files that people keep secrets in. Reading all files of a bundle would take longer than all the rest.
_PLAIN = r"\.env(?:\..+)?|.+\.env|\.(?:netrc|npmrc|pypirc|pgpass|my\.cnf|git-credentials|dockercfg)|.+\.tfvars"
_PLAIN += r"|(?:credentials|secrets?)(?:\.(?:ya?ml|json|csv|properties|toml|ini|txt|xml|env))?"
_PLAIN += r"|.*accesskeys\.csv|\.?htpasswd"
_KEYS = r".+\.(?:pem|key|ppk|ovpn)|id_(?:rsa|dsa|ecdsa|ed25519)|.*service-?account.*\.json|.+\.tfstate"
_STORES = r".+\.(?:p12|pfx|jks|keystore|kdbx)"
_NAMED = re.compile(rf"(?i)(?P<plain>{_PLAIN})|(?P<keys>{_KEYS})|(?P<stores>{_STORES})")
_SAMPLE = re.compile(r"(?i)\.(?:example|sample|template|dist|tmpl)$")
# What others have packed holds keys of their tests.
_OTHERS = re.compile(r"(?:^|/)(?:node_modules|site-packages|dist-packages|vendor)/")

# Kinds that are known by their own form, and not by a name before them, which may be anything in a script.
_FORMED = ("access-key", "session-token", "private-key", "api-key", "webhook")
_TOKEN = re.compile(r"(?:gh[pousr]_|github_pat_|gl[a-z]{2,4}-|xox|xapp-|npm_|pypi-)")
_WORDS = {
    "access-key": "an access key of AWS",
    "secret-key": "a secret key",
    "session-token": "a session token of AWS",
    "private-key": "a private key",
    "api-key": "a key of a service",
    "webhook": "the address of a webhook",
    "token": "a token",
    "password": "a password",
}


def telling(path: str) -> bool:
    """Whether a file may hold secrets by its name."""
    return bool(_NAMED.fullmatch(posixpath.basename(path))) and not _OTHERS.search(path)


def confidential(bundle: Bundle, entries: Mapping[str, Entry]) -> Iterator[Problem]:
    """Of the files that are telling by their names, the first secret of each."""
    wanted = [(path, entry) for path, entry in entries.items() if entry.kind == "file" and telling(path)][:_FILES]
    paths = {entry.path: path for path, entry in wanted}
    found = [_store(path) for path, _ in wanted if _kind(path) == "stores"]
    read = [entry for path, entry in wanted if _kind(path) != "stores"]
    for entry, content in bundle.read(read, _READ):
        path = paths[entry.path]
        plain = _kind(path) == "plain" and not _SAMPLE.search(path)
        found += list(content_of(path, content, formed=not plain))[:1]
    yield from found[:_TOLD]
    if len(found) > _TOLD:
        yield _problem(found[_TOLD].path, 0, f"here too, and in {len(found) - _TOLD - 1} more files", 0)


def _kind(path: str) -> str:
    found = _NAMED.fullmatch(posixpath.basename(path))
    return str(found.lastgroup) if found else ""


def _store(path: str) -> Problem:
    return _problem(path, 0, "by its name this is a store of keys", 0)


def content_of(path: str, content: bytes, formed: bool = True) -> Iterator[Problem]:
    """The secrets in a file, of each kind the first; ``formed``: only those that are known by their own form."""
    if b"\0" in content[:1024]:
        return
    text = content.decode("utf-8", "replace")
    met: dict[str, str] = {}

    def note(kind: str, secret: str) -> str:
        if "EXAMPLE" not in secret and (not formed or kind in _FORMED or (kind == "token" and _TOKEN.match(secret))):
            met.setdefault(kind, secret)
        return secret

    secrets.replace(text, note)
    for kind, secret in _apart(met.items()):
        at = text.find(secret)
        line, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
        yield _problem(path, line, f"{_WORDS.get(kind, 'a secret')} stands here", column)


def _apart(found: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Without a secret that is part of another one, which two patterns have found."""
    pairs = list(found)
    return (pair for pair in pairs if not any(pair[1] in other and pair[1] != other for _, other in pairs))


def _problem(path: str, line: int, words: str, column: int) -> Problem:
    told = Problem(_RULE, words, line, column, path, details={"path": path})
    return replace(told, severity=Severity.WARNING)
