"""The end of an account."""

from __future__ import annotations

from sqlalchemy import delete, select

from host_stub.database import db, now
from host_stub.events import announce_user_removed
from host_stub.mails import Mail
from host_stub.namespaces import Namespace
from host_stub.projects import Member, Project
from host_stub.tokens import Token
from host_stub.users import User

NAME = "Deleted user"


def remove_user(user: User) -> None:
    """Delete an account for ever: its name, roles, tokens and jobs end; flushes.

    What the user wrote stays, by a user without a name. Raises `ValueError` if there are groups
    or projects that would be nobody's.
    """
    owned = select(Namespace).where(Namespace.owner_id == user.id)
    for namespace in db.session.scalars(owned).all():
        has_projects = select(Project.id).where(Project.namespace_id == namespace.id).limit(1)
        if namespace.kind == "group" or db.session.scalar(has_projects) is not None:
            raise ValueError(f"Delete “{namespace.path}” first, or give it to somebody else.")
        db.session.delete(namespace)
    announce_user_removed(user.value)
    for table in (Member, Token, Mail):
        db.session.execute(delete(table).where(table.user_id == user.id))
    user.username = f"-{user.id}"  # nobody's name begins like that
    user.name, user.password_hash = NAME, None
    user.is_blocked, user.removed_at = True, now()
    db.session.flush()
