"""Operations that the benchmarked work needs at least: multiplications and additions of products.

"At least" means: each distinct sub-computation of a batch once, no product for a node that gets
or sends nothing, no decision that the rules have taken already. What a backend computes beyond
that, it gets no credit for. Everything that is no product (gates, sums, sampling, Adam) counts 0.
"""

from __future__ import annotations

import torch

from ngae.batch import GraphBatch
from ngae.models import ModelConfig, NGAEModel
from ngae.models.decisions import Decisions
from ngae.rules import DecodeRules

BACKWARD = 2  # a product needs two of its size for the gradients of its two operands


def product(rows: int, inputs: int, outputs: int) -> int:
    """Operations of `rows` rows times a matrix."""
    return 2 * rows * inputs * outputs


def propagation_flops(
    batch: GraphBatch, hidden_dim: int, *, use_index: bool = True, has_initial: bool = False
) -> int:
    """Count one forward propagation: 3 H^2 for each aggregate, 2 H^2 for each message, times 2."""
    computed = batch if has_initial else batch.merge(1, use_index)[0]
    receives = computed.pred_ptr.diff() > 0
    if has_initial:
        receives[computed.root.long()] = True
    receivers, senders = int(receives.sum()), int((computed.succ_ptr.diff() > 0).sum())
    return product(3 * receivers + 2 * senders, hidden_dim, hidden_dim)


def encode_flops(batch: GraphBatch, config: ModelConfig) -> int:
    """Count one encoding; read-out of all nodes, along the edges and against them."""
    hidden, total = config.hidden_dim, 0
    for graphs in (batch, batch.reverse()):
        total += propagation_flops(graphs, hidden, use_index=config.vertex_index)
        # the read-out's map of a state at its place: once for each distinct state
        total += product(graphs.merge(1, True)[0].num_nodes, hidden, hidden)
    return total + 2 * product(batch.num_graphs, hidden, config.latent_dim)


def decode_flops(graphs: GraphBatch, config: ModelConfig, rules: DecodeRules) -> int:
    """Count the decoding of `graphs`, or their likelihood: only states that a decision reads."""
    decisions = Decisions.of(graphs, rules)
    hidden, head, types = config.hidden_dim, config.head_dim, rules.num_node_types
    return (
        product(graphs.num_graphs, config.latent_dim, hidden)
        + propagation_flops(decisions.states, hidden, has_initial=True)
        + product(types, hidden, head)  # a target's part of the edge head
        + _head_flops(decisions, config, types)
    )


def train_flops(model: NGAEModel, batch: GraphBatch) -> int:
    """Count one training step: encoder, teacher-forced decoder, predictors, forward and back."""
    forward = (
        encode_flops(batch, model.config)
        + decode_flops(batch, model.config, model.decoder.rules)
        + predict_flops(model, batch.num_graphs)
    )
    return (1 + BACKWARD) * forward


def predict_flops(model: NGAEModel, points: int) -> int:
    """Count one prediction of everything that the model predicts."""
    layers = [
        layer
        for predictor in (model.performance, model.complexity)
        if predictor is not None
        for layer in predictor.modules()
        if isinstance(layer, torch.nn.Linear)
    ]
    return sum(product(points, layer.in_features, layer.out_features) for layer in layers)


def _head_flops(decisions: Decisions, config: ModelConfig, types: int) -> int:
    """Type and edge head: a row for each decided type, each source and each decided pair."""
    hidden, head = config.hidden_dim, config.head_dim
    sources = int(decisions.pair_source.unique().numel())
    targets = int(decisions.pair_target.unique().numel())
    places = decisions.type_state.numel() + sources + targets
    latent = product(places, config.latent_dim, head) if config.latent_in_heads else 0
    return (
        product(decisions.type_state.unique().numel(), hidden, head)
        + product(decisions.type_state.numel(), head, types)
        + product(sources, hidden, head)
        + product(decisions.pair_source.numel(), head, 1)
        + latent
    )
