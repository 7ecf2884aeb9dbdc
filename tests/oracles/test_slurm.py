"""Jobs by submitit: on this machine, and on a Slurm whose programs are pretended."""

import os
import stat
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest
from conftest import HERE
from counting import Counting, Misbehaving, architectures, value_of

from ngae.cli import main
from ngae.errors import MissingExtraError, UsageError
from ngae.oracles import Parallel, evaluate_many, slurm_jobs
from ngae.oracles.base import EvaluationError, ExecutorError
from ngae.oracles.executor_slurm import SubmitJobs
from ngae.oracles.ledger import Ledger
from ngae.oracles.slurm_queue import JobQueue

submitit = pytest.importorskip("submitit", reason="pip install 'ngae[slurm]'")


def running():
    """Numbers of processes that have not ended; those of jobs of this machine are their numbers."""
    numbers = set()
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
            numbers |= {folder.name} if state != "Z" else set()
    return frozenset(numbers)


def queue(folder):
    return JobQueue(folder, running, ask_s=0.1, late_s=0.1)


@pytest.fixture
def local(monkeypatch):
    """Give a function that makes an executor of processes of this machine, by submitit."""
    monkeypatch.setenv("PYTHONPATH", HERE)  # they import `counting`
    jobs = []

    class Kept(submitit.LocalExecutor):
        def submit(self, *call):
            jobs.append(super().submit(*call))
            return jobs[-1]

    yield lambda folder: lambda: SubmitJobs(folder, 2, Kept, queue)
    for job in jobs:
        job._process.wait()


@pytest.mark.end_to_end
def test_jobs_answer_and_die_by_the_rule_of_the_ledger(tmp_path, evaluations, local):
    dags = architectures(5)
    hashes = [dag.canonical_hash for dag in dags]
    deeds = {hashes[1]: "kill once", hashes[2]: "error", hashes[3]: "diverge", hashes[4]: "kill"}
    folder = tmp_path / "jobs"
    with (
        Ledger(tmp_path / "l", retries=1) as ledger,
        Parallel(Misbehaving(tmp_path / "n", deeds), local(folder), ledger) as parallel,
    ):
        answers = parallel.query_many(dags)
        asked = Counter(e["hash"] for e in ledger.events if e["event"] == "asked")
        assert [path.stat().st_mode & 0o777 for path in folder.iterdir()] == [0o700]
    assert [(a.status, a.performance) for a in answers[:2]] == [
        ("ok", value_of(dag)) for dag in dags[:2]
    ]
    assert [a.error for a in answers[2:4]] == [
        "RuntimeError: out of memory (after 2 attempts)",
        "the loss is nan",
    ]
    assert answers[4].error.startswith("JobDiedError: job ")
    assert ": it said nothing (" in answers[4].error
    assert answers[4].error.endswith("_log.err) (after 2 attempts)")
    assert Counter(evaluations(tmp_path / "n")) == asked
    assert list(asked.values()) == [1, 2, 2, 1, 2]
    kept = [path.name.split("_", 1)[1] for path in folder.glob("jobs-*/*_*")]
    assert sorted(kept) == 3 * ["0_log.err"] + 3 * ["0_log.out"]  # of those that died


@pytest.mark.end_to_end
def test_a_job_that_cannot_read_its_call_says_why(tmp_path, monkeypatch, local):
    monkeypatch.setenv("PYTHONPATH", "")
    answers = evaluate_many(
        Counting(tmp_path / "n"), architectures(1), local(tmp_path / "j"), retries=0
    )
    assert "failed: ModuleNotFoundError: No module named 'counting'" in answers[0].error


def test_files_of_jobs_that_answered_go(tmp_path):
    class Here:
        """Calls at once."""

        def __init__(self, folder):
            self.folder = folder
            (folder / "1_submitted.pkl").write_bytes(b"x")

        def submit(self, function, *arguments):
            return Job(self.folder, function(*arguments))

    class Job:
        job_id = "1"

        def __init__(self, folder, value):
            self.paths = submitit.core.utils.JobPaths(folder, "1", 0)
            self.paths.result_pickle.touch()
            self.value = value

        def result(self):
            return self.value

    dags = architectures(2)
    jobs = tmp_path / "search" / "jobs"
    answers = evaluate_many(Counting(tmp_path / "n"), dags, lambda: SubmitJobs(jobs, 1, Here))
    assert [answer.performance for answer in answers] == [value_of(dag) for dag in dags]
    assert list((tmp_path / "search").iterdir()) == []


SBATCH = """
import pathlib, subprocess, sys
text = pathlib.Path(sys.argv[-1]).read_text()
if "--partition=none" in text:
    raise SystemExit("sbatch: error: invalid partition specified: none")
pathlib.Path({folder!r}, "script").write_text(text)
number = str(len(list(pathlib.Path({folder!r}).glob("job-*"))) + 1)
log = open(pathlib.Path({folder!r}, "job-" + number), "w")
environment = {{**__import__("os").environ, "SLURM_JOB_ID": number, "SLURM_PROCID": "0"}}
job = subprocess.Popen(["bash", sys.argv[-1]], env=environment, stdout=log, stderr=log)
pathlib.Path({folder!r}, "process-" + number).write_text(str(job.pid))
print("Submitted batch job " + number)
"""
SRUN = """
import os, sys
while sys.argv[1].startswith("--"):
    del sys.argv[1 : 2 if "=" in sys.argv[1] or sys.argv[1] == "--unbuffered" else 3]
os.execvp(sys.argv[1], sys.argv[1:])
"""
SQUEUE = """
import pathlib
for path in pathlib.Path({folder!r}).glob("process-*"):
    try:
        state = pathlib.Path("/proc", path.read_text(), "stat").read_text()
    except OSError:
        continue
    if state.rpartition(")")[2].split()[0] != "Z":
        print(path.name.partition("-")[2])
"""


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    """A folder of programs that behave as Slurm's do, as far as jobs see."""
    folder = tmp_path / "slurm"
    folder.mkdir()
    texts = {"sbatch": SBATCH, "squeue": SQUEUE}
    texts = {name: text.format(folder=str(folder)) for name, text in texts.items()}
    for name, text in {**texts, "srun": SRUN, "scancel": ""}.items():
        program = folder / name
        program.write_text(f"#!{sys.executable}\n{text}")
        program.chmod(program.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return folder


def test_a_job_has_ended_when_its_answer_is_there_or_it_left_the_queue_for_long(tmp_path):
    said = [frozenset({"1", "2"})]
    jobs = JobQueue(tmp_path, lambda: said[-1], ask_s=0, late_s=0.2)

    def ended():
        return [jobs.has_ended(number, f"{number}.pkl", submitted=-1.0) for number in "12"]

    assert ended() == [False, False]
    (tmp_path / "1.pkl").touch()
    time.sleep(0.35)
    assert ended() == [True, False]
    said.append(None)  # Slurm does not answer
    assert ended() == [True, False]
    said.append(frozenset())
    assert ended() == [True, False]  # its answer may be on the way
    time.sleep(0.25)
    assert ended() == [True, True]
    assert not jobs.has_ended("3", "3.pkl", submitted=time.monotonic() + 1)


@pytest.mark.end_to_end
def test_a_search_of_the_command_line_hands_in_jobs(slurm, tmp_path, capsys):
    judge = ["--oracle", f"command {sys.executable} -c print(0.5)"]
    flags = ["search", "--space", "enas3", "--strategy", "random", "--budget", "2", *judge]
    how = "slurm partition=small time=7 gres=gpu:1 --reservation=mine setup='module load x' setup=y"
    code = main([*flags, "--out", str(tmp_path / "s"), "--executor", how, "--workers", "2"])
    shown = capsys.readouterr()
    assert (code, "best of 2 queries: 0.5000" in shown.out) == (0, True), shown.err
    lines = (slurm / "script").read_text().splitlines()
    assert {
        "#SBATCH --partition=small", "#SBATCH --time=7", "#SBATCH --gres=gpu:1",
        "#SBATCH --reservation=mine", "#SBATCH --no-requeue", "#SBATCH --job-name=ngae",
        "module load x", "y",
    } <= set(lines)  # fmt: skip
    assert not (tmp_path / "s" / "jobs").exists()


def test_what_slurm_refuses_is_told(slurm, tmp_path):
    oracle, dags = Counting(tmp_path / "n"), architectures(2)
    jobs = slurm_jobs(tmp_path / "j", 2, partition="none")
    with (
        Ledger(tmp_path / "l") as ledger,
        pytest.raises(EvaluationError, match="expected an executor that takes calls"),
    ):
        Parallel(oracle, jobs, ledger).query_many(dags)
    with Ledger(tmp_path / "l") as ledger:
        assert (ledger.used, ledger.unanswered(oracle.space)) == (0, [])


def test_what_is_missing_is_named(tmp_path, monkeypatch):
    with pytest.raises(UsageError, match="workers: expected a number from 1, found 0"):
        slurm_jobs(tmp_path / "j", 0)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ExecutorError, match="expected sbatch and srun on this machine"):
        slurm_jobs(tmp_path / "j", 1)()
    assert not (tmp_path / "j").exists()
    monkeypatch.setitem(sys.modules, "submitit", None)
    with pytest.raises(MissingExtraError, match="Slurm needs the package submitit"):
        slurm_jobs(tmp_path / "j", 1)()
