"""Git: a bare repository per project, through dulwich. No `git` is needed on the machine.

Rights are not checked here, and names that come from people are: functions that read answer None
(or nothing) for what does not exist or cannot, functions that write raise `ValueError`.
"""

from host_stub.repositories.checkout import check_out
from host_stub.repositories.folders import DEFAULT_BRANCH, begin, delete_after_commit, folder
from host_stub.repositories.history import (
    commits_between,
    is_reachable,
    known,
    log,
    merge_base,
    reachable,
    shas_between,
)
from host_stub.repositories.names import check_branch, is_branch
from host_stub.repositories.reading import (
    MAX_CHANGES,
    Change,
    CommitInfo,
    Entry,
    FileTooLarge,
    branch_head,
    branches,
    changed_files,
    commit_info,
    file_at,
    files,
    resolve,
)
from host_stub.repositories.trees import Conflict
from host_stub.repositories.writing import (
    commit,
    copy_branches,
    delete_branch,
    keep,
    kept,
    merge,
)

__all__ = [
    "DEFAULT_BRANCH",
    "MAX_CHANGES",
    "Change",
    "CommitInfo",
    "Conflict",
    "Entry",
    "FileTooLarge",
    "begin",
    "branch_head",
    "branches",
    "changed_files",
    "check_branch",
    "check_out",
    "commit",
    "commit_info",
    "commits_between",
    "copy_branches",
    "delete_after_commit",
    "delete_branch",
    "file_at",
    "files",
    "folder",
    "is_branch",
    "is_reachable",
    "keep",
    "kept",
    "known",
    "log",
    "merge",
    "merge_base",
    "reachable",
    "resolve",
    "shas_between",
]
