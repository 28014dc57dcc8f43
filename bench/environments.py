"""The virtual environments of those we are compared with, made when they are first needed."""

from __future__ import annotations

import re
import subprocess
import venv
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Environment:
    """A virtual environment in the checkout, ignored by git, with the newest of some packages."""

    folder: Path
    packages: tuple[str, ...]

    @property
    def bin(self) -> Path:
        """Where its programs are."""
        return self.folder / "bin"

    @property
    def python(self) -> Path:
        """Its Python."""
        return self.bin / "python"

    def make(self) -> None:
        """Make it, unless it is there already; delete the folder to get newer packages."""
        ready = self.folder / ".ready"
        if ready.exists():
            return
        print(f"Making {self.folder.name} with {' and '.join(self.packages)}", flush=True)
        venv.create(self.folder, with_pip=True, clear=True)
        command = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([self.python, *command, *self.packages], check=True)
        ready.touch()

    def version(self, package: str) -> str:
        """The version of a package that is installed there."""
        code = f"import importlib.metadata as m; print(m.version({package!r}))"
        return _output([str(self.python), "-c", code])


STOCK = Environment(ROOT / ".venv-stock", ("mlflow", "psycopg[binary]"))
FASTTRACKML = Environment(ROOT / ".venv-fasttrackml", ("fasttrackml",))


def wrk_version() -> str:
    """Such as `4.1.0`; the program says it with an exit code of its own."""
    found = subprocess.run(["wrk", "--version"], capture_output=True, text=True).stdout
    version = re.search(r"\d+(\.\d+)+", found)
    return version[0] if version else "?"


def _output(command: list[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
