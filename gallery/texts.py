"""What the people of the gallery write: Markdown, with candidates mentioned."""

PROJECT = (
    "Clinic",
    "Models for the clinic: they read the digits on scanned forms, tell malignant from benign "
    "tumours, and foresee how diabetes goes on. All data sets come with scikit-learn.",
)

POLICY = """\
gate:
  - experiment: digits-networks
    metric: accuracy
    better: higher
    floor: 0.97
    largest_drop: 0.005
  - experiment: digits-networks
    metric: loss
    better: lower
    largest_drop: 10%
    on_fail: warn
"""

ISSUE_TITLE = "One form in seven has a digit that is read wrongly"
ISSUE = """\
The decision tree that we use mistakes about **14 %** of the digits, so most forms end up with
somebody who types them in again.

What would help:

1. a model that runs on the scanner's own computer
2. the confusion matrix of each try, to see *which* digits are confused
3. no new dependency beside scikit-learn
"""
ISSUE_ANSWER = """\
{best} gets **{accuracy:.1%}** of the digits right that it has never seen; the best tree,
{baseline}, gets {baseline_accuracy:.1%}. The merge request is !1.
"""

MERGE_REQUEST_TITLE = "Read digits with a small neural network"
MERGE_REQUEST = """\
Replaces the decision tree by a small neural network, see #1.

The candidates are being trained.
"""
MERGE_REQUEST_DONE = """\
Replaces the decision tree by a small neural network, see #1. All candidates are judged on the same
450 digits, which none of them has seen.

| candidate | what it is | accuracy | F1 |
|:--|:--|--:|--:|
{rows}

The network in {best} is what this merge request puts in. A learning rate of 5 does not work at
all: that is {failed}.
"""
ROW = "| {candidate} | {what} | {accuracy:.1%} | {f1:.3f} |"
REVIEW = """\
I went through the `predictions.csv` of {best}: {wrong} of the 450 digits are left, where the tree
in {baseline} leaves {baseline_wrong}.

> it must run on the scanner's own computer

The file of the model is small enough for that. **Approved.**
"""
CROWNED = """\
## The one we take

Right about **{accuracy:.1%}** of the digits that it had never seen; the best support vector machine
gets {rival:.1%}. Chosen in !1, after a look at `figures/confusion_matrix.png`.

- [x] small enough for the scanner's computer
- [ ] to be tried on forms of another clinic
"""
SAMPLES = 450
"""Digits that are held out."""
