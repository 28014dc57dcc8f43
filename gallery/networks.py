"""Neural networks on handwritten digits: a point per epoch makes the curves."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
from sklearn.neural_network import MLPClassifier

from demo.train import Data, load, measure
from gallery import results
from gallery.candidate import CLIENT, NOTE, Candidate, candidate, experiment, start

EPOCHS = 30
LAYERS = [(16,), (32,), (64,), (64, 32)]
ACTIVATIONS = ("tanh", "relu")
HOPELESS = (5.0, 20.0)
"""How much is too much? Learning rates that are tried once."""
RATES = {"adam": (0.0003, 0.001, 0.003, 0.01), "sgd": (0.01, 0.03, 0.1, 0.3, *HOPELESS)}
DECAY = 0.01
"""An `alpha` above this shrinks the weights noticeably."""
EXPLODED = 1e6  # no loss comes back from here
GOOD = 0.978
"""Held-out accuracy from which on a network leaves everything behind, not only its figures."""
UNFINISHED = 12
"""Epochs of the network that is still being trained."""
DESCRIPTION = """\
Can a **small network** read the digits on our forms better than the support vector machine?
It must run on the scanner's own computer, so nothing above 128 neurons. See #1.
"""


def train(solver: str) -> None:
    """Train all networks of a solver; two of them fail, and one does not get to its end."""
    data = load("digits")
    made = experiment("digits-networks", "accuracy", greater_is_better=True, note=DESCRIPTION)
    for settings in grid(solver):
        train_network(data, made, settings)
    if solver == "adam":
        big = {**next(grid(solver)), "hidden_layers": (128,), "learning_rate": 0.001}
        leave_running(data, made, big)


def grid(solver: str) -> Iterator[dict[str, Any]]:
    """The settings of all networks that one solver trains."""
    alphas = (0.0001, 0.1) if solver == "adam" else (0.01,)
    for layers, rate, activation, alpha in product(LAYERS, RATES[solver], ACTIVATIONS, alphas):
        if rate in HOPELESS and (layers, activation) != ((64, 32), "relu"):
            continue
        yield {
            "hidden_layers": layers,
            "solver": solver,
            "learning_rate": rate,
            "activation": activation,
            "alpha": alpha,
        }


def train_network(data: Data, experiment_id: str, settings: dict[str, Any]) -> None:
    """Train one network to its end."""
    name = name_of(settings)
    params = all_params(settings)
    tags = {"family": "neural network"}
    with candidate(name, experiment_id, params, data=data, tags=tags) as made:
        model = network(settings)
        learn(model, data, made, EPOCHS)
        results.draw_learning(made, "train_loss", "loss")
        results.write_report(made, model, data)
        if made.latest("accuracy") >= GOOD:
            wanted = ["accuracy", "f1", "loss", "train_loss"]
            results.write(made, name, model, data, wanted, settings)


def learn(model: MLPClassifier, data: Data, made: Candidate, epochs: int) -> None:
    """Go through the samples again and again; `FloatingPointError` when the loss explodes."""
    for epoch in range(1, epochs + 1):
        model.partial_fit(data.x_train, data.y_train, classes=np.unique(data.y_train))
        made.measure(epoch, **measure(model, data))
        if model.loss_ > EXPLODED:
            raise FloatingPointError(f"the loss exploded to {model.loss_:.0e}")


def leave_running(data: Data, experiment_id: str, settings: dict[str, Any]) -> None:
    """Begin a training that nobody ends."""
    made = Candidate(start(name_of(settings), experiment_id, all_params(settings), data=data))
    learn(network(settings), data, made, UNFINISHED)
    made.send()
    CLIENT.set_tag(made.run_id, NOTE, "Trains on the scanner itself, to see how long that takes.")


def network(settings: dict[str, Any]) -> MLPClassifier:
    """A network that knows nothing yet."""
    return MLPClassifier(
        settings["hidden_layers"],
        solver=settings["solver"],
        learning_rate_init=settings["learning_rate"],
        activation=settings["activation"],
        alpha=settings["alpha"],
        batch_size=64,
        random_state=0,
    )


def all_params(settings: dict[str, Any]) -> dict[str, Any]:
    """All parameters of the network, as MLflow's autologging has them, by our names."""
    rest = network(settings).get_params()
    for ours in ("hidden_layer_sizes", "learning_rate_init", "learning_rate"):
        del rest[ours]
    return {**rest, **settings, "epochs": EPOCHS}


def name_of(settings: dict[str, Any]) -> str:
    """What tells a network from the others at a glance."""
    layers = "-".join(map(str, settings["hidden_layers"]))
    rest = f"{settings['activation']}-{settings['solver']}-{settings['learning_rate']:g}"
    return f"mlp-{layers}-{rest}" + ("-decay" if settings["alpha"] > DECAY else "")


if __name__ == "__main__":
    train(sys.argv[1])
