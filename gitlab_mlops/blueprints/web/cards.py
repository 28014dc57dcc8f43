"""The cards of references: what shows when a reader points at a link, or moves the focus to it."""

from __future__ import annotations

from flask import Response

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.blueprints.web import facts, markdown
from gitlab_mlops.blueprints.web.badge import badges_of
from gitlab_mlops.blueprints.web.page import CANDIDATE, EXPERIMENT, MODEL, VERSION, page
from gitlab_mlops.blueprints.web.rendering import fragment, people
from gitlab_mlops.errors import NotFound
from gitlab_mlops.services import cards
from gitlab_mlops.services.stamps import stamps_of


@page(f"{CANDIDATE}/card", access=ReadAccess)
def candidate_card(access: ReadAccess, candidate_iid: int) -> Response:
    """The card of a candidate."""
    card = cards.candidate_card(access, candidate_iid)
    record = card.record
    logged = sum(not each.key.startswith(facts.OF_THE_MACHINE) for each in record.metrics)
    return Response(
        fragment(
            access,
            "card_candidate.html",
            card=card,
            candidate=record,
            author=people([record.actor_id]).get(record.actor_id or ""),
            more_metrics=logged - len(card.metrics),
            badge=badges_of(access, [record], stamps_of(access, [record.id]))[record.id],
        )
    )


@page(f"{EXPERIMENT}/card", access=ReadAccess)
def experiment_card(access: ReadAccess, experiment_iid: int) -> Response:
    """The card of an experiment."""
    card = cards.experiment_card(access, experiment_iid)
    record = card.record
    return Response(
        fragment(
            access,
            "card_experiment.html",
            card=card,
            experiment=record,
            author=people([record.actor_id]).get(record.actor_id or ""),
        )
    )


@page(f"{MODEL}/card", access=ReadAccess)
def model_card(access: ReadAccess, model_name: str) -> Response:
    """The card of a registered model."""
    card = cards.model_card(access, _stored(model_name))
    record = card.record
    return Response(
        fragment(
            access,
            "card_model.html",
            card=card,
            model=record,
            summary=markdown.first_line(record.description),
            author=people([record.actor_id]).get(record.actor_id or ""),
        )
    )


@page(f"{VERSION}/card", access=ReadAccess)
def version_card(access: ReadAccess, model_name: str, version: int) -> Response:
    """The card of a version of a registered model."""
    card = cards.version_card(access, _stored(model_name), version)
    record = card.record
    return Response(
        fragment(
            access,
            "card_version.html",
            card=card,
            version=record,
            author=people([record.actor_id]).get(record.actor_id or ""),
        )
    )


def _stored(name: str) -> str:
    """A name that a database can look for; raise `NotFound` for what is the name of nothing."""
    if "\0" in name:
        raise NotFound("Registered models have no NUL character in their names.")
    return name
