"""Makes obstore's store out of the settings."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from obstore.exceptions import BaseError
from obstore.store import LocalStore, MemoryStore, from_url

from gitlab_mlops.errors import Unavailable

if TYPE_CHECKING:
    from obstore.store import ObjectStore

logger = logging.getLogger(__name__)

REMOTE_SCHEMES = frozenset({"s3", "s3a", "gs", "az", "adl", "azure", "abfs", "abfss"})

# obstore wants the options of its HTTP client apart from those of the store; the names are those
# of `obstore.store.ClientConfig`, which exists for type checkers only.
CLIENT_OPTIONS = frozenset(
    {
        "allow_http",
        "allow_invalid_certificates",
        "connect_timeout",
        "http1_only",
        "pool_idle_timeout",
        "pool_max_idle_per_host",
        "proxy_ca_certificate",
        "proxy_excludes",
        "proxy_url",
        "read_timeout",
        "root_certificate",
        "timeout",
        "user_agent",
    }
)

# A dead store has to answer in seconds, since a worker waits. `timeout` is for one whole request,
# bodies included: obstore's 30 s would cut off every long download, so silence is what counts.
PATIENCE = {"connect_timeout": "3s", "read_timeout": "30s", "timeout": "1day"}
RETRY = {
    "max_retries": 3,
    "retry_timeout": timedelta(seconds=10),
    "backoff": {
        "init_backoff": timedelta(milliseconds=100),
        "max_backoff": timedelta(seconds=2),
        "base": 2,
    },
}

# obstore runs its I/O on threads that it starts at the first use and that a fork does not copy:
# a child that inherited them would wait for ever. Building a store starts none.
_used_in: int | None = None


def check_fork() -> None:
    """Raise `RuntimeError` if obstore was used in a parent of this process."""
    global _used_in
    pid = os.getpid()
    if _used_in not in (None, pid):
        raise RuntimeError(
            "The artifact store was used before this process was forked, so it cannot work here. "
            "Do not read or write artifacts while the application is loaded (gunicorn --preload)."
        )
    _used_in = pid


def local_folder(url: str, default: Path) -> Path | None:
    """The folder that `MLOPS_ARTIFACTS_URL` names, or None if it names something else.

    Raises `ValueError` for a relative folder and for a scheme that is not known.
    """
    if not url:
        return default
    parts = urlsplit(url)
    if parts.scheme in REMOTE_SCHEMES or url == "memory:///":
        return None
    if parts.scheme not in ("", "file") or parts.netloc:
        raise ValueError(
            f"MLOPS_ARTIFACTS_URL: {url!r} is neither a folder nor one of file:///, "
            f"{', '.join(f'{scheme}://' for scheme in sorted(REMOTE_SCHEMES))}"
        )
    folder = Path(unquote(parts.path) if parts.scheme else url)
    if not folder.is_absolute():
        raise ValueError(f"MLOPS_ARTIFACTS_URL: the folder {url!r} must be an absolute path")
    return folder


def open_folder(folder: Path) -> LocalStore:
    """The store of a local folder, which is made if it is not there; raises `Unavailable`."""
    try:
        return LocalStore(folder, mkdir=True, automatic_cleanup=True)
    except (OSError, BaseError) as error:
        logger.error("The folder of the artifacts, %s, cannot be made: %s", folder, error)
        raise Unavailable("The artifact store cannot be reached at the moment.") from error


def connect(url: str, options: Mapping[str, str]) -> ObjectStore:
    """The object store that `url` names; `ValueError` for options that it does not know."""
    if url == "memory:///":
        return MemoryStore()
    client: dict[str, Any] = dict(PATIENCE)
    if any(value.startswith("http://") for key, value in options.items() if "endpoint" in key):
        client["allow_http"] = "true"
    client |= {key: value for key, value in options.items() if key in CLIENT_OPTIONS}
    config: Any = {key: value for key, value in options.items() if key not in CLIENT_OPTIONS}
    try:
        return from_url(url, config=config, client_options=client, retry_config=RETRY)  # type: ignore[call-overload, no-any-return]
    except BaseError as error:
        raise ValueError(f"MLOPS_ARTIFACTS_OPTIONS: {str(error).splitlines()[0]}") from None
