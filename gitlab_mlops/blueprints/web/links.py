"""Addresses of the pages, always below the project's canonical URL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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

    def experiment_charts(self, iid: int, **query: str | tuple[str, ...]) -> str:
        """The charts over the candidates of an experiment."""
        return self._url(f"experiments/{iid}/charts", query)

    def experiment_action(self, iid: int, action: str, **query: str | tuple[str, ...]) -> str:
        """Something below the page of an experiment: a form, an export, the data of a chart."""
        return self._url(f"experiments/{iid}/{action}", query)

    def compare(self, experiment_iid: int | None, candidates: Iterable[int], **query: str) -> str:
        """The comparison of candidates, of one experiment or (None) of several."""
        base = "compare" if experiment_iid is None else f"experiments/{experiment_iid}/compare"
        return self._url(base, {"candidates": ",".join(map(str, candidates)), **query})

    def candidate(self, iid: int, **query: str | tuple[str, ...]) -> str:
        """A candidate."""
        return self._url(f"candidates/{iid}", query)

    def candidate_charts(self, iid: int, **query: str | tuple[str, ...]) -> str:
        """The curves of a candidate's metrics."""
        return self._url(f"candidates/{iid}/charts", query)

    def candidate_action(self, iid: int, action: str, **query: str | tuple[str, ...]) -> str:
        """Something below the page of a candidate: a form, a file to look at, an archive."""
        return self._url(f"candidates/{iid}/{action}", query)

    def files(self, iid: int, **query: str) -> str:
        """A folder of a candidate's artifacts, or with the `path` of a file, its preview."""
        return self._url(f"candidates/{iid}/files", query)

    def artifact(self, iid: int, path: str) -> str:
        """An artifact to download."""
        return self._url(f"candidates/{iid}/artifacts/{quote(path)}", {})

    def picture(self, iid: int, path: str) -> str:
        """The bytes of an artifact that is a picture, for a page to show."""
        return self._url(f"candidates/{iid}/preview/{quote(path)}", {})

    def curves(self) -> str:
        """The points of curves, as JSON."""
        return self._url("curves", {})

    def merge_request(self, id: str) -> str:
        """The section about the candidates of a merge request, as it is now."""
        return self._url(f"merge_requests/{quote(id, safe='')}/candidates", {})

    def logged_model(self, model_id: str, **query: str) -> str:
        """A folder of a logged model's files, or with the `path` of a file, its preview."""
        return self._url(f"logged_models/{model_id}/files", query)

    def logged_model_file(self, model_id: str, action: str, path: str) -> str:
        """A file of a logged model: `artifacts` to download, `preview` for a picture to show."""
        return self._url(f"logged_models/{model_id}/{action}/{quote(path)}", {})

    def logged_model_archive(self, model_id: str, **query: str) -> str:
        """A folder of a logged model's files as a zip file."""
        return self._url(f"logged_models/{model_id}/archive", query)

    def models(self, **query: str) -> str:
        """The list of registered models."""
        return self._url("models", query)

    def model(self, name: str, **query: str) -> str:
        """A registered model with its versions. Names have spaces and all of Unicode, but no /."""
        return self._url(f"models/{quote(name, safe='')}", query)

    def model_action(self, name: str, action: str) -> str:
        """Something below the page of a registered model: a form."""
        return self._url(f"models/{quote(name, safe='')}/{action}", {})

    def version(self, name: str, version: int, **query: str) -> str:
        """A version of a registered model."""
        return self._url(f"models/{quote(name, safe='')}/versions/{version}", query)

    def version_action(self, name: str, version: int, action: str, **query: str) -> str:
        """Something below the page of a version: a form, its files."""
        return self._url(f"models/{quote(name, safe='')}/versions/{version}/{action}", query)

    def version_file(self, name: str, version: int, path: str) -> str:
        """A file of a version to download."""
        return self.version_action(name, version, f"artifacts/{quote(path)}")

    def version_picture(self, name: str, version: int, path: str) -> str:
        """The bytes of a file of a version that is a picture, for a page to show."""
        return self.version_action(name, version, f"preview/{quote(path)}")

    def webhooks(self, **query: str) -> str:
        """The list of webhooks."""
        return self._url("webhooks", query)

    def webhook(self, webhook_id: str, **query: str) -> str:
        """A webhook with its log."""
        return self._url(f"webhooks/{webhook_id}", query)

    def webhook_action(self, webhook_id: str, action: str) -> str:
        """Something below the page of a webhook: a form."""
        return self._url(f"webhooks/{webhook_id}/{action}", {})

    def webhook_delivery(self, webhook_id: str, line_id: int, action: str = "") -> str:
        """A message to a webhook, or something below its page."""
        more = f"/{action}" if action else ""
        return self._url(f"webhooks/{webhook_id}/deliveries/{line_id}{more}", {})

    def _url(self, path: str, query: Mapping[str, str | tuple[str, ...]]) -> str:
        given = {key: value for key, value in query.items() if value}
        return f"{self.base}/{path}" + (f"?{urlencode(given, doseq=True)}" if given else "")


def tracking_uri(api_prefix: str, project: Project) -> str:
    """What to set MLFLOW_TRACKING_URI to for this project."""
    return f"{request.url_root.rstrip('/')}{api_prefix.rstrip('/')}/{project.id}/ml/mlflow"
