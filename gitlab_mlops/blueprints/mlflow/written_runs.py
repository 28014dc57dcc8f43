"""The runs of a page as JSON, as much as an answer may hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from orjson import Fragment

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.services import written
from gitlab_mlops.services.statements import chunks
from gitlab_mlops.wire import json
from gitlab_mlops.wire.runs import run

MAX_BYTES = 32 * 1024 * 1024
"""A page ends early at this size, and the next one goes on; MLflow's own has no such limit."""
AT_ONCE = 200


def written_runs(access: ReadAccess, rows: Sequence[Sequence[Any]]) -> list[Fragment]:
    """The runs of rows of `records.RECORD_COLUMNS`: the first that fit, and at least one."""
    runs: list[Fragment] = []
    size = 0
    for some in chunks(rows, AT_ONCE):
        for record in written.load(access, some):
            text = json.dumps(run(record))
            size += len(text)
            if size > MAX_BYTES and runs:
                return runs
            runs.append(Fragment(text))
    return runs
