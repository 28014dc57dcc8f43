"""What the bytes of a file become on a page, whatever they are and whatever it is called."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gitlab_mlops.blueprints.web.previews import MAX_BYTES, Part, Preview, View, preview
from gitlab_mlops.blueprints.web.previews.contents import (
    Image,
    Model,
    Nothing,
    Rendered,
    Table,
    Text,
)
from gitlab_mlops.blueprints.web.previews.images import MAX_IMAGE_BYTES
from gitlab_mlops.blueprints.web.previews.tables import MAX_CELL, MAX_COLUMNS, MAX_ROWS
from gitlab_mlops.blueprints.web.previews.texts import MAX_LINE, MAX_LINES

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20


def look(name: str, body: bytes | str, view: View = "") -> Preview:
    data = body.encode() if isinstance(body, str) else body
    first = max(0, len(data) - MAX_BYTES) if view == "end" else 0
    return preview(Part(name, data[first : first + MAX_BYTES], len(data), first), view)


def lines(name: str, body: bytes | str, view: View = "") -> list[str]:
    content = look(name, body, view).content
    assert isinstance(content, Text)
    return content.lines


def table(name: str, body: bytes | str) -> Table:
    content = look(name, body).content
    assert isinstance(content, Table)
    return content


# Which kind


@pytest.mark.parametrize(
    ("name", "body", "kind"),
    [
        ("a.png", PNG, Image),
        ("a.txt", PNG, Image),
        ("a", b"\xff\xd8\xff\xe0", Image),
        ("a.gif", b"GIF89a", Image),
        ("a.webp", b"RIFF\0\0\0\0WEBPVP8 ", Image),
        ("a.png", b"<html><script>alert(1)</script>", Nothing),
        ("a.webp", b"RIFF\0\0\0\0WAVEfmt ", Nothing),
        ("a.html", b"<b>x</b>", Nothing),
        ("a.HTM", b"<b>x</b>", Nothing),
        ("a.svg", b"<svg/>", Nothing),
        ("a.xhtml", b"<b/>", Nothing),
        ("a.txt", b"<html><script>alert(1)</script>", Text),
        ("a.xml", b"<a/>", Text),
        ("model.pkl", b"\x80\x04\x95", Nothing),
        ("model.pkl", b"cos\nsystem\n", Text),
        ("weights.bin", b"a\0b", Nothing),
        ("Dockerfile", b"FROM x", Text),
        ("unknown.xyz", b"plain\ttext\r\n", Text),
        ("unknown.xyz", b"a\x01b", Nothing),
        ("unknown.xyz", b"\xc2\x80", Nothing),
        ("unknown.xyz", b"\xff\xfe\xff", Nothing),
        ("a.log", b"a\xffb\x01", Text),
        ("a.log", b"a\0b", Nothing),
        ("a.md", b"# a", Rendered),
        ("a.csv", b"a,b\n1,2\n", Table),
        ("MLmodel", b"flavors: {}\n", Model),
        ("MLmodel", b"flavors: [\n", Text),
        ("mlmodel.txt", b"flavors: {}\n", Text),
    ],
)
def test_the_kind_is_told_by_bytes_and_name(name: str, body: bytes, kind: type[Any]) -> None:
    assert isinstance(look(name, body).content, kind)


@pytest.mark.parametrize("name", ["a.txt", "a.png", "a.html", "MLmodel", "a.csv", "a.json", "a"])
def test_an_empty_file_says_so(name: str) -> None:
    content = look(name, b"").content
    assert isinstance(content, Nothing)
    assert "empty" in content.why


@pytest.mark.parametrize("name", ["a.html", "a.svg"])
def test_what_can_run_scripts_says_why_it_is_not_shown(name: str) -> None:
    content = look(name, "<script>alert(1)</script>").content
    assert isinstance(content, Nothing)
    assert "scripts" in content.why


def test_a_large_picture_is_not_shown() -> None:
    content = preview(Part("a.png", PNG, MAX_IMAGE_BYTES + 1)).content
    assert isinstance(content, Nothing)
    assert "20.0 MiB" in content.why
    assert isinstance(preview(Part("a.png", PNG, MAX_IMAGE_BYTES)).content, Image)


# Text


def test_lines_are_those_of_every_system() -> None:
    assert lines("a.txt", "a\nb\r\nc\rd\n\n") == ["a", "b", "c", "d", ""]
    assert lines("a.txt", "\n") == [""]
    assert lines("a.txt", "a") == ["a"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_text_is_decoded_by_its_mark(encoding: str) -> None:
    assert lines("a.txt", "Grüße 💐\nb".encode(encoding)) == ["Grüße 💐", "b"]


def test_bytes_that_are_no_text_are_marked_and_noted() -> None:
    content = look("a.log", b"a\xffb\nc").content
    assert isinstance(content, Text)
    assert content.lines == ["a\ufffdb", "c"]
    assert "no valid text" in content.notes[0]


def test_control_characters_are_seen_and_colours_are_not() -> None:
    assert lines("a.log", "\x1b[1;31mred\x1b[0m\x07\x7f\tx") == ["red␇␡\tx"]


def test_a_letter_that_is_cut_at_the_end_is_left_out() -> None:
    content = look("a.txt", b"x" * (MAX_BYTES - 1) + "ü".encode()).content
    assert isinstance(content, Text)
    assert content.notes == (
        "These are the first 512 KiB of 512 KiB.",
        f"1 line cut after {MAX_LINE:,} characters.",
    )


def test_a_long_text_says_what_is_missing_and_leads_to_its_end() -> None:
    found = look("a.log", "line\n" * (MAX_LINES + 1))
    assert isinstance(found.content, Text)
    assert len(found.content.lines) == MAX_LINES
    assert found.content.notes == ("Only the first 5,000 lines are shown.",)
    assert (found.view, found.views) == ("", ("", "end"))
    whole = look("a.log", "line\n" * MAX_LINES)
    assert isinstance(whole.content, Text)
    assert (whole.content.notes, whole.views) == ((), ("",))


def test_the_end_of_a_text_begins_with_a_whole_line() -> None:
    body = "".join(f"{number:06d} ü\n" for number in range(100_000))
    found = look("a.log", body, "end")
    assert isinstance(found.content, Text)
    assert found.content.lines[-1] == "099999 ü"
    assert found.content.lines[0] == "095000 ü"
    assert not found.content.is_numbered
    assert found.content.notes == (
        "These are the last 512 KiB of 977 KiB.",
        "Only the last 5,000 lines are shown.",
    )
    assert (found.view, found.views) == ("end", ("", "end"))


def test_the_end_of_one_huge_line_begins_with_a_whole_letter() -> None:
    (line,) = lines("a.log", "ü" * MAX_BYTES + "x", "end")
    assert line == "ü" * MAX_LINE + "…"


# JSON


def test_json_is_laid_out_with_its_numbers_and_texts_as_typed() -> None:
    body = (
        '{"a":{"b":1e400,"c":[1,2.50,-0]},"n":NaN,'
        '"big":123456789012345678901234567890,"t":"\\u00e4\\n"}'
    )
    assert lines("a.json", body) == [
        "{",
        '  "a": {',
        '    "b": 1e400,',
        '    "c": [1, 2.50, -0]',
        "  },",
        '  "n": NaN,',
        '  "big": 123456789012345678901234567890,',
        '  "t": "\\u00e4\\n"',
        "}",
    ]
    assert look("a.json", body).views == ("", "source")
    assert lines("a.json", body, "source") == [body]


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ("[]", ["[]"]),
        ("{}", ["{}"]),
        ("[[],{}]", ["[", "  [],", "  {}", "]"]),
        ('"a"', ['"a"']),
        ("1.50", ["1.50"]),
        ('{"[]{},:": "\\"]"}', ['{"[]{},:": "\\"]"}']),
        ("[" + "1," * 60 + "1]", ["[", *["  1,"] * 60, "  1", "]"]),
    ],
)
def test_json_of_any_shape_is_laid_out(body: str, shown: list[str]) -> None:
    assert lines("a.json", body) == shown
    assert json.loads("".join(shown)) == json.loads(body)


@pytest.mark.parametrize("body", ['{"a": 1', "{'a': 1}", '{"a": 1}\n{"a": 2}', "a", "[1,]", '["a'])
def test_what_is_no_json_is_shown_as_it_is(body: str) -> None:
    assert lines("a.json", body) == body.split("\n")
    assert look("a.json", body).views == ("",)


@pytest.mark.parametrize("depth", [102, 5000, MAX_BYTES // 2])
def test_json_that_is_nested_too_deep_is_shown_as_it_is(depth: int) -> None:
    content = look("a.json", "[" * depth + "]" * depth).content
    assert isinstance(content, Text)
    assert len(content.lines) == 1


@pytest.mark.parametrize("unit", ["[", "[1,", '{"a":', '"', ",", "{},", "[[1],", ":", "\\", '"a",'])
def test_json_that_is_cut_is_laid_out_as_far_as_it_goes(unit: str) -> None:
    assert isinstance(look("a.json", unit * MAX_BYTES).content, Text)


def test_cut_json_shows_its_beginning() -> None:
    body = json.dumps([{"step": number} for number in range(50_000)])
    shown = lines("a.json", body)
    assert shown[:3] == ["[", '  {"step": 0},', '  {"step": 1},']
    assert len(shown) == MAX_LINES


# Tables


def test_csv_is_a_table_whose_numbers_stay_as_typed() -> None:
    found = table("a.csv", 'name,score,n\n"a, ""b""\nc",0.10,1\nd,,2\ne,nan,1e5\n')
    assert found.columns == ["name", "score", "n"]
    assert found.rows == [['a, "b"\nc', "0.10", "1"], ["d", "", "2"], ["e", "nan", "1e5"]]
    assert found.numeric == [False, True, True]
    assert found.notes == ()


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("a.tsv", "a\tb\n1,5\t2\n"),
        ("a.csv", "a;b\n1,5;2\n"),
        ("a.csv", "a|b\n1,5|2\n"),
        ("a.csv", "a\tb\r\n1,5\t2\r\n"),
    ],
)
def test_the_delimiter_is_found(name: str, body: str) -> None:
    found = table(name, body)
    assert (found.columns, found.rows) == (["a", "b"], [["1,5", "2"]])


def test_rows_may_be_shorter_and_longer_than_the_head() -> None:
    found = table("a.csv", "a,b\n1\n\n1,2,3\n")
    assert found.columns == ["a", "b", ""]
    assert found.rows == [["1", None, None], ["1", "2", "3"]]


def test_a_large_table_says_what_is_missing() -> None:
    head = ",".join(f"c{number}" for number in range(60))
    found = table("a.csv", "\n".join([head, *[",".join("1" * 60)] * 1234]))
    assert (len(found.columns), len(found.rows)) == (MAX_COLUMNS, MAX_ROWS)
    assert found.notes == (
        "Only the first 200 of 1,234 rows are shown.",
        "Only the first 50 of 60 columns are shown.",
    )


def test_a_row_that_the_end_cuts_is_left_out() -> None:
    row = "x" * 9999 + ",end"
    found = table("a.csv", "a,b\n" + f"{row}\n" * 100)
    assert {cells[1] for cells in found.rows} == {"end"}
    assert found.notes[0] == "These are the first 512 KiB of 977 KiB."


@pytest.mark.parametrize(
    "body", ['"' * 999, '"a', 'a,"b\nc', '"a"b"c",d\n', ",,,", "\n\n,\n", '"\n' * 99, "a\rb\r"]
)
def test_weird_quoting_breaks_nothing(body: str) -> None:
    assert isinstance(look("a.csv", body).content, Table)


def test_a_field_without_end_makes_it_text() -> None:
    assert isinstance(look("a.csv", '"' + "a,\n" * 100_000).content, Text)


def test_a_long_cell_is_cut() -> None:
    assert table("a.csv", "a\n" + "x" * 999).rows == [["x" * (MAX_CELL - 1) + "…"]]


def test_what_log_table_writes_is_a_table() -> None:
    body = (
        '{"columns":["q","score","ok","more"],'
        '"data":[["a <b>",0.10,true,{"a": [1.0]}],[null,NaN,false,123456789012345678901]]}'
    )
    found = table("eval.json", body)
    assert found.columns == ["q", "score", "ok", "more"]
    assert found.rows == [
        ["a <b>", "0.10", "true", '{"a": [1.0]}'],
        [None, "NaN", "false", "123456789012345678901"],
    ]
    assert look("eval.json", body).views == ("", "source")


def test_a_long_table_of_log_table_shows_its_beginning() -> None:
    data = [[number, "x" * 100] for number in range(10_000)]
    found = table("eval.json", json.dumps({"columns": ["a", "b"], "index": [1], "data": data}))
    assert [row[0] for row in found.rows] == [str(number) for number in range(MAX_ROWS)]
    assert found.notes[0].startswith("These are the first 512 KiB of")
    whole = table("eval.json", json.dumps({"data": data[:300], "columns": ["a", "b"]}))
    assert whole.notes == ("Only the first 200 of 300 rows are shown.",)


@pytest.mark.parametrize(
    "value",
    [
        {"columns": ["a"]},
        {"columns": ["a"], "data": []},
        {"columns": [], "data": [[1]]},
        {"columns": "a", "data": [[1]]},
        {"columns": ["a"], "data": [1]},
        {"columns": ["a"], "data": {"a": 1}},
        {"columns": {"a": 1}, "data": [[1]]},
        {"data": [[1]]},
        {"columns": ["a"], "data": [[1], 2]},
        [],
        {},
        1,
    ],
)
def test_json_of_another_shape_is_no_table(value: Any) -> None:
    assert isinstance(look("a.json", json.dumps(value)).content, Text)


@pytest.mark.parametrize("unit", ["[", "[[", '[["a"],', "[1],", "1,", " ", '"', "{"])
def test_a_table_that_is_cut_anywhere_breaks_nothing(unit: str) -> None:
    look("a.json", '{"columns":["a"],"data":[' + unit * MAX_BYTES)


# MLmodel

MLMODEL = """\
flavors:
  python_function:
    env:
      conda: conda.yaml
      virtualenv: python_env.yaml
    loader_module: mlflow.sklearn
    code: null
  sklearn:
    sklearn_version: 1.9.1
mlflow_version: 2.22.5
model_size_bytes: 49787
model_uuid: 19e60e0f251d4ab1892fbf03cd9ee94f
run_id: 0123456789abcdef0123456789abcdef
saved_input_example_info:
  artifact_path: input_example.json
  type: dataframe
signature:
  inputs: '[{"type": "double", "name": "alcohol", "required": true}, {"type": "array",
    "items": {"type": "string"}, "name": "tags", "required": false}, {"type": "object",
    "properties": {"x": {"type": "long"}}, "name": "more"}]'
  outputs: '[{"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, 28]}}]'
  params: '[{"name": "top_k", "type": "integer", "default": 3, "shape": null}]'
utc_time_created: '2026-11-25 03:47:16.831710'
"""


def model(text: str) -> Model:
    content = look("MLmodel", text).content
    assert isinstance(content, Model)
    return content


def test_a_model_tells_what_it_is_and_what_goes_in_and_out() -> None:
    found = model(MLMODEL)
    assert dict(found.facts) == {
        "Made with MLflow": "2.22.5",
        "Created (UTC)": "2026-11-25 03:47:16.831710",
        "Size": "48.6 KiB",
        "Run ID": "0123456789abcdef0123456789abcdef",
        "Model UUID": "19e60e0f251d4ab1892fbf03cd9ee94f",
        "Input example": "input_example.json (dataframe)",
    }
    assert found.can_predict
    assert found.flavors == [
        (
            "python_function",
            [
                ("env", "conda: conda.yaml, virtualenv: python_env.yaml"),
                ("loader_module", "mlflow.sklearn"),
            ],
        ),
        ("sklearn", [("sklearn_version", "1.9.1")]),
    ]
    assert [(each.title, each.fields) for each in found.signature] == [
        (
            "Inputs",
            [
                ("alcohol", "double", ""),
                ("tags", "array of string", "optional"),
                ("more", "object (x: long)", ""),
            ],
        ),
        ("Outputs", [("(0)", "tensor of float32 (-1, 28)", "")]),
        ("Parameters", [("top_k", "integer", "default 3")]),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "flavors: &a {b: c}\nx: *a\n",
        "a: &a [x]\nb: &b [*a, *a]\nflavors: {}\n",
        "flavors: " + "[" * 5000,
        "flavors: " + "{a: " * 40 + "b" + "}" * 40,
        "flavors:\n" + "- " * 5000,
        "flavors: {}\n" + "#" * 200_000,
        "[flavors]",
        "flavors: text",
        "{[a]: b, flavors: {}}",
        "? {a: b}\n: c\nflavors: {}\n",
        "flavors: {}\n---\nflavors: {}\n",
        "\tflavors: {}",
        "flavors: {}\nx: \x07",
    ],
)
def test_a_file_that_mlflow_never_wrote_is_text(text: str) -> None:
    assert not isinstance(look("MLmodel", text).content, Model)


@pytest.mark.parametrize(
    "line",
    [
        "x: !!python/object/apply:os.system [echo]",
        "x: !!python/name:os.system",
        "x: !!binary not base64",
        "x: !!timestamp never",
        "x: 2026-99-99",
        "x: 0x" + "f" * 9999,
        "x: " + "9" * 9999,
        "signature: [a]",
        "signature: {inputs: '['}",
        "signature: {inputs: '{}'}",
        "signature: {inputs: '[1, null, {}]'}",
        'signature: {inputs: \'[{"type": {"a": [1]}, "name": 7}]\'}',
        'signature: {inputs: \'[{"type": "tensor", "tensor-spec": {"shape": "x"}}]\'}',
        "signature: {inputs: [a, b]}",
        "signature: {inputs: '" + "[" * 9999 + "'}",
        "saved_input_example_info: text",
        "saved_input_example_info: {artifact_path: [a]}",
        "model_size_bytes: " + "9" * 500,
        "model_size_bytes: [1]",
        "mlflow_version: {a: b}",
        "'': ''",
    ],
)
def test_hostile_values_are_nothing_but_text(line: str) -> None:
    assert model(f"flavors: {{a: {{b: c}}}}\n{line}\n").flavors == [("a", [("b", "c")])]


def test_types_of_any_depth_end() -> None:
    kind: dict[str, Any] = {"type": "string"}
    for _ in range(500):
        kind = {"type": "array", "items": kind}
    inputs = json.dumps([{"name": "a", **kind}])
    (schema,) = model(f"flavors: {{}}\nsignature:\n  inputs: '{inputs}'\n").signature
    assert schema.fields[0][1].startswith("array of array of")


def test_a_model_of_many_inputs_shows_some() -> None:
    inputs = json.dumps([{"name": f"c{number}", "type": "double"} for number in range(1000)])
    (schema,) = model(f"flavors: {{}}\nsignature:\n  inputs: '{inputs}'\n").signature
    assert (len(schema.fields), schema.hidden) == (200, 800)
