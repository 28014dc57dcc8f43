"""A data scientist's script: trains models on scikit-learn's data, logs them, reads them back.

It knows nothing of a forge. MLFLOW_TRACKING_URI and MLFLOW_TRACKING_TOKEN are all it is given,
and any MLflow from 2.22 on runs it. It stops where it reads back something else than it logged;
its last line is JSON: what it made, for the test that compares it with what the server has.
"""

import filecmp
import json
import math
import os
import tempfile
import time
from pathlib import Path

import matplotlib
import mlflow
import numpy as np
import pandas as pd
from mlflow import MlflowClient
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier
from sklearn.metrics import ConfusionMatrixDisplay, accuracy_score, log_loss, r2_score
from sklearn.model_selection import GridSearchCV, ParameterGrid, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

matplotlib.use("Agg")
client = MlflowClient()
EPOCHS = 20


def start_at_once() -> str:
    """The first minute: no experiment was set, so the run goes to Default."""
    with mlflow.start_run(run_name="first") as run:
        mlflow.log_param("greeting", "hello")
        mlflow.log_metric("answer", 42)
    stored = mlflow.get_run(run.info.run_id)
    assert stored.info.experiment_id == "0"
    assert stored.info.status == "FINISHED"
    assert mlflow.get_experiment("0").name == "Default"
    return run.info.run_id


def train_on_digits() -> str:
    """A classifier, epoch by epoch, with all that is worth a look afterwards."""
    mlflow.set_experiment("digits")
    x, y = load_digits(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(x / 16, y, random_state=0)
    settings = {"loss": "log_loss", "alpha": 1e-4, "epochs": EPOCHS}
    with mlflow.start_run(run_name="sgd", description="**Baseline** of the year") as run:
        mlflow.log_params(settings)
        mlflow.log_param("scale", "1/16")
        log_data(x_train, y_train, x_test, y_test)
        model = SGDClassifier(loss="log_loss", alpha=1e-4, random_state=0)
        for epoch in range(EPOCHS):
            model.partial_fit(x_train, y_train, classes=np.unique(y))
            loss = log_loss(y_test, model.predict_proba(x_test))
            mlflow.log_metric("loss", loss, step=epoch)
            # From a queue in the background, as training loops do that must not wait.
            mlflow.log_metric("accuracy", model.score(x_test, y_test), epoch, synchronous=False)
        mlflow.flush_async_logging()
        mlflow.log_metrics({"diverged": math.nan, "best": math.inf, "worst": -math.inf})
        predicted = model.predict(x_test)
        log_pictures(x_test, y_test, predicted)
        log_documents(y_test, predicted, model)
    check_metrics(run.info.run_id, model.score(x_test, y_test))
    check_pictures_and_documents(run.info.run_id)
    return run.info.run_id


def log_data(
    x_train: np.ndarray, y_train: np.ndarray, x_test: np.ndarray, y_test: np.ndarray
) -> None:
    """What the model was trained and judged on."""
    training = mlflow.data.from_numpy(x_train, targets=y_train, name="digits-train")
    frame = pd.DataFrame(x_test, columns=[f"pixel_{number}" for number in range(64)])
    held_out = mlflow.data.from_pandas(frame.assign(digit=y_test), targets="digit", name="digits")
    mlflow.log_input(training, context="training")
    mlflow.log_input(held_out, context="validation", tags={"split": "held out"})
    inputs = mlflow.get_run(mlflow.active_run().info.run_id).inputs.dataset_inputs
    seen = {each.dataset.name: {tag.key: tag.value for tag in each.tags} for each in inputs}
    assert seen == {
        "digits-train": {"mlflow.data.context": "training"},
        "digits": {"mlflow.data.context": "validation", "split": "held out"},
    }
    digests = {each.dataset.name: each.dataset.digest for each in inputs}
    assert digests == {"digits-train": training.digest, "digits": held_out.digest}


def log_pictures(x_test: np.ndarray, y_test: np.ndarray, predicted: np.ndarray) -> None:
    """A figure, an image by its file name, and images of a key by their steps."""
    figure = ConfusionMatrixDisplay.from_predictions(y_test, predicted).figure_
    mlflow.log_figure(figure, "figures/confusion.png")
    mlflow.log_image(x_test[0].reshape(8, 8), "images/first.png")
    for step in (0, 20, 41):  # by MLflow 2 with escapes in their names
        mlflow.log_image(x_test[step].reshape(8, 8), key="samples", step=step)


def log_documents(y_test: np.ndarray, predicted: np.ndarray, model: SGDClassifier) -> None:
    """A dictionary, a text, and a table that grows."""
    mlflow.log_dict({"classes": model.classes_.tolist(), "ü": 1}, "model.json")
    mlflow.log_dict({"intercept": model.intercept_.tolist()}, "model.yaml")
    mlflow.log_text("Übung macht den Meister\n", "notes/motto.txt")
    rows = {"digit": y_test[:5].tolist(), "predicted": predicted[:5].tolist()}
    mlflow.log_table(rows, "mistakes.json")
    mlflow.log_table({"digit": [0], "predicted": [9]}, "mistakes.json")


def check_metrics(run_id: str, accuracy: float) -> None:
    """Every point of every curve is there, and the run shows the last ones."""
    for key in ("loss", "accuracy"):
        history = client.get_metric_history(run_id, key)
        assert [point.step for point in history] == list(range(EPOCHS)), key
    data = mlflow.get_run(run_id).data
    assert data.metrics["accuracy"] == accuracy
    assert math.isnan(data.metrics["diverged"])
    # A stock server gives an infinity as the largest number.
    assert data.metrics["best"] >= 1.79e308
    assert data.metrics["worst"] <= -1.79e308
    assert data.params == {
        "loss": "log_loss", "alpha": "0.0001", "epochs": str(EPOCHS), "scale": "1/16",
    }  # fmt: skip


def check_pictures_and_documents(run_id: str) -> None:
    """What was logged in memory comes back from the server as it was."""
    uri = f"runs:/{run_id}"
    assert mlflow.artifacts.load_dict(f"{uri}/model.json")["ü"] == 1
    assert mlflow.artifacts.load_text(f"{uri}/notes/motto.txt") == "Übung macht den Meister\n"
    assert mlflow.artifacts.load_image(f"{uri}/images/first.png").size == (8, 8)
    assert mlflow.artifacts.load_image(f"{uri}/figures/confusion.png").width > 100
    table = mlflow.load_table("mistakes.json", run_ids=[run_id], extra_columns=["run_id"])
    assert len(table) == 6
    assert table.iloc[5].to_dict() == {"digit": 0, "predicted": 9, "run_id": run_id}
    names = {file.path for file in client.list_artifacts(run_id)}
    assert {"figures", "images", "model.json", "model.yaml", "mistakes.json", "notes"} <= names
    # Three, and their previews.
    images = [file.path for file in client.list_artifacts(run_id, "images")]
    assert sum(path.startswith("images/samples") for path in images) == 6


def search_a_grid() -> list[str]:
    """A parent with a child for each combination, as a hand-written grid search does."""
    mlflow.set_experiment("wine")
    x, y = load_wine(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(x, y, random_state=1)
    children = []
    with mlflow.start_run(run_name="forest", tags={"team": "cellar"}) as parent:
        for grid in ParameterGrid({"max_depth": [1, 2, 4], "n_estimators": [2, 10]}):
            name = f"depth {grid['max_depth']}, {grid['n_estimators']} trees"
            with mlflow.start_run(run_name=name, nested=True) as child:
                mlflow.log_params(grid)
                model = RandomForestClassifier(**grid, random_state=0).fit(x_train, y_train)
                mlflow.log_metric("accuracy", accuracy_score(y_test, model.predict(x_test)))
                children.append(child.info.run_id)
        best = max(mlflow.get_run(child).data.metrics["accuracy"] for child in children)
        mlflow.log_metric("best_accuracy", best)
    found = mlflow.search_runs(
        experiment_names=["wine"],
        filter_string=f"tags.mlflow.parentRunId = '{parent.info.run_id}'",
        order_by=["metrics.accuracy DESC", "params.max_depth ASC"],
    )
    assert set(found["run_id"]) == set(children)
    assert found["metrics.accuracy"].is_monotonic_decreasing
    assert found["metrics.accuracy"][0] == best
    return [parent.info.run_id, *children]


def let_autolog_do_it() -> str:
    """A grid search of scikit-learn itself; `autolog` logs it and its best tries."""
    mlflow.set_experiment("breast cancer")
    mlflow.sklearn.autolog(log_models=False, max_tuning_runs=3, silent=True)
    x, y = load_breast_cancer(return_X_y=True, as_frame=True)
    pipeline = make_pipeline(StandardScaler(), LogisticRegression())
    search = GridSearchCV(pipeline, {"logisticregression__C": [0.01, 0.1, 1.0]}, cv=3)
    x_train, x_test, y_train, y_test = train_test_split(x, y, random_state=2)
    with mlflow.start_run(run_name="autolog") as run:
        search.fit(x_train, y_train)
        score = search.score(x_test, y_test)
    mlflow.sklearn.autolog(disable=True)
    stored = mlflow.get_run(run.info.run_id)
    best = search.best_params_["logisticregression__C"]
    assert stored.data.params["best_logisticregression__C"] == str(best)
    assert stored.data.metrics["best_cv_score"] == search.best_score_
    assert stored.data.metrics["GridSearchCV_score_x_test"] == score
    children = client.search_runs(
        [stored.info.experiment_id], f"tags.`mlflow.parentRunId` = '{run.info.run_id}'"
    )
    assert len(children) == 3
    files = {file.path for file in client.list_artifacts(run.info.run_id)}
    assert {"cv_results.csv", "training_confusion_matrix.png"} <= files
    return run.info.run_id


def keep_a_model() -> str:
    """Save a model, log its files, fetch them from the server, and predict the same."""
    mlflow.set_experiment("diabetes")
    x, y = load_diabetes(return_X_y=True)
    model = make_pipeline(StandardScaler(), Ridge()).fit(x[:300], y[:300])
    expected = model.predict(x[300:])
    with mlflow.start_run(run_name="ridge") as run, tempfile.TemporaryDirectory() as folder:
        mlflow.sklearn.save_model(model, f"{folder}/model", pip_requirements=["scikit-learn"])
        mlflow.log_artifacts(f"{folder}/model", "model")
        mlflow.log_metric("r2", r2_score(y[300:], expected))
    local = mlflow.artifacts.download_artifacts(f"runs:/{run.info.run_id}/model")
    assert np.array_equal(mlflow.sklearn.load_model(local).predict(x[300:]), expected)
    loaded = mlflow.pyfunc.load_model(f"runs:/{run.info.run_id}/model")
    assert np.array_equal(loaded.predict(x[300:]), expected)
    return run.info.run_id


def keep_files() -> str:
    """A tree of files goes up and comes down byte for byte."""
    with tempfile.TemporaryDirectory() as folder, mlflow.start_run(run_name="files") as run:
        tree = Path(folder, "tree")
        (tree / "deep" / "deeper").mkdir(parents=True)
        (tree / "empty").touch()
        (tree / "big.bin").write_bytes(os.urandom(12_000_000))
        (tree / "deep" / "ä b+c 100%.bin").write_bytes(bytes(range(256)))
        (tree / "deep" / "deeper" / "page.html").write_text("<script>alert(1)</script>")
        mlflow.log_artifacts(str(tree), "data")
        mlflow.log_artifact(str(tree / "deep"), "folders")
        mlflow.log_artifact(str(tree / "empty"))
        down = Path(mlflow.artifacts.download_artifacts(run_id=run.info.run_id, dst_path=folder))
        assert same(tree, down / "data")
        assert same(tree / "deep", down / "folders" / "deep")
        assert (down / "empty").read_bytes() == b""
    listed = {file.path: (file.is_dir, file.file_size or 0) for file in listing(run.info.run_id)}
    assert listed["data/big.bin"] == (False, 12_000_000)
    assert listed["data/deep"][0]
    assert listed["data/deep/ä b+c 100%.bin"] == (False, 256)
    return run.info.run_id


def listing(run_id: str, path: str = "") -> list:
    """All files of a run."""
    here = client.list_artifacts(run_id, path)
    below = [file for each in here if each.is_dir for file in listing(run_id, each.path)]
    return [*here, *below]


def same(left: Path, right: Path) -> bool:
    """Whether two folders hold the same names and bytes."""
    names = sorted(path.relative_to(left) for path in left.rglob("*"))
    if names != sorted(path.relative_to(right) for path in right.rglob("*")):
        return False
    files = [name for name in names if (left / name).is_file()]
    return filecmp.cmpfiles(left, right, files, shallow=False)[0] == files


def watch_the_machine() -> str:
    """Metrics of the system, sampled in the background while the run lasts."""
    mlflow.set_system_metrics_sampling_interval(0.5)
    with mlflow.start_run(run_name="watched", log_system_metrics=True) as run:
        time.sleep(2)
    keys = mlflow.get_run(run.info.run_id).data.metrics
    assert "system/cpu_utilization_percentage" in keys, keys
    return run.info.run_id


def fail() -> str:
    """A run whose training raises is kept as failed."""
    try:
        with mlflow.start_run(run_name="broken") as run:
            mlflow.log_metric("loss", 1e12)
            raise FloatingPointError("the loss exploded")
    except FloatingPointError:
        pass
    assert mlflow.get_run(run.info.run_id).info.status == "FAILED"
    return run.info.run_id


def main() -> None:
    """Do all of it, and say what was made."""
    made = {
        "version": mlflow.__version__,
        "first": start_at_once(),
        "digits": train_on_digits(),
        "grid": search_a_grid(),
        "autolog": let_autolog_do_it(),
        "model": keep_a_model(),
        "files": keep_files(),
        "failed": fail(),
        "watched": watch_the_machine(),
        "epochs": EPOCHS,
    }
    print(json.dumps(made))


if __name__ == "__main__":
    main()
