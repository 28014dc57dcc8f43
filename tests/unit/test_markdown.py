"""Markdown that somebody logged: it looks as it was meant, and does nothing else."""

from __future__ import annotations

import subprocess
import sys
from html.parser import HTMLParser

import pytest

from gitlab_mlops.blueprints.web.markdown import (
    MAX_BRACKETS,
    MAX_CHARACTERS,
    first_line,
    is_safe,
    render,
)
from tests.host_stub.test_markdown import ATTACKS

TAGS = set(
    "a blockquote br caption code div em h3 h4 h5 h6 hr li ol p pre s strong table tbody td th "
    "thead tr ul".split()
)
ATTRIBUTES = {
    "a": {"href", "rel", "title"},
    "caption": {"class"},
    "div": {"class", "role", "aria-label", "tabindex"},
    "ol": {"start"},
    "pre": {"class", "tabindex"},
    "table": {"class"},
    "td": {"class"},
    "th": {"class", "scope"},
}
MORE_ATTACKS = [
    "[x](//evil.example)",
    "[x](/\\evil.example)",
    "[x](\\\\evil.example)",
    "[x](&#9;javascript:alert(1))",
    "[x](ht&#10;tp://evil.example)",
    "![x](//evil.example/pixel.gif)",
    "[![x](javascript:alert(1))](https://example.org)",
    "- [x] <img src=x onerror=alert(1)>",
    "https://example.org/?q=<script>alert(1)</script>",
    '| a |\n|:-:|\n| "onclick="alert(1) |',
    '``` " onload=alert(1)\nx\n```',
    "# a <style>*{display:none}</style>",
]


class Collector(HTMLParser):
    """The tags, attributes and targets of some HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("text", ATTACKS + MORE_ATTACKS)
def test_attack_becomes_harmless_html(text: str) -> None:
    found = Collector(render(text))
    assert set(found.tags) <= TAGS
    for tag, name, value in found.attributes:
        assert name in ATTRIBUTES.get(tag, set())
        if name == "href":
            assert is_safe(value)


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JAVASCRIPT:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "\\evil.example",
        "java\tscript:alert(1)",
        "\x01javascript:alert(1)",
        "unknown:x",
    ],
)
def test_a_link_leads_nowhere_else_than_the_web_mail_and_the_forge(url: str) -> None:
    assert not is_safe(url)


@pytest.mark.parametrize(
    "url",
    ["https://a.b/c:d", "HTTP://a.b", "mailto:a@b.c", "/x/y:z", "#a:b", "?a=b:c", "a/b:c", "a.png"],
)
def test_a_link_leads_where_people_want(url: str) -> None:
    assert is_safe(url)


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("*a* **b** `c` ~~d~~", "<em>a</em> <strong>b</strong> <code>c</code> <s>d</s>"),
        ("# a", "<h3>a</h3>"),
        ("##### a", "<h6>a</h6>"),
        ("- a", "<li>a</li>"),
        ("- [ ] a\n- [x] b", "<li>☐ a</li>\n<li>☑ b</li>"),
        ("a [ ] b", "<p>a [ ] b</p>"),
        ("| a |\n|--:|\n| 1 |", '<th class="mlops-number" scope="col">a</th>'),
        ("```python\na < b\n```", '<pre tabindex="0"><code>a &lt; b\n</code></pre>'),
        ("[candidate:42]", "<p>[candidate:42]</p>"),
        ("[a](/x)", '<a href="/x" rel="nofollow noopener noreferrer">a</a>'),
        ("see https://a.example/b_c_d.", '">https://a.example/b_c_d</a>.</p>'),
        ("`https://a.example`", "<p><code>https://a.example</code></p>"),
        ("<b>a</b>", "<p>&lt;b&gt;a&lt;/b&gt;</p>"),
    ],
)
def test_what_people_write_looks_as_they_meant(text: str, html: str) -> None:
    assert html in render(text)


def test_a_picture_becomes_a_link_to_it() -> None:
    found = Collector(render("![my *plot*](https://a.example/plot.png) ![](b.png)"))
    assert "img" not in found.tags
    assert [value for _, name, value in found.attributes if name == "href"] == [
        "https://a.example/plot.png",
        "b.png",
    ]
    assert "my *plot*" in found.text
    assert "picture" in found.text


def test_a_picture_in_a_link_is_its_text() -> None:
    found = Collector(render("[![badge](https://a.example/b.svg)](https://ci.example)"))
    assert found.tags == ["p", "a"]
    assert [value for _, name, value in found.attributes if name == "href"] == [
        "https://ci.example"
    ]
    assert found.text.strip() == "badge"


def test_whoever_shows_it_says_where_relative_links_lead() -> None:
    text = "[a](figures/a%20b.png) ![b](b.png) [c](/c) [d](#d) [e](https://e.example) [f](mailto:f)"
    found = Collector(render(text, lambda target: f"/files?path={target}"))
    assert [value for _, name, value in found.attributes if name == "href"] == [
        "/files?path=figures/a%20b.png",
        "/files?path=b.png",
        "/c",
        "#d",
        "https://e.example",
        "mailto:f",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "a" * (MAX_CHARACTERS + 1),
        "[" * (MAX_BRACKETS + 1),
        "|a" * 300 + "|\n" + "|-" * 300 + "|\n" + "|\n" * 20_000,
    ],
)
def test_what_would_take_long_is_shown_as_it_is(text: str) -> None:
    found = Collector(render(text))
    assert found.tags == ["pre"]
    assert found.text == text


@pytest.mark.parametrize(
    "text",
    ["![" * 2000 + "a" + "](b)" * 2000, "> " * 9000, "- " * 9000, "*[" * 2000 + "](b)*" * 2000],
)
def test_nesting_has_no_end_but_rendering_has(text: str) -> None:
    assert render(text)


@pytest.mark.parametrize("library", ["markdown_it", "yaml", "cryptography", "mlflow"])
def test_a_worker_that_needs_none_does_not_load(library: str) -> None:
    code = f"import sys, gitlab_mlops; print({library!r} in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False"]


@pytest.mark.parametrize(
    ("note", "line"),
    [
        ("\n## Why\nbecause", "Why"),
        ("> - quoted", "quoted"),
        ("**bold** [first](https://x.example) `code`\nsecond", "bold first code"),
        ("```\nx = 1\n```", "x = 1"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "a"),
        ("---\n-5 degrees", "-5 degrees"),
        ("# \n \t", ""),
        ("x" * 200, "x" * 119 + "…"),
    ],
)
def test_the_first_line_of_a_note_says_something(note: str, line: str) -> None:
    assert first_line(note) == line
