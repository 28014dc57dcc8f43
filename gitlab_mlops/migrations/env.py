"""Alembic's entry point: runs the revisions on the connection that `migrations` hands over."""

from typing import Literal

from alembic import context

from gitlab_mlops.migrations import comparison_options
from gitlab_mlops.models.base import BigId, MetricValue


def render_item(kind: str, item: object, _context: object) -> str | Literal[False]:
    """Write SQLAlchemy's own types: an old revision must not change when the plugin's do."""
    if kind != "type":
        return False
    if isinstance(item, MetricValue):
        return "sa.Double()"
    return "BigId" if item is BigId else False


connection = context.config.attributes["connection"]
if connection is None:
    raise RuntimeError("Run `flask mlops db ...` of the forge instead of `alembic`.")

context.configure(
    connection=connection,
    # SQLite cannot alter a column, so revisions copy the table there.
    render_as_batch=True,
    # `migrations` began a transaction around everything, on both kinds of database.
    transactional_ddl=True,
    render_item=render_item,
    **comparison_options(),
)
with context.begin_transaction():
    context.run_migrations()
