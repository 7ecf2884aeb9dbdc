"""Measures of a trained model, and the protocol that computes them all."""
