"""A data scientist's script about models: log them, load them again, and predict the same numbers.

Like `training.py`, it knows nothing of a forge, runs with MLflow 2.22 and 3, stops where it reads
back something else than it logged, and prints what it made as JSON in its last line.
"""

import json

import mlflow
import numpy as np
import pandas as pd
from mlflow import MlflowClient
from mlflow.models import infer_signature
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

client = MlflowClient()
IS_3 = mlflow.__version__.startswith("3.")
# Named, so that MLflow does not load each model in a process of its own to find out.
NEEDS = ["scikit-learn"]


class Doubler(mlflow.pyfunc.PythonModel):
    """A model of one's own."""

    def predict(self, context, model_input, params=None):
        """Twice what comes in."""
        return model_input * 2


def log(flavor, name: str, **how):
    """`log_model` as both versions spell it."""
    where = {"name": name} if IS_3 else {"artifact_path": name}
    return flavor.log_model(**where, pip_requirements=NEEDS, **how)


def log_a_ridge() -> dict:
    """A scikit-learn model with a signature and an input example, and all ways to load it."""
    mlflow.set_experiment("diabetes")
    x, y = load_diabetes(return_X_y=True, as_frame=True)
    model = make_pipeline(StandardScaler(), Ridge()).fit(x[:300], y[:300])
    expected = model.predict(x[300:])
    with mlflow.start_run(run_name="ridge") as run:
        info = log(
            mlflow.sklearn,
            "model",
            sk_model=model,
            signature=infer_signature(x, expected),
            input_example=x[:5],
        )
    uris = [f"runs:/{run.info.run_id}/model", info.model_uri]
    for uri in uris:
        assert np.array_equal(mlflow.sklearn.load_model(uri).predict(x[300:]), expected), uri
        loaded = mlflow.pyfunc.load_model(uri)
        # The layout of the columns is another one, and so the last digit may be.
        assert np.allclose(loaded.predict(x[300:]), expected, rtol=1e-12), uri
        assert loaded.metadata.signature == info.signature
        assert loaded.input_example.equals(x[:5].reset_index(drop=True))
        # The signature is minded: a column is missing.
        try:
            loaded.predict(x[300:].drop(columns="bmi"))
        except mlflow.MlflowException:
            pass
        else:
            raise AssertionError("a column was missing, and nobody minded")
    assert mlflow.models.get_model_info(uris[0]).signature == info.signature
    return {"run": run.info.run_id, "model": getattr(info, "model_id", None)}


def log_a_doubler() -> str:
    """A model of one's own class."""
    frame = pd.DataFrame({"a": [1.0, 2.0]})
    with mlflow.start_run(run_name="doubler"):
        info = log(mlflow.pyfunc, "doubler", python_model=Doubler(), input_example=frame)
    loaded = mlflow.pyfunc.load_model(info.model_uri)
    assert loaded.predict(frame)["a"].tolist() == [2.0, 4.0]
    return info.model_uri


def let_autolog_do_it() -> dict:
    """A grid search of scikit-learn, of which `autolog` logs the best model too."""
    mlflow.set_experiment("breast cancer")
    mlflow.sklearn.autolog(max_tuning_runs=2, silent=True)
    x, y = load_breast_cancer(return_X_y=True, as_frame=True)
    pipeline = make_pipeline(StandardScaler(), LogisticRegression())
    search = GridSearchCV(pipeline, {"logisticregression__C": [0.1, 1.0]}, cv=2)
    with mlflow.start_run(run_name="grid") as run:
        search.fit(x, y)
        some, answers = x[:100], y[:100]
        score = search.score(some, answers)
    mlflow.sklearn.autolog(disable=True)
    run_id = run.info.run_id
    best = mlflow.sklearn.load_model(f"runs:/{run_id}/best_estimator")
    assert np.array_equal(best.predict(x), search.best_estimator_.predict(x))
    whole = mlflow.sklearn.load_model(f"runs:/{run_id}/model")
    assert np.array_equal(whole.predict(x), search.predict(x))
    children = client.search_runs(
        [run.info.experiment_id], f"tags.`mlflow.parentRunId` = '{run_id}'"
    )
    assert len(children) == 2
    assert mlflow.get_run(run_id).data.metrics["GridSearchCV_score_some"] == score
    return {"run": run_id, "score": score}


def keep_track_of_models() -> dict:
    """What only MLflow 3 has: models with a life of their own, next to the run."""
    from mlflow.entities import LoggedModelStatus

    experiment = mlflow.set_experiment("agents")
    held_out = mlflow.data.from_pandas(pd.DataFrame({"q": [1]}), name="questions")
    with mlflow.start_run(run_name="evaluation") as run:
        made = [mlflow.initialize_logged_model(f"agent-{n}", model_type="agent") for n in (1, 2)]
        for score, model in zip((0.5, 0.75), made, strict=True):
            mlflow.log_metric("correct", score, model_id=model.model_id, dataset=held_out)
        mlflow.log_metrics({"cost": 3, "speed": 4}, model_id=made[0].model_id)
    first, second = (mlflow.finalize_logged_model(model.model_id, "READY") for model in made)
    assert second.status == LoggedModelStatus.READY
    assert first.source_run_id == run.info.run_id
    mlflow.log_model_params({f"p{number}": str(number) for number in range(250)}, first.model_id)
    mlflow.set_logged_model_tags(first.model_id, {"team": "x", "mlflow.odd key/ä": "1"})
    mlflow.delete_logged_model_tag(first.model_id, "mlflow.odd key/ä")
    first = mlflow.get_logged_model(first.model_id)
    assert len(first.params) == 250
    assert first.tags["team"] == "x"
    assert "mlflow.odd key/ä" not in first.tags
    measured = {metric.key: metric for metric in first.metrics}
    assert measured["correct"].dataset_name == "questions"
    assert measured["correct"].run_id == run.info.run_id
    assert {key: metric.value for key, metric in measured.items()} == {
        "correct": 0.5, "cost": 3, "speed": 4,
    }  # fmt: skip
    check_searches(experiment.experiment_id, held_out)
    outside = mlflow.create_external_model(name="elsewhere", experiment_id=experiment.experiment_id)
    mlflow.set_active_model(name="active")
    with mlflow.start_run():
        mlflow.log_metric("latency", 9)
    active = mlflow.get_active_model_id()
    assert [metric.key for metric in mlflow.get_logged_model(active).metrics] == ["latency"]
    client.delete_logged_model(outside.model_id)
    names = [model.name for model in mlflow.search_logged_models(output_format="list")]
    assert names == ["active", "agent-2", "agent-1"], names
    return {"first": first.model_id, "deleted": outside.model_id}


def check_searches(experiment_id: str, dataset) -> None:
    """Filters, orders and pages."""

    def find(text: str = "", **more) -> list[str]:
        found = mlflow.search_logged_models(
            [experiment_id], filter_string=text, output_format="list", **more
        )
        return [model.name for model in found]

    questions = [{"dataset_name": dataset.name, "dataset_digest": dataset.digest}]
    by_correct = [{"field_name": "metrics.correct", "ascending": False}]
    assert find("metrics.correct > 0.6") == ["agent-2"]
    assert find("params.p7 = '7' AND tags.team = 'x'") == ["agent-1"]
    assert find("metrics.correct > 0", datasets=questions) == ["agent-2", "agent-1"]
    assert find(order_by=by_correct, max_results=1) == ["agent-2"]
    assert find("status = 'READY'", order_by=[{"field_name": "name"}]) == ["agent-1", "agent-2"]
    table = mlflow.search_logged_models([experiment_id])
    assert set(table["name"]) == {"agent-1", "agent-2"}
    page = client.search_logged_models([experiment_id], max_results=1)
    rest = client.search_logged_models([experiment_id], max_results=1, page_token=page.token)
    assert [model.name for model in [*page, *rest]] == ["agent-2", "agent-1"]
    assert rest.token is None


def main() -> None:
    """Do all of it, and say what was made."""
    made = {
        "version": mlflow.__version__,
        "ridge": log_a_ridge(),
        "doubler": log_a_doubler(),
        "grid": let_autolog_do_it(),
    }
    if IS_3:
        made["tracked"] = keep_track_of_models()
    print(json.dumps(made))


if __name__ == "__main__":
    main()
