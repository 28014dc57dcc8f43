"""`python -m vendoring` checks the vendored files; with `--fetch` it brings them from npm.

`lock.json` names each library with its version and licence, and each file with its SHA-512, in the
form of npm's integrity fields. A file that is not in it fails the check, so nothing comes in
unnoticed. To take a new version: change it in `lock.json`, run `make vendor`, read what changed.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
LOCK = Path(__file__).with_name("lock.json")
FOLDERS = ("gitlab_mlops/static/mlops/vendor", "tests/e2e/vendor")
"""Where vendored files are; whatever else lies there is a mistake."""

Library = dict[str, Any]


def main() -> int:
    """Check, or fetch and then check; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m vendoring", description=__doc__)
    parser.add_argument("--fetch", action="store_true", help="bring the files from npm first")
    libraries: list[Library] = json.loads(LOCK.read_text())
    if parser.parse_args().fetch:
        for library in libraries:
            fetch(library)
        LOCK.write_text(json.dumps(libraries, indent=2) + "\n")
    found = list(problems(libraries))
    for problem in found:
        print(problem, file=sys.stderr)
    return 1 if found else 0


def fetch(library: Library) -> None:
    """Copy a library's files out of its npm package, and note their hashes in `library`."""
    with tempfile.TemporaryDirectory() as folder:
        name = f"{library['name']}@{library['version']}"
        packed = subprocess.run(
            ["npm", "pack", "--silent", "--pack-destination", folder, name],
            check=True,
            capture_output=True,
            text=True,
        )
        with tarfile.open(Path(folder) / packed.stdout.strip().splitlines()[-1]) as package:
            licence = json.loads(_read(package, "package.json"))["license"]
            if licence != library["licence"]:
                raise SystemExit(f"{name} is under {licence} now, not {library['licence']}.")
            for file in library["files"]:
                content = _read(package, file["from"])
                target = ROOT / library["folder"] / Path(file["from"]).name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
                file["integrity"] = integrity(content)


def problems(libraries: list[Library]) -> Iterator[str]:
    """What is missing, changed, or not in the lock, in sentences."""
    known = set()
    for library in libraries:
        for file in library["files"]:
            path = ROOT / library["folder"] / Path(file["from"]).name
            known.add(path)
            if not path.is_file():
                yield f"{path.relative_to(ROOT)} is missing: run `make vendor`."
            elif integrity(path.read_bytes()) != file["integrity"]:
                yield f"{path.relative_to(ROOT)} is not the file of {library['name']} that it was."
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and path not in known:
                yield f"{path.relative_to(ROOT)} is not in vendoring/lock.json."


def integrity(content: bytes) -> str:
    """SHA-512 in base64, as browsers and npm write it."""
    return "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode()


def _read(package: tarfile.TarFile, name: str) -> bytes:
    member = package.extractfile(f"package/{name}")
    assert member is not None, name
    return member.read()


if __name__ == "__main__":
    sys.exit(main())
