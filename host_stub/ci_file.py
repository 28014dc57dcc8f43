"""`.stub-ci.yml` (or `.gitlab-ci.yml`): which jobs a commit wants to be run.

Of GitLab's format: `stages`, and jobs with `stage` and `script`. The rest is passed over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from host_stub.repositories import file_at
from host_stub.repositories.folders import Numbered

NAMES = (".stub-ci.yml", ".gitlab-ci.yml")
MAX_BYTES = 64 * 1024
MAX_JOBS = 50
DEFAULT_STAGE = "test"


@dataclass(frozen=True, slots=True)
class JobSpec:
    """A job as its file describes it; `script` is lines for a shell."""

    name: str
    stage: str
    script: tuple[str, ...]


def jobs_of(project: Numbered, sha: str) -> list[JobSpec]:
    """The jobs of a commit in the order of their stages.

    Raises `ValueError`, with what is wrong, if there are none.
    """
    for name in NAMES:
        text = file_at(project, sha, name, max_bytes=MAX_BYTES)
        if text is not None:
            return parse(text, name)
    raise ValueError(f"The commit {sha[:8]} has no file {NAMES[0]}.")


def parse(text: bytes, name: str = NAMES[0]) -> list[JobSpec]:
    """The jobs that the text of such a file describes, as `jobs_of`."""
    try:
        content = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ValueError(f"{name} is no valid YAML: {error}") from None
    if not isinstance(content, Mapping):
        raise ValueError(f"{name} must map names of jobs to what they do.")
    jobs = [_job(str(key), value) for key, value in content.items() if _is_job(key, value)]
    if not 0 < len(jobs) <= MAX_JOBS:
        raise ValueError(f"{name} must describe 1 to {MAX_JOBS} jobs, each with a `script`.")
    stages = [str(stage) for stage in _list(content.get("stages"))]
    for job in jobs:
        if job.stage not in stages:
            stages.append(job.stage)
    return sorted(jobs, key=lambda job: stages.index(job.stage))


def _is_job(key: object, value: object) -> bool:
    hidden = not isinstance(key, str) or key.startswith(".")
    return not hidden and isinstance(value, Mapping) and "script" in value


def _job(name: str, value: Mapping[Any, Any]) -> JobSpec:
    script = _list(value["script"])
    if not script or not all(isinstance(line, str) for line in script):
        raise ValueError(f"The script of “{name[:60]}” must be a list of lines.")
    stage = str(value.get("stage", DEFAULT_STAGE))
    if len(name) > 255 or len(stage) > 255 or "\0" in f"{name}{stage}{''.join(script)}":
        raise ValueError("A job has a name that is too long, or NUL in it.")
    return JobSpec(name, stage, tuple(script))


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
