"""For developers: `python -m gitlab_mlops.migrations "add traces"` drafts the next revision.

The draft is what brings an empty SQLite database with all older revisions to the models as they
are now. Read it before you keep it: Alembic takes a renamed column for a dropped and a new one,
and does not see check constraints.
"""

from __future__ import annotations

import sys
from pathlib import Path

import sqlalchemy as sa
from alembic import command

from gitlab_mlops import migrations


def draft(message: str) -> None:
    """Write a revision file into `versions/`, numbered after the last one."""
    engine = sa.create_engine("sqlite://", poolclass=sa.StaticPool)
    migrations.upgrade(engine)
    number = len(list(Path(__file__).with_name("versions").glob("[0-9]*.py"))) + 1
    with engine.connect() as connection:
        config = migrations.config(connection)
        command.revision(config, message, autogenerate=True, rev_id=f"{number:04}")


if __name__ == "__main__":
    draft(sys.argv[1])
