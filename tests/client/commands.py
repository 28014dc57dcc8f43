"""MLflow's command line, several commands in one process: it takes seconds to import.

Reads a JSON list of commands; the last line printed is a JSON list of what each of them printed.
"""

import contextlib
import io
import json
import sys

from mlflow.cli import cli


def run(command: list[str]) -> str:
    """Run one command as `mlflow` would; what it printed."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        cli.main(command, prog_name="mlflow", standalone_mode=False)
    return printed.getvalue()


if __name__ == "__main__":
    print(json.dumps([run(command) for command in json.load(sys.stdin)]))
