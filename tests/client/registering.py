"""A data scientist's script: registers models, promotes them, loads them by every name.

It knows nothing of a forge. MLFLOW_TRACKING_URI and MLFLOW_TRACKING_TOKEN are all it is given,
and any MLflow from 2.22 on runs it. It stops where it reads back something else than it stored;
its last line is JSON: what it made, for the test that compares it with what the server has.
"""

import json

import mlflow
import numpy as np
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.models import infer_signature
from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression

client = MlflowClient()
X, Y = load_wine(return_X_y=True)
NEW = int(mlflow.__version__.split(".")[0]) >= 3


def train(strength: float) -> tuple[str, str, np.ndarray]:
    """A model with a signature and an input example; its run, its URI, what it predicts."""
    model = LogisticRegression(C=strength, max_iter=50).fit(X / X.max(axis=0), Y)
    predicted = model.predict(X)
    where = {"name": "model"} if NEW else {"artifact_path": "model"}
    with mlflow.start_run() as run:
        mlflow.log_param("C", strength)
        info = mlflow.sklearn.log_model(
            model,
            **where,
            signature=infer_signature(X, predicted),
            input_example=X[:2],
            pip_requirements=["scikit-learn"],  # else MLflow looks for them in a new process
        )
    return run.info.run_id, info.model_uri, predicted


def check(uri: str, predicted: np.ndarray) -> None:
    """The model of this URI predicts what it predicted when it was trained."""
    loaded = mlflow.pyfunc.load_model(uri)
    assert (loaded.predict(X) == predicted).all(), uri
    assert loaded.metadata.signature is not None


def refused(act, *arguments, code: str) -> None:
    """The call fails with this error code."""
    try:
        act(*arguments)
    except MlflowException as error:
        if error.error_code == code:
            return
        raise
    raise AssertionError(f"{act} was not refused")


def register() -> dict[str, str]:
    """Three versions of one model, each registered in another way."""
    mlflow.set_experiment("churn")
    trained = [train(strength) for strength in (0.01, 1.0, 100.0)]
    runs = [run_id for run_id, _, _ in trained]
    first = mlflow.register_model(trained[0][1], "churn", tags={"gitlab.version": "1.0.0"})
    assert (first.name, first.version, first.status) == ("churn", "1", "READY")
    second = mlflow.register_model(f"runs:/{runs[1]}/model", "churn")
    assert (second.version, second.run_id) == ("2", runs[1])
    third = client.create_model_version(
        "churn", f"models:/churn/{second.version}", description="the same again"
    )
    assert (third.version, third.run_id) == ("3", runs[1])
    check("models:/churn/1", trained[0][2])
    check("models:/churn/2", trained[1][2])
    check("models:/churn/3", trained[1][2])
    check("models:/churn/latest", trained[1][2])
    check(f"runs:/{runs[2]}/model", trained[2][2])
    use_aliases(trained)
    use_stages(trained)
    return {"first": runs[0], "second": runs[1], "third": runs[2]}


def use_aliases(trained: list) -> None:
    """An alias moves, and what is loaded by it changes."""
    client.set_registered_model_alias("churn", "champion", "1")
    check("models:/churn@champion", trained[0][2])
    client.set_registered_model_alias("churn", "champion", 2)
    check("models:/churn@champion", trained[1][2])
    assert client.get_model_version_by_alias("churn", "champion").aliases == ["champion"]
    assert client.get_registered_model("churn").aliases == {"champion": "2"}
    client.set_registered_model_alias("churn", "old", "1")
    client.delete_registered_model_alias("churn", "old")
    refused(client.get_model_version_by_alias, "churn", "old", code="INVALID_PARAMETER_VALUE")
    refused(client.set_registered_model_alias, "churn", "v3", "1", code="INVALID_PARAMETER_VALUE")


def use_stages(trained: list) -> None:
    """Stages, which MLflow keeps for those who have not moved to aliases."""
    move = client.transition_model_version_stage
    assert move("churn", "1", "Production").current_stage == "Production"
    assert move("churn", "2", "production", archive_existing_versions=True).version == "2"
    check("models:/churn/Production", trained[1][2])
    newest = {each.current_stage: each.version for each in client.get_latest_versions("churn")}
    assert newest == {"Archived": "1", "Production": "2", "None": "3"}
    staged = client.get_latest_versions("churn", stages=["Production"])
    assert [each.version for each in staged] == ["2"]


def keep_house() -> None:
    """Descriptions, tags, searching, renaming, copying and deleting."""
    refused(client.create_registered_model, "churn", code="RESOURCE_ALREADY_EXISTS")
    client.create_registered_model("second", tags={"team": "vision"}, description="**Card**")
    client.update_registered_model("churn", description="# Churn")
    client.update_model_version("churn", "1", description="the first")
    client.set_registered_model_tag("churn", "team", "sales")
    client.set_model_version_tag("churn", "1", "checked", "yes")
    client.set_model_version_tag("churn", "1", "gone", "soon")
    client.delete_model_version_tag("churn", "1", "gone")
    assert client.get_model_version("churn", "1").tags["checked"] == "yes"
    found = client.search_registered_models("tags.team = 'sales'")
    assert [model.name for model in found] == ["churn"]
    assert {model.name for model in client.search_registered_models()} == {"churn", "second"}
    pages = client.search_registered_models(max_results=1, order_by=["name DESC"])
    assert [model.name for model in pages] == ["second"]
    rest = client.search_registered_models(
        max_results=1, order_by=["name DESC"], page_token=pages.token
    )
    assert [model.name for model in rest] == ["churn"]
    versions = client.search_model_versions("name = 'churn'", order_by=["version_number ASC"])
    assert [each.version for each in versions] == ["1", "2", "3"]
    copied = client.copy_model_version("models:/churn@champion", "third")
    assert (copied.name, copied.version, copied.source) == ("third", "1", "models:/churn/2")
    client.rename_registered_model("third", "fourth")
    assert client.get_model_version("fourth", "1").source == "models:/churn/2"
    client.delete_model_version("churn", "3")
    refused(client.get_model_version, "churn", "3", code="RESOURCE_DOES_NOT_EXIST")
    client.delete_registered_model("second")
    refused(client.get_registered_model, "second", code="RESOURCE_DOES_NOT_EXIST")


def refuse_other_places(run_id: str) -> None:
    """Files of elsewhere are nobody's version."""
    for source in ("s3://bucket/model", "file:///etc", "http://example.com/model", "/etc"):
        refused(
            client.create_model_version, "churn", source, run_id, code="INVALID_PARAMETER_VALUE"
        )


def use_prompts() -> None:
    """Prompts are kept in the registry, and searched apart from models."""
    if NEW:
        from mlflow.genai import load_prompt, register_prompt, set_prompt_alias
    else:
        from mlflow import load_prompt, register_prompt, set_prompt_alias
    register_prompt("greet", "Hello {{name}}!", commit_message="first", tags={"lang": "en"})
    second = register_prompt("greet", "Good day, {{name}}!")
    assert (second.name, int(second.version)) == ("greet", 2)
    set_prompt_alias("greet", "live", 1)
    assert load_prompt("prompts:/greet@live").format(name="Ada") == "Hello Ada!"
    assert load_prompt("greet", version=2).format(name="Ada") == "Good day, Ada!"
    set_prompt_alias("greet", "live", 2)
    prompts = client.search_registered_models("tags.`mlflow.prompt.is_prompt` = 'true'")
    assert [prompt.name for prompt in prompts] == ["greet"]
    assert "greet" not in {model.name for model in client.search_registered_models()}
    refused(register_prompt, "churn", "Hi", code="INVALID_PARAMETER_VALUE")
    refused(client.create_registered_model, "greet", code="RESOURCE_ALREADY_EXISTS")


if __name__ == "__main__":
    made = register()
    keep_house()
    refuse_other_places(made["first"])
    use_prompts()
    print(json.dumps({"version": mlflow.__version__, **made}))
