"""Logged models on the wire, as far as they are asked for where there are none."""

from __future__ import annotations

from gitlab_mlops.wire.experiments import to_iid
from gitlab_mlops.wire.fields import Repeated
from gitlab_mlops.wire.schema import Request


class Search(Request):
    """logged-models/search."""

    experiment_ids = Repeated(to_iid, required=True)
