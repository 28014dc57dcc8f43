"""Every `MLOPS_*` key of the forge's configuration, its default and what it means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

MEBIBYTE = 1024 * 1024
WEEK = 7 * 24 * 3600
SHORTEST_TOKEN = 16
"""Characters."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The plugin's settings, read once by `MLOps.init_app`. `docs/settings.md` lists them."""

    artifacts_url: str = ""
    """Where artifacts go: a folder (`/srv/artifacts` or `file:///...`), `s3://bucket/prefix`,
    `gs://...` or `az://...`. Empty: the folder `mlops-artifacts` in the instance folder."""
    artifacts_options: Mapping[str, str] | None = None
    """Options of the object store by obstore's names, such as `endpoint`, `region`,
    `access_key_id` and `secret_access_key`."""
    artifacts_redirect: bool = False
    """Whether clients download from the object store itself, by signed addresses."""
    artifacts_url_seconds: int = 900
    """How long such an address is good, in seconds; at most a week, as in the clouds."""
    api_prefix: str = "/api/v4/projects"
    """What stands before `<project>/ml/mlflow` in the tracking URI."""
    read_scopes: tuple[str, ...] = ("api", "read_api", "mlops:read", "mlops:write")
    """Token scopes that let a token read."""
    write_scopes: tuple[str, ...] = ("api", "mlops:write")
    """Token scopes that let a token write."""
    max_body_bytes: int = 32 * MEBIBYTE
    """Largest JSON body of a tracking request, in bytes."""
    max_artifact_bytes: int = 0
    """Largest artifact, in bytes; 0 is no limit."""
    requests_per_minute: int = 0
    """Requests that one token may send to one process in a minute; 0 is no limit."""
    multipart_uploads: bool = True
    """Whether MLflow 3 clients send artifacts of 500 MB and more in parallel parts."""
    upload_url_seconds: int = 3600
    """How long the signed address of one part of a multipart upload is good, in seconds."""
    system_notes: bool = False
    """Whether the forge notes under a merge request or issue which candidates it newly mentions."""

    webhooks_thread: bool = True
    """Whether each process has a thread that sends the messages of webhooks. Without it,
    `flask mlops deliver-webhooks` has to."""
    webhooks_allow_private: tuple[str, ...] = ()
    """Networks that webhooks may reach although they are not public, such as `10.1.0.0/16`."""
    webhooks_through_proxy: bool = False
    """Whether messages of webhooks go through the proxy that `HTTPS_PROXY` and `HTTP_PROXY` name.
    The proxy then has to keep them out of private networks."""

    metrics_token: str = ""
    """Bearer token with which Prometheus reads `/-/mlops/metrics`; empty: nothing is measured."""

    @property
    def link_seconds(self) -> int:
        """How long the address of a download in the store is good; 0 if none are given out."""
        return min(self.artifacts_url_seconds, WEEK) if self.artifacts_redirect else 0

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Read the `MLOPS_*` keys; `ValueError` for one that is unknown or of a wrong type."""
        known = {f"MLOPS_{field.name.upper()}": field.name for field in fields(cls)}
        given = {key: value for key, value in config.items() if key.startswith("MLOPS_")}
        if unknown := sorted(given.keys() - known.keys()):
            raise ValueError(
                f"unknown setting {', '.join(unknown)}; known are {', '.join(sorted(known))}"
            )
        settings = cls(**{known[key]: value for key, value in given.items()})
        settings._check()
        return settings

    def _check(self) -> None:
        """Raise `ValueError` for a value of another type than its default's.

        A text where a number belongs would fail at the first request instead of at the start.
        """
        for field in fields(self):
            value, default = getattr(self, field.name), field.default
            good = isinstance(value, type(default)) and isinstance(value, bool) == isinstance(
                default, bool
            )
            if default is not None and not good:
                raise ValueError(
                    f"MLOPS_{field.name.upper()} is {value!r}; it must be a "
                    f"{type(default).__name__}, such as {default!r}"
                )
        if 0 < len(self.metrics_token) < SHORTEST_TOKEN:
            raise ValueError(
                f"MLOPS_METRICS_TOKEN has {len(self.metrics_token)} characters, which can be "
                f"guessed; make it a random text of at least {SHORTEST_TOKEN}"
            )
