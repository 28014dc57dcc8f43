"""Experiments: create them, and read what is there and what is not."""

from __future__ import annotations

from .call import get, post, scenario

MISSING = "Missing value for required parameter "
NOBODY = "987654321"

CREATE = scenario(
    "creating experiments",
    post(
        "an experiment is created",
        "experiments/create",
        {"name": "{unique} one"},
        save={"experiment": "experiment_id"},
    ),
    get("it is read by id", "experiments/get", {"experiment_id": "{experiment}"}),
    get(
        "it is read by name",
        "experiments/get-by-name",
        {"experiment_name": "{unique} one"},
    ),
    post(
        "an experiment is created with tags",
        "experiments/create",
        {
            "name": "{unique} tagged",
            "tags": [{"key": "team", "value": "vision"}, {"key": "a", "value": ""}],
        },
        save={"tagged": "experiment_id"},
    ),
    get("its tags are read", "experiments/get", {"experiment_id": "{tagged}"}),
    post("its name is taken", "experiments/create", {"name": "{unique} one"}),
    post("a name is needed", "experiments/create", {}, says=MISSING + "'name'"),
    post("an empty name is none", "experiments/create", {"name": ""}, says=MISSING + "'name'"),
    post("a null name is none", "experiments/create", {"name": None}, says=MISSING + "'name'"),
    post(
        "a number is no name",
        "experiments/create",
        {"name": 5},
        says="Invalid value 5 for parameter 'name' supplied",
    ),
    post("a name of 500 characters", "experiments/create", {"name": "{unique}" + "n" * 488}),
    post(
        "a name of 501 characters",
        "experiments/create",
        {"name": "{unique}" + "n" * 489},
        says="'name' exceeds the maximum length of 500 characters",
    ),
    post("a name in Japanese", "experiments/create", {"name": "{unique} 実験/a:b"}),
    get(
        "read by Japanese name",
        "experiments/get-by-name",
        {"experiment_name": "{unique} 実験/a:b"},
    ),
    post("a name of blanks", "experiments/create", {"name": "   {unique} "}),
    post("unknown fields are ignored", "experiments/create", {"name": "{unique} more", "more": 1}),
    post(
        "two tags of one key",
        "experiments/create",
        {
            "name": "{unique} twice",
            "tags": [{"key": "k", "value": "1"}, {"key": "k", "value": "2"}],
        },
    ),
    post(
        "a tag without value",
        "experiments/create",
        {"name": "{unique} no value", "tags": [{"key": "k"}]},
        save={"no_value": "experiment_id"},
    ),
    get("a tag without value is read", "experiments/get", {"experiment_id": "{no_value}"}),
    post(
        "a tag without key",
        "experiments/create",
        {"name": "{unique} no key", "tags": [{"value": "v"}]},
    ),
    post("tags that are no list", "experiments/create", {"name": "{unique} x", "tags": "a"}),
    post("tags that are strings", "experiments/create", {"name": "{unique} y", "tags": ["a"]}),
    post(
        "a tag key with a bad character",
        "experiments/create",
        {"name": "{unique} bad", "tags": [{"key": "a*b", "value": "v"}]},
        says='Invalid value "a*b" for parameter',
    ),
    post(
        "a location of the client's choice",
        "experiments/create",
        {"name": "{unique} s3", "artifact_location": "s3://bucket/path"},
        save={"chosen": "experiment_id"},
    ),
    get("the location of the client's choice", "experiments/get", {"experiment_id": "{chosen}"}),
    post(
        "a location on another server",
        "experiments/create",
        {"name": "{unique} http", "artifact_location": "http://example.com/x"},
    ),
    post(
        "a location in the server's files",
        "experiments/create",
        {"name": "{unique} file", "artifact_location": "file:///etc/../etc#x"},
    ),
)

READ = scenario(
    "reading experiments that are not there",
    get("no such experiment", "experiments/get", {"experiment_id": NOBODY}),
    get("an id is needed", "experiments/get", says=MISSING + "'experiment_id'"),
    get("an empty id is none", "experiments/get", {"experiment_id": ""}, says=MISSING),
    get("an id that is no number", "experiments/get", {"experiment_id": "abc"}),
    get("a negative id", "experiments/get", {"experiment_id": "-1"}),
    get("an id beyond int64", "experiments/get", {"experiment_id": "9" * 30}),
    get("an id with zeros before it", "experiments/get", {"experiment_id": "00"}),
    get("the default experiment", "experiments/get", {"experiment_id": "0"}),
    get("the default by name", "experiments/get-by-name", {"experiment_name": "Default"}),
    get("no such name", "experiments/get-by-name", {"experiment_name": "{unique} nobody"}),
    get("a name is needed to read", "experiments/get-by-name", says=MISSING + "'experiment_name'"),
    get("an empty name reads nothing", "experiments/get-by-name", {"experiment_name": ""}),
    post("get is not for POST", "experiments/get", {"experiment_id": "0"}),
    get("create is not for GET", "experiments/create", {"name": "{unique} got"}),
)

SCENARIOS = (CREATE, READ)
