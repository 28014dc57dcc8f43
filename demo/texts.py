"""What the people of the demo write: Markdown, with candidates mentioned."""

PROJECTS = {
    "handwriting": (
        "Handwriting",
        "Reads the digits on scanned forms. 1,797 of them come with scikit-learn (`load_digits`).",
    ),
    "tumours": (
        "Tumours",
        "Tells malignant from benign tumours by the shape of cell nuclei (`load_breast_cancer`). "
        "Private, as the data of patients are.",
    ),
}

README = """\
# Handwriting

Reads the digits on scanned forms. `python train.py` trains the models, and CI does so for every
merge request.
"""
README_NETWORK = """
Small neural networks are trained, since the tree mistakes too many digits. They are small enough
for the scanner's own computer.
"""
CI_FILE = """\
# The runner gives MLflow's client the address and the token: the script needs to know neither.
train:
  script:
    - export OMP_NUM_THREADS=1 PYTHONWARNINGS=ignore MLFLOW_DISABLE_TELEMETRY=true
    - export MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT=true
    - python train.py --data digits --models {models} --epochs {epochs}
"""
POLICY = """\
# How good a model must be before its merge request is merged; see docs/gate.md.
gate:
  - experiment: digits
    metric: accuracy
    better: higher
    floor: 0.9
    largest_drop: 0.005
  - experiment: digits
    metric: loss
    better: lower
    floor: 0.3
    largest_drop: 0
  - experiment: digits
    metric: f1
    better: higher
    floor: 0.98
    on_fail: warn  # what we want to reach in the end
"""

ISSUE_TITLE = "One form in seven has a digit that is read wrongly"
ISSUE = """\
The decision tree that we use mistakes about **14 %** of the digits, so most forms end up with
somebody who types them in again.

What would help:

1. a small network instead of the tree; it must run on the scanner's own computer
2. the confusion matrix of each try, to see *which* digits are confused
3. no new dependency beside scikit-learn
"""
ISSUE_ANSWER = """\
{best} gets **{accuracy:.1%}** right, against {baseline_accuracy:.1%} of the tree in {baseline}.
The merge request is !1.

Such a network does well on other data too: {closed} (a link for members of that project only).
"""

MERGE_REQUEST_TITLE = "Read digits with a small neural network"
MERGE_REQUEST = """\
Replaces the decision tree by a small neural network, see #1.

The candidates are being trained.
"""
MERGE_REQUEST_DONE = """\
Replaces the decision tree by a small neural network, see #1.

## How good it is

Judged on {samples} digits that no candidate has seen:

| candidate | solver | learning rate | accuracy | loss |
|:--|:--|--:|--:|--:|
{rows}

A learning rate of 5 does not work at all: that candidate is among the failed ones.

## How to try it

```python
import mlflow

folder = mlflow.artifacts.download_artifacts("runs:/{run_id}/model")
model = mlflow.sklearn.load_model(folder)
```

Whoever wants to compare their own training: set `MLFLOW_TRACKING_URI` and
`MLFLOW_TRACKING_TOKEN`, run `python demo/train.py`, and write `[candidate:…]` with its number here.
"""
ROW = "| {candidate} | {solver} | {learning_rate} | {accuracy:.1%} | {loss:.3f} |"
REVIEW = """\
I went through `mistakes.json` of {best}: {wrong} of {samples} digits are left, and the tree in
{baseline} had {baseline_wrong}.

> it must run on the scanner's own computer

The file of the model is small enough for that. **Approved.**
"""

CLOSED_ISSUE_TITLE = "Which candidate do we show to the clinic?"
CLOSED_ISSUE = """\
By accuracy it is {closed}. Before we show it, somebody should look at the false negatives in its
`mistakes.json`: a tumour that is missed is worse than one that is looked at twice.

The idea came from {best_elsewhere}.
"""
