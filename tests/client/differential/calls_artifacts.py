"""Artifacts: put, get, list and delete through the artifact proxy."""

from __future__ import annotations

from .call import (
    Call,
    Scenario,
    delete_artifact,
    get,
    get_artifact,
    list_artifacts,
    make_experiment,
    make_run,
    put_artifact,
    scenario,
)

ROOT = "{experiment}/{run}/artifacts"
HEADERS = ("content-disposition", "x-content-type-options")


def run_list(name: str, **query: str) -> Call:
    return get(f"artifacts/list: {name}", "artifacts/list", {"run_id": "{run}", **query})


def in_run(title: str, *calls: Call) -> Scenario:
    return scenario(title, make_experiment(title), make_run(title), calls)


PUT = in_run(
    "storing artifacts",
    list_artifacts("artifacts: an empty run", ROOT),
    put_artifact("artifacts: a file", f"{ROOT}/a.txt", "hello"),
    get_artifact("artifacts: it is read", f"{ROOT}/a.txt", headers=HEADERS),
    put_artifact("artifacts: overwritten", f"{ROOT}/a.txt", "hello again"),
    get_artifact("artifacts: the new one is read", f"{ROOT}/a.txt"),
    put_artifact("artifacts: one in folders", f"{ROOT}/deep/er/b.json", "{}"),
    put_artifact("artifacts: another in folders", f"{ROOT}/deep/c.bin", "\x00\x01"),
    put_artifact("artifacts: an empty one", f"{ROOT}/empty", "", chunked=True),
    get_artifact("artifacts: the empty one is read", f"{ROOT}/empty"),
    put_artifact("artifacts: in chunks", f"{ROOT}/chunks", "chunk" * 100, chunked=True),
    get_artifact("artifacts: the chunks are read", f"{ROOT}/chunks"),
    put_artifact("artifacts: a blank in the name", f"{ROOT}/a%20b.txt", "x", content_type=""),
    get_artifact("artifacts: the blank is read", f"{ROOT}/a%20b.txt", headers=HEADERS),
    put_artifact("artifacts: a name in Japanese", f"{ROOT}/%E5%AE%9F%E9%A8%93.txt", "x"),
    get_artifact(
        "artifacts: the Japanese name is read",
        f"{ROOT}/%E5%AE%9F%E9%A8%93.txt",
        headers=HEADERS,
    ),
    put_artifact("artifacts: a page", f"{ROOT}/page.html", "<script>alert(1)</script>"),
    get_artifact("artifacts: the page is a download", f"{ROOT}/page.html", headers=HEADERS),
    list_artifacts("artifacts: the run is listed", ROOT),
    list_artifacts("artifacts: a slash at the end", f"{ROOT}/"),
    list_artifacts("artifacts: a folder is listed", f"{ROOT}/deep"),
    list_artifacts("artifacts: a deeper folder is listed", f"{ROOT}/deep/er"),
    list_artifacts("artifacts: a file is listed", f"{ROOT}/a.txt"),
    list_artifacts("artifacts: a missing folder is listed", f"{ROOT}/nothing"),
    get_artifact("artifacts: a missing one is read", f"{ROOT}/nothing.txt"),
    get_artifact("artifacts: a folder is read", f"{ROOT}/deep"),
    put_artifact("artifacts: a file where a folder is", f"{ROOT}/deep", "x"),
    put_artifact("artifacts: a folder where a file is", f"{ROOT}/a.txt/b", "x"),
    put_artifact("artifacts: a slash at the name's end", f"{ROOT}/folder/", "x"),
    delete_artifact("artifacts: deleted", f"{ROOT}/a.txt"),
    delete_artifact("artifacts: a missing one is deleted", f"{ROOT}/a.txt"),
    delete_artifact("artifacts: a folder is deleted", f"{ROOT}/deep"),
    list_artifacts("artifacts: what is left", ROOT),
)

LIST = in_run(
    "listing artifacts of a run",
    run_list("an empty run"),
    put_artifact("artifacts/list: a file", f"{ROOT}/z.txt", "hello"),
    put_artifact("artifacts/list: a file in a folder", f"{ROOT}/f/a.txt", "hi"),
    put_artifact("artifacts/list: one in capitals", f"{ROOT}/Z.txt", ""),
    run_list("the run"),
    run_list("a folder", path="f"),
    run_list("a folder with a slash", path="f/"),
    run_list("a file", path="z.txt"),
    run_list("a missing folder", path="nothing"),
    run_list("an empty path", path=""),
    run_list("a climbing path", path="../"),
    run_list("a climbing path inside", path="f/../../x"),
    run_list("an encoded climbing path", path="%2e%2e/"),
    run_list("a rooted path", path="/etc"),
    run_list("a path with a hash", path="f#x"),
    run_list("a file URI", path="file:///etc"),
    run_list("a page token", page_token="x"),
    get("artifacts/list: by run_uuid", "artifacts/list", {"run_uuid": "{run}"}),
    get("artifacts/list: nobody", "artifacts/list", {"run_id": "f" * 32}),
    get("artifacts/list: no run", "artifacts/list", says="Missing value"),
)

UNSAFE = in_run(
    "unsafe artifact paths",
    put_artifact("unsafe: a file to be safe", f"{ROOT}/safe.txt", "safe"),
    put_artifact("unsafe: put, climbing", f"{ROOT}/../../../x", "x"),
    put_artifact("unsafe: put, climbing but inside", f"{ROOT}/a/../b.txt", "x"),
    put_artifact("unsafe: put, encoded dots", f"{ROOT}/%2e%2e/x", "x"),
    put_artifact("unsafe: put, encoded slashes", f"{ROOT}/..%2fx", "x"),
    put_artifact("unsafe: put, encoded twice", f"{ROOT}/%252e%252e/x", "x"),
    put_artifact("unsafe: put, a hash", f"{ROOT}/a%23b", "x"),
    put_artifact("unsafe: put, a question mark", f"{ROOT}/a%3Fb", "x"),
    put_artifact("unsafe: put, a percent sign", f"{ROOT}/100%25", "x"),
    put_artifact("unsafe: put, a NUL", f"{ROOT}/a%00b", "x"),
    put_artifact("unsafe: put, a line feed", f"{ROOT}/a%0ab", "x"),
    put_artifact("unsafe: put, a backslash", f"{ROOT}/a%5Cb", "x"),
    put_artifact("unsafe: put, a rooted path", "/etc/x", "x"),
    put_artifact("unsafe: put, a drive", "C:/x", "x"),
    put_artifact("unsafe: put, a double slash", f"{ROOT}//double.txt", "x"),
    put_artifact("unsafe: put, a dot", f"{ROOT}/./dot.txt", "x"),
    get_artifact("unsafe: get, climbing", f"{ROOT}/../../../x"),
    get_artifact("unsafe: get, encoded dots", f"{ROOT}/%2e%2e/x"),
    get_artifact("unsafe: get, encoded twice", f"{ROOT}/%252e%252e/x"),
    get_artifact("unsafe: get, a hash", f"{ROOT}/a%23b"),
    get_artifact("unsafe: get, a rooted path", "/etc/passwd"),
    get_artifact("unsafe: get, a file URI", "file:///etc/passwd"),
    list_artifacts("unsafe: list, climbing", "../"),
    list_artifacts("unsafe: list, climbing inside", f"{ROOT}/../.."),
    list_artifacts("unsafe: list, rooted", "/etc"),
    list_artifacts("unsafe: list, encoded", "%2e%2e"),
    list_artifacts("unsafe: list, a hash", "a#b"),
    delete_artifact("unsafe: delete, climbing", f"{ROOT}/../x"),
    delete_artifact("unsafe: delete, a rooted path", "/etc/x"),
    list_artifacts("unsafe: what is there", ROOT),
)

OUTSIDE = in_run(
    "artifacts outside a run",
    put_artifact("outside: put beside the runs", "{unique}.txt", "x"),
    get_artifact("outside: get beside the runs", "{unique}.txt"),
    list_artifacts("outside: list beside the runs", "{unique}"),
    put_artifact("outside: put in an experiment", "{experiment}/x.txt", "x"),
    put_artifact("outside: put in a run, not its artifacts", "{experiment}/{run}/x.txt", "x"),
    put_artifact("outside: put in no run", "{experiment}/" + "f" * 32 + "/artifacts/x", "x"),
    put_artifact("outside: put in a wrong experiment", "987654321/{run}/artifacts/x", "x"),
    get_artifact("outside: get in no run", "{experiment}/" + "e" * 32 + "/artifacts/x"),
    list_artifacts("outside: list an experiment", "{experiment}"),
    list_artifacts("outside: list no run", "{experiment}/" + "e" * 32 + "/artifacts"),
    delete_artifact("outside: delete beside the runs", "{unique}.txt"),
    delete_artifact("outside: delete in no run", "{experiment}/" + "e" * 32 + "/artifacts/x"),
)

SCENARIOS = (PUT, LIST, UNSAFE, OUTSIDE)
