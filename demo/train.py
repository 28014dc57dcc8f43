"""Train classifiers on data that comes with scikit-learn, and log each candidate to MLflow.

    MLFLOW_TRACKING_URI=... MLFLOW_TRACKING_TOKEN=... python train.py --data digits

A grid of decision trees is searched to know what is easy, neural networks of different sizes and
learning rates are trained epoch by epoch, and the best of all gets the tag `champion`.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass
from typing import Any

import matplotlib
import mlflow
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sklearn.base import ClassifierMixin
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.metrics import (
    ConfusionMatrixDisplay,
    accuracy_score,
    classification_report,
    f1_score,
    log_loss,
)
from sklearn.model_selection import ParameterGrid, cross_val_score, train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

matplotlib.use("Agg")
SOURCES = {"digits": load_digits, "breast_cancer": load_breast_cancer}
NETWORKS: list[dict[str, Any]] = [
    {"hidden_layers": (16,), "learning_rate": 0.003, "solver": "adam"},
    {"hidden_layers": (64,), "learning_rate": 0.001, "solver": "adam"},
    {"hidden_layers": (64,), "learning_rate": 0.01, "solver": "adam"},
    {"hidden_layers": (64, 32), "learning_rate": 0.003, "solver": "adam"},
    {"hidden_layers": (128, 64), "learning_rate": 0.001, "solver": "adam"},
    {"hidden_layers": (64, 32), "learning_rate": 0.1, "solver": "sgd"},
    {"hidden_layers": (64, 32), "learning_rate": 5.0, "solver": "sgd"},  # how much is too much?
]
GRID = {"max_depth": [4, 8, 16], "min_samples_leaf": [1, 5]}
CHAMPION = "champion"
MAIN_METRIC = {
    "mlflow.experiment.primaryMetric.name": "accuracy",
    "mlflow.experiment.primaryMetric.greaterIsBetter": "true",
}
EXPLODED = 1e6  # no loss comes back from here


@dataclass
class Data:
    """A data set, split once, so that all candidates are judged alike."""

    name: str
    labels: list[str]
    x_train: pd.DataFrame
    x_test: pd.DataFrame
    y_train: np.ndarray
    y_test: np.ndarray


def load(name: str) -> Data:
    """Load a data set, scale it, and hold a quarter of it out."""
    bunch = SOURCES[name](as_frame=True)
    split = train_test_split(
        bunch.data, bunch.target.to_numpy(), random_state=0, stratify=bunch.target
    )
    scaler = StandardScaler().fit(split[0]).set_output(transform="pandas")
    labels = [str(label) for label in bunch.target_names]
    return Data(name, labels, scaler.transform(split[0]), scaler.transform(split[1]), *split[2:])


def train_networks(data: Data, epochs: int) -> None:
    """Train all networks; one that fails does not keep the others from trying."""
    for settings in NETWORKS:
        try:
            train_network(data, epochs, settings)
        except FloatingPointError as error:
            print(f"  {network_name(settings):32} failed: {error}")


def train_network(data: Data, epochs: int, settings: dict[str, Any]) -> None:
    """Train one network; a point per epoch makes the curves."""
    with mlflow.start_run(run_name=network_name(settings), tags={"family": "neural network"}):
        mlflow.log_params({**settings, "epochs": epochs, "batch_size": 64, "seed": 0})
        log_data(data)
        model = MLPClassifier(
            settings["hidden_layers"],
            solver=settings["solver"],
            learning_rate_init=settings["learning_rate"],
            batch_size=64,
            random_state=0,
        )
        for epoch in range(1, epochs + 1):
            model.partial_fit(data.x_train, data.y_train, classes=np.unique(data.y_train))
            mlflow.log_metrics(measure(model, data), step=epoch)
            if model.loss_ > EXPLODED:
                raise FloatingPointError(f"the loss exploded to {model.loss_:.0e}")
        log_results(model, data)
        log_curve(model.loss_curve_)
        print(f"  {network_name(settings):32} accuracy {model.score(data.x_test, data.y_test):.4f}")


def network_name(settings: dict[str, Any]) -> str:
    """What tells a network from the others at a glance."""
    layers = "-".join(map(str, settings["hidden_layers"]))
    return f"mlp-{layers}-{settings['solver']}-{settings['learning_rate']:g}"


def search_grid(data: Data) -> None:
    """Search a grid of decision trees; each try is a child of the search."""
    tags = {"family": "decision tree"}
    with mlflow.start_run(run_name="tree-grid", tags=tags):
        mlflow.log_params({f"grid.{key}": values for key, values in GRID.items()})
        log_data(data)
        models = [try_settings(data, settings, tags) for settings in ParameterGrid(GRID)]
        best = max(models, key=lambda model: model.score(data.x_test, data.y_test))
        mlflow.log_params({key: getattr(best, key) for key in GRID})
        mlflow.log_metrics(measure(best, data))
        log_results(best, data)
        print(f"  {'tree-grid':32} accuracy {best.score(data.x_test, data.y_test):.4f}")


def try_settings(
    data: Data, settings: dict[str, int], tags: dict[str, str]
) -> DecisionTreeClassifier:
    """One try of the grid search."""
    name = f"tree-depth{settings['max_depth']}-leaf{settings['min_samples_leaf']}"
    with mlflow.start_run(run_name=name, tags=tags, nested=True):
        mlflow.log_params(settings)
        model = DecisionTreeClassifier(**settings, random_state=0)
        folds = cross_val_score(model, data.x_train, data.y_train, cv=3)
        for number, score in enumerate(folds):
            mlflow.log_metric("fold_accuracy", score, step=number)
        model.fit(data.x_train, data.y_train)
        mlflow.log_metrics({"cv_accuracy": folds.mean(), **measure(model, data)})
    return model


def measure(model: ClassifierMixin, data: Data) -> dict[str, float]:
    """How well a model does on what it has seen, and on what it has not."""
    seen, unseen = model.predict_proba(data.x_train), model.predict_proba(data.x_test)
    predicted = unseen.argmax(axis=1)
    return {
        "train_accuracy": accuracy_score(data.y_train, seen.argmax(axis=1)),
        "accuracy": accuracy_score(data.y_test, predicted),
        "f1": f1_score(data.y_test, predicted, average="macro"),
        "train_loss": log_loss(data.y_train, seen),
        "loss": log_loss(data.y_test, unseen),
    }


def log_data(data: Data) -> None:
    """Say what was trained and judged on."""
    for context, x, y in (
        ("training", data.x_train, data.y_train),
        ("evaluation", data.x_test, data.y_test),
    ):
        frame = x.assign(target=y.astype(float))
        name = f"{data.name}-{context}"
        mlflow.log_input(
            mlflow.data.from_pandas(frame, targets="target", name=name), context=context
        )


def log_results(model: ClassifierMixin, data: Data) -> None:
    """Everything that helps to judge a model later, and the model itself."""
    predicted = model.predict(data.x_test)
    labels = {"labels": range(len(data.labels)), "target_names": data.labels}
    report = {"zero_division": 0.0, **labels}
    mlflow.log_dict(
        classification_report(data.y_test, predicted, output_dict=True, **report), "report.json"
    )
    mlflow.log_text(classification_report(data.y_test, predicted, **report), "report.txt")
    figure = Figure(figsize=(6, 5), layout="constrained")
    ConfusionMatrixDisplay.from_predictions(
        data.y_test, predicted, display_labels=data.labels, ax=figure.subplots(), cmap="Blues"
    )
    mlflow.log_figure(figure, "figures/confusion_matrix.png")
    wrong = np.flatnonzero(predicted != data.y_test)
    mistakes = {"sample": wrong, "true": data.y_test[wrong], "predicted": predicted[wrong]}
    mlflow.log_table(pd.DataFrame(mistakes), "mistakes.json")
    with tempfile.TemporaryDirectory() as folder:
        mlflow.sklearn.save_model(
            model,
            f"{folder}/model",
            serialization_format="cloudpickle",
            pip_requirements=["scikit-learn"],
        )
        mlflow.log_artifacts(f"{folder}/model", "model")


def log_curve(losses: list[float]) -> None:
    """Draw the loss over the epochs."""
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot(range(1, len(losses) + 1), losses)
    axes.set(xlabel="epoch", ylabel="training loss", yscale="log")
    axes.grid(alpha=0.3)
    mlflow.log_figure(figure, "figures/loss.png")


def crown() -> None:
    """Tag the candidate with the best accuracy; among equals the one with the lowest loss.

    The tag goes from one to the next: there is one champion.
    """
    best = mlflow.search_runs(
        filter_string="attributes.status = 'FINISHED'",
        order_by=["metrics.accuracy DESC", "metrics.loss ASC"],
        max_results=1,
        output_format="list",
    )[0]
    client = mlflow.MlflowClient()
    for former in mlflow.search_runs(
        filter_string=f"tags.{CHAMPION} = 'yes'", output_format="list"
    ):
        client.delete_tag(former.info.run_id, CHAMPION)
    client.set_tag(best.info.run_id, CHAMPION, "yes")
    client.set_tag(
        best.info.run_id,
        "mlflow.note.content",
        f"Best of all so far: right about {best.data.metrics['accuracy']:.1%} of the samples "
        "that it had never seen.",
    )
    print(f"  best: {best.info.run_name}, accuracy {best.data.metrics['accuracy']:.4f}")


def main() -> None:
    """Train all candidates on one data set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", choices=SOURCES, default="digits")
    parser.add_argument("--models", choices=("all", "trees", "networks"), default="all")
    parser.add_argument("--epochs", type=int, default=30)
    options = parser.parse_args()
    mlflow.set_experiment(options.data)
    mlflow.set_experiment_tags(MAIN_METRIC)
    data = load(options.data)
    if options.models != "networks":
        search_grid(data)
    if options.models != "trees":
        train_networks(data, options.epochs)
    crown()


if __name__ == "__main__":
    main()
