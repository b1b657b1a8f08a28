"""Digests. hashlib loads OpenSSL, 3 MB that a service at rest does not need; these come with Python itself."""

from __future__ import annotations

try:
    from _blake2 import blake2b

    try:
        from _sha2 import sha256  # type: ignore[import-not-found]  # since Python 3.12
    except ImportError:
        from _sha256 import sha256  # type: ignore[import-not-found]
except ImportError:  # an implementation that has only the public door
    from hashlib import blake2b, sha256

__all__ = ["blake2b", "hexadecimal", "sha256"]


def hexadecimal(*parts: str) -> str:
    """The digest of texts, 64 characters; that of ("ab", "c") is another than that of ("a", "bc")."""
    return str(sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest())
