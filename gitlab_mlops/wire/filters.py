"""MLflow's filter language, parsed; OR and parentheses are ours.

filter     = branch { OR branch }
branch     = { [AND] clause }          as in MLflow, where an AND may be missing or too many
clause     = "(" filter ")" | name operator value | name [NOT] IN list | name IS [NOT] NULL
"""

from __future__ import annotations

import math
from functools import lru_cache

from gitlab_mlops.services.expressions import And, Comparison, Expression, Operator, Or, Value
from gitlab_mlops.wire.grammar import (
    CANDIDATES,
    EXPERIMENTS,
    LOGGED_MODELS,
    MODEL_VERSIONS,
    REGISTERED_MODELS,
    Form,
    Grammar,
)
from gitlab_mlops.wire.names import parse_name
from gitlab_mlops.wire.tokens import FilterError, Kind, Token, tokens, unquoted

# A database limits the depth of an expression (SQLite: 1,000) and the number of parameters of a
# statement (SQLite: 32,766). A filter near these limits is refused here, in words.
MAX_DEPTH = 50
MAX_COMPARISONS = 200
MAX_VALUES = 10_000
# SQLite's limit of a pattern is 50,000 bytes; the time to match grows with each wildcard.
MAX_PATTERN = 10_000
MAX_WILDCARDS = 50
# Characters of a filter that is kept when it is parsed.
MAX_KEPT = 1000

# The operators of words, each with the words that may follow it.
_OPERATOR_WORDS: dict[str, tuple[str, ...]] = {
    "LIKE": (),
    "ILIKE": (),
    "RLIKE": (),
    "IN": (),
    "NOT": ("IN", "LIKE", "ILIKE"),
    "IS": ("NOT", "NULL"),
    "IS NOT": ("NULL",),
}

_INT64 = range(-(2**63), 2**63)


def parse_candidate_filter(text: str) -> Expression | None:
    """A filter of runs/search, None for the empty one; raises `FilterError`."""
    # Most searches are sent again and again; to parse one takes as long as to send a statement.
    parse = _kept if len(text) <= MAX_KEPT else _parse_candidate_filter
    return parse(text) if text else None


def _parse_candidate_filter(text: str) -> Expression | None:
    return _Parser(text, CANDIDATES).parse()


_kept = lru_cache(256)(_parse_candidate_filter)


def parse_experiment_filter(text: str) -> Expression | None:
    """A filter of experiments/search, None for the empty one; raises `FilterError`."""
    return _Parser(text, EXPERIMENTS).parse() if text else None


def parse_logged_model_filter(text: str) -> Expression | None:
    """A filter of logged-models/search, None for the empty one; raises `FilterError`."""
    return _Parser(text, LOGGED_MODELS).parse() if text else None


def parse_registered_model_filter(text: str) -> Expression | None:
    """A filter of registered-models/search, None for the empty one; raises `FilterError`."""
    return _Parser(text, REGISTERED_MODELS).parse() if text else None


def parse_model_version_filter(text: str) -> Expression | None:
    """A filter of model-versions/search, None for the empty one; raises `FilterError`."""
    return _Parser(text, MODEL_VERSIONS).parse() if text else None


class _Parser:
    """One pass over the tokens, which come one by one, so a bad filter is refused early."""

    def __init__(self, text: str, grammar: Grammar) -> None:
        self.grammar = grammar
        self.tokens = tokens(text)
        self.token = next(self.tokens)
        self.depth = 0
        self.comparisons = 0
        self.values = 0

    def parse(self) -> Expression | None:
        if self.at(Kind.END):
            raise self.error("it is blank; leave it out to find everything.")
        branches = self.branches()
        if not self.at(Kind.END):
            raise self.error(f"expected AND, OR or the end, not {self.token}.")
        if branches == [[]]:
            return None
        return self.joined(branches)

    def branches(self) -> list[list[Expression]]:
        branches = [self.branch()]
        while self.token.word == "OR":
            self.advance()
            branches.append(self.branch())
        return branches

    def joined(self, branches: list[list[Expression]]) -> Expression:
        if not all(branches):
            raise self.error(f"expected a comparison before {self.token}.")
        parts = tuple(each[0] if len(each) == 1 else And(tuple(each)) for each in branches)
        return parts[0] if len(parts) == 1 else Or(parts)

    def branch(self) -> list[Expression]:
        clauses: list[Expression] = []
        while True:
            if self.token.word == "AND":
                self.advance()
            elif self.at(Kind.END, Kind.CLOSE) or self.token.word == "OR":
                return clauses
            elif self.at(Kind.OPEN):
                clauses.append(self.group())
            else:
                clauses.append(self.comparison())

    def group(self) -> Expression:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.error(f"at most {MAX_DEPTH} parentheses may be open at once.")
        self.advance()
        inner = self.joined(self.branches())
        if not self.at(Kind.CLOSE):
            raise self.error(f"expected ')', AND or OR, not {self.token}.")
        self.advance()
        self.depth -= 1
        return inner

    def comparison(self) -> Comparison:
        name = self.token
        entity, key = parse_name(name, self.grammar, "filter")
        rule = self.grammar.rule(entity, key)
        self.count(1)
        self.comparisons += 1
        if self.comparisons > MAX_COMPARISONS:
            raise self.error(f"at most {MAX_COMPARISONS} comparisons are allowed.")
        self.advance()
        operator = self.operator(name, rule.operators)
        value = self.value(name, operator, rule.form)
        column = self.grammar.column(entity, key)
        return Comparison(entity, column, operator, value, name.position)

    def operator(self, name: Token, allowed: tuple[Operator, ...]) -> Operator:
        first, operator = self.token, self.token.word or self.token.text
        if first.kind is not Kind.OPERATOR and operator not in _OPERATOR_WORDS:
            raise self.error(f"expected one of {', '.join(allowed)} after {name}, not {first}.")
        self.advance()
        while self.token.word in _OPERATOR_WORDS.get(operator, ()):
            operator = f"{operator} {self.token.word}"
            self.advance()
        if operator not in allowed:
            raise FilterError(
                f"{operator[:20]} cannot be used with {name}, which takes {', '.join(allowed)}.",
                first.position,
            )
        return operator

    def value(self, name: Token, operator: Operator, form: Form) -> Value:
        if operator in ("IS NULL", "IS NOT NULL"):
            return None
        if operator in ("IN", "NOT IN"):
            return self.list(form)
        token = self.token
        self.advance()
        if form in (Form.NUMBER, Form.INTEGER):
            return _number(token, name, form)
        if form is Form.COUNT:
            return _count(token, name)
        text = _text(token, name, form)
        if operator in ("LIKE", "ILIKE"):
            _check_pattern(text, token)
        return _id(text, token) if form is Form.ID else text

    def list(self, form: Form) -> tuple[str, ...] | tuple[int, ...]:
        start = self.token
        if start.kind is not Kind.OPEN:
            raise self.error(f"expected a list such as ('a', 'b'), not {start}.")
        items: list[tuple[str, Token]] = []
        while self.at(Kind.OPEN, Kind.COMMA):
            self.advance()
            if self.at(Kind.CLOSE) and items:
                break
            items.append((_list_item(self.token), self.token))
            self.count(1)
            self.advance()
        if not self.at(Kind.CLOSE):
            raise self.error(f"expected ',' or ')' in the list, not {self.token}.")
        self.advance()
        if form is Form.ID:
            return tuple(_id(text, token) for text, token in items)
        return tuple(text for text, _ in items)

    def count(self, values: int) -> None:
        self.values += values
        if self.values > MAX_VALUES:
            raise self.error(f"at most {MAX_VALUES} values are allowed.")

    def at(self, *kinds: Kind) -> bool:
        return self.token.kind in kinds

    def advance(self) -> None:
        if not self.at(Kind.END):
            self.token = next(self.tokens)

    def error(self, why: str) -> FilterError:
        return FilterError(why, self.token.position)


def _number(token: Token, name: Token, form: Form) -> int | float:
    if token.kind is not Kind.NUMBER:
        raise FilterError(f"{name} compares with {form.value}, not {token}.", token.position)
    if not token.text.lstrip("-").isdigit():
        if form is Form.INTEGER:
            raise FilterError(f"{name} compares with {form.value}, not {token}.", token.position)
        return float(token.text)
    # More digits than any int64 has; int() refuses very many of them.
    whole = int(token.text) if len(token.text) <= 20 else None
    return whole if whole is not None and whole in _INT64 else float(token.text)


def _count(token: Token, name: Token) -> int | float:
    quoted = unquoted(token.text, "'\"") if token.kind in (Kind.TEXT, Kind.NAME) else None
    if quoted is None:
        return _number(token, name, Form.INTEGER)
    whole = _id(quoted, token)
    return whole if whole in _INT64 else math.copysign(math.inf, whole)


def _text(token: Token, name: Token, form: Form) -> str:
    text = unquoted(token.text, "'\"") if token.kind in (Kind.TEXT, Kind.NAME) else None
    if text is None:
        raise FilterError(f"{name} compares with {form.value}, not {token}.", token.position)
    return text


def _list_item(token: Token) -> str:
    text = unquoted(token.text, "'\"") if token.kind in (Kind.TEXT, Kind.NAME) else None
    if text is None:
        raise FilterError(f"a list has texts in quotes, not {token}.", token.position)
    if "\\" in text or token.text[0] in text:
        # MLflow reads a list as Python, and there these do not mean what they mean elsewhere.
        raise FilterError(
            f"{token} has a backslash or its own quote inside; compare it with = instead.",
            token.position,
        )
    return text


def _id(text: str, token: Token) -> int:
    try:
        return int(text)
    except ValueError:
        raise FilterError(f"{token} is no id; an id is a whole number.", token.position) from None


def _check_pattern(text: str, token: Token) -> None:
    if len(text) > MAX_PATTERN or text.count("%") > MAX_WILDCARDS:
        raise FilterError(
            f"a pattern has at most {MAX_PATTERN} characters and {MAX_WILDCARDS} wildcards (%).",
            token.position,
        )
