"""What the installed MLflow client does and sees, as plain data that two servers share."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import (
    Dataset,
    DatasetInput,
    InputTag,
    LoggedModelOutput,
    Metric,
    Param,
    RunTag,
    ViewType,
)
from mlflow.exceptions import MlflowException

ClientCall = Callable[[MlflowClient, str, Path], Any]


def experiment_is_found_or_made(client: MlflowClient, name: str, folder: Path) -> Any:
    before = client.get_experiment_by_name(name)
    experiment_id = client.create_experiment(name, tags={"team": "vision"})
    client.set_experiment_tag(experiment_id, "more", "1")
    client.rename_experiment(experiment_id, name + " renamed")
    found = client.get_experiment(experiment_id)
    client.delete_experiment(experiment_id)
    deleted = client.get_experiment_by_name(found.name)
    client.restore_experiment(experiment_id)
    stages = found.lifecycle_stage, deleted and deleted.lifecycle_stage
    return before, found.name, found.tags, stages


def run_is_logged(client: MlflowClient, name: str, folder: Path) -> Any:
    run_id = client.create_run(client.create_experiment(name), 1000, run_name="logged").info.run_id
    client.log_metric(run_id, "loss", 0.5, timestamp=10, step=1)
    client.log_metric(run_id, "loss", float("nan"), timestamp=20, step=2)
    client.log_param(run_id, "depth", 3)
    client.set_tag(run_id, "kind", "test")
    client.set_tag(run_id, "gone", "soon")
    client.delete_tag(run_id, "gone")
    client.update_run(run_id, name="renamed")
    client.set_terminated(run_id, "FAILED", end_time=2000)
    return seen(client, run_id), history(client, run_id, "loss")


def batch_beyond_the_limits(client: MlflowClient, name: str, folder: Path) -> Any:
    """The client splits what is more than one call may carry."""
    run_id = client.create_run(client.create_experiment(name), 1000, run_name="batch").info.run_id
    client.log_batch(
        run_id,
        metrics=[Metric("m", step / 4, 5, step) for step in range(1001)],
        params=[Param(f"p{number}", str(number)) for number in range(101)],
        tags=[RunTag(f"t{number}", str(number)) for number in range(101)],
    )
    return seen(client, run_id), len(history(client, run_id, "m"))


def artifacts_go_up_and_down(client: MlflowClient, name: str, folder: Path) -> Any:
    run_id = client.create_run(client.create_experiment(name), 1000, run_name="files").info.run_id
    (folder / "tree" / "deep").mkdir(parents=True)
    (folder / "tree" / "empty").write_bytes(b"")
    (folder / "tree" / "deep" / "ä b.bin").write_bytes(bytes(range(256)))
    client.log_artifacts(run_id, str(folder / "tree"), "up")
    client.log_text(run_id, "text", "note.txt")
    client.log_dict(run_id, {"a": 1}, "up/more.json")
    down = Path(client.download_artifacts(run_id, "", str(folder)))
    return (
        [(file.path, file.is_dir, file.file_size or 0) for file in client.list_artifacts(run_id)],
        [file.path for file in client.list_artifacts(run_id, "up")],
        (down / "up" / "deep" / "ä b.bin").read_bytes(),
        (down / "note.txt").read_text(),
        (down / "up" / "empty").read_bytes(),
    )


def datasets_are_inputs(client: MlflowClient, name: str, folder: Path) -> Any:
    run_id = client.create_run(client.create_experiment(name), 1000, run_name="data").info.run_id
    dataset = Dataset("iris", "d1", "local", "here", schema="{}", profile="{}")
    tags = [InputTag("mlflow.data.context", "training")]
    client.log_inputs(run_id, [DatasetInput(dataset, tags)])
    inputs = client.get_run(run_id).inputs
    return inputs and inputs.to_dictionary()


def runs_are_searched_in_pages(client: MlflowClient, name: str, folder: Path) -> Any:
    experiment_id = client.create_experiment(name)
    for number in range(5):
        run_id = client.create_run(experiment_id, 1000 + number, run_name=f"r{number}").info.run_id
        client.log_metric(run_id, "acc", number / 8, timestamp=1)
    return list(pages(client, experiment_id))


def pages(client: MlflowClient, experiment_id: str) -> Iterator[list[str]]:
    token = None
    while True:
        page = client.search_runs(
            [experiment_id],
            "metrics.acc > 0",
            ViewType.ALL,
            max_results=3,
            order_by=["metrics.acc DESC"],
            page_token=token,
        )
        yield [run.info.run_name for run in page]
        if not (token := page.token):
            return


def refusals_reach_the_user(client: MlflowClient, name: str, folder: Path) -> Any:
    experiment_id = client.create_experiment(name)
    run_id = client.create_run(experiment_id).info.run_id
    client.log_param(run_id, "lr", "0.1")
    return (
        code(lambda: client.create_experiment(name)),
        code(lambda: client.get_run("0" * 32)),
        code(lambda: client.get_experiment("987654321")),
        code(lambda: client.log_param(run_id, "lr", "0.2")),
        code(lambda: client.log_metric(run_id, "a#b", 1)),
        code(lambda: client.search_runs([experiment_id], "nothing ~ 1")),
        code(lambda: client.delete_tag(run_id, "nothing")),
        code(lambda: client.download_artifacts(run_id, "nothing.txt", str(folder))),
    )


def deleted_run_comes_back(client: MlflowClient, name: str, folder: Path) -> Any:
    run_id = client.create_run(client.create_experiment(name), 1000, run_name="gone").info.run_id
    client.delete_run(run_id)
    deleted = client.get_run(run_id).info.lifecycle_stage
    refused = code(lambda: client.log_metric(run_id, "m", 1))
    client.restore_run(run_id)
    return deleted, refused, client.get_run(run_id).info.lifecycle_stage


def logged_models_are_kept(client: MlflowClient, name: str, folder: Path) -> Any:
    experiment_id = client.create_experiment(name)
    run_id = client.create_run(experiment_id, 1000, run_name="maker").info.run_id
    model_id = client.create_logged_model(
        experiment_id, "kept", run_id, {"team": "x"}, {"depth": "3"}, "tree"
    ).model_id
    client.log_outputs(run_id, [LoggedModelOutput(model_id, step=2)])
    (folder / "tree" / "data").mkdir(parents=True)
    (folder / "tree" / "data" / "weights.bin").write_bytes(b"w")
    client.log_model_artifacts(model_id, str(folder / "tree"))
    on = {"dataset_name": "iris", "dataset_digest": "d1"}
    client.log_metric(run_id, "acc", 0.5, timestamp=1, step=1, model_id=model_id, **on)
    client.set_logged_model_tags(model_id, {"stage": "new", "gone": "1"})
    client.delete_logged_model_tag(model_id, "gone")
    model = client.finalize_logged_model(model_id, "READY")
    listed = [file.path for file in client.list_logged_model_artifacts(model_id, "data")]
    found = client.search_logged_models(
        [experiment_id], "metrics.acc > 0.4", [on], order_by=[{"field_name": "metrics.acc"}]
    )
    client.delete_logged_model(model_id)
    metrics = [
        (each.key, each.value, each.dataset_name, each.run_id == run_id) for each in model.metrics
    ]
    return (
        (model.name, model.model_type, str(model.status), model.source_run_id == run_id),
        (model.tags, model.params, metrics, listed, [each.name for each in found]),
        [each.step for each in client.get_run(run_id).outputs.model_outputs],
        code(lambda: client.get_logged_model(model_id)),
        len(client.search_logged_models([experiment_id])),
    )


def models_are_registered(client: MlflowClient, name: str, folder: Path) -> Any:
    run = client.create_run(client.create_experiment(name), 1000)
    root, run_id = run.info.artifact_uri, run.info.run_id
    client.create_registered_model(name, {"team": "vision"}, "# Card")
    for number in range(3):
        client.create_model_version(name, f"{root}/{number}", run_id, {"number": str(number)})
    client.set_registered_model_alias(name, "champion", "2")
    client.delete_model_version(name, "1")
    model, found = client.get_registered_model(name), client.search_model_versions(f"name='{name}'")
    return (
        (model.description, model.tags, model.aliases),
        sorted((each.version, each.current_stage) for each in model.latest_versions),
        [(each.version, each.tags, each.run_id == run_id) for each in found],
        client.get_model_version_by_alias(name, "champion").version,
        code(lambda: client.get_model_version(name, "1")),
        code(lambda: client.create_registered_model(name)),
        code(lambda: client.get_model_version_by_alias(name, "nobody")),
        [each.name == name for each in client.search_registered_models(f"name = '{name}'")],
    )


def seen(client: MlflowClient, run_id: str) -> Any:
    run = client.get_run(run_id)
    info = run.info
    # As text, because NaN is not equal to itself.
    metrics = repr(run.data.metrics)
    times = info.start_time, info.end_time
    return info.run_name, info.status, times, metrics, run.data.params, run.data.tags


def history(client: MlflowClient, run_id: str, key: str) -> list[str]:
    return [repr(dict(point)) for point in client.get_metric_history(run_id, key)]


def code(action: Callable[[], Any]) -> str:
    with contextlib.suppress(FileNotFoundError):
        try:
            action()
        except MlflowException as error:
            return str(error.error_code)
    return "no error"


CLIENT_CALLS: tuple[ClientCall, ...] = (
    experiment_is_found_or_made,
    run_is_logged,
    batch_beyond_the_limits,
    artifacts_go_up_and_down,
    datasets_are_inputs,
    runs_are_searched_in_pages,
    refusals_reach_the_user,
    deleted_run_comes_back,
    logged_models_are_kept,
    models_are_registered,
)
