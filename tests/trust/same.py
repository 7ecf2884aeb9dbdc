"""Trains, encodes, decodes, climbs, evaluates and searches; prints a digest of each as JSON.

`python -m tests.trust.same FOLDER THREADS`; there may be more threads than cores.
"""

import hashlib
import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

import numpy as np
import torch

from ngae.api import NGAE
from ngae.cli import main
from ngae.data import Table
from ngae.evaluate.protocol import score
from ngae.models import ModelConfig, NGAEModel, TargetScaler
from ngae.spaces.enas import EnasSpace

SPACE = EnasSpace(6)
TRIALS = ("hash", "predicted_performance", "predicted_complexity")


def table(rows):
    """A table of random architectures whose performance depends on them."""
    rng = np.random.default_rng(0)
    dags = tuple({SPACE.sample(rng): None for _ in range(2 * rows)})[:rows]
    performance = np.array([sum(d.node_types) / 100 + len(d.edges) / 30 for d in dags])
    return Table(
        "made", SPACE, dags, performance, SPACE.complexity(dags), "accuracy",
        SPACE.complexity_names, np.arange(1, rows + 1), "embedded",
    )  # fmt: skip


def model_of(made):
    """An untrained model whose sizes fill no vector register evenly."""
    scales = [TargetScaler.fit(made.performance[:, None]), TargetScaler.fit(made.complexity)]
    sizes = ModelConfig(hidden_dim=44, latent_dim=20, head_dim=36, predictor_dim=72)
    return NGAEModel(SPACE, sizes, *scales, seed=0)


def climb(model, z):
    """Ends of ascents from `z`."""
    return model.ascend(
        z, performance_weight=1.0, complexity_weights=[-0.1, 0.0], step_size=0.1, keep=[20]
    )


def scored(model, made, batch_size):
    """What evaluation says of each row, (columns, rows) in one list."""
    scores = score(model, made, batch_size, seed=0)
    columns = [scores.probability_mean, scores.probability_sampled, scores.performance]
    return [*columns, *scores.complexity.T]


def digest(arrays):
    """A digest of arrays, tensors or bytes."""
    sha = hashlib.sha256()
    for array in arrays:
        sha.update(array if isinstance(array, bytes) else np.ascontiguousarray(array).tobytes())
    return sha.hexdigest()


def trained(folder):
    """Train by the command; the run folder."""
    made, run = table(320), folder / "run"
    lines = [
        f"{SPACE.format(dag)}, {value}\n"
        for dag, value in zip(made.dags, made.performance, strict=True)
    ]
    (folder / "t.txt").write_text("".join(lines))
    sizes = ["--hidden-dim", "44", "--latent-dim", "20", "--head-dim", "36"]
    few = ["--epochs", "2", "--batch-size", "100", "--prior-points", "50", "--protocol-points", "5"]
    flags = [*sizes, *few, "--out", str(run)]
    assert main(["train", "--data", str(folder / "t.txt"), *flags]) == 0
    return run


def searched(run, out):
    """Search by the command; what was asked, and what was predicted of it."""
    flags = ["--budget", "8", "--batch", "4", "--initial", "4", "--num-starts", "16"]
    assert main(["search", str(run), "--oracle", "table", *flags, "--out", str(out)]) == 0
    trials = map(json.loads, (out / "trials.jsonl").read_text().splitlines())
    return [json.dumps([trial[name] for name in TRIALS]).encode() for trial in trials]


def digests(folder):
    """A digest of each kind of result, by name."""
    run = trained(folder)
    model = NGAE.load(run).model.eval()
    made = table(700)
    with torch.no_grad():
        posterior = model.encode(made.dags)
        z = posterior.mean
        drawn = model.decoder.sample(z, seed=0, stochastic=True)
        predicted = model.predict(z)
        return {
            "training": digest([(run / "checkpoints" / "last.safetensors").read_bytes()]),
            "encoding": digest([z, posterior.logvar]),
            "decoding": digest(drawn),
            "prediction": digest([predicted.performance, predicted.complexity]),
            "ascent": digest([climb(model, z)]),
            "evaluation": digest(scored(model, made, 256)),
            "search": digest(searched(run, folder / "search")),
        }


if __name__ == "__main__":
    torch.set_num_threads(int(sys.argv[2]))
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        found = digests(Path(sys.argv[1]))
    print(json.dumps(found))
