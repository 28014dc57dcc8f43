"""References in what real renderers and sanitizers write, and in what a browser makes of it."""

from __future__ import annotations

import random

import nh3
import pytest
from markdown_it import MarkdownIt

from gitlab_mlops.services.references.markup import occurrences

ROOT = "https://forge.example/"
URL = "https://forge.example/group/project/-/ml/candidates/42"
R = "[candidate:42]"
TAGS = frozenset(
    (
        *("a", "b", "bdi", "button", "code", "desc", "div", "foreignobject", "form", "img"),
        *("math", "mtext", "option", "p", "select", "span", "svg", "table", "td"),
    )
)
# Broken and hostile HTML is made by shuffling these.
PARTS = [
    *("<p ", "<p>", "</p>", '"', "'", ">", "<", "=", "title=", "a='", 'a="', "alt=", "<img ", "/"),
    *("<!--", "-->", "--!>", "<!-->", "<!", "</", "/>", " ", "\n", "\f", "\0", "x", "b", "`", "&"),
    *("<code>", "</code>", "<a href=x>", "</a>", "<svg>", "</svg>", "<math>", "</math>", "<style>"),
    *("</style>", "<title>", "</title>", "<textarea>", "</textarea>", "<script>", "</script>"),
    *("<![CDATA[", "]]>", "<?", "?>", "&#", "&#91;", "&amp;", "<template>", "</template>"),
    *("<select>", "<option>", "<table>", "<td>", "</table>", "<noscript>", "</noscript>"),
    *("<plaintext>", "<xmp>", "</xmp>", "<iframe>", "</iframe>", "<desc>", "<foreignObject>"),
    *("<p title='", '<p title="', "<img alt='", '<img alt="', "<p title='", '<p title="'),
    *("<!--", "-->", "--!>", "<!-->", "<!--->") * 3,
    *("<mtext>", "<mglyph>", "<p/x", "<p a=1", "<b", "\u00a0", "<form>", "<button>", "<body "),
]
ENDS = ["'>", '">', "-->", f"{R}'>", f'{R}">']
"""Something that was opened and never closed would not be there at all."""


def rendered(markdown: str) -> str:
    return nh3.clean(MarkdownIt("commonmark", {"html": True}).render(markdown))


def replaceable(html: str) -> list[str]:
    return [html[each.start : each.end] for each in occurrences(html, ROOT) if each.end]


@pytest.mark.parametrize(
    "markdown",
    [
        R,
        f"**{R}**",
        f"a < b & c {R}",
        f"- item\n\n    {R}",
        f"| a |\n|---|\n| {R} |",
        f"> {R}",
        f"# {R}",
        f"`x` {R}",
        f"\\{R}",
        f"<b title='{R}'>x</b> {R}",
        f"<style>x</style>{R}",
        f"<!-- {R} --> {R}",
        f"![{R}](x.png) {R}",
    ],
)
def test_prose_is_linked(markdown: str) -> None:
    assert replaceable(rendered(markdown)) == [R]


@pytest.mark.parametrize(
    "markdown",
    [
        f"`{R}`",
        f"```\n{R}\n```",
        f"~~~ python\n{R}\n~~~",
        f"    {R}",
        f"[{R}](https://elsewhere.example)",
        f"<kbd>{R}</kbd>",
        f"<pre>\n\n{R}</pre>",
        "[candidate:42](https://elsewhere.example)",
        f"{R}: https://elsewhere.example\n\n{R}",
        f"![{R}](x.png)",
        "[candidate:*42*]",
    ],
)
def test_code_and_links_are_not(markdown: str) -> None:
    assert replaceable(rendered(markdown)) == []


def test_urls_are_linked_bare_and_as_autolinks() -> None:
    assert replaceable(rendered(f"see {URL}.")) == [URL]
    (anchor,) = replaceable(rendered(f"see <{URL}>."))
    assert anchor.startswith(f'<a href="{URL}"')
    assert anchor.endswith(f"{URL}</a>")


MARK = " onmouseover=1 \" onmouseover=1 ' onmouseover=1 "
"""Mere text in a text; an attribute wherever there are attributes."""


def has_attribute(html: str) -> bool:
    """Whether an HTML5 parser, as in a browser, finds `MARK` inside of a tag."""
    found: set[str] = set()

    def note(_element: str, attribute: str, value: str) -> str:
        found.add(attribute)
        return value

    wanted = {tag: {"onmouseover"} for tag in TAGS}
    nh3.clean(html, tags=set(TAGS), attributes=wanted, attribute_filter=note, link_rel=None)
    return "onmouseover" in found


@pytest.mark.parametrize("html", ["<p {}>", "<p title='{}'>", '<p title="{}">', "<p title=x{}>"])
def test_the_parser_tells_what_is_in_a_tag(html: str) -> None:
    assert has_attribute(html.format(MARK))
    assert not has_attribute(f"<p>{MARK}</p>")


def test_nothing_is_put_into_a_tag_however_broken_the_html() -> None:
    chance = random.Random(42)
    replaced = 0
    for _ in range(5000):
        parts = chance.choices([*PARTS, *[R] * 20], k=chance.randint(2, 9))
        html = "".join([*parts, *chance.sample(ENDS, len(ENDS))])
        pieces, position = [], 0
        for each in occurrences(html, ROOT):
            pieces += [html[position : each.start], MARK]
            position = each.end
        assert not has_attribute("".join([*pieces, html[position:]])), html
        replaced += bool(pieces)
    assert replaced > 1000
