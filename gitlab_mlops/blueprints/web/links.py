"""Addresses of the pages, always below the project's canonical URL."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, urlencode

from flask import request

from gitlab_mlops.host import Host, Project


@dataclass(frozen=True, slots=True)
class Links:
    """Where the pages of one project are. Empty parts of a query are left out."""

    base: str

    @classmethod
    def of(cls, host: Host, project: Project) -> Links:
        """The pages of this project."""
        return cls(f"{host.chrome.project_url(project)}/-/ml")

    def experiments(self, **query: str) -> str:
        """The list of experiments."""
        return self._url("experiments", query)

    def experiment(self, iid: int, **query: str | tuple[str, ...]) -> str:
        """The candidates of an experiment."""
        return self._url(f"experiments/{iid}", query)

    def candidate(self, iid: int, **query: str) -> str:
        """A candidate."""
        return self._url(f"candidates/{iid}", query)

    def folder(self, iid: int, path: str) -> str:
        """A folder of a candidate's artifacts, as its page shows it."""
        return f"{self.candidate(iid, path=path)}#artifacts"

    def artifact(self, iid: int, path: str) -> str:
        """An artifact to download."""
        return self._url(f"candidates/{iid}/artifacts/{quote(path)}", {})

    def trash(self, iid: int) -> str:
        """Where the form goes that moves a candidate to the trash."""
        return self._url(f"candidates/{iid}/trash", {})

    def restore(self, iid: int) -> str:
        """Where the form goes that takes a candidate out of the trash."""
        return self._url(f"candidates/{iid}/restore", {})

    def _url(self, path: str, query: dict[str, str] | dict[str, str | tuple[str, ...]]) -> str:
        given = {key: value for key, value in query.items() if value}
        return f"{self.base}/{path}" + (f"?{urlencode(given, doseq=True)}" if given else "")


def tracking_uri(api_prefix: str, project: Project) -> str:
    """What to set MLFLOW_TRACKING_URI to for this project."""
    return f"{request.url_root.rstrip('/')}{api_prefix.rstrip('/')}/{project.id}/ml/mlflow"
