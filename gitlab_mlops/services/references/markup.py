"""Finds references in HTML, where a reader sees text, and tells where exactly they stand.

The standard library's parser is not used: what it takes for text after a mistake differs between
releases of Python, and can be a tag. This one knows the HTML that sanitizers write, and stops at
the first thing that they would not, so that nothing is ever put into an attribute.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape

from gitlab_mlops.services.references.syntax import Reference, pattern, reference

OPAQUE = frozenset(
    ("a", "button", "code", "kbd", "math", "option", "pre", "samp", "select", "svg", "template")
)
"""Elements whose text is nobody's prose, or where a link cannot be."""
RAW = frozenset(
    (
        *("iframe", "noembed", "noframes", "noscript", "plaintext"),
        *("script", "style", "textarea", "title", "xmp"),
    )
)
"""Elements that hold no HTML, and end by rules of their own."""

_SPACE = r"[\t\n\f\r ]"
_VALUE = r"""(?:"[^"]*"|'[^']*'|[^\t\n\f\r "'<>=`]+)"""
_NAME = r"""[^\t\n\f\r "'<>/=`]+"""
_ATTRIBUTE = rf"{_SPACE}+{_NAME}(?:{_SPACE}*={_SPACE}*{_VALUE})?"
_TOKEN = re.compile(
    r"(?P<text>[^<]+)|<(?![A-Za-z/!?])"
    rf"|<(?P<closing>/)?(?P<name>[A-Za-z][A-Za-z0-9:-]*)(?:{_ATTRIBUTE})*{_SPACE}*/?>"
    r"|(?P<comment><!--(?!-?>).*?-->)",
    re.DOTALL,
)
_NAMED_ATTRIBUTE = re.compile(rf"{_SPACE}+({_NAME})(?:{_SPACE}*={_SPACE}*({_VALUE}))?")


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A reference in HTML; `start` to before `end` can be replaced by a link.

    Both are 0 for a link with words of its own, which leads to something and stays as it is.
    """

    reference: Reference
    start: int = 0
    end: int = 0


def occurrences(html: str, url_root: str) -> Iterator[Occurrence]:
    """The references in rendered and sanitized HTML, in the order of the text."""
    open_: Counter[str] = Counter()
    for token in _tokens(html):
        name = (token["name"] or "").lower()
        if token["text"] and not open_:
            for match in pattern(url_root).finditer(html, *token.span()):
                yield Occurrence(reference(match), *match.span())
        elif name in OPAQUE:
            closing = token["closing"] is not None
            if name == "a" and not closing and not open_:
                yield from _in_link(html, token, url_root)
            _count(open_, name, closing)


def _tokens(html: str) -> Iterator[re.Match[str]]:
    """Tags, comments and pieces of text, until something that no sanitizer writes."""
    position = 0
    while token := _TOKEN.match(html, position):
        if (token["name"] or "").lower() in RAW or "--!>" in (token["comment"] or ""):
            return
        yield token
        position = token.end()


def _count(open_: Counter[str], name: str, closing: bool) -> None:
    open_[name] += -1 if closing else 1
    if open_[name] <= 0:
        del open_[name]


def _in_link(html: str, tag: re.Match[str], url_root: str) -> Iterator[Occurrence]:
    """What `<a href="...">` leads to; replaceable if the URL is also its text."""
    raw = _href(html, tag)
    match = pattern(url_root).fullmatch(unescape(raw))
    if match is not None and match["page"]:
        rest = f"{raw}</a>"
        is_bare = html.startswith(rest, tag.end())
        span = (tag.start(), tag.end() + len(rest)) if is_bare else (0, 0)
        yield Occurrence(reference(match), *span)


def _href(html: str, tag: re.Match[str]) -> str:
    """Where a link leads, as it is written in the HTML; empty if nowhere."""
    for attribute in _NAMED_ATTRIBUTE.finditer(html, tag.end("name"), tag.end()):
        if attribute[1].lower() == "href":
            return (attribute[2] or "").strip("\"'")
    return ""
