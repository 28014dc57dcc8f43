"""The Flask extension, and the table of contents of the plugin."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Flask, current_app, request
from markupsafe import Markup

from gitlab_mlops.blueprints import bodies, health, metrics
from gitlab_mlops.blueprints.allowance import ALLOWANCE, Allowance
from gitlab_mlops.blueprints.mlflow import api
from gitlab_mlops.blueprints.web import assets, discussion, pages, proposal
from gitlab_mlops.blueprints.web.blueprint import asset_tags
from gitlab_mlops.cli import cli
from gitlab_mlops.hooks import receivers, webhooks
from gitlab_mlops.host import Actor, Host, Project, Source
from gitlab_mlops.host_check import problems
from gitlab_mlops.mount import Mount
from gitlab_mlops.services import references
from gitlab_mlops.settings import Settings
from gitlab_mlops.storage import Storage

EMBEDDED = (
    *("mlops.css", "references.css", "proposal.css"),
    *("references.js", "suggestions.js", "morph.js", "proposal.js"),
)
"""Style sheets and scripts below `static/mlops`, for what shows on the forge's own pages."""

WITHOUT_KEY = (
    "SECRET_KEY is not set. The plugin signs and encrypts with it, and has none of its own: set it "
    "before init_app to a long random text, the same one in every process."
)


class MLOps:
    """Mounts the plugin: `MLOps().init_app(app, host=Host(...))`.

    Nothing is kept on the instance; one instance serves any number of applications.
    """

    api_blueprints: tuple[Blueprint, ...] = (api,)
    """The blueprints of MLflow's API, for what exempts blueprints, such as Flask-WTF's CSRF."""

    def __init__(self, app: Flask | None = None, host: Host | None = None) -> None:
        if app is not None and host is not None:
            self.init_app(app, host=host)

    def init_app(self, app: Flask, *, host: Host) -> None:
        """Mount the plugin into `app`.

        Raises `TypeError` with a sentence for each thing the host bundle lacks, and `ValueError`
        for a setting that is unknown or wrong, and without a `SECRET_KEY`.
        """
        if found := problems(host):
            raise TypeError("\n".join(found))
        if not app.secret_key:
            raise ValueError(WITHOUT_KEY)
        settings = Settings.from_config(app.config)
        storage = Storage.from_settings(settings, Path(app.instance_path) / "mlops-artifacts")
        app.extensions["mlops"] = mount = Mount(host, settings, storage)
        if settings.requests_per_minute:
            app.extensions[ALLOWANCE] = Allowance(settings.requests_per_minute)
        # Flask's documentation says to wrap it so; its annotation does not.
        app.wsgi_app = bodies.detach_bodies(  # type: ignore[method-assign, assignment]
            app.wsgi_app, settings.api_prefix
        )
        _register_api(app, settings)
        _register_pages(app, host)
        health.connect(app, mount)
        metrics.connect(app, mount)
        receivers.connect(app, mount)
        webhooks.connect(app, mount)
        app.cli.add_command(cli)

    def owns_request(self) -> bool:
        """Whether the current request is for MLflow's API: no cookie or form of yours is in it.

        Hooks of the forge that check CSRF tokens or parse forms return at once if this is true.
        """
        return bodies.owns(request)

    def experiments_url(self, project: Project) -> str:
        """Path of the project's experiments, for the forge's navigation."""
        mount: Mount = current_app.extensions["mlops"]
        return f"{mount.host.chrome.project_url(project)}/-/ml/experiments"

    def models_url(self, project: Project) -> str:
        """Path of the project's registered models, for the forge's navigation."""
        mount: Mount = current_app.extensions["mlops"]
        return f"{mount.host.chrome.project_url(project)}/-/ml/models"

    def assets(self) -> Markup:
        """Elements for the `<head>` of the forge's pages: cards of references, completion, panels.

        Without them everything works, as plain links and text. Loading them twice does nothing
        twice.
        """
        mount: Mount = current_app.extensions["mlops"]
        return asset_tags(EMBEDDED, mount.host.chrome.csp_nonce())

    def completion_url(self, project: Project) -> str:
        """Path for the attribute `data-mlops-complete` of a textarea: it completes references."""
        mount: Mount = current_app.extensions["mlops"]
        return f"{mount.host.chrome.project_url(project)}/-/ml/suggestions"

    def link_references(
        self, html: str, *, project: Project, actor: Actor | None, external: bool = False
    ) -> Markup:
        """Turn `[candidate:42]` in a rendered, sanitized text of `project` into links.

        `html` is safe HTML; the answer is the same, byte for byte, but for references to what
        `actor` may see. Call it when the text is shown, for the reader it is shown to. `external`:
        for a reader elsewhere, such as in mail; addresses are absolute and no script is needed.
        """
        app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
        mount: Mount = app.extensions["mlops"]
        context = receivers.context_of(app, mount, project, actor, external=external)
        # The forge sanitized it, and what is added is escaped.
        return Markup(references.link(html, context, external=external))  # noqa: S704

    def merge_request_panel(self, project: Project, id: str, *, actor: Actor | None) -> Markup:
        """A section for the page of a merge request of `project`: the candidates of its commits.

        It compares them with those of the target branch, and shows what the gate says. It is
        empty if `actor` may not see the project's experiments, or not the merge request.
        """
        return proposal.panel(project, id, actor)

    def commit_panel(self, project: Project, sha: str, *, actor: Actor | None) -> Markup:
        """A section for the page of a commit: its candidates, as far as `actor` may see them."""
        return discussion.commit_panel(project, sha, actor)

    def mentions_panel(self, source: Source, project: Project, *, actor: Actor | None) -> Markup:
        """A section for the page of `source`, a merge request or issue of `project`.

        It lists the candidates that are mentioned there, those that `actor` may see.
        """
        return discussion.mentions_panel(source, project, actor)


def _register_api(app: Flask, settings: Settings) -> None:
    prefix = settings.api_prefix.rstrip("/")
    app.register_blueprint(api, url_prefix=f"{prefix}/<project>/ml/mlflow")


def _register_pages(app: Flask, host: Host) -> None:
    for number, rule in enumerate(host.chrome.web_prefixes):
        name = "mlops" if number == 0 else f"mlops_{number}"
        app.register_blueprint(pages, url_prefix=f"{rule.rstrip('/')}/-/ml", name=name)
    app.register_blueprint(assets)
