"""How well the test rows are known after an epoch, for the log alone: nothing is chosen by them."""

from __future__ import annotations

from ngae.data import Dataset
from ngae.evaluate.metrics import pearson_r, rmse
from ngae.evaluate.protocol import score
from ngae.models import NGAEModel
from ngae.train.config import RunConfig


def scores_of_test(model: NGAEModel, data: Dataset, config: RunConfig) -> dict[str, float]:
    """Score the test rows of `data`; leaves the model in training mode.

    Returns:
        `reconstruction`, a share; where performances are predicted and known `pearson_r`, and
        `rmse_normalised` in standard deviations of the training rows.
    """
    model.eval()
    scores = score(model, data.test, config.evaluate.evaluate_batch_size, seed=None)
    model.train()
    result = {"reconstruction": float(scores.probability_mean.mean())}
    known = data.test.labelled
    if scores.performance is not None and len(known):
        train = data.train.performance[data.train.labelled]
        actual = data.test.performance[known]
        result["pearson_r"] = pearson_r(scores.performance[known], actual)
        error = rmse(scores.performance[known], actual)
        result["rmse_normalised"] = error / (float(train.std()) or 1.0)
    return result
