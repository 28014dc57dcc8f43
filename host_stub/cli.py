"""`flask --app host_stub ...`: making tables, users, projects, members, tokens and jobs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click
from flask import Flask
from flask.cli import AppGroup

from host_stub.database import DAY, Base, db, now
from host_stub.namespaces import create_group, find_namespace
from host_stub.pipelines import ENDED, Job, create_pipeline, finish_job, start_job
from host_stub.projects import (
    Project,
    Role,
    Visibility,
    add_member,
    create_project,
    find_project,
)
from host_stub.seed import seed
from host_stub.tokens import SCOPES, create_project_token, create_token
from host_stub.users import User, create_user, find_user

ROLES = click.Choice([role.name.lower() for role in Role])
commands = AppGroup()


def init_app(app: Flask) -> None:
    """Add the commands to `flask`."""
    for command in commands.commands.values():
        app.cli.add_command(command)


@commands.command("init-db")
def init_db() -> None:
    """Create the forge's tables that are missing; `flask mlops db upgrade` makes the plugin's."""
    Base.metadata.create_all(db.engine)


@commands.command("seed")
def seed_command() -> None:
    """People the forge for a try; print everybody's password, and a token."""
    with _saying():
        made = seed()
    for name, secret in made.items():
        click.echo(f"{name} {secret}")


@commands.command("create-user")
@click.argument("username")
@click.option("--name", help="Full name.")
@click.option(
    "--password", envvar="HOST_STUB_PASSWORD", prompt=True, hide_input=True,
    confirmation_prompt=True, help="Better asked for, or in HOST_STUB_PASSWORD.",
)  # fmt: skip
def create_user_command(username: str, name: str | None, password: str) -> None:
    """Create a person."""
    with _saying():
        user = create_user(username, password, name=name)
    click.echo(user.id)


@commands.command("block-user")
@click.argument("username")
@click.option("--undo", is_flag=True, help="Let the user in again.")
def block_user(username: str, undo: bool) -> None:
    """Lock a person out: sessions and tokens end to work at once."""
    with _saying():
        _user(username).is_blocked = not undo


@commands.command("create-group")
@click.argument("path")
@click.option("--owner", required=True)
def create_group_command(path: str, owner: str) -> None:
    """Create a group, or a subgroup (`group/subgroup`)."""
    with _saying():
        create_group(path, _user(owner))


@commands.command("create-project")
@click.argument("path")
@click.option("--visibility", type=click.Choice([v.value for v in Visibility]), default="private")
@click.option("--description", default="")
def create_project_command(path: str, visibility: str, description: str) -> None:
    """Create a project by its full path, and print its id."""
    parent, _, name = path.rpartition("/")
    with _saying():
        namespace = find_namespace(parent)
        if namespace is None:
            raise ValueError(f"There is no user or group “{parent}”.")
        project = create_project(namespace, name, visibility=visibility, description=description)
    click.echo(project.id)


@commands.command("add-member")
@click.argument("project")
@click.argument("username")
@click.argument("role", type=ROLES)
def add_member_command(project: str, username: str, role: str) -> None:
    """Give a user a role in a project."""
    with _saying():
        add_member(_project(project), _user(username), Role[role.upper()])


@commands.command("create-token")
@click.option("--user", "username", help="For a personal token.")
@click.option("--project", "path", help="For a project's token.")
@click.option("--role", type=ROLES, default="developer", help="Of the project's token.")
@click.option("--scope", "scopes", type=click.Choice(list(SCOPES)), multiple=True, default=["api"])
@click.option("--name", default="cli")
@click.option("--days", type=click.IntRange(min=1), default=30, help="Until it expires.")
def create_token_command(
    username: str | None, path: str | None, role: str, scopes: list[str], name: str, days: int
) -> None:
    """Create an access token, and print its secret alone, for use in a script."""
    if (username is None) == (path is None):
        raise click.UsageError("give either --user or --project")
    end = now() + days * DAY
    with _saying():
        if username is not None:
            _, secret = create_token(_user(username), name, scopes, expires_at=end)
        else:
            project = _project(path or "")
            _, secret = create_project_token(
                project, name, scopes, Role[role.upper()], expires_at=end
            )
    click.echo(secret)


@commands.command("start-job")
@click.argument("project")
@click.option("--user", required=True)
@click.option("--name", default="train")
@click.option("--ref", default="main")
@click.option("--sha", help="The commit; some commit if it is left out.")
@click.option("--merge-request", type=int, help="The number of the merge request it is for.")
def start_job_command(
    project: str, user: str, name: str, ref: str, sha: str | None, merge_request: int | None
) -> None:
    """Start a pipeline of one job; print the job's id and the secret of its token."""
    with _saying():
        pipeline = create_pipeline(
            _project(project), _user(user), ref=ref, sha=sha, merge_request_iid=merge_request
        )
        job, secret = start_job(pipeline, name)
    click.echo(f"{job.id} {secret}")


@commands.command("finish-job")
@click.argument("job_id", type=int)
@click.argument("status", type=click.Choice(ENDED), default="success")
def finish_job_command(job_id: int, status: str) -> None:
    """End a job, and with it its token."""
    with _saying():
        job = db.session.get(Job, job_id)
        if job is None:
            raise ValueError(f"There is no job {job_id}.")
        finish_job(job, status)


@contextmanager
def _saying() -> Iterator[None]:
    """Commit what is done inside; tell what is wrong with it in a sentence, not a traceback."""
    try:
        yield
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    db.session.commit()


def _user(username: str) -> User:
    user = find_user(username)
    if user is None:
        raise ValueError(f"There is no user “{username}”.")
    return user


def _project(path: str) -> Project:
    project = find_project(path)
    if project is None:
        raise ValueError(f"There is no project “{path}”.")
    return project
