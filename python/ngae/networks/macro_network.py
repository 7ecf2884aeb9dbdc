"""`MacroNetwork`: the ENAS macro network (Pham et al. 2018) as a `torch.nn.Module`.

One code path serves stand-alone and shared weights: a `MacroBank` holds weights for a choice of
operations in each layer, and runs any architecture of that choice.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ngae.errors import GraphError
from ngae.networks.macro import KERNEL_SIZES, OPERATIONS, MacroConfig, check_layers


class MacroBank(nn.Module):
    """Weights for the layers of macro networks, each layer with a choice of operations.

    h_0 = BN(conv3x3(image));
    h_{k+1} = operation_k(mean over the inputs j of layer k of h_j);
    scores = head(mean over pixels of h_last).
    A convolution is followed by BN and ReLU; a separable one is depthwise, then pointwise; pooling
    has no weights. Every operation keeps the image size.
    Deviations from ENAS: it concatenates the inputs and convolves them 1x1, which gives a network
    of pooling alone learned weights in each layer and hides what an operation is worth; and it
    halves the image at two places, which small images do not need.

    Args:
        operations: For each layer the numbers into OPERATIONS that it can run.
        config: Sizes of the network.
        track_statistics: True: batch norm keeps running statistics and uses them in eval mode.
            False: it always uses those of the batch, as weights shared by many networks need.
    """

    def __init__(
        self,
        operations: Sequence[Sequence[int]],
        config: MacroConfig,
        *,
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
            nn.ModuleDict({OPERATIONS[o]: _operation(o, width, track_statistics) for o in choice})
            for choice in operations
        )
        self.head = nn.Linear(width, config.num_classes)
        # On a CPU depthwise convolutions and pooling are 3 to 8 times as fast in this layout.
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @classmethod
    def complete(cls, num_layers: int, config: MacroConfig) -> MacroBank:
        """Make the bank that runs every architecture of `num_layers` layers, without statistics."""
        return cls([range(len(OPERATIONS))] * num_layers, config, track_statistics=False)

    @property
    def num_layers(self) -> int:
        """Layers between stem and head."""
        return len(self.layers)

    def forward(
        self, images: Tensor, operations: Sequence[int], inputs: Sequence[Sequence[int]]
    ) -> Tensor:
        """Run one architecture.

        Args:
            images: (batch, image_channels, image_size, image_size).
            operations: A number into OPERATIONS for each layer; fewer layers than the bank has
                leave the last ones out.
            inputs: For each layer the nodes that feed it: 0 is the stem, j is layer j - 1.

        Returns:
            (batch, num_classes) class scores.
        """
        nodes: list[Tensor] = [self.stem(images)]
        for layer in range(len(operations)):
            nodes.append(self.run_layer(layer, nodes, operations[layer], inputs[layer]))
        return self.classify(nodes[-1])

    def run_layer(
        self, layer: int, nodes: Sequence[Tensor], operation: int, inputs: Sequence[int]
    ) -> Tensor:
        """Run one layer on the outputs of the nodes before it.

        Args:
            layer: Its number, from 0.
            nodes: Outputs of the nodes so far, each (batch, channels, image_size, image_size).
            operation: Number into OPERATIONS.
            inputs: The nodes that feed it, at least one.

        Returns:
            (batch, channels, image_size, image_size).

        Raises:
            GraphError: This layer has no weights for `operation`.
        """
        choice, name = self.layers[layer], OPERATIONS[operation]
        assert isinstance(choice, nn.ModuleDict)
        if name not in choice:
            raise GraphError(
                f"MacroBank: layer {layer}: expected one of {', '.join(choice)}, found {name}"
            )
        total = nodes[inputs[0]]
        for node in inputs[1:]:
            total = total + nodes[node]
        output: Tensor = choice[name](total / len(inputs))
        return output

    def classify(self, features: Tensor) -> Tensor:
        """Turn the last node's output (batch, channels, size, size) into (batch, num_classes)."""
        scores: Tensor = self.head(features.mean(dim=(2, 3)))
        return scores


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
        self.bank = MacroBank([(operation,) for operation in operations], config)

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
    """One operation, (batch, channels, size, size) to the same shape."""
    name, size = OPERATIONS[number], KERNEL_SIZES[number]
    if name.startswith("avg"):
        return nn.AvgPool2d(size, stride=1, padding=size // 2, count_include_pad=False)
    if name.startswith("max"):
        return nn.MaxPool2d(size, stride=1, padding=size // 2)
    groups = channels if name.startswith("sep") else 1
    parts: list[nn.Module] = [
        nn.Conv2d(channels, channels, size, padding=size // 2, groups=groups, bias=False)
    ]
    if name.startswith("sep"):
        parts.append(nn.Conv2d(channels, channels, 1, bias=False))
    parts += [nn.BatchNorm2d(channels, track_running_stats=track_statistics), nn.ReLU()]
    return nn.Sequential(*parts)
