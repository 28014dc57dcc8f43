"""`flask --app host_stub ...`: making tables, users, projects, members and tokens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click
from flask import Flask
from flask.cli import AppGroup

from host_stub.accounts import remove_user
from host_stub.database import DAY, create_tables, db, now
from host_stub.namespaces import create_group, find_namespace
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
    """Create what the forge's tables lack; `flask mlops db upgrade` makes the plugin's."""
    create_tables()


@commands.command("seed")
def seed_command() -> None:
    """People the forge for a try; print everybody's password, and a token."""
    with saying():
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
    with saying():
        user = create_user(username, password, name=name)
    click.echo(user.id)


@commands.command("block-user")
@click.argument("username")
@click.option("--undo", is_flag=True, help="Let the user in again.")
def block_user(username: str, undo: bool) -> None:
    """Lock a person out: sessions and tokens end to work at once."""
    with saying():
        the_user(username).is_blocked = not undo


@commands.command("create-group")
@click.argument("path")
@click.option("--owner", required=True)
def create_group_command(path: str, owner: str) -> None:
    """Create a group, or a subgroup (`group/subgroup`)."""
    with saying():
        create_group(path, the_user(owner))


@commands.command("create-project")
@click.argument("path")
@click.option("--visibility", type=click.Choice([v.value for v in Visibility]), default="private")
@click.option("--description", default="")
def create_project_command(path: str, visibility: str, description: str) -> None:
    """Create a project by its full path, and print its id."""
    parent, _, name = path.rpartition("/")
    with saying():
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
    with saying():
        add_member(the_project(project), the_user(username), Role[role.upper()])


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
    with saying():
        if username is not None:
            _, secret = create_token(the_user(username), name, scopes, expires_at=end)
        else:
            project = the_project(path or "")
            _, secret = create_project_token(
                project, name, scopes, Role[role.upper()], expires_at=end
            )
    click.echo(secret)


@commands.command("remove-user")
@click.argument("username")
def remove_user_command(username: str) -> None:
    """Delete a person's account for ever; what they wrote stays."""
    with saying():
        remove_user(the_user(username))


@contextmanager
def saying() -> Iterator[None]:
    """Commit what is done inside; tell what is wrong with it in a sentence, not a traceback."""
    try:
        yield
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    db.session.commit()


def the_user(username: str) -> User:
    """The user of this name; raises `ValueError` if there is none."""
    user = find_user(username)
    if user is None:
        raise ValueError(f"There is no user “{username}”.")
    return user


def the_project(path: str) -> Project:
    """The project of this full path; raises `ValueError` if there is none."""
    project = find_project(path)
    if project is None:
        raise ValueError(f"There is no project “{path}”.")
    return project
