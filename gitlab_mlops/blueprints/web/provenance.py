"""Where a candidate comes from: code, job, environment, as far as anybody said so.

What the client says in tags is a claim: it is shown as one, as plain text that leads nowhere, for
it may name anything. What CI stamped is a fact; `Origin.is_stamped` tells them apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.blueprints.web import formats
from gitlab_mlops.host import MergeRequest, Repository
from gitlab_mlops.services.reproducibility import COMMIT_TAGS, first_of, is_dirty
from gitlab_mlops.services.stamps import Stamp
from gitlab_mlops.wire.model_history import LoggedModel

SHORT_COMMIT = 12
MAX_TEXT = 200
"""Characters of an origin that are shown."""
_HEX = frozenset("0123456789abcdefABCDEF")


@dataclass(frozen=True, slots=True)
class Origin:
    """One thing that is known of where a candidate comes from.

    `to_copy` is the whole of a `text` that is shortened, if people want it elsewhere. `url` is
    where a fact leads; a claim leads nowhere. `title` is what people call what is there.
    """

    label: str
    text: str
    to_copy: str = ""
    is_stamped: bool = False
    url: str = ""
    title: str = ""


# Of several tags the first counts that is there; GitLab's own names come from its runner.
_BRANCH = ("mlflow.source.git.branch", "mlflow.git.branch", "gitlab.CI_COMMIT_REF_NAME")
_REPOSITORY = ("mlflow.source.git.repoURL", "mlflow.git.repoURL", "gitlab.CI_PROJECT_URL")
_OF_CI = (
    ("Job", ("gitlab.CI_JOB_ID",)),
    ("Pipeline", ("gitlab.CI_PIPELINE_ID",)),
    ("Merge request", ("gitlab.CI_MERGE_REQUEST_IID",)),
)
_ENVIRONMENT = (
    ("Source", ("mlflow.source.name",)),
    ("Kind of source", ("mlflow.source.type",)),
    ("Entry point", ("mlflow.project.entryPoint",)),
    ("User", ("mlflow.user",)),
    ("Image", ("mlflow.docker.image.uri", "mlflow.docker.image.id")),
    ("Autologged by", ("mlflow.autologging",)),
    ("MLflow", ("mlflow.version", "mlflow_version")),
    ("Python", ("mlflow.python.version", "python_version", "python.version")),
)


@dataclass(frozen=True, slots=True)
class Pages:
    """The forge's pages of what a stamp names, as far as the reader may see them."""

    commit: str = ""
    merge_request: MergeRequest | None = None


def pages_of(access: ReadAccess, repository: Repository | None, stamp: Stamp | None) -> Pages:
    """The pages of a stamp's commit and merge request; a hidden one is as one that is not there."""
    if repository is None or stamp is None:
        return Pages()
    project, named = access.project, stamp.merge_request
    commit = repository.commit_url(project, stamp.sha) if stamp.sha else None
    found = repository.merge_request(access.actor, project, named) if named else None
    if found is not None:
        # On a page of the project, its path is only in the way.
        found = replace(found, label=found.label.removeprefix(project.path))
    return Pages(commit or "", found)


def stamped_of(stamp: Stamp | None, pages: Pages) -> list[Origin]:
    """What CI stamped on a candidate; nothing if no job started it."""
    if stamp is None:
        return []
    said = (
        Origin("Commit", stamp.sha[:SHORT_COMMIT], stamp.sha, is_stamped=True, url=pages.commit),
        Origin("Branch", formats.shortened(stamp.ref, MAX_TEXT), is_stamped=True),
        Origin("Job", stamp.job_id, is_stamped=True, url=stamp.url),
        Origin("Pipeline", stamp.pipeline_id, is_stamped=True),
        _merge_request(stamp, pages.merge_request),
    )
    return [each for each in said if each.text]


def _merge_request(stamp: Stamp, found: MergeRequest | None) -> Origin:
    if found is None:
        return Origin("Merge request", stamp.merge_request, is_stamped=True)
    title = formats.shortened(found.title, MAX_TEXT)
    return Origin("Merge request", found.label, is_stamped=True, url=found.url, title=title)


def code_of(tags: Mapping[str, str], stamped: Sequence[Origin] = ()) -> list[Origin]:
    """The code and the job that made a candidate: what CI stamped, then what the client claims.

    A claim of what is stamped anyway is left out if it says the same.
    """
    claimed = [
        *_claimed_commit(tags),
        *_claims(tags, (("Branch", _BRANCH), ("Repository", _REPOSITORY))),
        *_claimed_state(tags),
        *_claims(tags, _OF_CI),
    ]
    known = {(each.label, each.to_copy or each.text) for each in stamped}
    return [
        *stamped,
        *(each for each in claimed if (each.label, each.to_copy or each.text) not in known),
    ]


def environment_of(tags: Mapping[str, str], models: Iterable[LoggedModel]) -> list[Origin]:
    """What a candidate ran in; the models that it logged may tell the version of Python."""
    found = _claims(tags, _ENVIRONMENT)
    pythons = dict.fromkeys(each.python for each in models if each.python)
    if pythons and not any(each.label == "Python" for each in found):
        found.append(Origin("Python", ", ".join(pythons)))
    return found


def _claims(tags: Mapping[str, str], wanted: Iterable[tuple[str, Iterable[str]]]) -> list[Origin]:
    found = ((label, first_of(tags, keys)) for label, keys in wanted)
    return [Origin(label, formats.shortened(said, MAX_TEXT)) for label, said in found if said]


def _claimed_commit(tags: Mapping[str, str]) -> list[Origin]:
    said = first_of(tags, COMMIT_TAGS)
    if not said:
        return []
    is_hash = len(said) in (40, 64) and _HEX.issuperset(said)
    text = said[:SHORT_COMMIT] if is_hash else formats.shortened(said, MAX_TEXT)
    return [Origin("Commit", text, said[:MAX_TEXT])]


def _claimed_state(tags: Mapping[str, str]) -> list[Origin]:
    said = is_dirty(tags)
    if said is None:
        return []
    return [Origin("Working copy", "uncommitted changes" if said else "clean")]
