"""The four stages that MLflow gives versions: names in any case."""

from __future__ import annotations

from gitlab_mlops.errors import Invalid

NONE, STAGING, PRODUCTION, ARCHIVED = STAGES = ("None", "Staging", "Production", "Archived")
ACTIVE = (STAGING, PRODUCTION)
"""Stages whose versions can be archived when another version comes to them."""


def canonical(name: str) -> str:
    """The stage as MLflow spells it; raise `Invalid` for anything else."""
    for stage in STAGES:
        if stage.lower() == name.lower():
            return stage
    raise Invalid(
        f"Invalid Model Version stage: {name[:80]}. Value must be one of {', '.join(STAGES)}."
    )
