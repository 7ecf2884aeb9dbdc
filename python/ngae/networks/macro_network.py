"""`MacroNetwork`: the ENAS macro network (Pham et al. 2018) as a `torch.nn.Module`.

One code path serves stand-alone and shared weights: a `MacroBank` holds weights for a set of
operations and inputs of each layer, and runs any architecture of that set.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from ngae.errors import GraphError
from ngae.networks.macro import KERNEL_SIZES, OPERATIONS, MacroConfig, check_layers


class MacroBank(nn.Module):
    """Weights for the layers of macro networks, each with a choice of operations and inputs.

    h_0 = BN(conv3x3(image));  for layer k fed by the nodes S:
    h_{k+1} = operation_k(ReLU(BN(sum over j in S of W_{k,j} h_j)));
    scores = head(mean over pixels of h_last).
    The sum is ENAS's concatenation followed by a 1x1 convolution, whose columns are the W_{k,j}.
    A convolution is followed by BN and ReLU; a separable one is depthwise, then pointwise; pooling
    has no weights. Every convolution keeps the image size. Deviation: ENAS halves the image at
    two places; small images need none.

    Args:
        operations: For each layer the numbers into OPERATIONS that it can run.
        inputs: For each layer the nodes that can feed it: 0 is the stem, j is layer j - 1.
        config: Sizes of the network.
        track_statistics: True: batch norm keeps running statistics and uses them in eval mode.
            False: it always uses those of the batch, as weights shared by many networks need.
    """

    def __init__(
        self,
        operations: Sequence[Sequence[int]],
        inputs: Sequence[Sequence[int]],
        config: MacroConfig,
        track_statistics: bool = True,
    ) -> None:
        super().__init__()
        self.config = config
        width = config.channels
        self.stem = nn.Sequential(
            nn.Conv2d(config.image_channels, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width, track_running_stats=track_statistics),
        )
        self.layers = nn.ModuleList(
            MacroLayer(choice, nodes, width, track_statistics)
            for choice, nodes in zip(operations, inputs, strict=True)
        )
        self.head = nn.Linear(width, config.num_classes)

    @classmethod
    def complete(cls, num_layers: int, config: MacroConfig) -> MacroBank:
        """Make the bank that runs every architecture of `num_layers` layers, without statistics."""
        every = range(len(OPERATIONS))
        nodes = [range(layer + 1) for layer in range(num_layers)]
        return cls([every] * num_layers, nodes, config, track_statistics=False)

    def forward(
        self, images: Tensor, operations: Sequence[int], inputs: Sequence[Sequence[int]]
    ) -> Tensor:
        """Run one architecture.

        Args:
            images: (batch, image_channels, image_size, image_size).
            operations: A number into OPERATIONS for each layer.
            inputs: For each layer the nodes that feed it.

        Returns:
            (batch, num_classes) class scores.
        """
        nodes = [self.stem(images)]
        for k in range(len(self.layers)):
            nodes.append(self.run_layer(k, nodes, operations[k], inputs[k]))
        return self.classify(nodes[-1])

    def run_layer(
        self, k: int, nodes: Sequence[Tensor], operation: int, inputs: Sequence[int]
    ) -> Tensor:
        """Run layer `k` on the outputs of the nodes before it, each (batch, channels, size, size).

        Returns:
            (batch, channels, size, size).
        """
        output: Tensor = self.layers[k](nodes, operation, inputs)
        return output

    def classify(self, features: Tensor) -> Tensor:
        """Turn the last node's output (batch, channels, size, size) into (batch, num_classes)."""
        scores: Tensor = self.head(features.mean(dim=(2, 3)))
        return scores


class MacroLayer(nn.Module):
    """One layer of a `MacroBank`: a slice of 1x1 weights per input, a module per operation.

    Args:
        operations: Numbers into OPERATIONS that it can run.
        inputs: Nodes that can feed it.
        channels: Feature maps of inputs and output.
        track_statistics: As for `MacroBank`.
    """

    def __init__(
        self, operations: Sequence[int], inputs: Sequence[int], channels: int, track_statistics: bool
    ) -> None:
        super().__init__()
        self.slice_of = {node: position for position, node in enumerate(inputs)}
        self.mix = nn.Parameter(torch.empty(len(inputs), channels, channels))
        bound = math.sqrt(1 / channels)
        nn.init.uniform_(self.mix, -bound, bound)
        self.norm = nn.BatchNorm2d(channels, track_running_stats=track_statistics)
        self.operations = nn.ModuleDict(
            {OPERATIONS[o]: _operation(o, channels, track_statistics) for o in operations}
        )

    def forward(self, nodes: Sequence[Tensor], operation: int, inputs: Sequence[int]) -> Tensor:
        """Mix the outputs of the nodes `inputs` and apply `operation`.

        Raises:
            GraphError: An operation or an input that this layer has no weights for.
        """
        name = OPERATIONS[operation]
        if name not in self.operations or not self.slice_of.keys() >= set(inputs):
            raise GraphError(
                f"MacroLayer: expected an operation of {list(self.operations)} and inputs of "
                f"{list(self.slice_of)}, found {name} and {list(inputs)}"
            )
        slices = self.mix[[self.slice_of[node] for node in inputs]]
        # (inputs, out, in) -> (out, inputs * in, 1, 1): one 1x1 convolution of the concatenation.
        weight = slices.permute(1, 0, 2).flatten(1)[:, :, None, None]
        mixed = functional.conv2d(torch.cat([nodes[node] for node in inputs], dim=1), weight)
        output: Tensor = self.operations[name](functional.relu(self.norm(mixed)))
        return output


class MacroNetwork(nn.Module):
    """One macro architecture with weights of its own.

    Args:
        operations: Numbers into OPERATIONS, one for each layer.
        inputs: For each layer the nodes that feed it: 0 is the stem, j is layer j - 1.
        config: Sizes of the network.

    Raises:
        GraphError: Operations and inputs that are no architecture.
    """

    def __init__(
        self,
        operations: tuple[int, ...],
        inputs: tuple[tuple[int, ...], ...],
        config: MacroConfig,
    ) -> None:
        super().__init__()
        check_layers(operations, inputs)
        self.operations = tuple(operations)
        self.inputs = tuple(tuple(nodes) for nodes in inputs)
        self.bank = MacroBank([(o,) for o in operations], inputs, config)

    def forward(self, images: Tensor) -> Tensor:
        """Classify images.

        Args:
            images: (batch, image_channels, image_size, image_size).

        Returns:
            (batch, num_classes) class scores.
        """
        scores: Tensor = self.bank(images, self.operations, self.inputs)
        return scores


def _operation(number: int, channels: int, track_statistics: bool) -> nn.Module:
    name, size = OPERATIONS[number], KERNEL_SIZES[number]
    if name.startswith("avg"):
        return nn.AvgPool2d(size, stride=1, padding=size // 2, count_include_pad=False)
    if name.startswith("max"):
        return nn.MaxPool2d(size, stride=1, padding=size // 2)
    groups = channels if name.startswith("sep") else 1
    parts: list[nn.Module] = [
        nn.Conv2d(channels, channels, size, padding=size // 2, groups=groups, bias=False)
    ]
    if groups > 1:
        parts.append(nn.Conv2d(channels, channels, 1, bias=False))
    parts += [nn.BatchNorm2d(channels, track_running_stats=track_statistics), nn.ReLU()]
    return nn.Sequential(*parts)
