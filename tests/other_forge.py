"""A forge that differs from host_stub in everything, as old and small forges do.

A plain engine and a scoped session; project URLs of three shapes; numbers for tickets and merge
requests from one sequence; tokens without scopes or end, sent as a password; no internal projects,
no Content-Security-Policy and no CI; and every request's form is parsed, limited to a megabyte and
checked for a CSRF token. With `texts`, tickets mention candidates, and say so from a worker that
has no request.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Flask, abort, render_template_string, request, session
from jinja2 import DictLoader
from markupsafe import escape
from sqlalchemy import ForeignKey, create_engine, delete, select, tuple_
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, scoped_session, sessionmaker

import gitlab_mlops
from gitlab_mlops import Ability, Actor, Credential, Events, Host, MLOps, Source, SourceLink

PREFIXES = ("/<repo>", "/<namespace>/<repo>", "/fork/<username>/<repo>")
LEVELS = {"ticket": 1, "commit": 2, "admin": 3}
NEEDED = {Ability.READ: 1, Ability.WRITE: 2, Ability.MAINTAIN: 3}
TEMPLATES = {
    "frame.html": """<!doctype html><html><head><title>{% block title %}{% endblock %}</title>
{% block head %}{% endblock %}</head><body><h1>Other forge: {{ repo }}</h1>
{% block content %}{% endblock %}</body></html>""",
    "bare.html": "{% block content %}{% endblock %}",
}
TICKET = "{% extends 'frame.html' %}{% block content %}{{ html }}{% for n in notes %}<p>{{ n }}"
TICKET += "{% endfor %}{% endblock %}"


class Base(DeclarativeBase):
    """The forge's own tables."""


class User(Base):
    __tablename__ = "users"
    __table_args__ = {"sqlite_autoincrement": True}
    id: Mapped[int] = mapped_column(primary_key=True)
    user: Mapped[str] = mapped_column(unique=True)


class Repo(Base):
    __tablename__ = "repos"
    __table_args__ = {"sqlite_autoincrement": True}
    id: Mapped[int] = mapped_column(primary_key=True)
    path: Mapped[str] = mapped_column(unique=True)
    private: Mapped[bool]
    tickets: Mapped[int] = mapped_column(default=0)


class Access(Base):
    __tablename__ = "access"
    repo_id: Mapped[int] = mapped_column(ForeignKey("repos.id"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    level: Mapped[str]


class Token(Base):
    __tablename__ = "tokens"
    digest: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))


class Ticket(Base):
    """A ticket or a merge request: they share their numbers, so they are one kind of source."""

    __tablename__ = "tickets"
    repo_id: Mapped[int] = mapped_column(ForeignKey("repos.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]
    notes: Mapped[str] = mapped_column(default="")


def digest_of(secret: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def url_of(repo: str) -> str:
    """Path of a repo's page."""
    return f"/{repo}"


@dataclass
class Adapter:
    """Every part of the adapter in one object, which is how small forges write it."""

    db: scoped_session[Any]
    web_prefixes = PREFIXES
    csrf_field = "_token"

    def web_actor(self) -> Actor | None:
        return self._actor(self.db.get(User, session["user"])) if "user" in session else None

    def authenticate(self, credential: Credential) -> Actor | None:
        if credential.scheme != "basic":
            return None
        mine = select(User).join(Token, Token.user_id == User.id)
        user = self.db.scalar(mine.where(Token.digest == digest_of(credential.secret)))
        return self._actor(user) if user and user.user == credential.username else None

    def actors(self, ids: Collection[str]) -> Mapping[str, Actor]:
        numbers = [int(id) for id in ids if id.isdecimal()]
        found = self.db.scalars(select(User).where(User.id.in_(numbers)))
        return {str(user.id): self._actor(user) for user in found}

    def by_id(self, project_id: int) -> gitlab_mlops.Project | None:
        # Beyond its integers PostgreSQL would raise instead of finding nothing.
        return self._project(self.db.get(Repo, project_id) if abs(project_id) < 2**31 else None)

    def by_path(self, path: str) -> gitlab_mlops.Project | None:
        return self._project(self.db.scalar(select(Repo).where(Repo.path == path)))

    def by_url(self, values: Mapping[str, Any]) -> gitlab_mlops.Project | None:
        if "username" in values:
            return self.by_path(f"fork/{values['username']}/{values['repo']}")
        return self.by_path("/".join(filter(None, (values.get("namespace"), values["repo"]))))

    def can(self, actor: Actor | None, ability: Ability, project: gitlab_mlops.Project) -> bool:
        repo = self.db.get(Repo, project.id)
        access = repo and actor and self.db.get(Access, (repo.id, int(actor.id)))
        level = LEVELS[access.level] if access else 0
        return repo is not None and max(level, 0 if repo.private else 1) >= NEEDED[ability]

    def base_template(self) -> str:
        return "frame.html"

    def context(self, project: gitlab_mlops.Project, page: str) -> Mapping[str, Any]:
        return {"repo": project.path}

    def project_url(self, project: gitlab_mlops.Project) -> str:
        return url_of(project.path)

    def csrf_token(self) -> str:
        return str(session.setdefault("csrf", secrets.token_hex()))

    def check_csrf(self) -> bool:
        return secrets.compare_digest(
            request.form.get("_token", "").encode(), self.csrf_token().encode()
        )

    def csp_nonce(self) -> str | None:
        return None

    def login_url(self, next_url: str) -> str:
        return "/login/"

    def tokens_url(self) -> str | None:
        return None

    def links(
        self, actor: Actor | None, sources: Collection[Source]
    ) -> Mapping[Source, SourceLink]:
        wanted = [(s.project_id, int(s.id)) for s in sources if s.id.isdecimal()]
        mine = select(Ticket.number, Repo).join(Repo, Repo.id == Ticket.repo_id)
        found = mine.where(tuple_(Ticket.repo_id, Ticket.number).in_(wanted))
        own = select(Access.repo_id).where(Access.user_id == int(actor.id if actor else 0))
        members = set(self.db.scalars(own))
        links = {
            Source(repo.id, "ticket", str(number)): SourceLink(
                f"{repo.path}#{number}", "", f"{url_of(repo.path)}/c/{number}"
            )
            for number, repo in self.db.execute(found)
            if not repo.private or repo.id in members
        }
        return {source: links[source] for source in sources if source in links}

    def post_system_note(self, actor: Actor, source: Source, text: str) -> None:
        self.db.get_one(Ticket, (source.project_id, int(source.id))).notes += f"{text}\n"

    def _actor(self, user: User) -> Actor:
        return Actor(str(user.id), user.user)

    def _project(self, repo: Repo | None) -> gitlab_mlops.Project | None:
        return None if repo is None else gitlab_mlops.Project(repo.id, repo.path)


def create_app(
    database_url: str, artifacts: str, *, texts: bool = False, more_urls: Sequence[str] = ()
) -> Flask:
    """Make the forge, with its tables; `texts` adds tickets that mention candidates.

    With `more_urls`, the plugin's data of projects is spread over these databases, too.
    """
    app = Flask("other_forge")
    app.secret_key = secrets.token_hex()
    app.config.update(MAX_CONTENT_LENGTH=1_000_000, MLOPS_ARTIFACTS_URL=artifacts)
    app.config["MLOPS_WEBHOOKS_THREAD"] = False
    app.jinja_loader = DictLoader(TEMPLATES)  # type: ignore[assignment]
    engine = create_engine(database_url)
    Base.metadata.create_all(engine)
    db = scoped_session(sessionmaker(engine))
    engines = [engine, *map(create_engine, more_urls)]
    sessions = [db, *(scoped_session(sessionmaker(each)) for each in engines[1:])]
    adapter, events, mlops = Adapter(db), Events(), MLOps()
    app.extensions["other_forge"] = (db, events if texts else None)
    app.extensions["other_forge_sessions"] = sessions
    app.teardown_appcontext(lambda _error: [each.remove() for each in sessions])
    exempt = {blueprint.name for blueprint in mlops.api_blueprints}

    @app.before_request
    def check_every_form() -> None:
        if request.form is not None and request.method != "GET" and request.blueprint not in exempt:
            adapter.check_csrf() or abort(400)

    app.register_error_handler(404, lambda _error: ("<h1>Nothing here</h1>", 404))
    _add_pages(app, adapter, mlops)
    mlops.init_app(
        app,
        host=Host(
            identity=adapter,
            projects=adapter,
            permissions=adapter,
            chrome=adapter,
            session=lambda project: sessions[project.id % len(sessions)],  # type: ignore[arg-type,return-value]
            engines=lambda: engines,
            references=adapter if texts else None,
            events=events,
        ),
    )
    return app


def _add_pages(app: Flask, adapter: Adapter, mlops: MLOps) -> None:
    @app.get("/login/")
    def login() -> str:
        return render_template_string("{{ token }}", token=adapter.csrf_token())

    @app.post("/login/")
    def log_in() -> str:
        user = select(User.id).where(User.user == request.form["user"])
        session["user"] = adapter.db.scalars(user).one()
        return "Welcome"

    def front(**values: str) -> str:
        repo = adapter.by_url(values)
        if repo is None or not adapter.can(adapter.web_actor(), Ability.READ, repo):
            abort(404)
        return render_template_string("{% extends 'frame.html' %}", repo=repo.path)

    def ticket(number: int, **values: str) -> str:
        repo, actor = adapter.by_url(values), adapter.web_actor()
        if repo is None or not adapter.can(actor, Ability.READ, repo):
            abort(404)
        found = adapter.db.get_one(Ticket, (repo.id, number))
        html = mlops.link_references(f"<p>{escape(found.text)}</p>", project=repo, actor=actor)
        return render_template_string(
            TICKET, html=html, notes=found.notes.splitlines(), repo=repo.path
        )

    for prefix in PREFIXES:
        app.add_url_rule(prefix, f"front {prefix}", front)
        app.add_url_rule(f"{prefix}/c/<int:number>", f"ticket {prefix}", ticket)


def save_ticket(app: Flask, repo_id: int, user_id: int, number: int, text: str) -> int:
    """Open a ticket (number 0) or change what it says, in a worker: there is no request."""
    db, events = app.extensions["other_forge"]
    with app.app_context():
        repo = db.get_one(Repo, repo_id)
        if not number:
            repo.tickets += 1
            number = repo.tickets
            db.add(Ticket(repo_id=repo_id, number=number, text=text))
        db.get_one(Ticket, (repo_id, number)).text = text
        db.flush()
        events.text_saved.send(
            app,
            source=Source(repo_id, "ticket", str(number)),
            project=gitlab_mlops.Project(repo_id, repo.path),
            text=text,
            actor=Actor(str(user_id), db.get_one(User, user_id).user),
        )
        commit(app)
    return number


def commit(app: Flask) -> None:
    """Commit what the forge did, and what the plugin did with it in whichever database."""
    for each in app.extensions["other_forge_sessions"]:
        each.commit()


def delete_repo(app: Flask, repo_id: int) -> None:
    """Delete a repo with all in it; without texts, the forge tells nobody of anything."""
    db, events = app.extensions["other_forge"]
    with app.app_context():
        repo = db.get_one(Repo, repo_id)
        if events is not None:
            events.project_deleted.send(app, project=gitlab_mlops.Project(repo.id, repo.path))
        for model in (Access, Ticket):
            db.execute(delete(model).where(model.repo_id == repo_id))
        db.delete(repo)
        commit(app)
