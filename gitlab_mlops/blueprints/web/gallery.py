"""The same image of several candidates, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.blueprints.endpoint import mounted
from gitlab_mlops.blueprints.web import state
from gitlab_mlops.errors import Invalid, Unavailable
from gitlab_mlops.services import images
from gitlab_mlops.services.records import CandidateRecord
from gitlab_mlops.wire import paths


@dataclass(frozen=True, slots=True)
class Gallery:
    """Images to choose from as (path, how many candidates have it), and the chosen one.

    `owners` are the iids of the candidates that have it. `problem` tells why nobody can say.
    """

    is_open: bool
    choices: list[tuple[str, int]] = field(default_factory=list)
    chosen: str = ""
    owners: frozenset[int] = frozenset()
    is_cut: bool = False
    problem: str = ""


def gallery(access: ReadAccess, compared: Sequence[CandidateRecord]) -> Gallery:
    """The images that this request's query asks for.

    With `images` the artifacts are looked through, and the most common image shows; with `image`
    that one. Otherwise the store is left alone.
    """
    is_open, chosen = bool(state.text("images")), _chosen()
    if not is_open and not chosen:
        return Gallery(is_open=False)
    access.session.commit()  # no connection waits for the store
    storage = mounted().storage
    try:
        found = images.find_images(access, storage, compared) if is_open else None
        chosen = chosen or next(iter(found.owners if found else ()), "")
        owners = images.having(access, storage, compared, chosen) if chosen else ()
    except Unavailable as error:
        reason = str(error) or "The artifact store cannot be reached at the moment."
        return Gallery(is_open, chosen=chosen, problem=reason)
    choices = [(path, len(iids)) for path, iids in found.owners.items()] if found else []
    return Gallery(is_open, choices, chosen, frozenset(owners), bool(found and found.is_cut))


def _chosen() -> str:
    given = state.raw("image")
    if given and not images.is_image(given):
        raise Invalid(f"“image” is the path of an image: {', '.join(images.SUFFIXES)}.")
    return paths.to_read(given) if given else ""
