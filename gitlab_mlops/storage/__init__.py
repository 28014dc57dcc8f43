"""Artifact bytes: a local folder, S3, GCS or Azure, all through obstore."""

from gitlab_mlops.storage.listing import Entry
from gitlab_mlops.storage.store import Blob, Storage

__all__ = ["Blob", "Entry", "Storage"]
