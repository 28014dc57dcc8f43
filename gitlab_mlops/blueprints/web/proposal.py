"""The section for the page of a merge request: its candidates, and what the gate says of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from flask import Response, request
from markupsafe import Markup

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.blueprints.endpoint import mounted
from gitlab_mlops.blueprints.web.badge import BadgeView, badges_of
from gitlab_mlops.blueprints.web.compare import MAX_CANDIDATES
from gitlab_mlops.blueprints.web.embedded import MAX_SHOWN, read_access
from gitlab_mlops.blueprints.web.links import Links
from gitlab_mlops.blueprints.web.page import page
from gitlab_mlops.blueprints.web.rendering import fragment
from gitlab_mlops.blueprints.web.standing import Table, table_of
from gitlab_mlops.errors import NotFound
from gitlab_mlops.host import Actor, Host, MergeRequest, Project
from gitlab_mlops.services.gate import verdict
from gitlab_mlops.services.gate.verdict import Outcome, Result, Verdict
from gitlab_mlops.services.proposals.brought import has_candidates
from gitlab_mlops.services.proposals.survey import Entry, Group, Survey, survey
from gitlab_mlops.services.reproducibility import Commit


@dataclass(frozen=True, slots=True)
class Finding:
    """What the gate says of one rule, or of several of which it says the same."""

    outcome: Outcome
    reason: str
    results: list[Result]


@dataclass(frozen=True, slots=True)
class View:
    """An experiment's candidates as a table; `compare` leads to them side by side, if it can."""

    group: Group
    table: Table
    compare: str


def panel(project: Project, merge_request_id: str, actor: Actor | None) -> Markup:
    """The section; empty if the actor may not see it, or if there is nothing to say.

    Where a project has candidates, an open merge request without any says how to make one.
    """
    access = read_access(actor, project)
    found = None if access is None else _find(access, str(merge_request_id))
    if access is None or found is None:
        return Markup()
    judged = _judge(access, found)
    surveyed = _survey(access, found, judged)
    if surveyed.total or judged or (found.state == "opened" and has_candidates(access)):
        return _section(access, found, surveyed, judged)
    return Markup()


@page("/merge_requests/<path:merge_request_id>/candidates", access=ReadAccess)
def merge_request_candidates(access: ReadAccess, merge_request_id: str) -> Response:
    """The section as it is now, for the page that shows an earlier one."""
    found = _find(access, merge_request_id)
    if found is None:
        raise NotFound(f"Merge request {merge_request_id} not found in {access.project.path}.")
    judged = _judge(access, found)
    html = _section(access, found, _survey(access, found, judged), judged)
    response = Response(html)
    response.add_etag()
    # Not `make_conditional`: it also reads dates, and fails at those beyond all times.
    if request.if_none_match.contains_weak(response.get_etag()[0] or ""):
        response.status_code = 304
    return response


def _find(access: ReadAccess, id_: str) -> MergeRequest | None:
    """The merge request, if the reader may see it now."""
    repository = mounted().host.repository
    if repository is None or not id_.isprintable():
        return None
    return repository.merge_request(access.actor, access.project, id_)


def _survey(access: ReadAccess, found: MergeRequest, judged: Verdict | None) -> Survey:
    host, fork = mounted().host, None
    ids = {each.candidate.id for each in judged.results if each.candidate} if judged else set()
    if found.is_from_fork:
        fork = read_access(access.actor, host.projects.by_id(found.source_project_id))
    return survey(access, host, found, fork=fork, judged=ids, limit=MAX_SHOWN)


def _judge(access: ReadAccess, found: MergeRequest) -> Verdict | None:
    return verdict.evaluate(access, mounted().host, found)


def _section(
    access: ReadAccess, found: MergeRequest, surveyed: Survey, judged: Verdict | None
) -> Markup:
    host = mounted().host
    links = Links.of(host, access.project)
    metrics = {each.rule.metric for each in judged.results} if judged else set()
    entries = [each for group in surveyed.groups for each in group.entries]
    return fragment(
        access,
        "proposal.html",
        merge_request=found,
        live=links.merge_request(found.id) if found.state == "opened" else "",
        gate=judged,
        findings=_findings(judged),
        total=surveyed.total,
        more=surveyed.total - len(entries),
        views=[
            View(each, table_of(each, found.target_branch, metrics), _compare(access, links, each))
            for each in surveyed.groups
        ],
        commits=_commits(host, access.project, entries),
        links_of=_links_of(host, entries),
        badges=_badges(found, entries),
    )


def _findings(judged: Verdict | None) -> list[Finding]:
    found: dict[tuple[Outcome, str, int | None], Finding] = {}
    for each in judged.results if judged else ():
        # The same words about two candidates are two findings.
        same = (each.outcome, each.reason, each.candidate.id if each.candidate else None)
        finding = found.setdefault(same, Finding(each.outcome, each.reason, []))
        finding.results.append(each)
    return list(found.values())


def _compare(access: ReadAccess, links: Links, group: Group) -> str:
    """Where a group's candidates are side by side, the best of the target branch first."""
    own = [each.record.iid for each in group.entries if each.access.project.id == access.project.id]
    pinned = group.best or group.newest
    baselines = [each.iid for each in (pinned, group.newest) if each is not None]
    iids = list(dict.fromkeys([*baselines, *own]))[:MAX_CANDIDATES]
    if not own or len(iids) < 2 or group.iid is None:
        return ""
    return links.compare(group.iid, iids, baseline=str(pinned.iid) if pinned else "")


def _commits(host: Host, project: Project, entries: Iterable[Entry]) -> Mapping[str, str | None]:
    """Where the commits of the candidates are."""
    if host.repository is None:
        return {}
    shas = dict.fromkeys(each.sha for each in entries)
    return {sha: host.repository.commit_url(project, sha) for sha in shas}


def _links_of(host: Host, entries: Iterable[Entry]) -> Mapping[int, Links]:
    """The pages of each project whose candidates show: that of the merge request, and its fork."""
    projects = {each.access.project.id: each.access.project for each in entries}
    return {id_: Links.of(host, project) for id_, project in projects.items()}


def _badges(found: MergeRequest, entries: Iterable[Entry]) -> Mapping[tuple[int, int], BadgeView]:
    """The badges by project and internal id."""
    known: Mapping[str, Commit] | None = None
    if found.state == "opened":
        known = dict.fromkeys(found.commits, "merge request")
    by_project: dict[int, list[Entry]] = {}
    for each in entries:
        by_project.setdefault(each.access.project.id, []).append(each)
    badges: dict[tuple[int, int], BadgeView] = {}
    for project_id, own in by_project.items():
        stamps = {each.record.id: each.stamp for each in own if each.stamp is not None}
        views = badges_of(own[0].access, [each.record for each in own], stamps, known)
        badges |= {(project_id, id_): view for id_, view in views.items()}
    return badges
