"""Signed tickets of multipart uploads, so that the server need not remember them.

A part's ticket is all that its upload needs to show: MLflow's client sends no token with it.
"""

from __future__ import annotations

from collections.abc import Sequence

from itsdangerous import BadSignature, SignatureExpired, URLSafeSerializer, URLSafeTimedSerializer

from gitlab_mlops.errors import Forbidden, NotFound
from gitlab_mlops.services.uploads import Part, Upload

Secrets = Sequence[bytes]
"""The forge's secret keys, the one to sign with last."""

_UPLOAD = "mlops.upload"
_PART = "mlops.upload.part"


def sign_upload(secrets: Secrets, upload: Upload) -> str:
    """The `upload_id` that the client gets, and shows when the upload is complete."""
    content = [upload.project_id, upload.id, upload.path, upload.parts]
    return str(URLSafeSerializer(list(secrets), _UPLOAD).dumps(content))


def read_upload(secrets: Secrets, ticket: str) -> Upload:
    """The upload of an `upload_id`; raise `NotFound` if it is none of ours."""
    try:
        project_id, upload_id, path, parts = URLSafeSerializer(list(secrets), _UPLOAD).loads(ticket)
    except BadSignature:
        raise NotFound("There is no such upload.") from None
    return Upload(project_id, upload_id, path, parts)


def sign_part(secrets: Secrets, upload: Upload, number: int) -> str:
    """The last piece of the address where a part is put."""
    content = [upload.project_id, upload.id, number, upload.actor_id]
    return str(URLSafeTimedSerializer(list(secrets), _PART).dumps(content))


def read_part(secrets: Secrets, ticket: str, max_age: int) -> Part:
    """The part of a ticket; `Forbidden` if it is forged, or older than `max_age` seconds."""
    signer = URLSafeTimedSerializer(list(secrets), _PART)
    try:
        project_id, upload_id, number, actor_id = signer.loads(ticket, max_age=max_age)
    except SignatureExpired:
        raise Forbidden("This part's address has expired; start the upload again.") from None
    except BadSignature:
        raise Forbidden("This part's address is not one that this server gave out.") from None
    return Part(project_id, upload_id, number, actor_id)
