"""What a training leaves behind: figures, a report, predictions, a summary, and the model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib
import mlflow
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sklearn.base import BaseEstimator
from sklearn.metrics import ConfusionMatrixDisplay, RocCurveDisplay, classification_report
from sklearn.utils import estimator_html_repr

from demo.train import Data
from gallery.candidate import Candidate

matplotlib.use("Agg")
DPI = 100
ROW = "| {} | {:.4g} |"
SUMMARY = """\
# {name}

A `{kind}` on the data set **{data}**: {train} samples to learn from, {test} to judge by, {features}
features each.

| held out | value |
|:--|--:|
{rows}

## Parameters

{params}

## How to use it

```python
import mlflow

folder = mlflow.artifacts.download_artifacts("runs:/{run_id}/model")
model = mlflow.sklearn.load_model(folder)
```

> Judged once, on one split. A difference of half a percent is chance.
"""


def write(
    made: Candidate,
    name: str,
    model: BaseEstimator,
    data: Data,
    metrics: list[str],
    params: Mapping[str, Any],
) -> None:
    """Write everything that helps to judge a model later, and the model itself."""
    predicted = model.predict(data.x_test)
    wanted = [(key, made.latest(key)) for key in metrics]
    table = pd.DataFrame({"sample": data.x_test.index, "true": data.y_test, "predicted": predicted})
    table.sort_values("sample").to_csv(made.folder / "predictions.csv", index=False)
    summary = SUMMARY.format(
        name=name,
        kind=type(model).__name__,
        data=data.name,
        train=len(data.x_train),
        test=len(data.x_test),
        features=data.x_train.shape[1],
        rows="\n".join(ROW.format(*each) for each in wanted),
        params="\n".join(f"- `{key}`: {value}" for key, value in params.items()),
        run_id=made.run_id,
    )
    (made.folder / "summary.md").write_text(summary)
    (made.folder / "metrics.json").write_text(json.dumps(dict(wanted), indent=2))
    (made.folder / "estimator.html").write_text(estimator_html_repr(model))
    _write_model(made.folder / "model", model, data, predicted)


def _write_model(folder: Path, model: BaseEstimator, data: Data, predicted: np.ndarray) -> None:
    mlflow.sklearn.save_model(
        model,
        folder,
        serialization_format="cloudpickle",
        pip_requirements=["scikit-learn"],
        signature=mlflow.models.infer_signature(data.x_test.head(), predicted[:5]),
    )


def write_report(made: Candidate, model: BaseEstimator, data: Data) -> None:
    """Write how well each class is told from the others, and draw who is taken for whom."""
    predicted = model.predict(data.x_test)
    labels = {"labels": range(len(data.labels)), "target_names": data.labels, "zero_division": 0.0}
    report = classification_report(data.y_test, predicted, **labels)
    (made.folder / "report.txt").write_text(report)
    figure, axes = _figure()
    ConfusionMatrixDisplay.from_predictions(
        data.y_test, predicted, labels=range(len(data.labels)), display_labels=data.labels,
        ax=axes, cmap="Blues", colorbar=False,
    )  # fmt: skip
    _save(made, figure, "confusion_matrix.png")


def draw_learning(made: Candidate, *metrics: str) -> None:
    """Draw metrics over the steps."""
    figure, axes = _figure()
    for key in metrics:
        points = [(point.step, point.value) for point in made.points if point.key == key]
        axes.plot(*zip(*points, strict=True), label=key)
    axes.set(xlabel="step", yscale="log")
    axes.grid(alpha=0.3)
    axes.legend()
    _save(made, figure, "learning_curve.png")


def draw_roc(made: Candidate, model: BaseEstimator, data: Data) -> None:
    """Draw what finding more of one class costs in false alarms."""
    figure, axes = _figure()
    RocCurveDisplay.from_estimator(model, data.x_test, data.y_test, ax=axes, pos_label=1)
    axes.grid(alpha=0.3)
    _save(made, figure, "roc.png")


def draw_residuals(made: Candidate, model: BaseEstimator, data: Data) -> None:
    """Draw what was foreseen against what came."""
    figure, axes = _figure()
    axes.scatter(data.y_test, model.predict(data.x_test), s=12, alpha=0.6)
    limits = [data.y_test.min(), data.y_test.max()]
    axes.plot(limits, limits, color="gray", linewidth=1)
    axes.set(xlabel="measured", ylabel="predicted")
    axes.grid(alpha=0.3)
    _save(made, figure, "predicted_and_measured.png")


def _figure() -> tuple[Figure, Any]:
    figure = Figure(figsize=(6, 5), layout="constrained", dpi=DPI)
    return figure, figure.subplots()


def _save(made: Candidate, figure: Figure, name: str) -> None:
    folder = made.folder / "figures"
    folder.mkdir(exist_ok=True)
    figure.savefig(folder / name)
