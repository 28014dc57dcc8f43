"""The secrets of webhooks, encrypted with the forge's own secret key.

The library is loaded when it is first used: it takes 7 MB, and most workers never need it.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import TYPE_CHECKING

from gitlab_mlops.errors import NotSupported

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

Secrets = Sequence[bytes]
"""The forge's secret keys, the current one last."""


class Unreadable(Exception):
    """A secret was encrypted with a key that the forge has no more."""


def seal(secrets: Secrets, text: str) -> str:
    """The text, so that only a forge with one of its keys reads it."""
    return _box(secrets).encrypt(text.encode()).decode()


def unseal(secrets: Secrets, sealed: str) -> str:
    """What `seal` was given; raises `Unreadable`."""
    from cryptography.fernet import InvalidToken

    try:
        return _box(secrets).decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise Unreadable from None


def require_key(secrets: Secrets) -> None:
    """Raise `NotSupported` for a forge that could not keep a secret."""
    if not secrets:
        raise NotSupported(
            "This forge has no SECRET_KEY, and without one no secret can be kept; ask its operator "
            "to set it."
        )


def _box(secrets: Secrets) -> MultiFernet:
    """Encrypts with the current key, decrypts with each of them."""
    from cryptography.fernet import Fernet, MultiFernet

    require_key(secrets)
    return MultiFernet([Fernet(_derived(secret)) for secret in reversed(secrets)])


def _derived(secret: bytes) -> bytes:
    """A key for this purpose alone; sessions are signed with the secret itself."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    kdf = HKDF(hashes.SHA256(), length=32, salt=None, info=b"mlops.webhooks")
    return base64.urlsafe_b64encode(kdf.derive(secret))
