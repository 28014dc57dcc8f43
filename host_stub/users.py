"""Users: people and bots, their passwords, signing in and out."""

from __future__ import annotations

import secrets

from flask import Blueprint, Flask, redirect, render_template, request, session
from flask_login import (
    LoginManager,
    UserMixin,
    current_user,
    login_user,
    logout_user,
)
from sqlalchemy import String, select
from sqlalchemy.orm import Mapped, mapped_column
from werkzeug.security import check_password_hash, generate_password_hash
from werkzeug.wrappers import Response

from gitlab_mlops import Actor
from host_stub.database import Base, db, now
from host_stub.namespaces import create_namespace

users = Blueprint("users", __name__, url_prefix="/users")
MIN_PASSWORD = 8


class User(UserMixin, Base):  # type: ignore[misc]
    """A person or a bot. Ids are never given out again, so an old id cannot become somebody."""

    __tablename__ = "users"
    __table_args__ = {"sqlite_autoincrement": True}

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(255), unique=True)
    name: Mapped[str] = mapped_column(String(255))
    password_hash: Mapped[str | None] = mapped_column(String(255))
    is_bot: Mapped[bool] = mapped_column(default=False)
    is_blocked: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[int] = mapped_column(default=now)
    removed_at: Mapped[int | None] = mapped_column()

    @property
    def value(self) -> Actor:
        """The user as the plugin knows actors."""
        return Actor(str(self.id), self.username, self.name, f"/{self.username}")

    @property
    def is_active(self) -> bool:
        """Whether Flask-Login may sign this user in."""
        return not self.is_blocked and not self.is_bot


def create_user(username: str, password: str | None = None, *, name: str | None = None) -> User:
    """Make a person with an own namespace; flushes. Without a password nobody can sign in.

    Raises `ValueError` for a name that is taken or not allowed, or a password that is too short.
    """
    if "/" in username:
        raise ValueError("A username must not contain “/”.")
    if password is not None and len(password) < MIN_PASSWORD:
        raise ValueError(f"A password needs at least {MIN_PASSWORD} characters.")
    digest = None if password is None else generate_password_hash(password)
    user = User(username=username, name=name or username, password_hash=digest)
    create_namespace(username, user.name, "user", user)
    return user


def create_bot(username: str, name: str) -> User:
    """Make a bot, the user behind a project access token; flushes."""
    bot = User(username=username, name=name, is_bot=True)
    db.session.add(bot)
    db.session.flush()
    return bot


def find_user(username: str) -> User | None:
    """The user of this name, or None."""
    return db.session.scalar(select(User).where(User.username == username))


def with_password(username: str, password: str) -> User | None:
    """The person with this name and password, or None; takes as long for a name nobody has."""
    user = find_user(username)
    digest = user.password_hash if user else None
    good = check_password_hash(digest or _unmatched_hash(), password)
    return user if good and digest else None


def init_app(app: Flask) -> None:
    """Set up sign-in."""
    manager = LoginManager(app)
    manager.user_loader(_load)
    manager.login_view = "users.sign_in"
    manager.login_message = None
    app.register_blueprint(users)


def local_url(url: str | None) -> str:
    """The URL if it leads to a page of this host, else the front page (no open redirect)."""
    if url and url.startswith("/") and not url.startswith(("//", "/\\")) and url.isprintable():
        return url
    return "/"


def current_id() -> int | None:
    """The id of the person who is signed in, or None."""
    return current_user.id if current_user.is_authenticated else None


@users.get("/sign_in")
def sign_in() -> str | Response:
    """The form."""
    if current_user.is_authenticated:
        return redirect(local_url(request.args.get("next")))
    return render_template("host_stub/sign_in.html", next=request.args.get("next", ""))


@users.post("/sign_in")
def start_session() -> Response | tuple[str, int]:
    """Check name and password. The session starts afresh, so a planted one is of no use."""
    username = request.form.get("username", "").replace("\0", "")
    next_url = request.form.get("next", "")
    user = with_password(username, request.form.get("password", ""))
    if user is None or not user.is_active:
        error = "Your account is blocked." if user else "Wrong username or password."
        page = render_template(
            "host_stub/sign_in.html", next=next_url, username=username, error=error
        )
        return page, 401
    session.clear()
    login_user(user)
    return redirect(local_url(next_url), 303)


@users.post("/sign_out")
def end_session() -> Response:
    """Forget who was there."""
    logout_user()
    session.clear()
    return redirect("/", 303)


def _load(user_id: str) -> User | None:
    user = db.session.get(User, int(user_id))
    return user if user is not None and user.is_active else None


_unmatched: list[str] = []


def _unmatched_hash() -> str:
    if not _unmatched:
        _unmatched.append(generate_password_hash(secrets.token_hex()))
    return _unmatched[0]
