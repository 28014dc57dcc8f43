"""Markdown that somebody logged, as HTML that can do nothing but look like text.

Raw HTML stays text, pictures become links, and links lead to the web, to a mail program or to
this forge. So a page loads nothing from elsewhere because of a note, and runs nothing at all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from gitlab_mlops.blueprints.web import formats

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

MAX_CHARACTERS = 64 * 1024
"""Longer text is shown as it is: the parser takes a second for this much of the worst."""
MAX_BEGINNING = 2000
"""Characters of a text in which its first line is looked for."""
MAX_BRACKETS = 4000
"""Each opening bracket may be a link that the parser has to look for the end of."""
MAX_CELLS = 20_000
"""A table's rows are as wide as its head, also those that are short."""
HEADINGS_BELOW = 2
"""The page's own headings have these levels."""

SCHEMES = frozenset({"http", "https", "mailto"})
REL = "nofollow noopener noreferrer"
BOXES = {"[ ] ": "\N{BALLOT BOX}", "[x] ": "\N{BALLOT BOX WITH CHECK}"}
ALIGNED = {"text-align:right": "mlops-number", "text-align:center": "mlops-centered"}

_BARE_URL = re.compile(r"""\bhttps?://[^\s<>"'`]*[^\s<>"'`.,;:!?()\[\]{}*_~]""")

Resolve = Callable[[str], str]
"""What a relative address in a text means, as an address on the page that shows it."""


def render(text: str, resolve: Resolve | None = None) -> Markup:
    """CommonMark with tables, struck text, task lists and bare web addresses, as safe HTML.

    Headings start below those of the page. What is too long to be rendered is shown as it is.
    """
    if not _is_bearable(text):
        return Markup('<pre class="mlops-plain" tabindex="0">{}</pre>').format(text)
    parser = _parser()
    env: dict[str, Any] = {}
    tokens = parser.parse(text, env)
    for index, token in enumerate(tokens):
        _tame(token)
        if token.children:
            if index > 1 and tokens[index - 2].type == "list_item_open":
                _tick(token.children[0])
            token.children = list(_tamed_line(token.children, resolve or str))
    # The renderer escapes every text and every attribute.
    html: str = parser.renderer.render(tokens, parser.options, env)
    return Markup(html)  # noqa: S704


def first_line(text: str, length: int = 120) -> str:
    """The first line of a note that says something, as plain text without its markup."""
    beginning = text[:MAX_BEGINNING]
    if not _is_bearable(beginning):
        return formats.shortened(beginning.strip(), length)
    said = (_plain(token) for token in _parser().parse(beginning))
    return formats.shortened(next((line for line in said if line), ""), length)


def _plain(token: Token) -> str:
    """The first line of what a block says; empty for a block of other blocks."""
    if not token.children:
        return token.content.strip().partition("\n")[0]
    parts = ("\n" if each.type.endswith("break") else each.content for each in token.children)
    return "".join(parts).strip().partition("\n")[0]


def _is_bearable(text: str) -> bool:
    """Whether rendering this takes no longer than anybody waits for a page."""
    if len(text) > MAX_CHARACTERS or text.count("[") > MAX_BRACKETS:
        return False
    widths = [width for line in text.splitlines() if (width := line.count("|"))]
    return len(widths) * max(widths, default=0) <= MAX_CELLS


@cache
def _parser() -> MarkdownIt:
    """The parser. It is loaded when it is first used, for most workers never need it."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    parser.validateLink = is_safe  # type: ignore[method-assign]
    for name in ("fence", "code_block"):
        parser.add_render_rule(name, _code)
    parser.add_render_rule("table_open", _table_open)
    parser.add_render_rule("table_close", _table_close)
    return parser


def is_safe(url: str) -> bool:
    """Whether a link may lead there: to the web, a mail program, or within this forge."""
    scheme, colon, _ = url.partition(":")
    if colon and scheme.lower() in SCHEMES:
        return True
    has_scheme = bool(colon) and {"/", "?", "#"}.isdisjoint(scheme)
    # Two slashes, or what browsers take for them, begin an address on another host.
    return url.isprintable() and not has_scheme and not re.match(r"[/\\]{2}|\\", url)


def _tame(token: Token) -> None:
    """Give a block what the pages ask of tables and headings, and no style of its own."""
    if token.type in ("heading_open", "heading_close"):
        token.tag = f"h{min(int(token.tag[1:]) + HEADINGS_BELOW, 6)}"
    elif token.type in ("th_open", "td_open"):
        style = str(token.attrs.pop("style", ""))
        if style in ALIGNED:
            token.attrSet("class", ALIGNED[style])
        if token.type == "th_open":
            token.attrSet("scope", "col")


def _tick(beginning: Token) -> None:
    """Show the box of a task list, which is how people write what they still have to do."""
    box = BOXES.get(beginning.content[:4].lower()) if beginning.type == "text" else None
    if box:
        beginning.content = f"{box} {beginning.content[4:]}"


def _tamed_line(tokens: Sequence[Token], resolve: Resolve) -> Iterator[Token]:
    """The pieces of a line, with harmless links in place of links, addresses and pictures."""
    depth = 0
    for token in tokens:
        depth += token.nesting if token.type in ("link_open", "link_close") else 0
        if token.type == "link_open":
            _set_target(token, str(token.attrs.get("href", "")), resolve)
            yield token
        elif token.type == "image":
            yield from _link_instead(token, resolve, is_inside=depth > 0)
        elif token.type == "text" and not depth and "://" in token.content:
            yield from _with_links(token.content)
        else:
            yield token


def _link_instead(picture: Token, resolve: Resolve, *, is_inside: bool) -> Iterator[Token]:
    source = str(picture.attrs.get("src", ""))
    label = picture.content.strip() or "picture"
    # An address that is not safe is empty by now; and a link cannot hold another.
    yield from [_text(label)] if is_inside or not source else _link(source, label, resolve)


def _with_links(text: str) -> Iterator[Token]:
    """The text, with the web addresses in it as links."""
    end = 0
    for found in _BARE_URL.finditer(text):
        yield _text(text[end : found.start()])
        yield from _link(found[0], found[0], str)
        end = found.end()
    yield _text(text[end:])


def _link(target: str, label: str, resolve: Resolve) -> list[Token]:
    from markdown_it.token import Token

    opening = Token("link_open", "a", 1)
    _set_target(opening, target, resolve)
    return [opening, _text(label), Token("link_close", "a", -1)]


def _set_target(link: Token, target: str, resolve: Resolve) -> None:
    is_relative = ":" not in target.partition("/")[0] and not target.startswith(("/", "#", "?"))
    link.attrs = {"href": resolve(target) if is_relative else target, "rel": REL}


def _text(content: str) -> Token:
    from markdown_it.token import Token

    return Token("text", "", 0, content=content)


def _code(_self: Any, tokens: Sequence[Token], index: int, *_rest: Any) -> str:
    # It may scroll sideways, so the keyboard has to reach it.
    return Markup('<pre tabindex="0"><code>{}</code></pre>\n').format(tokens[index].content)


def _table_open(*_arguments: Any) -> str:
    return (
        '<div class="mlops-scroll" role="region" aria-label="Table" tabindex="0">'
        '<table class="mlops-table"><caption class="mlops-unseen">Table</caption>\n'
    )


def _table_close(*_arguments: Any) -> str:
    return "</table></div>\n"
