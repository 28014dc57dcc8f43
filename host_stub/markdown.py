"""Markdown of people to HTML: rendered, sanitized, and then linked for the one who reads it."""

from __future__ import annotations

import html

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup, escape

from gitlab_mlops import Actor, Project
from host_stub.plugin import mlops

TAGS = {
    "a", "blockquote", "br", "code", "del", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li",
    "ol", "p", "pre", "s", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}


def _make_renderer() -> MarkdownIt:
    """CommonMark with tables; raw HTML stays text, and a picture becomes a link.

    The pages load nothing from elsewhere, so that nobody learns who reads them.
    """
    renderer = MarkdownIt("commonmark", {"html": False, "linkify": True})
    renderer.enable(["table", "strikethrough", "linkify"]).disable("image")
    if renderer.linkify is not None:
        renderer.linkify.set({"fuzzy_link": False, "fuzzy_email": False})
    return renderer


_renderer = _make_renderer()


def to_html(text: str) -> str:
    """Safe HTML. The sanitizer does not trust the renderer, and the other way round."""
    return nh3.clean(
        _renderer.render(text),
        tags=TAGS,
        attributes=ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        link_rel="nofollow noopener noreferrer",
    )


def summary(text: str) -> str:
    """The first paragraph without its markup."""
    paragraph = text.strip().partition("\n\n")[0]
    return html.unescape(nh3.clean(_renderer.render(paragraph), tags=set())).strip()


def show(text: str, project: Project, reader: Actor | None, *, external: bool = False) -> Markup:
    """Safe HTML with links to what the text mentions, as far as this reader may see it.

    With `external`, it is to be read elsewhere than on our pages.
    """
    return mlops.link_references(to_html(text), project=project, actor=reader, external=external)


def show_note(
    text: str, project: Project, reader: Actor | None, *, external: bool = False
) -> Markup:
    """A line that is no Markdown, such as a note of the system, with the same links."""
    html = str(escape(text))
    return mlops.link_references(html, project=project, actor=reader, external=external)
