"""Sequences in a continuous space: LSTM encoder and decoder, and a predictor between them.

The encoder, predictor and decoder of Neural Architecture Optimization (Luo et al. 2018, section 3)
without attention: the decoder starts from the embedding and sees it at every slot.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

_RECONSTRUCTION = 0.2  # share in the objective; the predictor has the rest (NAO: 0.9 and 0.8)


class SequenceAutoencoder(nn.Module):
    """Embeds sequences of one length, predicts at embeddings, and decodes them.

    Args:
        allowed: Bool (length, num_tokens): tokens that each slot may hold.
        width: Of all states.
    """

    allowed: Tensor

    def __init__(self, allowed: Tensor, width: int) -> None:
        super().__init__()
        length, self.num_tokens = allowed.shape
        self.register_buffer("allowed", allowed)
        self.token = nn.Embedding(self.num_tokens + 1, width)  # the last one begins a sequence
        self.place = nn.Parameter(torch.zeros(length, width))
        self.encoder = nn.LSTM(width, width, batch_first=True)
        self.decoder = nn.LSTM(2 * width, width, batch_first=True)
        self.output = nn.Linear(width, self.num_tokens)
        self.predictor = nn.Sequential(
            nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 1), nn.Sigmoid()
        )

    def embed(self, tokens: Tensor) -> Tensor:
        """Return the mean hidden states (num_sequences, width), of length 1."""
        states, _ = self.encoder(self.token(tokens) + self.place)
        return nn.functional.normalize(states.mean(dim=1), dim=1)

    def predict(self, embedding: Tensor) -> Tensor:
        """Return the predicted performance (num_sequences,), from 0 to 1."""
        found: Tensor = self.predictor(embedding)[:, 0]
        return found

    def loss(self, tokens: Tensor, targets: Tensor) -> Tensor:
        """Return the objective.

        Args:
            tokens: (num_sequences, length).
            targets: (num_sequences,) performance from 0 to 1, NaN where it is not known.
        """
        embedding = self.embed(tokens)
        begin = torch.full_like(tokens[:, :1], self.num_tokens)
        states, _ = self.decoder(
            self._inputs(torch.cat([begin, tokens[:, :-1]], dim=1), self.place, embedding),
            self._start(embedding),
        )
        logits = self._logits(states, self.allowed)
        rebuilt = nn.functional.cross_entropy(logits.flatten(0, 1), tokens.flatten())
        known = targets.isfinite()
        if not known.any():
            return _RECONSTRUCTION * rebuilt
        error = (self.predict(embedding[known]) - targets[known]).square().mean()
        return _RECONSTRUCTION * rebuilt + (1 - _RECONSTRUCTION) * error

    @torch.no_grad()
    def decode(self, embedding: Tensor) -> Tensor:
        """Return the greedily decoded tokens (num_sequences, length)."""
        token = torch.full((len(embedding), 1), self.num_tokens)
        state, found = self._start(embedding), []
        for place, allowed in zip(self.place, self.allowed, strict=True):
            states, state = self.decoder(self._inputs(token, place[None], embedding), state)
            token = self._logits(states, allowed).argmax(dim=-1)
            found.append(token)
        return torch.cat(found, dim=1)

    @torch.no_grad()
    def slopes(self, embedding: Tensor) -> Tensor:
        """Return the gradients of the prediction, of length 1 each."""
        with torch.enable_grad():
            held = embedding.detach().requires_grad_()
            (slope,) = torch.autograd.grad(self.predict(held).sum(), held)
        return nn.functional.normalize(slope, dim=1)

    def _inputs(self, tokens: Tensor, place: Tensor, embedding: Tensor) -> Tensor:
        seen = self.token(tokens) + place
        return torch.cat([seen, embedding[:, None].expand(-1, seen.shape[1], -1)], dim=2)

    def _start(self, embedding: Tensor) -> tuple[Tensor, Tensor]:
        return embedding[None].contiguous(), embedding[None].contiguous()

    def _logits(self, states: Tensor, allowed: Tensor) -> Tensor:
        logits: Tensor = self.output(states)
        return logits.masked_fill(~allowed, -torch.inf)
