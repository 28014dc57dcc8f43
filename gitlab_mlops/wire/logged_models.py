"""Logged models on the wire, as far as they are asked for where there are none."""

from __future__ import annotations

from gitlab_mlops.wire.experiments import to_iid
from gitlab_mlops.wire.fields import Repeated, Value
from gitlab_mlops.wire.schema import Request


class Create(Request):
    """logged-models, POST."""

    experiment_id = Value(to_iid, required=True)


class Search(Request):
    """logged-models/search."""

    experiment_ids = Repeated(to_iid, required=True)
