"""What axe-core finds on a page, and at which addresses to look for it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.e2e.furnished import Furnished

AXE = Path(__file__).parent / "vendor" / "axe-core" / "axe.min.js"
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa")
BAD = ("serious", "critical")
RUN = """async (tags) => {
  const found = await axe.run({runOnly: {type: 'tag', values: tags}, resultTypes: ['violations']});
  return found.violations.map(({id, impact, help, nodes}) =>
    ({id, impact, help, nodes: nodes.map(({target, failureSummary}) =>
      `${target.join(' ')}: ${failureSummary}`)}));
}"""


@dataclass(frozen=True)
class Finding:
    """A rule that is broken, and where."""

    rule: str
    impact: str
    text: str

    def __str__(self) -> str:
        return f"{self.impact}: {self.rule}: {self.text}"


def examine(page: Page) -> list[Finding]:
    """What axe-core says about the page. It has to be there: see `AXE` and `add_init_script`."""
    found: list[dict[str, Any]] = page.evaluate(RUN, list(RULES))
    return [
        Finding(each["id"], each["impact"] or "minor", f"{each['help']}\n    " + "\n    ".join(
            node.replace("\n", "\n      ") for node in each["nodes"][:4]))
        for each in found
    ]  # fmt: skip


def report(findings: Mapping[str, Iterable[Finding]]) -> str:
    """All findings, each with the pages that have it; empty if there is none that is bad."""
    if not any(each.impact in BAD for found in findings.values() for each in found):
        return ""
    pages: dict[str, list[str]] = {}
    for page, found in findings.items():
        for each in found:
            pages.setdefault(str(each), []).append(page)
    return "\n".join(f"{text}\n  on {', '.join(places)}" for text, places in pages.items())


def rule_name(rule: str) -> str:
    """The rule of a route without the kinds of its variables."""
    return re.sub(r"<(?:[^<>]*:)?(\w+)>", r"<\1>", rule).removeprefix("/")


@dataclass(frozen=True)
class Address:
    """A page to look at: its path, the answer's status, and what shows when it is complete.

    The path is below `/-/ml/` of the furnished project, or begins with a slash.
    """

    path: str
    status: int = 200
    until: str = ".mlops h1"


E = "experiments/<experiment_iid>"
C = "candidates/<candidate_iid>"
M = "models/<model_name>"
V = f"{M}/versions/<version>"
L = "logged_models/<model_id>"
W = "webhooks/<webhook_id>"
NO_PAGES = {
    f"{E}/names": "JSON for the completion of filters",
    f"{E}/points.json": "JSON",
    f"{E}/rows.json": "JSON",
    f"{E}/export.csv": "a download",
    f"{E}/export.json": "a download",
    "curves": "JSON",
    "runs/<run_id>": "leads to the candidate's page",
    f"{C}/artifacts/<artifact_path>": "a download",
    f"{C}/preview/<artifact_path>": "the bytes of an image",
    f"{C}/archive": "a download",
    f"{V}/artifacts/<artifact_path>": "a download",
    f"{V}/preview/<artifact_path>": "the bytes of an image",
    f"{V}/archive": "a download",
    f"{L}/artifacts/<artifact_path>": "a download",
    f"{L}/preview/<artifact_path>": "the bytes of an image",
    f"{L}/archive": "a download",
    f"{C}/card": "a part of the forge's pages, see test_references",
    f"{E}/card": "a part of the forge's pages, see test_references",
    "models/<model_name>/card": "a part of the forge's pages, as the card of a candidate",
    "models/<model_name>/versions/<version>/card": "a part of the forge's pages, as that",
    "merge_requests/<merge_request_id>/candidates": "a part of its page, see test_proposal",
    "suggestions": "JSON for the completion of references",
}
"""Routes with GET that answer no HTML of ours, and what they do instead."""


def addresses(at: Furnished) -> dict[str, list[Address]]:
    """Where each kind of page is in the furnished project, in all its states, by its route."""
    first = f"experiments/{at.experiment}"
    some = ",".join(map(str, at.compared))
    ticked = "&".join(f"candidates={iid}" for iid in at.compared)
    return {
        "experiments": [
            *_all("experiments", ("", "?view=deleted", "?name=nothing-is-called-so")),
            Address(at.empty),
        ],
        E: [
            *_all(first, ("", "?rows=flat", "?rows=tree&open=1&selected=2,3", "?view=deleted",
                          "?filter=metrics.auc+>+99",
                          "?columns=metrics.auc&columns=author&order_by=metrics.auc+DESC")),
            Address(f"{first}?filter=metrics.auc+>>+1", 400),
            Address(f"experiments/{at.without}"),
            Address(f"experiments/{at.trashed_experiment}"),
            Address("experiments/99", 404),
        ],
        f"{E}/charts": [
            Address(f"{first}/charts", until=".mlops canvas"),
            Address(f"{first}/charts?filter=metrics.auc+>>+1", 400),
            Address(f"experiments/{at.without}/charts"),
        ],
        f"{E}/wide": [
            Address(f"{first}/wide", until=".tabulator-row"),
            Address(f"experiments/{at.without}/wide"),
        ],
        f"{E}/tag-candidates": [Address(f"{first}/tag-candidates?{ticked}")],
        f"{E}/delete-candidates": [Address(f"{first}/delete-candidates?candidates={at.trashed}")],
        f"{E}/edit": [Address(f"{first}/edit")],
        f"{E}/delete": [Address(f"experiments/{at.trashed_experiment}/delete")],
        f"{E}/compare": [
            Address(f"{first}/compare?candidates={some}", until=".mlops-comparison"),
            Address(f"{first}/compare?candidates={some}&baseline=1&show=all&extremes=1"),
            Address(f"{first}/compare"),
        ],
        "compare": [Address(f"compare?candidates={some}"), Address("compare?candidates=99", 404)],
        C: [
            *(Address(f"candidates/{iid}") for iid in (
                at.finished, at.running, at.bare, at.trashed, 9)),
            Address("candidates/99", 404),
        ],
        f"{C}/charts": [
            Address(f"candidates/{at.finished}/charts", until=".mlops canvas"),
            Address(f"candidates/{at.bare}/charts"),
        ],
        f"{C}/files": [
            *_all(f"candidates/{at.finished}/files", (
                "", "?path=figures", "?path=figures/matrix.png", "?path=figures/curve.svg",
                "?path=report.html", "?path=report.txt", "?path=summary.md",
                "?path=summary.md&raw=1", "?path=metrics.json", "?path=predictions.csv",
                "?path=mistakes.json", "?path=model", "?path=model/MLmodel",
                "?path=model/model.pkl", "?path=empty.txt")),
            Address(f"candidates/{at.bare}/files"),
        ],
        f"{C}/promote": [
            *_all(f"candidates/{at.finished}/promote", ("", "?model=churn")),
            Address(f"candidates/{at.bare}/promote"),
            Address(f"candidates/{at.trashed}/promote", 400),
        ],
        f"{C}/edit": [Address(f"candidates/{at.finished}/edit")],
        f"{C}/delete": [Address(f"candidates/{at.trashed}/delete")],
        f"{L}/files": [
            *_all(f"logged_models/{at.logged_model}/files", ("", "?path=MLmodel")),
            Address("logged_models/m-0/files", 404),
        ],
        "models": [
            *_all("models", ("", "?kind=prompts", "?sort=name", "?name=nothing-is-called-so")),
            Address(at.empty.replace("experiments", "models")),
        ],
        M: [Address(f"models/{at.model}"), Address("models/chat"), Address("models/nobody", 404)],
        f"{M}/edit": [Address(f"models/{at.model}/edit")],
        f"{M}/delete": [Address(f"models/{at.model}/delete")],
        V: [
            *(Address(f"models/{at.model}/versions/{number}") for number in (1, 2)),
            Address("models/chat/versions/1"),
            Address("models/chat/versions/9", 404),
        ],
        f"{V}/files": [
            *_all(f"models/{at.model}/versions/1/files", ("", "?path=MLmodel", "?path=model.pkl")),
            Address(f"models/{at.model}/versions/2/files"),
        ],
        f"{V}/edit": [Address(f"models/{at.model}/versions/1/edit")],
        f"{V}/delete": [Address(f"models/{at.model}/versions/1/delete")],
        "webhooks": [
            Address("webhooks"),
            Address(at.empty.replace("experiments", "webhooks"), 403),
        ],
        "webhooks/new": [Address("webhooks/new")],
        W: _all(f"webhooks/{at.webhook}", ("", "?state=failed", "?before=1")),
        f"{W}/edit": [Address(f"webhooks/{at.webhook}/edit")],
        f"{W}/remove": [Address(f"webhooks/{at.webhook}/remove", until=".mlops h2")],
        f"{W}/deliveries/<line_id>": [
            Address(f"webhooks/{at.webhook}/deliveries/{line}") for line in at.messages
        ],
    }  # fmt: skip


def _all(path: str, queries: Iterable[str]) -> list[Address]:
    return [Address(path + query) for query in queries]
