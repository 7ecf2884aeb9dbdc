"""Neural architecture optimization: one gradient step in the space of a sequence autoencoder.

Renqian Luo, Fei Tian, Tao Qin, Enhong Chen, Tie-Yan Liu: Neural Architecture Optimization, NeurIPS
2018, arXiv:1808.07233; small, without attention (see `SequenceAutoencoder`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ngae.dag import Dag
from ngae.dags import Dags
from ngae.search.base import Candidate, Trial
from ngae.search.config import NAOConfig
from ngae.search.judging import ranks_of
from ngae.search.problem import Problem
from ngae.search.proposals import Proposals, best_known, taken
from ngae.search.sequence_autoencoder import SequenceAutoencoder
from ngae.search.sequences import GraphSequences

_STREAM = 0x6E616F00
_SAMPLED = 1024  # architectures without labels, for the reconstruction
_BATCH = 64  # of labelled and of other architectures, each
_LABELS = 400  # most known rows that are labels, the best
_LEARNING_RATE, _CLIP = 1e-2, 5.0
_FIRST = 6  # trainings that the first one takes the place of
_EVERY = 16  # answers between two trainings
_BEST = 32  # labelled architectures that are moved
_TRIES = 10  # step lengths that are tried, each longer by `step_size`


class NAOSearch:
    """Asks for decodings of the embeddings of the best, moved along the predictor's gradient.

    Encoder, decoder and predictor are trained on all labels, whose targets are ranks, and on random
    architectures without any; after every 16 answers they are trained further. The step is
    lengthened until enough decodings are new; those predicted best at their own embedding are
    asked. An answer that breaks a limit counts as the worst.

    Args:
        problem: What is looked for; the best known rows are labels.
        seed: Seed of all draws.
        config: Settings.
    """

    def __init__(self, problem: Problem, seed: int = 0, config: NAOConfig | None = None) -> None:
        self.problem = problem
        self.config = config or NAOConfig()
        self._proposals = Proposals(problem, seed, _STREAM)
        self._labels = best_known(problem, _LABELS)
        self._answers = len(self._labels)
        self._trained = 0  # answers at the last training
        self._sequences = GraphSequences(problem.space)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(self._proposals.rng.integers(2**31)))
            allowed = torch.from_numpy(self._sequences.allowed)
            self.network = SequenceAutoencoder(allowed, self.config.width)
        self._optimizer = torch.optim.Adam(self.network.parameters(), lr=_LEARNING_RATE)

    def ask(self, count: int) -> list[Candidate]:
        """Propose up to `count` new architectures: random ones first, then moved ones."""
        missing = self.config.initial - self._answers
        if missing > 0:
            return taken(min(count, missing), self._proposals.sampled)
        found: list[Candidate] = []
        if self._labels:
            self._train()
            found = self._moved(count)
        return found + taken(count - len(found), self._proposals.sampled)

    def tell(self, trials: Sequence[Trial]) -> None:
        """Learn answers."""
        score = self.problem.objective.score
        self._labels += [(trial.dag, score(trial.answer)) for trial in trials]
        self._answers += len(trials)

    def _train(self) -> None:
        """Train, at first and after every 16 answers."""
        first = self._trained == 0
        if not first and self._answers - self._trained < _EVERY:
            return
        self._trained = self._answers
        space, rng = self.problem.space, self._proposals.rng
        drawn = self._tokens([space.sample(rng) for _ in range(_SAMPLED)])
        labelled = self._tokens([dag for dag, _ in self._labels])
        ranks = torch.from_numpy(ranks_of(np.array([value for _, value in self._labels]))).float()
        unknown = torch.full((_BATCH,), torch.nan)
        for _ in range(self.config.epochs * (_FIRST if first else 1)):
            for rows in torch.from_numpy(rng.permutation(_SAMPLED)).split(_BATCH):
                some = torch.from_numpy(rng.permutation(len(ranks))[:_BATCH])
                tokens = torch.cat([labelled[some], drawn[rows]])
                self._step(tokens, torch.cat([ranks[some], unknown[: len(rows)]]))

    def _step(self, tokens: Tensor, targets: Tensor) -> None:
        self._optimizer.zero_grad()
        self.network.loss(tokens, targets).backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), _CLIP)
        self._optimizer.step()

    def _moved(self, count: int) -> list[Candidate]:
        """New decodings of the best, moved by the shortest step that gives enough of them."""
        best = sorted(self._labels, key=lambda label: -label[1])[:_BEST]
        with torch.no_grad():
            embedding = self.network.embed(self._tokens([dag for dag, _ in best]))
        slope = self.network.slopes(embedding)
        fresh: dict[str, Dag] = {}
        for number in range(1, _TRIES + 1):
            moved = embedding + number * self.config.step_size * slope
            moved = torch.nn.functional.normalize(moved, dim=1)
            dags = self._sequences.dags(self.network.decode(moved).numpy())
            for key, dag in zip(Dags.of(dags).hashes(), dags, strict=True):
                if key not in fresh and self._proposals.is_new(dag):
                    fresh[key] = dag
            if len(fresh) >= count:
                break
        return self._ranked(list(fresh.values()), count)

    def _ranked(self, dags: list[Dag], count: int) -> list[Candidate]:
        """Propose those of the best prediction at their own embedding."""
        if not dags:
            return []
        with torch.no_grad():
            predicted = self.network.predict(self.network.embed(self._tokens(dags)))
        order = torch.argsort(predicted, descending=True, stable=True)
        return self._proposals.first_new((dags[row] for row in order.tolist()), count)

    def _tokens(self, dags: Sequence[Dag]) -> Tensor:
        return torch.from_numpy(self._sequences.tokens(dags))
