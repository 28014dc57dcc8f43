"""Long trainings on the digits, a point per step: softmax regression, step by step.

scikit-learn's classes check their input at each step, which takes far longer than the step.
"""

from __future__ import annotations

import numpy as np
from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor
from sklearn.metrics import accuracy_score, log_loss

from demo.train import Data, load
from gallery import results
from gallery.candidate import Candidate, candidate, experiment

STEPS = 40_000
EVERY = 200
"""Steps between two looks at what was held out."""
SIZE = 16
"""Samples of a step."""
RATES = [0.001, 0.01, 0.1, 1.0]
DESCRIPTION = "Softmax regression, one point per step: how noisy is the loss of a small batch?"


def train() -> None:
    """Train with each learning rate."""
    data = load("digits")
    made = experiment("digits-long-trainings", "loss", greater_is_better=False, note=DESCRIPTION)
    for rate in RATES:
        params = {"learning_rate": rate, "steps": STEPS, "batch_size": SIZE, "seed": 0}
        with candidate(f"softmax-{rate:g}", made, params, data=data) as run:
            monitor = SystemMetricsMonitor(
                run.run_id, sampling_interval=0.5, samples_before_logging=1
            )
            monitor.start()
            descend(data, run, rate)
            results.draw_learning(run, "batch_loss", "loss")
            run.send()
            run.points.clear()
            monitor.finish()


def descend(data: Data, run: Candidate, rate: float) -> None:
    """Stochastic gradient descent on the cross entropy."""
    x, y = data.x_train.to_numpy(), data.y_train
    held_out, classes = data.x_test.to_numpy(), np.arange(len(data.labels))
    random = np.random.default_rng(0)
    weights, bias = np.zeros((x.shape[1], len(classes))), np.zeros(len(classes))
    for step in range(1, STEPS + 1):
        chosen = random.integers(0, len(x), SIZE)
        wanted = y[chosen][:, None] == classes
        probability = softmax(x[chosen] @ weights + bias)
        loss = -np.log(np.maximum(probability[wanted], 1e-12)).mean()
        right = probability.argmax(1) == y[chosen]
        run.measure(step, batch_loss=loss, batch_accuracy=right.mean())
        slope = (probability - wanted) / SIZE
        weights -= rate * (x[chosen].T @ slope)
        bias -= rate * slope.sum(0)
        if step % EVERY == 0:
            guess = softmax(held_out @ weights + bias)
            run.measure(
                step,
                loss=log_loss(data.y_test, guess),
                accuracy=accuracy_score(data.y_test, guess.argmax(1)),
            )


def softmax(scores: np.ndarray) -> np.ndarray:
    """The probability of each class."""
    raised = np.exp(scores - scores.max(1, keepdims=True))
    return raised / raised.sum(1, keepdims=True)


if __name__ == "__main__":
    train()
