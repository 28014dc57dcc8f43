"""The Flask extension, and the table of contents of the plugin."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Flask, current_app, request
from markupsafe import Markup

from gitlab_mlops.blueprints import bodies
from gitlab_mlops.blueprints.mlflow import api
from gitlab_mlops.blueprints.web import assets, pages
from gitlab_mlops.cli import cli
from gitlab_mlops.hooks import receivers
from gitlab_mlops.host import Actor, Host, Project
from gitlab_mlops.host_check import problems
from gitlab_mlops.mount import Mount
from gitlab_mlops.services import references
from gitlab_mlops.settings import Settings
from gitlab_mlops.storage import Storage


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
        for a setting that is unknown or wrong.
        """
        if found := problems(host):
            raise TypeError("\n".join(found))
        settings = Settings.from_config(app.config)
        storage = Storage.from_settings(settings, Path(app.instance_path) / "mlops-artifacts")
        app.extensions["mlops"] = mount = Mount(host, settings, storage)
        # Flask's documentation says to wrap it so; its annotation does not.
        app.wsgi_app = bodies.detach_bodies(  # type: ignore[method-assign, assignment]
            app.wsgi_app, settings.api_prefix
        )
        _register_api(app, settings)
        _register_pages(app, host)
        receivers.connect(app, mount)
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

    def link_references(self, html: str, *, project: Project, actor: Actor | None) -> Markup:
        """Turn `[candidate:42]` in a rendered, sanitized text of `project` into links.

        `html` is safe HTML; the answer is the same, byte for byte, but for references to what
        `actor` may see. Call it when the text is shown, for the reader it is shown to.
        """
        app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
        context = receivers.context_of(app, app.extensions["mlops"], project, actor)
        # The forge sanitized it, and what is added is escaped.
        return Markup(references.link(html, context))  # noqa: S704


def _register_api(app: Flask, settings: Settings) -> None:
    prefix = settings.api_prefix.rstrip("/")
    app.register_blueprint(api, url_prefix=f"{prefix}/<project>/ml/mlflow")


def _register_pages(app: Flask, host: Host) -> None:
    for number, rule in enumerate(host.chrome.web_prefixes):
        name = "mlops" if number == 0 else f"mlops_{number}"
        app.register_blueprint(pages, url_prefix=f"{rule.rstrip('/')}/-/ml", name=name)
    app.register_blueprint(assets)
