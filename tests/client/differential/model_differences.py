"""Where we want to answer otherwise than stock about logged models, and why."""

from __future__ import annotations

from .wanted import MISSING, Wanted, answered, changed, found, refused

GONE = {
    **refused(
        "What is deleted is frozen; stock changes it unseen.",
        "models: tags of a deleted one",
        "models: parameters of a deleted one",
        "models: a deleted one is finished",
        "models: a tag of a deleted one is removed",
        "models: measured of a deleted one",
        "model files: put into a deleted one",
    ),
    **refused(
        "A model that is not there is missing; stock lets the database say so.",
        "models: measured of nobody",
        "models: measured of what is no id",
        status=404,
        code=MISSING,
    ),
    **refused(
        "A model's source is a link, and must lead to a run of the project.",
        "models: a source that is nowhere",
        status=404,
        code=MISSING,
    ),
}

CAREFUL = {
    **refused(
        "Stock lets the database refuse it, under whatever code results.",
        "models: one parameter twice",
        "models: one tag twice",
        "models: it is changed",
        "models: twice in one call",
    ),
    **refused(
        "PostgreSQL would not take what SQLite does.",
        "models: a name of 501",
        "models: a type of 501",
    ),
    **refused(
        "Stock stores a key that nobody can read or delete.",
        "models: a parameter without key",
        "models: tags without a key",
        "models: a word as parameter",
    ),
    **refused(
        "Stock forgets the status where it does not know the word.",
        "models: finished in an unknown way",
        "models: finished by an unknown number",
    ),
    **refused(
        "Stock changes the model that the body names, whatever the path says.",
        "models: finished under another name",
    ),
    **answered(
        "A parameter of the same value again is fine, as it is for runs.",
        "models: the same again",
        body={},
    ),
    **answered(
        "The path says which model is meant.",
        "models: parameters by the path alone",
        body={},
    ),
}

NUMBERS = changed(
    "Infinity is stored as such, not as the largest double, and NaN is no hidden zero.",
    "models: all that was measured of alpha",
    model__data__metrics__3__value="Infinity",
    model__data__metrics__4__value="NaN",
)

OR = "OR and parentheses are ours."
SEARCH = {
    **refused(
        "A fault of the request is no fault of the server.",
        "models: where creation_time > 'x'",
        "models: where metrics.acc > '0'",
        "models: a page of garbage",
    ),
    **refused("Texts stand in quotes.", "models: where name = 5"),
    **refused("Stock answers every page but the last of them.", "models: less than none"),
    **found(OR, "models: where name = 'alpha' OR name = 'beta'", "beta", "alpha"),
    **found(OR, "models: where (name = 'alpha')", "alpha"),
    **found(
        "A dataset without a digest is any of its name, as MLflow's documentation says.",
        "models: on a dataset by name",
        "alpha",
    ),
}

MODELS: dict[str, Wanted] = {**GONE, **CAREFUL, **NUMBERS, **SEARCH}
