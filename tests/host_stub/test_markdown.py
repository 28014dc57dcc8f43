"""Markdown of strangers cannot do anything but look like text."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest

from host_stub.markdown import ATTRIBUTES, TAGS, summary, to_html

ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<a href='javascript:alert(1)'>x</a>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java&#10;script:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](<javascript:alert(1)>)",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:msgbox(1))",
    "[x](file:///etc/passwd)",
    "<javascript:alert(1)>",
    "![x](javascript:alert(1))",
    "![x](https://tracker.example/pixel.gif)",
    '[x](https://example.org "onmouseover=alert(1) ")',
    '[x](https://example.org"onmouseover="alert(1))',
    "[a]: javascript:alert(1)\n\n[a]",
    "`<script>alert(1)</script>`",
    "```html\n<script>alert(1)</script>\n```",
    '```"><script>alert(1)</script>\nx\n```',
    "<style>body{display:none}</style>",
    "<form action=/users/sign_out method=post><button>x</button></form>",
    "<base href=https://evil.example>",
    "<meta http-equiv=refresh content=0;url=https://evil.example>",
    "<math><mtext></p><script>alert(1)</script>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<!--><img src=x onerror=alert(1)>-->",
    "<p id=content class=topbar style=position:fixed>x</p>",
    "| <script>alert(1)</script> |\n|---|\n| <b onclick=alert(1)>x</b> |",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "https://example.org/<script>alert(1)</script>",
    'https://example.org/"onmouseover="alert(1)',
    "\0<scr\0ipt>alert(1)</script>",
    "[" * 5000,
    "> " * 5000,
    "*a " * 5000,
]


class Collector(HTMLParser):
    """The tags and attributes of some HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str, str]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]


@pytest.mark.parametrize("text", ATTACKS)
def test_attack_becomes_harmless_html(text: str) -> None:
    found = Collector(to_html(text))
    assert found.tags <= TAGS
    for tag, name, value in found.attributes:
        assert name in ATTRIBUTES.get(tag, set()) | {"rel"}
        if name == "href":
            assert urlsplit(value).scheme in {"", "http", "https", "mailto"}


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("*a* **b** `c`", "<em>a</em> <strong>b</strong> <code>c</code>"),
        ("| a |\n|---|\n| b |", "<td>b</td>"),
        ("- a", "<li>a</li>"),
        ("[a](/x/y)", 'href="/x/y"'),
        ("see https://example.org/a", 'href="https://example.org/a"'),
        ("[candidate:42]", "<p>[candidate:42]</p>"),
        ("![plot](https://example.org/plot.png)", ">plot</a>"),
    ],
)
def test_what_people_write_looks_as_they_meant(text: str, html: str) -> None:
    assert html in to_html(text)


def test_links_give_nothing_away_to_where_they_lead() -> None:
    assert 'rel="nofollow noopener noreferrer"' in to_html("[x](https://example.org)")


def test_summary_is_the_first_paragraph_as_plain_text() -> None:
    assert summary("**Bold** & `code` <b>\n\nmore") == "Bold & code <b>"
