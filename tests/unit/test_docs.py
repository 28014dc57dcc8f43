"""The documents say all there is to say, and their examples run."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from dataclasses import MISSING, fields
from pathlib import Path

import click
import pytest

from gitlab_mlops import host as contracts
from gitlab_mlops.cli import cli
from gitlab_mlops.host import Ability, Actor, Credential, Events, Host, Project
from gitlab_mlops.host_check import OPTIONAL_PARTS, PARTS, methods, problems
from gitlab_mlops.settings import Settings
from gitlab_mlops.testing import Forge

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
ADAPTERS = (DOCS / "adapters.md").read_text()
OPERATIONS = (DOCS / "operations.md").read_text()
SETTINGS = (DOCS / "settings.md").read_text()
ALL_PARTS = {**PARTS, **OPTIONAL_PARTS}


def anchor(heading: str) -> str:
    """The anchor that GitHub makes of a heading."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def anchors(text: str) -> set[str]:
    """The anchors of a document."""
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return {anchor(heading) for heading in re.findall(r"^#+ (.+)$", prose, re.MULTILINE)}


def section(text: str, wanted: str) -> str:
    """What stands below a second-level heading."""
    for part in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        heading, _, body = part.partition("\n")
        if anchor(heading) == wanted:
            return body
    pytest.fail(f"no section #{wanted}")


def first_cells(text: str) -> set[str]:
    """The code in the first cell of every row of the tables."""
    rows = re.findall(r"^\| (`.*?) \|", text, re.MULTILINE)
    return {code for row in rows for code in re.findall(r"`([^`]+)`", row)}


@pytest.mark.parametrize("part", ALL_PARTS)
def test_every_method_and_attribute_of_a_part_has_a_row_in_its_section(part: str) -> None:
    protocol = ALL_PARTS[part]
    calls = {f"{name}({', '.join(names)})" for name, names in methods(protocol).items()}
    rows = first_cells(section(ADAPTERS, part))
    assert calls | set(inspect.get_annotations(protocol)) <= rows
    assert {row for row in rows if "(" in row} == calls


def test_every_part_of_the_bundle_has_a_row() -> None:
    assert first_cells(section(ADAPTERS, "host")) == {field.name for field in fields(Host)}


def test_every_ability_scheme_and_event_is_named() -> None:
    schemes = inspect.get_annotations(Credential)["scheme"]
    assert set(re.findall(r'"([\w-]+)"', schemes)) <= first_cells(section(ADAPTERS, "identity"))
    rows = first_cells(section(ADAPTERS, "permissions"))
    assert {ability.name for ability in Ability} <= rows
    for field in fields(Events):
        assert f"`{field.name}`" in section(ADAPTERS, "events")


def test_every_field_of_the_values_is_explained_in_the_code_or_the_document() -> None:
    for value in (Actor, Project):
        for field in fields(value):
            assert field.name in f"{value.__doc__}{ADAPTERS}"


def test_everything_of_the_suite_that_an_author_writes_has_a_row() -> None:
    calls = {
        f"{name}({', '.join(str(p).split(':')[0] for p in parameters)})"
        for name, member in vars(Forge).items()
        if inspect.isfunction(member)
        for parameters in [list(inspect.signature(member).parameters.values())[1:]]
    }
    # A row shows what may be left out only where it says something.
    bare = {re.sub(r"=\w+|: [^,)]+", "", call) for call in calls}
    rows = first_cells(section(ADAPTERS, "the-conformance-suite"))
    assert {re.sub(r"=\w+", "", row) for row in rows} == bare | set(inspect.get_annotations(Forge))


def test_the_sentences_of_the_check_lead_to_sections() -> None:
    nothing = Host(*[None] * 4, session=None, engines=None, events=None)  # type: ignore[arg-type]
    found = problems(nothing)
    assert len(found) >= 7
    for problem in found:
        (target,) = re.findall(r"docs/adapters\.md#([\w-]+)", problem)
        assert target in anchors(ADAPTERS)


def test_every_setting_is_listed_with_its_default() -> None:
    rows = re.findall(r"^\| `(MLOPS_\w+)` \| `(.*?)` \| \S", SETTINGS, re.MULTILINE)
    listed = {name: ast.literal_eval(default) for name, default in rows}
    wanted = {}
    for field in fields(Settings):
        assert field.default is not MISSING
        wanted[f"MLOPS_{field.name.upper()}"] = field.default
    assert listed == wanted


def commands(group: click.Group, path: str) -> set[str]:
    """The full names of all commands below a group."""
    found: set[str] = set()
    for name, command in group.commands.items():
        full = f"{path} {name}"
        found |= commands(command, full) if isinstance(command, click.Group) else {full}
    return found


def test_every_command_is_listed_and_no_other() -> None:
    assert first_cells(section(OPERATIONS, "commands")) >= commands(cli, "flask mlops")
    named = set(re.findall(r"`(flask mlops [a-z -]+[a-z])", ADAPTERS + OPERATIONS + SETTINGS))
    assert named <= commands(cli, "flask mlops")


def test_every_command_says_what_it_does() -> None:
    def walk(group: click.Group) -> None:
        for command in group.commands.values():
            assert command.help
            if isinstance(command, click.Group):
                walk(command)

    walk(cli)


@pytest.mark.parametrize("document", sorted(DOCS.glob("*.md")), ids=lambda path: path.name)
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text()):
        if "://" in target or target.startswith("mailto:"):
            continue
        path, _, fragment = target.partition("#")
        file = document.parent / path if path else document
        assert file.exists(), target
        if fragment:
            assert fragment in anchors(file.read_text()), target


def test_what_the_documents_import_is_public() -> None:
    import gitlab_mlops

    for names in re.findall(r"^from gitlab_mlops import (.+)$", ADAPTERS, re.MULTILINE):
        for name in names.split(", "):
            assert name in gitlab_mlops.__all__ or name == "migrations"
    public = {name for name in vars(contracts) if isinstance(getattr(contracts, name), type)}
    assert set(gitlab_mlops.__all__) - {"MLOps"} <= public


def test_the_example_of_an_adapter_passes_the_conformance_suite(tmp_path: Path) -> None:
    forge, test = re.findall(r"^```python\n(.*?)^```", ADAPTERS, re.MULTILINE | re.DOTALL)
    (tmp_path / "forge.py").write_text(forge)
    (tmp_path / "test_adapter.py").write_text(test)
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider"]
    run = subprocess.run(
        [*command, "--rootdir", str(tmp_path), str(tmp_path / "test_adapter.py")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-4000:]
    assert int(re.findall(r"(\d+) passed", run.stdout)[0]) > 40
