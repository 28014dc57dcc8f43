"""What to paste into Python to load a registered model, or a prompt."""

from __future__ import annotations

import json

PROMPT_TEXT_TAG = "mlflow.prompt.text"
"""The tag of a version in which MLflow keeps the template of a prompt."""


def as_python(text: str) -> str:
    """A text as Python writes it; JSON's way to write a text is also Python's."""
    return json.dumps(text, ensure_ascii=False)


def load_code(name: str, which: str, *, is_prompt: bool) -> str:
    """Python that loads a version; `which` is `@alias` or `/number`."""
    if is_prompt:
        uri = as_python(f"prompts:/{name}{which}")
        return f"import mlflow\n\nprompt = mlflow.genai.load_prompt({uri})"
    uri = as_python(f"models:/{name}{which}")
    return f"import mlflow\n\nmodel = mlflow.pyfunc.load_model({uri})"


def register_code() -> str:
    """Python that registers a first model, with MLflow 2 and 3."""
    return (
        "import mlflow\n"
        "from sklearn.datasets import load_iris\n"
        "from sklearn.linear_model import LogisticRegression\n\n"
        "X, y = load_iris(return_X_y=True)\n"
        "with mlflow.start_run():\n"
        "    model = LogisticRegression(max_iter=500).fit(X, y)\n"
        '    mlflow.sklearn.log_model(model, "model", registered_model_name="iris")'
    )


def prompt_code() -> str:
    """Python that registers a first prompt, with MLflow 3."""
    return (
        "import mlflow\n\n"
        "mlflow.genai.register_prompt(\n"
        '    name="summary",\n'
        '    template="Summarize in {{ sentences }} sentences: {{ text }}",\n'
        '    commit_message="First try",\n'
        ")"
    )
