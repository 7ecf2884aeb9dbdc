"""Measures of a trained model, and the protocol that computes them all."""

from ngae.evaluate.config import EvaluateConfig
from ngae.evaluate.protocol import evaluate

__all__ = ["EvaluateConfig", "evaluate"]
