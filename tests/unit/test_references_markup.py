"""Where references are found in HTML: in what a reader sees as prose, and nowhere else."""

from __future__ import annotations

import time

import pytest

from gitlab_mlops.services.references.markup import RAW, Occurrence, occurrences

ROOT = "https://forge.example/"
URL = "https://forge.example/group/project/-/ml/candidates/42"


def found(html: str) -> list[str]:
    """What would be replaced."""
    return [html[each.start : each.end] for each in occurrences(html, ROOT) if each.end]


@pytest.mark.parametrize(
    "html",
    [
        "{}",
        "<p>{}</p>",
        "<p>a &amp; b {} &gt; c</p>",
        "<p>1 < 2 {} 3 > 2</p>",
        "<code>x</code>{}",
        "<pre><code>x</code></pre><p>{}</p>",
        '<p title="a > b">{}</p>',
        "<p title='it is \"so\"' class=x hidden>{}</p>",
        "<br/><hr />{}",
        "<!-- a comment -->{}",
        "<ul><li>{}<li>x</ul>",
        "</code></a>{}",
        "<P>{}</P>",
        "<h2>{}</h2>",
        "<em>x</em>{}<em>y</em>",
        "<code-block>{}</code-block>",
        "𝒳 ünïcödé {}",
        "\r\n<p\r\n>{}\r\n</p\t>",
    ],
)
def test_prose_is_looked_at(html: str) -> None:
    assert found(html.format("[candidate:42]")) == ["[candidate:42]"]
    assert found(html.format(URL)) == [URL]


@pytest.mark.parametrize(
    "html",
    [
        "<code>{}</code>",
        "<pre>{}</pre>",
        "<pre><code class='language-python'>a <span>{}</span></code></pre>",
        "<CODE>{}</CODE>",
        "<kbd>{}</kbd>",
        "<samp>{}</samp>",
        '<a href="https://elsewhere.example">{}</a>',
        "<a>{}</a>",
        "<a><em>{}</em></a>",
        "<button>{}</button>",
        "<svg><text>{}</text></svg>",
        "<math><mtext>{}</mtext></math>",
        "<code><a>x</code>{}",
        "<code/>{}",
        '<img alt="{}">',
        "<img alt='{}'>",
        '<p title="{}" class="{}">x</p>',
        '<input value="{}">',
        "<!-- {} -->",
        "<!-- > {} -->",
        "<code>{}",
        "<a href='{}'",
        "<p title='{}",
        "<!-- {}",
        "<![CDATA[{}]]>",
        "<?php {} ?>",
        "<!DOCTYPE {}>",
    ],
)
def test_what_is_no_prose_is_left_alone(html: str) -> None:
    assert found(html.format(*["[candidate:42]"] * 2)) == []


@pytest.mark.parametrize("element", sorted(RAW))
def test_elements_without_html_in_them_end_the_search(element: str) -> None:
    assert found(f"<{element}>[candidate:42]</{element}>[candidate:42]") == []
    assert found(f"<{element.upper()} x='>'>[candidate:42]") == []


@pytest.mark.parametrize(
    "html",
    [
        '<p "><img alt="[candidate:42]">',
        '<p title="a"b><img alt=">[candidate:42]">',
        '<p a=\'b\'"><img alt="[candidate:42]">',
        "<p =x>[candidate:42]",
        "<p/x>[candidate:42]",
        "<!--><img alt='-->[candidate:42]'>",
        "<!---><img alt='-->[candidate:42]'>",
        "<!-- --!><img alt='-->[candidate:42]'>",
        "</ code>[candidate:42]",
        "<p <b>[candidate:42]",
        "&#a; &#b; <code>[candidate:42]</code>",
    ],
)
def test_the_search_ends_where_browsers_and_parsers_may_disagree(html: str) -> None:
    assert found(html) == []


def test_entities_are_not_read_as_references() -> None:
    assert found("<p>&#91;candidate:42&#93; &lbrack;candidate:42] [candidate&colon;42]</p>") == []


def test_a_url_stands_between_entities() -> None:
    assert found(f"&lt;{URL}&gt; &quot;{URL}&quot;") == [URL, URL]


def test_an_autolink_is_replaced_as_a_whole() -> None:
    html = f'<a class="x" href="{URL}" rel="nofollow">{URL}</a>'
    assert found(f"<p>{html}.</p>") == [html]


@pytest.mark.parametrize(
    "html",
    [
        f'<a href="{URL}">our best</a>',
        f'<a href="{URL}"><em>{URL}</em></a>',
        f'<a href="{URL}">{URL} and more</a>',
        f"<a href='{URL}'>[candidate:7]</a>",
        f"<a href={URL}>x</a>",
    ],
)
def test_a_link_with_words_of_its_own_is_a_mention_that_stays(html: str) -> None:
    (only,) = occurrences(html, ROOT)
    assert (only.reference.place.page, only.reference.iid) == ("group/project", 42)
    assert (only.start, only.end) == (0, 0)


@pytest.mark.parametrize(
    "html",
    [
        f'<code><a href="{URL}">{URL}</a></code>',
        f'<a title=\' href="{URL}"\' href="https://elsewhere.example">{URL}</a>',
        f'<a href="https://elsewhere.example" href="{URL}">{URL}</a>',
        f'<a href="{URL}#x">{URL}#x</a>',
        f'<a name="{URL}">{URL}</a>',
        '<a href="[candidate:42]">[candidate:42]</a>',
        "<a href>x</a>",
        f'</a href="{URL}">',
    ],
)
def test_a_link_that_leads_elsewhere_mentions_nothing(html: str) -> None:
    assert list(occurrences(html, ROOT)) == []


def test_positions_are_those_of_the_html() -> None:
    html = "<p>ä &amp; [candidate:1]</p>\n<p>[candidate:2]</p>"
    spans = [(each.start, each.end) for each in occurrences(html, ROOT)]
    assert [html[slice(*span)] for span in spans] == ["[candidate:1]", "[candidate:2]"]
    assert all(isinstance(each, Occurrence) for each in occurrences(html, ROOT))


@pytest.mark.parametrize(
    "part", ["<", "<!--", "<a ", "<a", "<p a='", "</", "& ", "<p>", "<code>", "<p a=1 ", "<a href="]
)
def test_hostile_html_is_scanned_in_linear_time(part: str) -> None:
    html = "<p>" + part * (300_000 // len(part))
    start = time.perf_counter()
    assert found(html) == []
    assert time.perf_counter() - start < 3
    again = "<a" + " x" * 150_000
    assert found(again) == []
