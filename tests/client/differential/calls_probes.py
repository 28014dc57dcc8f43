"""Probes, paths that are not there, and bodies that are not what they should be."""

from __future__ import annotations

from .call import Call, get, make_experiment, make_run, post, post_raw, scenario

CREATE = "experiments/create"
PROXY = "/api/2.0/mlflow-artifacts"


def body(name: str, raw: str, path: str = CREATE, **more: str) -> Call:
    return post_raw(f"body: {name}", path, raw, **more)


PROBES = scenario(
    "probes and unknown paths",
    get("probe: health", "/health"),
    get("probe: version", "/version"),
    get("probe: server info", "/api/3.0/mlflow/server-info"),
    get("unknown: a path of the API", "experiments/nothing"),
    post("unknown: a POST to a path of the API", "runs/nothing", {}),
    get("unknown: another API", "/api/9.9/mlflow/experiments/search"),
    get("unknown: the API itself", ""),
    get("unknown: a slash too many", "experiments/search/", {"max_results": "1"}),
    Call("unknown: a verb", "PUT", "/api/2.0/mlflow/experiments/create", json={"name": "x"}),
    Call("unknown: DELETE", "DELETE", "/api/2.0/mlflow/runs/delete", json={"run_id": "x"}),
    get("unknown: multipart", f"{PROXY}/nothing"),
    Call("unknown: a POST of artifacts", "POST", f"{PROXY}/artifacts/x", raw="x"),
    post(
        "multipart: create",
        f"{PROXY}/mpu/create/x",
        {"path": "x", "num_parts": 1},
    ),
    get("multipart: presigned", f"{PROXY}/presigned/x"),
    get("the other API path", "/ajax-api/2.0/mlflow/experiments/get", {"experiment_id": "0"}),
)

BODIES = scenario(
    "bodies of requests",
    make_experiment("bodies"),
    make_run("bodies"),
    body("nothing", ""),
    body("not JSON", "{"),
    body("a list", "[]"),
    body("a number", "5"),
    body("null", "null"),
    body("an empty object", "{}"),
    body("JSON in JSON", '"{\\"name\\": \\"{unique} json in json\\"}"'),
    body("a string that is no JSON", '"hello"'),
    body("a key twice", '{"name": "{unique} first", "name": "{unique} last"}'),
    body("a byte order mark", '\ufeff{"name": "{unique} bom"}'),
    body("deep JSON", '{"name": "{unique} deep", "x": ' + "[" * 3000 + "]" * 3000 + "}"),
    body("a lone surrogate", '{"name": "{unique} \\ud800"}'),
    body("a NUL", '{"name": "{unique} \\u0000"}'),
    body("a wrong content type", '{"name": "{unique} text"}', content_type="text/plain"),
    body("a form", "name=x", content_type="application/x-www-form-urlencoded"),
    body("no content type", '{"name": "{unique} none"}', content_type=""),
    body(
        "a charset", '{"name": "{unique} charset"}', content_type="application/json; charset=utf-8"
    ),
    body(
        "capitals in the content type", '{"name": "{unique} type"}', content_type="Application/JSON"
    ),
    body("a huge integer", '{"experiment_id": ' + "9" * 400 + "}", "experiments/delete"),
    body(
        "a wrong content type for a run",
        '{"run_id": "{run}"}',
        "runs/delete",
        content_type="text/plain",
    ),
    body("camel case", '{"runId": "{run}", "key": "camel", "value": "1"}', "runs/set-tag"),
    body(
        "both cases",
        '{"run_id": "{run}", "runId": "{run}"}',
        "runs/restore",
    ),
    body("a run id as a number", '{"run_id": 5, "key": "k", "value": "1"}', "runs/set-tag"),
    body("a run id as a list", '{"run_id": ["{run}"], "key": "k", "value": "1"}', "runs/set-tag"),
    body("a NUL in a run id", '{"run_id": "a\\u0000b", "key": "k", "value": "1"}', "runs/set-tag"),
    get("body: a NUL in a query", "runs/get", {"run_id": "a\x00b"}),
    get("body: camel case in a query", "runs/get", {"runId": "{run}"}),
    get("body: a parameter twice", "runs/get", {"run_id": ["{run}", "other"]}),
    get("body: what became of the run", "runs/get", {"run_id": "{run}"}),
)

SCENARIOS = (PROBES, BODIES)
