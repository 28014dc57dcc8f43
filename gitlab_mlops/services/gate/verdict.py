"""The verdict of a gate on a merge request, by the policy of its target branch."""

from __future__ import annotations

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.host import Host, MergeRequest
from gitlab_mlops.services.gate import policy
from gitlab_mlops.services.gate.judging import Known, judge
from gitlab_mlops.services.gate.policy import Policy, PolicyError
from gitlab_mlops.services.gate.results import Judged, Outcome, Result, State, Verdict, verdict_of

__all__ = [
    "Judged",
    "Known",
    "Outcome",
    "Result",
    "State",
    "Verdict",
    "evaluate",
    "has_rules",
    "read_policy",
]

MAX_REASON = 300
"""Characters that are repeated of what the forge says about a file that it cannot read."""


def evaluate(
    access: ReadAccess, host: Host, merge_request: MergeRequest, known: Known | None = None
) -> Verdict | None:
    """Judge a merge request of the access's project.

    None without a policy, or without a repository part of the adapter. The answer is the same for
    whoever reads it: it is about candidates of this project only. The number of statements does
    not depend on how many candidates or rules there are. Who evaluates several merge requests in
    one transaction passes the same `known`, at first empty.
    """
    if merge_request.project_id != access.project.id:
        raise LookupError("The merge request is another project's.")
    found = read_policy(access, host, merge_request)
    if isinstance(found, PolicyError):
        return Verdict("failed", found.sentence)
    if found is None or not has_rules(found):
        return None
    return verdict_of(
        judge(access, host, merge_request, found.rules, {} if known is None else known)
    )


def has_rules(found: Policy | PolicyError | None) -> bool:
    """Whether there is a gate; one whose policy is wrong is closed."""
    return isinstance(found, PolicyError) or bool(found and found.rules)


def read_policy(
    access: ReadAccess, host: Host, merge_request: MergeRequest
) -> Policy | PolicyError | None:
    """The policy of the target branch: whoever made the merge request controls the other one."""
    ref = merge_request.target_sha or merge_request.target_branch
    if host.repository is None or not ref:
        return None
    try:
        text = host.repository.read_file(access.project, ref, policy.FILE)
    except ValueError as error:
        return PolicyError(f"{policy.FILE} cannot be read: {error}"[:MAX_REASON])
    return None if text is None else policy.parse(text)
