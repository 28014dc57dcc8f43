"""A data scientist's other script: finds runs and experiments, corrects, deletes and restores them.

Like `training.py`, it knows nothing of a forge, stops where the server answers something else
than MLflow's documentation says, and prints what it made as JSON in its last line.
"""

import json
import math
import time

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag, ViewType
from mlflow.exceptions import MlflowException, RestException

client = MlflowClient()
RUNS = 12
DAY = 86_400_000


def make_runs() -> list[str]:
    """Runs that differ in everything that can be searched for; the ids in the order of `n`."""
    experiment_id = mlflow.create_experiment("search", tags={"team": "vision", "draft": "yes"})
    return [make_run(experiment_id, number) for number in range(RUNS)]


def make_run(experiment_id: str, number: int) -> str:
    """Run `number`: its metric is a fraction of it, every fourth one has none and is failed."""
    started = int(time.time() * 1000) - number * DAY
    run_id = client.create_run(
        experiment_id, start_time=started, run_name=f"Run {number}"
    ).info.run_id
    scores = [Metric("val score", number / RUNS, started + step, step) for step in range(3)]
    client.log_batch(
        run_id,
        metrics=[] if number % 4 == 0 else scores,
        params=[Param("depth", str(number)), Param("kind", "tree" if number < 6 else "Forest")],
        tags=[RunTag("stage", "draft" if number % 2 else "final")],
    )
    client.set_terminated(run_id, "FAILED" if number % 4 == 0 else "FINISHED", started + 5000)
    return run_id


def find(text: str, *order: str, view: int = ViewType.ACTIVE_ONLY) -> list[int]:
    """The numbers of the runs that a filter finds, in the order of the server."""
    found = mlflow.search_runs(
        experiment_names=["search"],
        filter_string=text,
        order_by=list(order),
        run_view_type=view,
        output_format="list",
    )
    return [int(run.data.params["depth"]) for run in found]


def search(ids: list[str]) -> None:
    """MLflow's filters and orders."""
    assert find("") == list(range(RUNS))  # the newest first
    by_score = "metrics.`val score` DESC"
    assert find("metrics.`val score` > 0.5", by_score) == [11, 10, 9, 7]
    assert find("metrics.\"val score\" >= 0.75 and params.kind = 'Forest'") == [9, 10, 11]
    assert find("params.kind LIKE 'F%'", "attributes.start_time ASC") == [11, 10, 9, 8, 7, 6]
    assert find("params.kind ILIKE 'f%' and tags.stage != 'draft'") == [6, 8, 10]
    assert find("attributes.status = 'FAILED'") == [0, 4, 8]
    assert find("attributes.run_name LIKE 'Run 1_'", "run_name ASC") == [10, 11]
    assert find(f"run_id IN ('{ids[7]}', '{ids[3]}')") == [3, 7]
    assert find(f"attributes.start_time < {int(time.time() * 1000) - 9.5 * DAY:.0f}") == [10, 11]
    # Runs without the metric come last in either direction.
    assert find("", "metrics.`val score` ASC")[-3:] == [0, 4, 8]
    assert find("", by_score)[-3:] == [0, 4, 8]
    for wrong in ("metrics.x ~ 1", "params.depth = 3", "status = 'FAILED' nor"):
        assert refusal(lambda text=wrong: find(text)) == "INVALID_PARAMETER_VALUE"


def turn_pages(ids: list[str]) -> None:
    """Pages neither lose nor repeat a run, and end."""
    experiment = mlflow.get_experiment_by_name("search")
    seen, token = [], None
    while True:
        page = client.search_runs(
            [experiment.experiment_id], order_by=["params.kind"], max_results=5, page_token=token
        )
        seen += [run.info.run_id for run in page]
        token = page.token
        if not token:
            break
    assert sorted(seen) == sorted(ids)
    # The client itself turns the pages of a data frame.
    assert len(mlflow.search_runs([experiment.experiment_id], max_results=7)) == 7
    names = {"search", "Default"}
    assert {each.name for each in mlflow.search_experiments()} == names
    assert len(client.search_experiments(max_results=1)) == 1


def search_for_experiments() -> None:
    """By name and tag; the newest change comes first."""
    found = client.search_experiments(filter_string="tags.team = 'vision' and name ILIKE 'SEA%'")
    assert [each.name for each in found] == ["search"]
    assert found[0].tags == {"team": "vision", "draft": "yes"}
    client.set_experiment_tag(found[0].experiment_id, "team", "sound")
    assert client.search_experiments(filter_string="tags.team = 'vision'") == []
    by_name = client.search_experiments(order_by=["name DESC"])
    assert [each.name for each in by_name] == ["search", "Default"]


def correct(run_id: str) -> None:
    """Rename, tag, untag; a parameter stays what it was."""
    client.update_run(run_id, status="KILLED", name="Renamed")
    client.set_tag(run_id, "mlflow.note.content", "Looked at **again**")
    client.set_tag(run_id, "stage", "archived")
    client.set_tag(run_id, "temporary", "1")
    client.delete_tag(run_id, "temporary")
    run = client.get_run(run_id)
    assert (run.info.run_name, run.info.status) == ("Renamed", "KILLED")
    assert run.data.tags["stage"] == "archived"
    assert "temporary" not in run.data.tags
    assert refusal(lambda: client.delete_tag(run_id, "temporary")) == "RESOURCE_DOES_NOT_EXIST"
    client.log_param(run_id, "depth", 1)
    assert refusal(lambda: client.log_param(run_id, "depth", 2)) == "INVALID_PARAMETER_VALUE"
    with mlflow.start_run(run_id=run_id):
        mlflow.set_tags({"resumed": "yes", "why": "more epochs"})
        mlflow.log_metric("val score", math.nan, step=3)
    points = client.get_metric_history(run_id, "val score")
    assert [point.step for point in points] == [0, 1, 2, 3]
    assert math.isnan(points[-1].value)


def delete_and_restore_run(run_id: str) -> None:
    """A deleted run is found among the deleted only, takes nothing more, and comes back whole."""
    before = client.get_run(run_id)
    mlflow.delete_run(run_id)
    assert client.get_run(run_id).info.lifecycle_stage == "deleted"
    assert find(f"run_id = '{run_id}'") == []
    assert len(find(f"run_id = '{run_id}'", view=ViewType.DELETED_ONLY)) == 1
    assert refusal(lambda: client.log_metric(run_id, "late", 1)) == "INVALID_PARAMETER_VALUE"
    client.restore_run(run_id)
    after = client.get_run(run_id)
    assert after.info.lifecycle_stage == "active"
    assert after.data.to_dictionary() == before.data.to_dictionary()


def delete_and_restore_experiment() -> str:
    """A deleted experiment keeps its name and gives its runs back when it is restored."""
    experiment_id = mlflow.set_experiment("short-lived").experiment_id
    with mlflow.start_run() as run:
        mlflow.log_metric("loss", 1)
    mlflow.delete_experiment(experiment_id)
    assert mlflow.get_experiment(experiment_id).lifecycle_stage == "deleted"
    assert "short-lived" not in [each.name for each in mlflow.search_experiments()]
    taken = refusal(lambda: mlflow.create_experiment("short-lived"))
    assert taken == "RESOURCE_ALREADY_EXISTS"
    client.restore_experiment(experiment_id)
    client.rename_experiment(experiment_id, "long-lived")
    assert mlflow.get_experiment_by_name("short-lived") is None
    assert mlflow.get_experiment_by_name("long-lived").experiment_id == experiment_id
    assert mlflow.get_run(run.info.run_id).info.lifecycle_stage == "active"
    return experiment_id


def refusal(call) -> str:
    """The code of the exception that the call raises."""
    try:
        call()
    except RestException as error:
        return error.error_code
    except MlflowException as error:  # what the client refuses on its own
        return error.error_code
    raise AssertionError("This should have been refused.")


def main() -> None:
    """Do all of it, and say what was made."""
    ids = make_runs()
    search(ids)
    turn_pages(ids)
    search_for_experiments()
    correct(ids[1])
    delete_and_restore_run(ids[2])
    mlflow.delete_run(ids[3])
    made = {
        "version": mlflow.__version__,
        "runs": ids,
        "renamed": ids[1],
        "restored": ids[2],
        "deleted": ids[3],
        "experiment": delete_and_restore_experiment(),
    }
    print(json.dumps(made))


if __name__ == "__main__":
    main()
