"""Any text that MLflow's rules allow, by the functions of MLflow itself."""

from __future__ import annotations

import posixpath
import string
from itertools import pairwise

from hypothesis import strategies as st
from mlflow.exceptions import MlflowException
from mlflow.utils import validation
from mlflow.utils.uri import validate_path_is_safe

# What no database of ours can hold is refused: half of a character, and NUL.
LETTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
# Letters and digits of any script, and what else a key may have.
KEY_LETTERS = st.one_of(
    st.sampled_from(string.ascii_letters + string.digits + "_-. :/"),
    st.characters(categories=["L", "N"]),
)
# Without what stands for something else in a URL, or is a folder's end. No single quote: the
# client puts a folder's name into a filter as it is.
PATH_LETTERS = st.one_of(
    st.sampled_from(string.ascii_letters + string.digits + '_-. %&=+@!$()*,;[]{}~^`<>|"'),
    st.characters(exclude_categories=["C", "Z"], exclude_characters="/\\?#:'\ufffd"),
)


def text(most: int, least: int = 0) -> st.SearchStrategy[str]:
    """A text, now and then of the greatest length."""
    short = st.text(LETTERS, min_size=least, max_size=30)
    return st.one_of(short, st.text(LETTERS, min_size=1).map(lambda some: (some * most)[:most]))


def is_key(key: str) -> bool:
    """Whether MLflow takes this as the name of a metric, parameter or tag."""
    try:
        validation._validate_metric_name(key)
    except MlflowException:
        return False
    return len(key) <= validation.MAX_ENTITY_KEY_LENGTH


def is_path(path: str) -> bool:
    """Whether MLflow's client asks for this artifact by this name, and a disk can hold it.

    The client takes a folder with one file of the folder's own name for that file.
    """
    segments = path.split("/")
    if any(folder == inside for folder, inside in pairwise(segments)):
        return False
    if posixpath.normpath(path) != path or any(each.startswith(" ") for each in segments):
        return False
    try:
        safe = validate_path_is_safe(path)
    except MlflowException:
        return False
    return safe == path and all(len(each.encode()) <= 250 for each in segments)


KEYS = st.text(KEY_LETTERS, min_size=1, max_size=60).filter(is_key)
PATHS = (
    st.lists(st.text(PATH_LETTERS, min_size=1, max_size=20), min_size=1, max_size=4)
    .map("/".join)
    .filter(is_path)
)
