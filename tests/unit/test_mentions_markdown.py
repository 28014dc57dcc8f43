"""What Markdown mentions, if a forge sends that: all but code."""

from __future__ import annotations

import time

import pytest

from gitlab_mlops.services.references.markdown import without_code
from gitlab_mlops.services.references.syntax import references

R = "[candidate:42]"


def mentioned(text: str) -> int:
    return len(list(references(without_code(text), "https://forge.example/")))


@pytest.mark.parametrize(
    "text",
    [
        R,
        f"a *{R}* b",
        f"- item\n\n    {R}\n",
        f"``` `\n{R}",
        f"`` x ` {R}",
        f"a ` b\n\nc {R} ` d",
        f"`x` {R} `y`",
        f"```\nx\n```\n{R}",
        f"~~~\n```\n~~~\n{R}",
        f"```x```\n{R}",
        f"\\`{R}\\`",
        f"> ```\n> x\n> ```\n{R}",
        "<https://forge.example/g/p/-/ml/candidates/42>",
        "[x](https://forge.example/g/p/-/ml/candidates/42)",
        f"a\r\n{R}\r\n",
    ],
)
def test_prose_is_read(text: str) -> None:
    assert mentioned(text) == 1


@pytest.mark.parametrize(
    "text",
    [
        f"`{R}`",
        f"``{R}``",
        f"`` ` {R} ``",
        f"`a\n{R}`",
        f"a `b` `{R}`",
        f"```\n{R}\n```",
        f"~~~ python\n{R}\n~~~",
        f"   ````\n```\n{R}\n````",
        f"```\n\n{R}\n\n```",
        f"```\n{R}\n``` x\n{R}",
        f"```\n{R}",
        f"- ```\n  {R}\n  ```",
        f"1. ```\n   {R}\n   ```",
        f"> ```\n> {R}\n> ```",
        "[candidate:`x`42]",
    ],
)
def test_code_is_not(text: str) -> None:
    assert mentioned(text) == 0


@pytest.mark.parametrize("part", ["`", "` ``", "`\n", "```\n", "> ", "- ", "1. ", "\\`", "\n"])
def test_hostile_markdown_is_read_in_linear_time(part: str) -> None:
    text = part * (300_000 // len(part)) + "".join(f"{'`' * i} " for i in range(700))
    start = time.perf_counter()
    assert mentioned(text) == 0
    assert time.perf_counter() - start < 3
