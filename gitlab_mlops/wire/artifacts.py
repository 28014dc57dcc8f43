"""Artifacts on the wire: `mlflow.protos.mlflow_artifacts_pb2` and `artifacts/list`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from gitlab_mlops.storage import Entry
from gitlab_mlops.wire.fields import Repeated, Value
from gitlab_mlops.wire.runs import ByEitherId
from gitlab_mlops.wire.schema import Request
from gitlab_mlops.wire.values import (
    to_int64,
    to_object,
    to_text,
)

NO_MULTIPART_UPLOAD = "Multipart upload is not supported for the current artifact repository"
"""The client looks for these words, and then sends the file in one piece."""
NO_MULTIPART_DOWNLOAD = "Multipart download is not supported for the current artifact repository"


def to_file_name(value: Any, path: str) -> str:
    """The name of a file from its path on the client's disk, whatever system that is."""
    return re.split(r"[/\\]", to_text(value, path))[-1]


def to_part(item: Any, path: str = "") -> tuple[int, str]:
    """A part of an upload as (number, ETag)."""
    part = to_object(item, path)
    number = to_int64(part.get("part_number") or 0, f"{path}.part_number")
    return number, to_text(part.get("etag") or "", f"{path}.etag")


def to_part_count(value: Any, path: str) -> int:
    """How many parts an upload has; absent and 0 are one, as in protocol buffers' default."""
    return to_int64(value, path) or 1


class ListFolder(Request):
    """GET mlflow-artifacts/artifacts."""

    path = Value(to_text, load_default="")


class ListOfRun(ByEitherId):
    """GET artifacts/list. There is one page; a `page_token` is ignored, as in the stock server."""

    path = Value(to_text, load_default="")


class CreateUpload(Request):
    """mpu/create."""

    file_name = Value(to_file_name, data_key="path", required=True)
    parts = Value(to_part_count, data_key="num_parts", load_default=1)


class CompleteUpload(Request):
    """mpu/complete."""

    file_name = Value(to_file_name, data_key="path", required=True)
    upload_id = Value(to_text, required=True)
    etags = Repeated(to_part, data_key="parts", required=True)


class AbortUpload(Request):
    """mpu/abort."""

    upload_id = Value(to_text, required=True)


def files(entries: Iterable[Entry], folder: str = "") -> dict[str, Any]:
    """MLflow's FileInfos, with paths below `folder`; `{}` for none, as in protobuf's JSON."""
    found = [_file(entry, folder) for entry in entries]
    return {"files": found} if found else {}


def _file(entry: Entry, folder: str) -> dict[str, Any]:
    info: dict[str, Any] = {
        "path": f"{folder}/{entry.name}" if folder else entry.name,
        "is_dir": entry.is_folder,
    }
    if entry.size:
        info["file_size"] = entry.size
    return info


def server_info(*, multipart_uploads: bool, multipart_downloads: bool) -> dict[str, Any]:
    """What MLflow 3 clients ask before a large transfer, and when a workspace is set."""
    return {
        "store_type": "SqlStore",
        "workspaces_enabled": False,
        "trace_archival_enabled": False,
        "multipart_uploads_enabled": multipart_uploads,
        "multipart_downloads_enabled": multipart_downloads,
    }
