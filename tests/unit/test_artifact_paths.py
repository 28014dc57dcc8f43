"""Artifact paths: what the stock client can list and fetch gets in, and nothing else."""

from __future__ import annotations

from itertools import product

import pytest
from mlflow.exceptions import MlflowException
from mlflow.utils.uri import validate_path_is_safe

from gitlab_mlops.errors import Invalid
from gitlab_mlops.wire import paths

GOOD = [
    "model.pkl",
    "a/b/c.txt",
    "with space.txt",
    "trailing space ",
    "ünï/ço∂é.txt",
    "模型.bin",
    "😀",
    "100%",
    "50% off.txt",
    # an image of MLflow 2: `log_image(image, key="k", step=1)`
    "k%step%1%timestamp%1795445623896%i36cd9b7-de24-441e-acc9-25834cd07d0f%compressed.webp",
    "a+b&c=d.txt",
    "semi;colon",
    "co:lon",
    'quote\'s "double".txt',
    ".hidden",
    "..dots",
    "dots...",
    "~home",
    "x" * paths.SEGMENT_BYTES,
    "/".join(["d"] * paths.MAX_DEPTH),
]

TRAVERSAL = [
    "..",
    "../x",
    "a/../b",
    "a/..",
    "../../../../etc/passwd",
    "/etc/passwd",
    "//etc/passwd",
    "%2e%2e/x",
    "a/%2e%2e/b",
    "..%2fx",
    "%2e%2e%2fx",
    "%252e%252e%252fx",
    "%25252e%25252e/x",
    "a/%2E%2E/b",
    "%2fetc/passwd",
    "%252fetc/passwd",
    "a#b",
    "#",
    "a/b#1",
]

POISON = [
    "",
    "a//b",
    "a/",
    ".",
    "a/./b",
    "a?b",
    "a?",
    "a%00b",
    "a\\b",
    "..\\..\\x",
    "C:\\Windows",
    "C:/Windows",
    "c:x",
    "a/c:b",
    "file:x",
    "FILE:///etc/passwd",
    "Data:x",
    "a/HTTP:b",
    " leading",
    "a/ leading",
    "a;",
    "new\nline",
    "tab\tin",
    "nul\0in",
    "del\x7f",
    "c1\x85",
    "\ud800",
    "a\udcffb",
    "\ufffd",
    "x" * (paths.SEGMENT_BYTES + 1),
    "é" * (paths.SEGMENT_BYTES // 2 + 1),
    "/".join(["x" * 200] * 5),
    "/".join(["d"] * (paths.MAX_DEPTH + 1)),
    "%25" * 1_000_000,
]


def client_takes(name: str) -> bool:
    """Whether the stock client uses this name of a listing as it is."""
    try:
        return bool(validate_path_is_safe(name) == name)
    except (MlflowException, ValueError):
        return False


@pytest.mark.parametrize("path", GOOD)
def test_ordinary_names_are_taken_as_they_are(path: str) -> None:
    assert paths.to_write(path) == path
    assert paths.to_read(path) == path


@pytest.mark.parametrize("path", TRAVERSAL)
def test_a_way_out_is_refused_in_mlflows_words(path: str) -> None:
    for rule in (paths.to_write, paths.to_read):
        with pytest.raises(Invalid) as refusal:
            rule(path)
        assert str(refusal.value) == "Invalid path"


@pytest.mark.parametrize("path", POISON)
def test_what_would_break_a_client_is_refused_with_a_reason(path: str) -> None:
    with pytest.raises(Invalid, match="Invalid path: "):
        paths.to_write(path)


@pytest.mark.parametrize(
    ("path", "plain"),
    [("", ""), (".", ""), ("a/", "a"), ("a//b", "a/b"), ("./a/./b/", "a/b"), ("a/b/.", "a/b")],
)
def test_a_reader_may_write_a_folder_in_other_ways(path: str, plain: str) -> None:
    assert paths.to_read(path) == plain


@pytest.mark.parametrize(
    "path", [path for path in POISON if path not in ("", "a//b", "a/", ".", "a/./b", "\ufffd")]
)
def test_a_reader_cannot_ask_for_what_cannot_be_written(path: str) -> None:
    with pytest.raises(Invalid):
        paths.to_read(path)


def test_every_short_name_that_gets_in_is_one_that_the_stock_client_takes() -> None:
    alphabet = ["a", ".", "%", "2e", "41", "/", "#", "?", ":", ";", "\\", " ", "\n", "&", "é"]
    taken = 0
    for length in range(1, 4):
        for letters in product(alphabet, repeat=length):
            path = "".join(letters)
            try:
                stored = paths.to_write(path)
            except Invalid:
                continue
            taken += 1
            assert client_takes(stored), path
            assert paths.to_read(path) == stored
            assert all(client_takes(segment) for segment in stored.split("/")), path
    assert taken > 300


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("images/k%step%20%timestamp%17%x.png", "images/k%step %timestamp%17%x.png"),
        # an image of step 80: an escape of what is no UTF-8
        ("images/k%step%80%timestamp%17%x.png", "images/k%step\ufffd%timestamp%17%x.png"),
        ("a%41b", "aAb"),
        ("a%20b", "a b"),
        ("caf%C3%A9", "café"),
    ],
)
def test_a_name_with_escapes_is_stored_as_clients_will_ask_for_it(sent: str, stored: str) -> None:
    """MLflow 2 names the twentieth image of a key so; the stock server stores the same."""
    assert paths.to_write(sent) == paths.to_read(sent) == stored
    assert client_takes(stored)


@pytest.mark.parametrize("path", ["a%2fb", "a%252e", "a%2541", "a%00b", "a%3fb", "a%23b", "%20a"])
def test_escapes_of_what_is_refused_are_refused(path: str) -> None:
    with pytest.raises(Invalid):
        paths.to_write(path)
