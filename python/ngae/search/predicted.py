"""The model's own predictions as answers: proposals for whoever evaluates them elsewhere."""

from __future__ import annotations

import torch

from ngae.dag import Dag
from ngae.errors import UsageError
from ngae.oracles.base import Answer
from ngae.search.base import LatentModel
from ngae.spaces.base import SearchSpace


class Predicted:
    """Answers with what the model predicts at the architecture's encoding.

    Args:
        model: The model (two functions of it).
        space: The search space; its exact complexities are preferred to predicted ones.
        names: Names of the table's complexities.
    """

    name = "predicted"

    def __init__(self, model: LatentModel, space: SearchSpace, names: tuple[str, ...]) -> None:
        self.model = model
        self.space = space
        self.names = names
        self.queries = 0

    def query(self, dag: Dag) -> Answer:
        """Predict for `dag`.

        Raises:
            UsageError: The model has no performance predictor.
        """
        with torch.no_grad():
            prediction = self.model.predict(self.model.encode([dag]).mean)
        if prediction.performance is None:
            raise UsageError("search: expected a model with a performance predictor, found none")
        self.queries += 1
        if self.names == self.space.complexity_names:
            values = self.space.complexity([dag])[0].tolist()
        else:
            values = [] if prediction.complexity is None else prediction.complexity[0].tolist()
        complexity = dict(zip(self.names, values, strict=False))
        return Answer(float(prediction.performance), complexity, 0.0, {})
