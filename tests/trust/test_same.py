"""The same bytes by any number of threads, and whatever else is computed beside."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.trust.same import climb, model_of, scored, table

ROOT = Path(__file__).parents[2]
THREADS = "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"
ROWS = 300


def digests_by(threads, folder):
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "tests.trust.same", str(folder), str(threads)],
        capture_output=True, text=True, cwd=ROOT,
        env={**os.environ, **dict.fromkeys(THREADS, str(threads))},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    env = json.loads((folder / "run" / "env.json").read_text())
    return json.loads(done.stdout), env


@pytest.mark.end_to_end
@pytest.mark.timeout(900)
def test_threads_do_not_change_the_bytes(tmp_path):
    one, by_one = digests_by(1, tmp_path / "one")
    two, by_two = digests_by(2, tmp_path / "two")
    four, by_four = digests_by(4, tmp_path / "four")
    assert len(one) == 7 and one == two
    assert four["training"] == one["training"]  # of the rest it is not promised
    threads = [env.pop("threads") for env in (by_one, by_two, by_four)]
    assert threads == [1, 2, 4]
    assert by_one == by_two == by_four
    assert by_one["cpu_level"] and by_one["torch_cpu_level"]


@pytest.fixture(scope="module")
def made():
    return table(ROWS)


@pytest.fixture(scope="module")
def model(made):
    return model_of(made)


@pytest.fixture(scope="module")
def z(made, model):
    return model.encode(made.dags).mean


@pytest.mark.parametrize("size", [1, 7, 128])
def test_encodings_do_not_depend_on_the_batch(made, model, z, size):
    parts = [model.encode(made.dags[row : row + size]).mean for row in range(0, ROWS, size)]
    assert torch.equal(torch.cat(parts), z)


@pytest.mark.parametrize("size", [1, 7, 128])
@pytest.mark.parametrize("stochastic", [False, True])
def test_decodings_do_not_depend_on_the_batch(model, z, size, stochastic):
    whole = model.decoder.sample(z, seed=3, stochastic=stochastic)
    numbers = torch.arange(ROWS)
    parts = [
        model.decoder.sample(z[rows], seed=3, sample_ids=rows, stochastic=stochastic)
        for rows in numbers.split(size)
    ]
    for column, pieces in zip(whole, zip(*parts, strict=True), strict=True):
        assert torch.equal(torch.cat(pieces), column)


@pytest.mark.parametrize("size", [1, 7, 128])
def test_predictions_and_ascents_do_not_depend_on_the_batch(model, z, size):
    with torch.no_grad():
        whole, parts = model.predict(z), [model.predict(part) for part in z.split(size)]
    assert torch.equal(torch.cat([part.performance for part in parts]), whole.performance)
    assert torch.equal(torch.cat([part.complexity for part in parts]), whole.complexity)
    ends = torch.cat([climb(model, part) for part in z.split(size)], dim=1)
    assert torch.equal(ends, climb(model, z))


@pytest.mark.parametrize("size", [32, 128])
def test_what_is_measured_does_not_depend_on_the_batch(made, model, size):
    for part, whole in zip(scored(model, made, size), scored(model, made, ROWS), strict=True):
        np.testing.assert_array_equal(part, whole)
