"""`Command`: the oracle that runs a program of the user's for each architecture; never a shell."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from ngae.dag import Dag
from ngae.errors import UsageError
from ngae.files import without_folder
from ngae.oracles.base import Answer, Budget, EvaluationError, complexity_of
from ngae.oracles.command_output import Output, parse_output
from ngae.spaces.base import SearchSpace

PLACE = "{arch}"
_ERROR_TAIL = 2000  # characters of stderr that an error shows
_OUTPUT_TAIL = 1 << 20  # bytes of stdout that are read


class Command:
    """Answers with what a program says of an architecture.

    The program gets the architecture as JSON on stdin (`node_types`, `labels`, `edges`, `space`,
    and `architecture`, the space's text form), and in a file whose path stands for `{arch}` in its
    arguments. The environment variable NGAE_SEED holds the seed. The last line of stdout that is
    not empty is the answer: a number, or an object with `performance` and perhaps `complexity` and
    `detail`, numbers by name (see `parse_output`). Complexities that it leaves out are the space's.

    Args:
        argv: The program and its arguments.
        space: The search space.
        timeout_s: Seconds for one run, or None; then the program and all that it started are
            killed.
        retries: Runs after the first one, where it ends with an error.
        seed: Handed to the program.
        budget: Queries allowed, or None for any number.

    Raises:
        UsageError: No such program, or a number out of range.
    """

    name = "command"

    def __init__(
        self,
        argv: Sequence[str],
        space: SearchSpace,
        timeout_s: float | None = None,
        retries: int = 0,
        seed: int = 0,
        budget: int | None = None,
    ) -> None:
        if isinstance(argv, str) or not argv:
            raise UsageError(f"Command: argv: expected a program and its arguments, found {argv!r}")
        if shutil.which(argv[0]) is None:
            raise UsageError(
                f"Command: expected a program that can be run, found {argv[0]!r}",
                remedy="give its path, and make it executable",
            )
        if timeout_s is not None and not timeout_s > 0:
            raise UsageError(f"Command: timeout_s: expected a number above 0, found {timeout_s}")
        if retries < 0:
            raise UsageError(f"Command: retries: expected a number from 0, found {retries}")
        self.argv = tuple(argv)
        self.space = space
        self.timeout_s = timeout_s
        self.retries = retries
        self.seed = seed
        self._budget = Budget(budget)

    @property
    def identity(self) -> str:
        """The command line, the space and the seed."""
        space = without_folder(self.space.name)
        return f"command, {space}, {json.dumps(self.argv)}, seed {self.seed}"

    @property
    def queries(self) -> int:
        """Queries answered so far."""
        return self._budget.used

    def query(self, dag: Dag) -> Answer:
        """Run the program for `dag`.

        Raises:
            GraphError: It is not in the space; no query is spent.
            BudgetExhaustedError: No query is left.
            EvaluationError: The program failed, took too long or said what is no answer.
        """
        self.space.check(dag)
        self._budget.spend()
        start = time.perf_counter()
        for attempt in range(self.retries + 1):
            try:
                output = self._run(dag)
                break
            except EvaluationError as error:
                if attempt == self.retries:
                    if attempt == 0:
                        raise
                    raise EvaluationError(f"{error} (after {attempt + 1} attempts)") from error
        return Answer(
            performance=output.performance,
            complexity={**complexity_of(self.space, dag), **output.complexity},
            cost_s=time.perf_counter() - start,
            detail=output.detail,
        )

    def _run(self, dag: Dag) -> Output:
        text = json.dumps({**dag.as_dict(), "architecture": self.space.format(dag)})
        with tempfile.TemporaryDirectory(prefix="ngae-") as folder:
            path = Path(folder) / "architecture.json"
            path.write_text(text + "\n", encoding="utf-8")
            argv = [argument.replace(PLACE, str(path)) for argument in self.argv]
            # Files, not pipes: what the program leaves running cannot keep them open.
            with path.open("rb") as given, _file(folder) as said, _file(folder) as errors:
                try:
                    self._wait(argv, given, said, errors)
                    return parse_output(_last_line(said))
                except EvaluationError as error:
                    name = Path(self.argv[0]).name
                    raise EvaluationError(f"command {name}: {error}{_tail(errors)}") from error

    def _wait(
        self, argv: Sequence[str], given: IO[bytes], said: IO[bytes], errors: IO[bytes]
    ) -> None:
        """Run to the end; one that takes too long is killed with all that it started."""
        environment = {**os.environ, "NGAE_SEED": str(self.seed)}
        try:
            process = subprocess.Popen(
                argv, stdin=given, stdout=said, stderr=errors, env=environment,
                start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise EvaluationError(f"expected a program that can be run: {error}") from error
        try:
            status = process.wait(self.timeout_s)
        except BaseException as error:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            if isinstance(error, subprocess.TimeoutExpired):
                raise EvaluationError(f"no end within {self.timeout_s:g} s") from error
            raise
        if status < 0:
            raise EvaluationError(f"expected exit code 0, found signal {-status}")
        if status > 0:
            raise EvaluationError(f"expected exit code 0, found {status}")


def _file(folder: str) -> IO[bytes]:
    return tempfile.TemporaryFile(dir=folder)


def _last_line(file: IO[bytes]) -> str:
    """The last line that is not empty, or nothing."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _OUTPUT_TAIL))
    lines = file.read().decode(errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _tail(file: IO[bytes]) -> str:
    """The end of stderr, in a line of its own, or nothing."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - 4 * _ERROR_TAIL))
    text = file.read().decode(errors="replace").strip()[-_ERROR_TAIL:]
    return f"; stderr ends with:\n{text}" if text else ""
