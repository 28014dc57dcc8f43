"""`link` makes links for who may see the candidate, and changes nothing for who may not."""

from __future__ import annotations

import re
import time
from html.parser import HTMLParser
from urllib.parse import unquote

import pytest
from sqlalchemy import Engine, insert
from sqlalchemy.orm import Session
from werkzeug.routing import PathConverter

from gitlab_mlops.host import Ability, Actor, Project
from gitlab_mlops.models import ModelVersion, RegisteredModel
from gitlab_mlops.services.references import Context, link
from gitlab_mlops.services.references.links import MAX_OCCURRENCES
from gitlab_mlops.services.references.resolver import MAX_PLACES, MAX_REFERENCES
from gitlab_mlops.settings import Settings
from tests.fakes import FakeChrome, FakeForge, actor
from tests.unit.registered import add_registered_model
from tests.unit.rows import add_candidate, add_candidates, add_experiment, counted

MEMBER = actor("member")
ROOT = "https://forge.example/"


@pytest.fixture
def forge(session: Session) -> FakeForge:
    return FakeForge(lambda project: session)


@pytest.fixture
def private(forge: FakeForge) -> Project:
    return forge.add_project("group/private", MEMBER)


@pytest.fixture
def public(forge: FakeForge) -> Project:
    return forge.add_project("group/public", public=True)


def shown(
    forge: FakeForge, html: str, here: Project, reader: Actor | None = MEMBER, root: str = ROOT
) -> str:
    return link(html, Context(reader, here, forge.host(), Settings(), root))


def test_a_reference_becomes_a_link(forge: FakeForge, private: Project, session: Session) -> None:
    add_candidate(session, private, 42, "bright-owl-7")
    assert shown(forge, "<p>See [candidate:42]!</p>", private) == (
        '<p>See <a class="mlops-reference" href="/group/private/-/ml/candidates/42"'
        ' data-mlops-card="/group/private/-/ml/candidates/42/card">'
        "<bdi>bright-owl-7</bdi> <small>candidate:42</small></a>!</p>"
    )


def test_a_reference_to_an_experiment_becomes_a_link(
    forge: FakeForge, private: Project, public: Project, session: Session
) -> None:
    add_experiment(session, private, 7)
    page = "/group/private/-/ml/experiments/7"
    for text in ("[experiment:7]", "[experiment:group/private/7]", f"https://forge.example{page}"):
        assert shown(forge, text, private) == (
            f'<a class="mlops-reference" href="{page}" data-mlops-card="{page}/card">'
            "<bdi>Experiment 7</bdi> <small>experiment:7</small></a>"
        )
    assert "<small>experiment:group/private/7</small>" in shown(
        forge, "[experiment:group/private/7]", public
    )


def test_candidates_and_experiments_of_one_number_are_told_apart(
    forge: FakeForge, private: Project, session: Session
) -> None:
    add_candidate(session, private, 7, "the candidate")
    assert shown(forge, "[experiment:7]", private) == "[experiment:7]"
    add_experiment(session, private, 7)
    result = shown(forge, "[experiment:7] [candidate:7]", private)
    assert re.findall("<bdi>(.*?)</bdi>", result) == ["Experiment 7", "the candidate"]


def test_references_to_models_become_links(
    forge: FakeForge, private: Project, session: Session
) -> None:
    add_registered_model(session, private, None)
    page = "/group/private/-/ml/models/churn"
    assert shown(forge, "[model:churn]", private) == (
        f'<a class="mlops-reference" href="{page}" data-mlops-card="{page}/card">'
        "<bdi>churn</bdi> <small>model:churn</small></a>"
    )
    for text, label in (
        ("[model:churn/1]", "churn/1"),
        ("[model:churn@champion]", "churn@champion"),
        (f"https://forge.example{page}/versions/1", "churn/1"),
    ):
        assert shown(forge, text, private) == (
            f'<a class="mlops-reference" href="{page}/versions/1"'
            f' data-mlops-card="{page}/versions/1/card">'
            f"<bdi>churn, version 1</bdi> <small>model:{label}</small></a>"
        )


def test_a_model_of_another_project_says_which(
    forge: FakeForge, private: Project, public: Project, session: Session
) -> None:
    add_registered_model(session, private, None)
    result = shown(forge, "[model:group/private/churn@champion] [model:churn]", public)
    assert result.endswith("<small>model:group/private/churn@champion</small></a> [model:churn]")


def test_models_of_one_text_are_told_apart(
    forge: FakeForge, private: Project, session: Session
) -> None:
    add_registered_model(session, private, None)
    text = "[model:churn/1] [model:churn] [model:churn@champion] [model:churn/2] [model:churn@x]"
    result = shown(forge, text, private)
    assert re.findall("<small>(.*?)</small>", result) == [
        "model:churn/1",
        "model:churn",
        "model:churn@champion",
    ]
    assert result.endswith("[model:churn/2] [model:churn@x]")


@pytest.mark.parametrize("name", ["größe v2.1", "a+b%20c", "7", "x" * 256, "a?b#c", "~.."])
def test_any_name_of_a_model_is_one_part_of_an_address(
    forge: FakeForge, private: Project, session: Session, name: str
) -> None:
    version = add_registered_model(session, private, None)
    session.get_one(RegisteredModel, version.model_id).name = name
    session.flush()
    result = shown(forge, f"[model:{name}]", private)
    found = re.search('href="([^"]*)"', result)
    assert found is not None
    assert found[1].count("/") == 6
    assert unquote(found[1].rpartition("/")[2]) == name
    # What the link says can be copied into another text.
    again = shown(forge, f"https://forge.example{found[1]}", private)
    assert again == result or name == "~.."


@pytest.mark.parametrize(
    "text",
    [
        "[model:churn]",
        "[model:churn/3]",
        "[model:group/private/churn@champion]",
        "https://forge.example/group/private/-/ml/models/churn%00/versions/3",
        "https://forge.example/group/private/-/ml/models/%ff",
    ],
)
def test_a_model_that_is_not_there_stays_text(
    forge: FakeForge, private: Project, session: Session, text: str
) -> None:
    add_candidate(session, private, 3, "churn")
    assert shown(forge, text, private) == text


def test_a_thousand_references_to_models_take_two_queries(
    forge: FakeForge, private: Project, session: Session, engine: Engine
) -> None:
    version = add_registered_model(session, private, None)
    numbers = range(2, 334)
    like = {"project_id": private.id, "model_id": version.model_id, "stage": "None"}
    like |= {"status": "READY", "source": "x", "created_at": 0, "updated_at": 0}
    session.execute(insert(ModelVersion), [{**like, "version": number} for number in numbers])
    html = "".join(f"[model:churn/{i}] [model:none-{i}] [model:churn@alias-{i}] " for i in numbers)
    start = time.perf_counter()
    with counted(engine) as statements:
        result = shown(forge, f"[model:churn] {html}", private)
    assert time.perf_counter() - start < 1
    assert result.count("<a ") == 1 + len(numbers)
    assert len(statements) == 2


def test_outside_of_the_forge_links_are_absolute_and_need_no_script(
    private: Project, session: Session
) -> None:
    forge = FakeForge(lambda project: session, script_root="/devops")
    private = forge.add_project("group/private", MEMBER)
    add_candidate(session, private, 42, "owl")
    context = Context(MEMBER, private, forge.host(), Settings(), "https://forge.example/devops/")
    assert link("[candidate:42]", context, external=True) == (
        '<a class="mlops-reference"'
        ' href="https://forge.example/devops/group/private/-/ml/candidates/42">'
        "<bdi>owl</bdi> <small>candidate:42</small></a>"
    )


def test_outside_of_the_forge_hidden_is_still_like_missing(
    forge: FakeForge, private: Project, session: Session
) -> None:
    add_candidate(session, private, 42)
    for reader in OUTSIDERS.values():
        context = Context(reader, private, forge.host(), Settings(), ROOT)
        assert link("[candidate:42]", context, external=True) == "[candidate:42]"


def test_nothing_is_linked_outside_of_a_forge_that_is_nobody_knows_where(
    forge: FakeForge, private: Project, session: Session
) -> None:
    add_candidate(session, private, 42)
    context = Context(MEMBER, private, forge.host(), Settings())
    assert link("[candidate:42]", context) != "[candidate:42]"
    assert link("[candidate:42]", context, external=True) == "[candidate:42]"


def test_a_reference_to_another_project_says_which(
    forge: FakeForge, private: Project, public: Project, session: Session
) -> None:
    add_candidate(session, private, 42)
    result = shown(forge, "[candidate:group/private/42]", public)
    assert 'href="/group/private/-/ml/candidates/42"' in result
    assert "<small>candidate:group/private/42</small>" in result


@pytest.mark.parametrize(
    "html",
    [
        "https://forge.example/group/private/-/ml/candidates/42",
        '<a href="https://forge.example/group/private/-/ml/candidates/42" rel="nofollow">'
        "https://forge.example/group/private/-/ml/candidates/42</a>",
    ],
)
def test_a_full_url_becomes_the_same_link(
    forge: FakeForge, private: Project, session: Session, html: str
) -> None:
    add_candidate(session, private, 42)
    assert shown(forge, f"<p>{html}</p>", private) == shown(forge, "<p>[candidate:42]</p>", private)


def test_a_forge_below_a_path_is_linked_there(private: Project, session: Session) -> None:
    forge = FakeForge(lambda project: session, script_root="/devops")
    private = forge.add_project("group/private", MEMBER)
    add_candidate(session, private, 42)
    url = "https://forge.example/devops/group/private/-/ml/candidates/42"
    result = shown(forge, url, private, root="https://forge.example/devops/")
    assert 'href="/devops/group/private/-/ml/candidates/42"' in result


def test_urls_are_read_by_the_rules_and_converters_of_the_forge(
    forge: FakeForge, session: Session
) -> None:
    class Group(PathConverter):
        regex = "[a-z]+/[a-z]+"

    class Chrome(FakeChrome):
        web_prefixes = ("/p/<group:namespace>/<project>",)

        def project_url(self, project: Project) -> str:
            return f"/p/{project.path}"

    project = forge.add_project("some/group/name", MEMBER)
    add_candidate(session, project, 42)
    host = forge.host(chrome=Chrome(forge))
    context = Context(MEMBER, project, host, Settings(), ROOT, {"group": Group})
    inside = f"{ROOT}p/some/group/name/-/ml/candidates/42"
    outside = f"{ROOT}some/group/name/-/ml/candidates/42"
    result = link(f"{inside} {outside}", context)
    assert result.startswith('<a class="mlops-reference" href="/p/some/group/name/-/ml/')
    assert result.endswith(outside)


def test_code_and_attributes_stay_as_they_are(
    forge: FakeForge, private: Project, session: Session
) -> None:
    add_candidate(session, private, 42)
    html = (
        "<p title='[candidate:42]'>&#91;candidate:42&#93; <code>[candidate:42]</code></p>\r\n"
        '<pre><code>[candidate:42]\n</code></pre><IMG ALT="[candidate:42]"/>'
        '<a href="/x">[candidate:42]</a><!-- [candidate:42] -->\u00a0&nbsp;&unknown;<br>'
    )
    assert shown(forge, html, private) == html


def test_all_around_a_link_stays_byte_for_byte(
    forge: FakeForge, private: Project, session: Session
) -> None:
    add_candidate(session, private, 42)
    before, after = "<P\tClass = x>a&amp;b &copy 𝒳\r\n", " &#x41;</p ><br / >"
    result = shown(forge, f"{before}[candidate:42]{after}", private)
    assert result.startswith(f"{before}<a ")
    assert result.endswith(f"</a>{after}")


def test_what_does_not_exist_stays_text(
    forge: FakeForge, private: Project, session: Session
) -> None:
    add_candidate(session, private, 42)
    html = "[candidate:43] [candidate:no/such/42] https://forge.example/no/-/ml/candidates/42"
    assert shown(forge, html, private) == html


def test_a_candidate_in_the_trash_is_marked(
    forge: FakeForge, private: Project, session: Session
) -> None:
    add_candidate(session, private, 42, deleted_at=1)
    result = shown(forge, "[candidate:42]", private)
    assert '<a class="mlops-reference mlops-in-trash"' in result
    assert "<small>candidate:42, in trash</small>" in result


TEXTS = {
    "own project": "<p>[candidate:42]</p>",
    "other project": "<p>[candidate:group/private/42]</p>",
    "experiment": "<p>[experiment:group/private/0]</p>",
    "model": "<p>[model:group/private/churn]</p>",
    "version": "<p>[model:group/private/churn/1]</p>",
    "alias": "<p>[model:group/private/churn@champion]</p>",
    "url of a version": "<p>https://forge.example/group/private/-/ml/models/churn/versions/1</p>",
    "url of an experiment": "<p>https://forge.example/group/private/-/ml/experiments/0</p>",
    "url": "<p>https://forge.example/group/private/-/ml/candidates/42</p>",
    "autolink": '<p><a href="https://forge.example/group/private/-/ml/candidates/42">'
    "https://forge.example/group/private/-/ml/candidates/42</a></p>",
}
OUTSIDERS = {
    "anonymous": None,
    "outsider": actor("outsider"),
    "member with a token of another project": actor("member", project_id=1),
    "member with a token of too narrow scope": actor("member", scopes=frozenset({"read_issues"})),
}


@pytest.mark.parametrize("reader", OUTSIDERS.values(), ids=OUTSIDERS.keys())
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_a_hidden_candidate_looks_like_none(
    forge: FakeForge,
    private: Project,
    public: Project,
    session: Session,
    text: str,
    reader: Actor | None,
) -> None:
    here = private if text == TEXTS["own project"] else public
    add_registered_model(session, private, add_candidate(session, private, 42, "secret name"))
    assert shown(forge, text, here, reader) == text
    assert shown(forge, text, here, MEMBER) != text


def test_turning_private_and_losing_membership_hide_at_once(
    forge: FakeForge, public: Project, session: Session
) -> None:
    add_candidate(session, public, 42)
    forge.roles[MEMBER.id, public.id] = Ability.READ
    html = "[candidate:42]"
    assert shown(forge, html, public, None) != html
    forge.public.clear()
    assert shown(forge, html, public, None) == html
    assert shown(forge, html, public, MEMBER) != html
    forge.roles.clear()
    assert shown(forge, html, public, MEMBER) == html


class Elements(HTMLParser):
    """The start tags and the text of HTML, for what a browser would make of it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, list[str]]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, [name for name, _ in attrs]))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize(
    "name",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        '"><img src=x onerror=alert(1)>',
        "' onmouseover='alert(1)",
        '" onmouseover="alert(1)',
        "</a></bdi><b>out",
        "</title><script>alert(1)</script>",
        "<!-- x",
        "]]><script>",
        "&lt;script&gt;",
        "&amp;#x27;",
        "javascript:alert(1)",
        "{{ 7 * 7 }}{% raw %}",
        "[candidate:43]",
        "`x` \\",
    ],
)
def test_a_name_is_only_ever_text(
    forge: FakeForge, private: Project, session: Session, name: str
) -> None:
    add_candidate(session, private, 42, name)
    add_candidate(session, private, 43, "other")
    result = Elements(shown(forge, "<p>[candidate:42]</p>", private))
    assert result.tags == [
        ("p", []),
        ("a", ["class", "href", "data-mlops-card"]),
        ("bdi", []),
        ("small", []),
    ]
    assert result.text == f"{name} candidate:42"


def test_a_long_name_is_shortened_and_kept_on_one_line(
    forge: FakeForge, private: Project, session: Session
) -> None:
    add_candidate(session, private, 42, "one\n two\u202e " + "x" * 1000)
    result = shown(forge, "[candidate:42]", private)
    assert f"<bdi>one two\u202e {'x' * 70}…</bdi>" in result


def test_a_thousand_references_take_few_queries_and_under_a_second(
    forge: FakeForge, private: Project, public: Project, session: Session, engine: Engine
) -> None:
    add_candidates(session, private, range(1, 501))
    add_candidates(session, public, range(1, 501))
    for iid in range(1, 251):
        add_experiment(session, public, iid)
    html = "".join(
        f"<p>[candidate:{i}] [candidate:group/private/{i}] "
        f"{ROOT}group/private/-/ml/candidates/{i} [experiment:{i}]</p>\n"
        for i in range(1, 251)
    )
    forge.calls.clear()
    start = time.perf_counter()
    with counted(engine) as statements:
        result = shown(forge, html, public)
    assert time.perf_counter() - start < 1
    assert result.count("<a ") == 1000
    assert len(statements) == 3
    assert forge.calls == {"by_path": 1, "by_url": 1, "can": 2, "project_url": 2}


def test_the_same_reference_many_times_is_looked_up_once(
    forge: FakeForge, private: Project, session: Session, engine: Engine
) -> None:
    add_candidate(session, private, 42)
    with counted(engine) as statements:
        result = shown(forge, "[candidate:42]" * (MAX_OCCURRENCES + 1), private)
    assert result.count("<a ") == MAX_OCCURRENCES
    assert result.endswith("</a>[candidate:42]")
    assert len(statements) == 1


def test_references_beyond_the_limit_stay_text(
    forge: FakeForge, private: Project, session: Session
) -> None:
    add_candidates(session, private, range(1, MAX_REFERENCES + 2))
    html = " ".join(f"[candidate:{i}]" for i in range(1, MAX_REFERENCES + 2))
    result = shown(forge, html, private)
    assert result.count("<a ") == MAX_REFERENCES
    assert result.endswith(f"[candidate:{MAX_REFERENCES + 1}]")


def test_the_forge_is_asked_for_a_bounded_number_of_projects(
    forge: FakeForge, private: Project, session: Session
) -> None:
    add_candidate(session, private, 42)
    others = " ".join(f"[candidate:other/{i}/1]" for i in range(MAX_PLACES - 1))
    own, beyond = "[candidate:42]", "[candidate:group/private/42]"
    result = shown(forge, f"{own} {others} {beyond}", private)
    assert result.count("<a ") == 1
    assert forge.calls["by_path"] == MAX_PLACES - 1


def test_a_text_without_references_asks_nothing(
    forge: FakeForge, private: Project, engine: Engine, session: Session
) -> None:
    with counted(engine) as statements:
        assert shown(forge, "<p>a candidate for president, a model experiment</p>", private)
    assert statements == []
    assert not forge.calls


@pytest.mark.parametrize("name", ["a%00b", "a%0ab", "a%7fb"])
def test_an_address_with_control_characters_is_not_looked_up(
    forge: FakeForge, private: Project, name: str
) -> None:
    """PostgreSQL raises for a NUL, and then nobody could read the text any more."""
    html = f"<p>https://forge.example/group/{name}/-/ml/candidates/42</p>"
    assert shown(forge, html, private) == html
    assert forge.calls["by_url"] == 0
