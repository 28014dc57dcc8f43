"""What a page shows, read from its URL: every state of a page has an address."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from flask import request

from gitlab_mlops.blueprints.web.columns import ColumnName, parse_columns
from gitlab_mlops.errors import Invalid
from gitlab_mlops.services.expressions import Expression, Order
from gitlab_mlops.wire import filters, order, paging
from gitlab_mlops.wire.tokens import FilterError

T = TypeVar("T", bound=str)
Query = dict[str, str | tuple[str, ...]]

MAX_FILTER = 20_000
"""Characters of a filter; browsers and proxies take no much longer URL."""
MAX_OPEN = 20
"""Parents whose children show at once."""
MAX_SELECTED = 200
"""Candidates that are ticked at once."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A filter or order that cannot be read.

    `before`, `at` and `after` are the text around the mistake; all empty if it has no place.
    """

    message: str
    before: str = ""
    at: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class TableState:
    """The table of candidates as its URL describes it, and what the search makes of that.

    `columns` are the chosen ones, empty for those that the page chooses. `rows` is `tree`, `flat`,
    or empty for what suits; `open` are the iids of the parents whose children show, `selected`
    those of the candidates that are ticked.
    """

    filter: str
    order_by: tuple[str, ...]
    view: str
    page_token: str
    columns: tuple[ColumnName, ...]
    rows: str
    open: tuple[int, ...]
    selected: tuple[int, ...]
    where: Expression | None
    order: tuple[Order, ...]
    position: Sequence[str | int | float | None] | None
    problem: Problem | None

    def query(self, **changes: str | tuple[str, ...]) -> Query:
        """The URL's query for the same table with these changes, on its first page."""
        return self.found() | {
            "rows": self.rows,
            "open": numbers_text(self.open),
            "selected": numbers_text(self.selected),
            **changes,
        }

    def found(self) -> Query:
        """The query for other views of the same candidates: charts, wide mode, exports."""
        return {
            "filter": self.filter,
            "order_by": self.order_by,
            "view": self.view if self.view != "active" else "",
            "columns": tuple(each.text for each in self.columns),
        }


def table_state() -> TableState:
    """The state of the table in this request; `Invalid` for what no link of ours leads to.

    A filter or order that is typed wrong is a `problem` to show next to what was typed.
    """
    filter_, order_by = text("filter"), texts("order_by")
    where, problem = _parsed(filters.parse_candidate_filter, _limited(filter_))
    orders, other_problem = _parsed(order.parse_candidate_order, order_by)
    token = text("page_token")
    return TableState(
        filter=filter_,
        order_by=order_by,
        view=choice("view", ("active", "deleted")),
        page_token=token,
        columns=parse_columns(texts("columns")),
        rows=choice("rows", ("", "tree", "flat")),
        open=numbers("open", MAX_OPEN),
        selected=numbers("selected", MAX_SELECTED),
        where=where,
        order=orders or (),
        position=paging.search_position(token, orders or ()) if not other_problem else None,
        problem=problem or other_problem,
    )


def raw(name: str) -> str:
    """A part of the query as it is; `Invalid` for what no database stores."""
    return _checked(request.args.get(name, ""))


def text(name: str) -> str:
    """A part of the query, without space around it."""
    return raw(name).strip()


def texts(name: str) -> tuple[str, ...]:
    """A part of the query that may be there several times."""
    return tuple(_checked(each) for each in request.args.getlist(name) if each.strip())


def choice(name: str, known: tuple[T, ...]) -> T:
    """A part of the query that is one of a few words, the first of them if it is left out."""
    given = text(name)
    if not given:
        return known[0]
    for each in known:
        if each == given:
            return each
    raise Invalid(f"“{name}” in the address of this page is one of {', '.join(known)}.")


def page_number() -> int:
    """The page of a list, from 1."""
    given = text("page")
    if not given:
        return 1
    if not (given.isascii() and given.isdigit() and len(given) < 10 and int(given) > 0):
        raise Invalid("“page” in the address of this page is a whole number from 1.")
    return int(given)


def numbers(name: str, limit: int, given: Sequence[str] | None = None) -> tuple[int, ...]:
    """Numbers of candidates, each once, in one part of the query with commas, or in several.

    `given` are the parts, if they come from elsewhere, such as a form.
    """
    parts = request.args.getlist(name) if given is None else given
    pieces = [piece.strip() for part in parts for piece in part.split(",") if piece.strip()]
    if not all(map(_is_iid, pieces)):
        raise Invalid(f"“{name}” is a list of numbers of candidates, such as 3,7.")
    found = tuple(dict.fromkeys(map(int, pieces)))
    if len(found) > limit:
        raise Invalid(f"“{name}” names {len(found):,} candidates; at most {limit:,} will do.")
    return found


def numbers_text(iids: Iterable[int]) -> str:
    """What `numbers` reads."""
    return ",".join(map(str, iids))


def _is_iid(piece: str) -> bool:
    # A larger number would be an error in PostgreSQL.
    return piece.isascii() and piece.isdigit() and len(piece) <= 10 and int(piece) < 2**31


def _checked(value: str) -> str:
    if "\0" in value:
        raise Invalid("The address of this page has a NUL character in it.")
    return value


def _limited(filter_: str) -> str:
    if len(filter_) > MAX_FILTER:
        raise Invalid(f"A filter has at most {MAX_FILTER:,} characters here; use the API.")
    return filter_


P = TypeVar("P")
R = TypeVar("R")


def _parsed(parse: Callable[[P], R], given: P) -> tuple[R | None, Problem | None]:
    try:
        return parse(given), None
    except FilterError as error:
        shown = given if isinstance(given, str) else ""
        cut = error.position
        return None, Problem(str(error), shown[:cut], shown[cut : cut + 1], shown[cut + 1 :])
    except Invalid as error:
        return None, Problem(str(error))
