"""The leak table: wherever a text mentions a candidate that its reader may not see, all bytes are
as if there were no such candidate; at once, when a role or the visibility of a project changes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import delete, select

from gitlab_mlops.models import Mention
from host_stub import issuables, projects, users
from host_stub.database import db
from host_stub.issues import create_issue
from host_stub.mails import Mail
from host_stub.merge_requests import create_merge_request
from tests.browsing import Browser, log
from tests.contract.registry import make_version, register, set_alias
from tests.factories import Api, Forge, bearer

NAME = "unannounced-merger-model"
EXPERIMENT = "codename-heron"
MODEL = "churn"
ALIAS = "champion"
CARD = "Ready for the lapwing acquisition."


@dataclass
class Stage:
    """A public project whose issue and merge request mention what is in a private project."""

    forge: Forge
    author: int
    reader: int
    public: int
    private: int
    secret: Api

    @property
    def hidden_path(self) -> str:
        """The private project's path, which may have no candidates."""
        return self.forge.path(self.private)

    @property
    def text(self) -> str:
        """A text that refers to what is hidden in every way there is."""
        path = self.hidden_path
        url = f"http://localhost/{path}/-/ml"
        return (
            f"See [candidate:{path}/1], [experiment:{path}/1], {url}/candidates/1 and"
            f" {url}/experiments/1, or [ours]({url}/candidates/1).\n\n"
            f"[model:{path}/churn], [model:{path}/churn/1], [model:{path}/churn@champion],"
            f" {url}/models/churn and {url}/models/churn/versions/1, or [it]({url}/models/churn)."
        )

    def say(self) -> None:
        """Save again what the author has said; so what is mentioned by now is recorded."""
        with self.forge.stored():
            author = db.session.get_one(users.User, self.author)
            said = select(issuables.Issuable).where(issuables.Issuable.project_id == self.public)
            for each in db.session.scalars(said).all():
                issuables.edit(each, author, title=each.title, description=each.description)

    def browser(self) -> Browser:
        """The reader's browser, on the public project."""
        return Browser.open(self.forge, self.public, self.reader)

    def page(self, path: str, **form: str) -> str:
        """A page of the public project, as the reader sees it."""
        url = f"/{self.forge.path(self.public)}/-/{path}"
        client = self.browser().client
        answer = (
            client.post(url, data={"csrf_token": "token-of-the-session", **form})
            if form
            else client.get(url)
        )
        assert answer.status_code == 200, answer.get_data(as_text=True)[:500]
        return answer.get_data(as_text=True)

    def api(self, path: str) -> str:
        """What the forge's own API answers to a token of the reader."""
        token = self.forge.token(self.reader)
        url = f"/api/v4/projects/{self.public}/{path}"
        answer = self.forge.app.test_client().get(url, headers=bearer(token))
        assert answer.status_code == 200
        return answer.get_data(as_text=True)

    def mail(self) -> str:
        """What a mail says that is sent to the reader now, about a comment on their own issue."""
        with self.forge.app.test_request_context("/"):
            author = db.session.get_one(users.User, self.author)
            issue = issuables.find(issuables.Issuable, self.public, 2)
            assert issue is not None
            issuables.add_comment(issue, author, self.text)
            db.session.commit()
        with self.forge.stored():
            mine = select(Mail.html).where(Mail.user_id == self.reader).order_by(Mail.id.desc())
            html = db.session.scalars(mine).first()
            assert html is not None
            db.session.execute(delete(Mail).where(Mail.user_id == self.reader))
        return html

    def hidden(self, path: str) -> str:
        """A page of the private project, as the reader sees it."""
        return self.browser().client.get(f"/{self.hidden_path}/-/ml/{path}").get_data(as_text=True)


SURFACES: dict[str, Callable[[Stage], str]] = {
    "the page of an issue": lambda stage: stage.page("issues/1"),
    "the page of a merge request": lambda stage: stage.page("merge_requests/1"),
    "the list of issues and its titles": lambda stage: stage.page("issues"),
    "the form of an issue, as a preview": lambda stage: stage.page(
        "issues/new", title="x", description=stage.text, preview="description"
    ),
    "a comment, as a preview": lambda stage: stage.page(
        "issues/1/comments", text=stage.text, preview="text"
    ),
    "the preview that a script asks for": lambda stage: stage.page("preview", text=stage.text),
    "an issue in the API": lambda stage: stage.api("issues/1"),
    "the issues in the API": lambda stage: stage.api("issues"),
    "comments in the API": lambda stage: stage.api("issues/1/notes"),
    "a merge request in the API": lambda stage: stage.api("merge_requests/1"),
    "mail": Stage.mail,
    "completion": lambda stage: stage.page(
        f"ml/suggestions?kind=candidate&path={stage.hidden_path}&q="
    ),
    "completion of experiments": lambda stage: stage.page(
        f"ml/suggestions?kind=experiment&path={stage.hidden_path}&q="
    ),
    "completion of models": lambda stage: stage.page(
        f"ml/suggestions?kind=model&path={stage.hidden_path}&q="
    ),
    "completion of versions": lambda stage: stage.page(
        f"ml/suggestions?kind=model&path={stage.hidden_path}/churn&q="
    ),
    "completion of aliases": lambda stage: stage.page(
        f"ml/suggestions?kind=model&path={stage.hidden_path}&q=churn@"
    ),
    "the card of a model": lambda stage: stage.hidden("models/churn/card"),
    "the card of a version": lambda stage: stage.hidden("models/churn/versions/1/card"),
    "the card of a candidate": lambda stage: stage.hidden("candidates/1/card"),
    "the card of an experiment": lambda stage: stage.hidden("experiments/1/card"),
}
SAYS_NOTHING = {"the list of issues and its titles"}
"""Where references stay text for everybody."""
SHOWN = {
    "completion of experiments": EXPERIMENT,
    "the card of an experiment": EXPERIMENT,
    "completion of models": MODEL,
    "completion of versions": f"{MODEL}/1",
    "completion of aliases": f"{MODEL}@{ALIAS}",
    "the card of a model": CARD,
    "the card of a version": NAME,
}
"""What shows of the hidden things, to who may see them, if it is not the candidate's name."""


@pytest.fixture
def stage(forge: Forge) -> Stage:
    public, private = forge.project("public"), forge.project()
    author, reader = forge.member(public, "developer"), forge.member(public, "reporter")
    forge.add_member(private, author, "developer")
    made = Stage(forge, author, reader, public, private, forge.api(private, forge.token(author)))
    with forge.stored():
        project = db.session.get_one(projects.Project, public)
        by, asker = (db.session.get_one(users.User, each) for each in (author, reader))
        title = f"About [candidate:{made.hidden_path}/1]"
        issue = create_issue(project, by, title, made.text)
        issuables.add_comment(issue, by, made.text)
        create_issue(project, asker, "Asked by the reader", "")
        create_merge_request(project, by, title, made.text)
    made.say()
    return made


def seen(stage: Stage, surface: str) -> str:
    """What the reader sees there, without what differs from answer to answer."""
    html = SURFACES[surface](stage)
    html = re.sub(r'nonce="[^"]*"|datetime="[^"]*"|title="[0-9: -]+UTC"', "", html)
    return re.sub(r"#note_\d+|\b\d+ (seconds?|minutes?) ago\b|just now", "", html)


def train(stage: Stage) -> None:
    """Log what is to stay hidden."""
    made = stage.secret.post("experiments/create", name=EXPERIMENT)
    run_id = stage.secret.create_run(made["experiment_id"], run_name=NAME)
    stage.secret.post("runs/log-metric", run_id=run_id, key="auc", value=0.99, timestamp=1, step=1)
    register(stage.secret, MODEL, description=CARD)
    make_version(stage.secret, MODEL, source=f"runs:/{run_id}/model")
    set_alias(stage.secret, ALIAS, 1, MODEL)


def make_public(stage: Stage, visibility: str = "public") -> None:
    with stage.forge.stored():
        db.session.get_one(projects.Project, stage.private).visibility = visibility


def set_member(stage: Stage, *, is_member: bool) -> None:
    with stage.forge.stored():
        project = db.session.get_one(projects.Project, stage.private)
        user = db.session.get_one(users.User, stage.reader)
        if is_member:
            projects.add_member(project, user, 20)
        else:
            projects.remove_member(project, user.id)


CHANGES: dict[str, tuple[Callable[[Stage], Any], Callable[[Stage], Any]]] = {
    "the project turns private": (make_public, lambda stage: make_public(stage, "private")),
    "the member is removed": (
        lambda stage: set_member(stage, is_member=True),
        lambda stage: set_member(stage, is_member=False),
    ),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("surface", SURFACES)
def test_what_is_hidden_looks_as_if_it_were_not_there(
    stage: Stage, surface: str, change: str
) -> None:
    show, hide = CHANGES[change]
    without = seen(stage, surface)
    train(stage)
    stage.say()
    assert seen(stage, surface) == without
    show(stage)
    shown = seen(stage, surface)
    if surface not in SAYS_NOTHING:
        assert SHOWN.get(surface, NAME) in shown
    hide(stage)
    assert seen(stage, surface) == without


def test_mentions_were_recorded_all_the_while(stage: Stage) -> None:
    """What is recorded is not what is shown: or the table above would prove nothing."""
    train(stage)
    stage.say()
    with stage.forge.stored():
        mentioned = select(Mention).where(Mention.source_project_id == stage.public)
        assert len(db.session.scalars(mentioned).all()) == 2


def test_a_private_text_hides_from_the_candidate_it_mentions(forge: Forge) -> None:
    api = forge.developer("public")
    hidden = forge.project()
    author = forge.member(hidden, "developer")
    log(api, "open")
    with forge.stored():
        project = db.session.get_one(projects.Project, hidden)
        by = db.session.get_one(users.User, author)
        create_issue(project, by, "secret plans", f"[candidate:{forge.path(api.project_id)}/1]")
    outsider = Browser.open(forge, api.project_id, forge.user())
    assert "secret plans" in Browser.open(forge, api.project_id, author).get("candidates/1").html
    assert "secret plans" not in outsider.get("candidates/1").html
