"""`flask mlops ...`: what an operator of the forge does with the plugin from a shell."""

from __future__ import annotations

from collections.abc import Iterator

import click
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy import Engine

from gitlab_mlops import keys, migrations
from gitlab_mlops.cli import doctor as doctor_checks
from gitlab_mlops.cli.findings import Level
from gitlab_mlops.host import Project
from gitlab_mlops.mount import Mount
from gitlab_mlops.services import artifacts, purge, uploads
from gitlab_mlops.services.webhooks import delivery
from gitlab_mlops.services.webhooks.delivery import Sender
from gitlab_mlops.services.webhooks.transport import Transport

cli = AppGroup("mlops", help="Experiment tracking: its database, its data, its health.")
database = AppGroup("db", help="The plugin's tables, in every database of the forge.")
cli.add_command(database)


def _mount() -> Mount:
    mount: Mount = current_app.extensions["mlops"]
    return mount


def _engines() -> Iterator[Engine]:
    """Every database of the forge, named on the screen if there are several."""
    engines = _mount().host.engines()
    for engine in engines:
        if len(engines) > 1:
            click.echo(f"{engine.url}:")
        yield engine


@database.command()
@click.argument("revision", default="head")
def upgrade(revision: str) -> None:
    """Create the tables, or bring them up to this version of the plugin."""
    for engine in _engines():
        migrations.upgrade(engine, revision)
        click.echo(f"The database is at revision {migrations.current(engine)}.")


@database.command()
@click.argument("revision")
@click.option("--yes", is_flag=True, help="Do not ask.")
def downgrade(revision: str, yes: bool) -> None:
    """Take the tables back to an older REVISION; `base` drops them with all they hold."""
    if not yes:
        click.confirm("This can delete experiments, and cannot be undone. Go on?", abort=True)
    for engine in _engines():
        migrations.downgrade(engine, revision)
        click.echo(f"The database is at revision {migrations.current(engine) or 'base'}.")


@database.command()
def current() -> None:
    """Show the revision that the database is at."""
    for engine in _engines():
        found = migrations.current(engine)
        click.echo(f"{found or 'base'}{' (head)' if found == migrations.head() else ''}")


@database.command()
def check() -> None:
    """Fail unless the tables are what this version of the plugin needs."""
    problems = [problem for engine in _engines() for problem in migrations.check(engine)]
    for problem in problems:
        click.echo(problem, err=True)
    if problems:
        raise click.exceptions.Exit(1)
    click.echo("The tables are what this version of the plugin needs.")


@cli.command()
def doctor() -> None:
    """Check that everything the plugin needs is there, and say what to do if not."""
    findings = list(doctor_checks.examine(current_app, _mount()))
    for finding in findings:
        click.echo(finding.line())
    if any(finding.level is Level.FAILED for finding in findings):
        raise click.exceptions.Exit(1)


@cli.command("purge-project")
@click.argument("project_id", type=int)
@click.option("--yes", is_flag=True, help="Do not ask.")
def purge_project(project_id: int, yes: bool) -> None:
    """Delete all experiments, candidates and artifacts of the project with this id.

    For projects that were deleted while the forge did not tell the plugin.
    """
    mount = _mount()
    project = mount.host.projects.by_id(project_id) or Project(project_id, "a deleted project")
    if not yes:
        text = f"Delete all experiments of {project.path} (id {project.id}), for good?"
        click.confirm(text, abort=True)
    files: list[int] = []
    session = mount.host.session(project)
    candidates = purge.purge_project(
        session, project.id, lambda id: files.append(artifacts.delete_all(mount.storage, id))
    )
    session.commit()
    click.echo(f"Deleted: {candidates} candidates, {sum(files)} files.")
    if not files:
        raise click.ClickException("Not all files could be deleted; the log says why.")


@cli.command("sweep-uploads")
@click.option(
    "--hours", type=click.IntRange(min=1), default=24, help="Uploads silent for so long are dead."
)
def sweep_uploads(hours: int) -> None:
    """Delete what uploads that were cut off have left; run it daily."""
    mount, seconds = _mount(), hours * 3600
    if seconds < mount.settings.upload_url_seconds:
        raise click.UsageError("--hours is less than MLOPS_UPLOAD_URL_SECONDS: uploads may live")
    parts = uploads.sweep(mount.storage, seconds)
    files = mount.storage.sweep(seconds)
    click.echo(f"Deleted: {parts} multipart uploads, {files} files of other uploads.")


@cli.command("deliver-webhooks")
def deliver_webhooks() -> None:
    """Send the messages of webhooks that are due; run it every minute.

    For forges that set MLOPS_WEBHOOKS_THREAD to False, because their processes cannot have
    threads. It also forgets what is older than the log keeps.
    """
    sender = Sender(Transport.of(_mount().settings), keys.secrets_of(current_app))
    engines = _mount().host.engines()
    good, bad = delivery.deliver_all(engines, sender)
    forgotten = sum(delivery.clean(engine) for engine in engines)
    click.echo(f"Sent: {good} messages; failed: {bad}. Forgotten: {forgotten} old ones.")
