"""Figures of several processes are read from any one of them."""

from __future__ import annotations

import secrets
import urllib.request
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families as families

from tests.serving import Client, made, served

CREATED = {"method": "POST", "route": "/api/2.0/mlflow/runs/create", "status": "200"}
CLIENTS = 20


def test_whichever_process_answers_knows_the_requests_of_all(tmp_path: Path) -> None:
    config = {
        "INSTANCE_PATH": str(tmp_path / "instance"),
        "SECRET_KEY": secrets.token_hex(32),
        "MLOPS_ARTIFACTS_URL": str(tmp_path / "artifacts"),
        "MLOPS_METRICS_TOKEN": secrets.token_hex(32),
    }
    (folder := tmp_path / "metrics").mkdir()
    environment = {"PROMETHEUS_MULTIPROC_DIR": str(folder)}
    with made(config) as forge, served(config, tmp_path, environment=environment) as url:
        project = forge.project()
        token = forge.token(forge.member(project, "developer"))
        for _ in range(CLIENTS):
            with Client(f"{url}/api/v4/projects/{project}/ml/mlflow", token) as client:
                client.create_run()
        assert {_created(url, config["MLOPS_METRICS_TOKEN"]) for _ in range(8)} == {CLIENTS}
    # Both had some of them.
    assert len(list(folder.glob("histogram_*.db"))) == 2


def _created(url: str, token: str) -> float:
    """How many runs were created, as Prometheus is told."""
    headers = {"Authorization": f"Bearer {token}"}
    with urllib.request.urlopen(
        urllib.request.Request(f"{url}/-/mlops/metrics", headers=headers)
    ) as answer:
        text = answer.read().decode()
    (found,) = (
        sample.value
        for family in families(text)
        for sample in family.samples
        if sample.name == "mlops_requests_total" and sample.labels == CREATED
    )
    return found
