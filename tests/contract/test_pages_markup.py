"""The pages' HTML: nothing that somebody logged becomes markup, and everything is labelled."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from flask import Flask
from jinja2 import StrictUndefined
from sqlalchemy import select

from gitlab_mlops.access import WriteAccess, grant
from gitlab_mlops.models import RegisteredModel
from gitlab_mlops.services import candidates, experiments, inputs, logging
from gitlab_mlops.services.points import Point
from gitlab_mlops.services.records import DatasetInput
from gitlab_mlops.services.registry import registered_models, versions
from gitlab_mlops.services.registry.sources import RunFolder
from host_stub.database import db
from tests.browsing import START, Browser, Page
from tests.factories import Forge

CORPUS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' autofocus onfocus='alert(1)",
    "` onmouseover=alert(1) x=`",
    "</title><script>alert(1)</script>",
    "</textarea></style></template><svg onload=alert(1)>",
    "<!--><script>alert(1)</script>",
    "javascript:alert(1)",
    "{{ 7 * 15873017 }}{% raw %}${7*15873017}",
    "&lt;script&gt;alert(1)&lt;/script&gt;&#x3c;",
    "\u202egnp.exe\u2066\ufeff",
    "line\r\nbreak\ttab",
    "   ",
    "💐" * 60,
    "x" * 400,
)
CLAIMS = (
    "mlflow.source.git.commit",
    "mlflow.source.git.branch",
    "mlflow.source.git.repoURL",
    "mlflow.source.name",
    "gitlab.CI_JOB_ID",
)
FILES = ("<img src=x onerror=alert(1)>.html", "a\"b'c.svg", "javascript:alert(1).js")


@pytest.fixture(scope="module")
def evil(app: Flask) -> Browser:
    """A project whose every field is hostile, past the API, which would refuse some of them."""
    forge = Forge(app)
    project_id = forge.project("private")
    user_id = forge.member(project_id, "developer")
    mount = forge.app.extensions["mlops"]
    with forge.app.test_request_context("/"):
        host = mount.host
        actor = host.identity.actors([str(user_id)])[str(user_id)]
        project = host.projects.by_id(project_id)
        access = grant(WriteAccess, host, mount.settings, actor, project)
        for text in CORPUS:
            _fill(access, text)
        db.session.commit()
        for entry in experiments_of(access):
            for name in FILES:
                mount.storage.put(f"{project_id}/{entry}/artifacts/{name}", [b"x"], 1)
    return Browser.open(forge, project_id, user_id)


def models(text: str) -> str:
    """The tag in which MLflow 2 notes the models of a run."""
    flavors = {text: {f"{text}_version": text}, "python_function": {"python_version": text}}
    return json.dumps([{"artifact_path": text, "flavors": flavors}])


def _fill(access: WriteAccess, text: str) -> None:
    """An experiment with two candidates that say `text` wherever a client can say something."""
    iid = experiments.create(access, text, [("mlflow.note.content", text)])
    for number in range(2):
        tags = [(text[:250], text), ("mlflow.note.content", text), (f"mlflow.{text[:200]}", text)]
        tags += [(key, text) for key in CLAIMS] + [("mlflow.log-model.history", models(text))]
        eid = candidates.create(
            access, iid, name=text, user_id=text, start_time=START, tags=tags
        ).eid
        logging.log(
            access,
            eid,
            points=[Point(text[:250], float(number), START, 0), Point(f"m{text[:200]}", 1, 1, 1)],
            params=[(text[:250], f"{text}{number}"), (f"p{text[:200]}", text)],
        )
        _register(access, text, eid)
        used = DatasetInput(text, "digest", text[:36], text, text, text)
        used.tags.append(("mlflow.data.context", text))
        inputs.log_inputs(access, eid, [used])


def model_name(text: str) -> str:
    """The text as far as a registered model may be called so."""
    return text.replace("/", "").replace(":", "")[:256]


def _register(access: WriteAccess, text: str, eid: str) -> None:
    """A version that says `text` wherever a client can say something; with it, its model."""
    name, tags = model_name(text), {text[:250]: text, "gitlab.version": text}
    if access.session.scalar(select(RegisteredModel.id).where(
        RegisteredModel.project_id == access.project.id, RegisteredModel.name == name
    )) is None:  # fmt: skip
        registered_models.create(access, name, tags, text)
    source = RunFolder(f"runs:/{eid}/{text}", eid, "")
    versions.create(access, name, source, tags=tags, description=text, run_link=text)


def experiments_of(access: WriteAccess) -> Iterator[str]:
    for iid in range(1, 2 * len(CORPUS) + 1):
        record = candidates.get_by_iid(access, iid)
        yield f"{record.experiment_iid}/{record.eid}"


def assert_harmless(page: Page) -> None:
    assert page.status in (200, 400, 404)
    for each in page.elements:
        assert each.name not in ("iframe", "object", "embed", "base", "style", "template"), each
        assert not [name for name in each.attributes if name.startswith("on")], each
        assert "style" not in each.attributes, each
        for name in ("href", "src", "action", "formaction"):
            target = each.attributes.get(name, "/")
            assert re.match(r"[/#?]", target), each
            assert not target.startswith("//"), each
        if each.name == "script":
            assert each.attributes.get("src", "").startswith("/"), each
            assert not each.text
        if each.name == "img":  # an artifact, whose bytes are checked before they are sent
            assert re.match(r"/[\w/-]+/-/ml/candidates/\d+/preview/", each["src"]), each
    assert "111111119" not in page.text  # long enough not to be in a run id by chance


def test_nothing_that_was_logged_becomes_markup(evil: Browser) -> None:
    listing = evil.get("experiments")
    assert_harmless(listing)
    assert len(listing.rows()) == len(CORPUS)
    for number, text in enumerate(CORPUS, start=1):
        for path in (f"experiments/{number}", f"candidates/{2 * number}"):
            page = evil.get(path)
            assert page.status == 200
            assert_harmless(page)
            shown = [each.text for each in page.all("bdi")]
            assert text in shown or (not text.strip() and "(no name)" in shown)
            assert_harmless(evil.get(f"{path}/edit"))
            assert_harmless(evil.get(f"{path}/charts"))


def test_no_registered_model_becomes_markup(evil: Browser) -> None:
    listing = evil.get("models?sort=name")
    assert_harmless(listing)
    assert len(listing.rows()) == len(CORPUS)
    for text in CORPUS:
        base = f"models/{quote(model_name(text), safe='')}"
        for path in (base, f"{base}/versions/1"):
            page = evil.get(path)
            assert page.status == 200
            assert_harmless(page)
            assert model_name(text) in [each.text for each in page.all("bdi")] or not text.strip()
            for action in ("edit", "delete"):
                assert_harmless(evil.get(f"{path}/{action}"))
        assert_harmless(evil.get(f"{base}/versions/1/files"))


@pytest.mark.parametrize("text", CORPUS[:9])
def test_nothing_in_an_address_becomes_markup(evil: Browser, text: str) -> None:
    for path, query in (
        ("experiments", {"name": text}),
        ("experiments", {"after": text}),
        ("experiments/1", {"filter": text}),
        ("experiments/1", {"order_by": text}),
        ("experiments/1", {"page_token": text, "view": text}),
        ("experiments/1", {"columns": [f"metrics.{text}", f"params.{text}", f"tags.{text}"]}),
        ("experiments/1", {"rows": text, "open": text, "selected": text, "done": text}),
        ("experiments/1/tag-candidates", {"candidates": "1", "back": text}),
        ("candidates/1", {"find": text}),
        ("candidates/1/charts", {"chart": text, "x": "wall"}),
        ("candidates/1/charts", {"smooth": text}),
        ("experiments", {"view": "deleted", "deleted": text, "freed": text}),
        ("candidates/1/files", {"path": text}),
        ("candidates/1/files", {"page": text}),
        ("models", {"name": text, "kind": "prompts"}),
        ("models", {"removed": text}),
        ("models", {"after": text, "sort": text}),
    ):
        assert_harmless(evil.get(path, query_string=query))


def test_every_metric_and_parameter_sorts_however_it_is_called(evil: Browser) -> None:
    for number in range(1, len(CORPUS) + 1):
        page = evil.get(f"experiments/{number}")
        for each in page.all("a"):
            if "order_by=" in each["href"]:
                assert evil.raw(each["href"]).status_code == 200


def test_a_download_keeps_its_name(evil: Browser) -> None:
    page = evil.get("candidates/1/files")
    links = [each["href"] for each in page.all("a", title="Download")]
    assert len(links) == len(FILES)
    for url in links:
        answer = evil.raw(url)
        assert answer.status_code == 200
        assert answer.headers["Content-Disposition"].startswith("attachment;")


def test_tables_have_captions_and_heads_and_fields_have_labels(evil: Browser) -> None:
    for path in (
        "experiments",
        "experiments/1",
        "experiments/1?columns=tags.mlflow.note.content&selected=1,99",
        "experiments/1/tag-candidates?candidates=1",
        "candidates/1",
        "candidates/1/edit",
        "experiments/1/edit",
        "experiments/1?filter=x",
        "models",
        "models/javascriptalert(1)",
        "models/javascriptalert(1)/edit",
        "models/javascriptalert(1)/delete",
        "models/javascriptalert(1)/versions/1",
        "models/javascriptalert(1)/versions/1/edit",
        "models/javascriptalert(1)/versions/1/files",
    ):
        page = evil.get(path)
        assert len(page.all("caption")) == len(page.all("table"))
        assert all(each.text.strip() for each in page.all("caption"))
        assert all(each["scope"] in ("col", "row", "colgroup") for each in page.all("th"))
        labelled = {each["for"] for each in page.all("label")}
        for field in page.all("input"):
            assert field["type"] == "hidden" or field["id"] in labelled
        assert {field["id"] for field in page.all("textarea")} <= labelled
        assert len(page.all("h1")) == 1
        ids = [each["id"] for each in page.elements if "id" in each.attributes]
        assert len(ids) == len(set(ids))
        for each in page.elements:
            for name in ("aria-labelledby", "aria-describedby"):
                assert set(each.attributes.get(name, "").split()) <= set(ids)
        for each in page.all("a"):
            assert each.text.strip() or "aria-label" in each.attributes, each


def test_templates_use_only_what_they_are_given(
    app: Flask, evil: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A forge may be strict about it, and may not trim blocks.
    monkeypatch.setattr(app.jinja_env, "undefined", StrictUndefined)
    for path in (
        "experiments",
        "experiments?view=deleted",
        "experiments?name=nothing",
        "experiments/1",
        "experiments/1?view=deleted",
        "experiments/1?filter=>",
        "experiments/1?filter=metrics.x > 1",
        "experiments/1?rows=tree&open=1&columns=author&columns=params.x&selected=9&done=trashed-1",
        "experiments/1/tag-candidates?candidates=1",
        "candidates/1",
        "candidates/1?find=nothing",
        "candidates/1/edit",
        "candidates/1/charts",
        "candidates/1/charts?overlay=1&from=0&to=1",
        "experiments/1/edit",
        "candidates/99",
        "candidates/1/files",
        "candidates/1/files?page=9",
        "models",
        "models/javascriptalert(1)",
        "models/javascriptalert(1)/edit",
        "models/javascriptalert(1)/delete",
        "models/javascriptalert(1)/versions/1",
        "models/javascriptalert(1)/versions/1/edit",
        "models/javascriptalert(1)/versions/1/files",
        "models?kind=prompts",
        "models?name=nothing",
        "models/javascriptalert(1)/versions/1/delete",
        "models/javascriptalert(1)/versions/1/files?path=none",
        "models/nobody",
    ):
        assert evil.get(path).status < 500


def test_assets_are_public_and_cached_for_as_long_as_they_are_the_same(
    app: Flask, evil: Browser
) -> None:
    page = evil.get("experiments")
    urls = [each["href"] for each in page.all("link") if "/mlops/" in each["href"]]
    urls += [each["src"] for each in page.all("script") if "/mlops/" in each["src"]]
    names = {each.partition("?")[0].rpartition("/")[2] for each in urls}
    # The forge's own head loads what its pages show of the plugin, too.
    assert {"mlops.css", "mlops.js", "overview.css", "proposal.css", "references.js"} <= names
    anonymous = app.test_client()
    for url in urls:
        answer = anonymous.get(url, buffered=True)
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        other = anonymous.get(url.partition("?")[0] + "?v=0123456789abcdef", buffered=True)
        assert "immutable" not in other.headers["Cache-Control"]
    assert anonymous.get("/-/mlops/static/nope.css").status_code == 404
    assert anonymous.get("/-/mlops/static/../../blueprints/web/page.py").status_code == 404
