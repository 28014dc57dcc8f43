"""The cells of the table as HTML.

Not in the template, because a page has a thousand of them: there they took a third of its time.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from markupsafe import Markup

from gitlab_mlops.blueprints.web.table import Cell, Column

_DASH = '<span class="mlops-muted" aria-hidden="true">&ndash;</span>'
_NOTHING = f'{_DASH}<span class="mlops-unseen">none</span>'
_EMPTY = '<span class="mlops-muted">(empty)</span>'
_BEST = (
    '<span class="mlops-star" aria-hidden="true">★</span>'
    '<span class="mlops-unseen">best on this page: </span>'
)


def kind_of(column: Column) -> str:
    """The class of a column's cells and head."""
    return "mlops-number" if column.is_number else "mlops-text"


def cells_html(columns: Sequence[Column], cells: Sequence[Cell | None]) -> Markup:
    """The cells of a row. Texts of clients are escaped here, everything else is ours."""
    kinds = map(kind_of, columns)
    return Markup("".join(map(_cell_html, kinds, cells)))  # noqa: S704


def _cell_html(kind: str, cell: Cell | None) -> str:
    if cell is None:
        return f'<td class="{kind}">{_NOTHING}</td>'
    title = f' title="{escape(cell.exact)}"' if cell.exact else ""
    text = f"<bdi>{escape(cell.text)}</bdi>" if cell.text else _EMPTY
    if cell.is_best:
        return f'<td class="{kind} mlops-best"{title}>{_BEST}{text}</td>'
    return f'<td class="{kind}"{title}>{text}</td>'
