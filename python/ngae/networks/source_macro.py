"""The source of a `MacroNetwork`, without the bank of shared weights around its layers."""

from __future__ import annotations

from ngae.networks.macro import KERNEL_SIZES, OPERATIONS, MacroConfig, check_layers
from ngae.networks.source import NetworkSource, listed

_HELPERS = {
    "conv": '''
def conv(channels: int, size: int) -> nn.Module:
    """Convolution, batch norm, ReLU; keeps the image size."""
    return nn.Sequential(
        nn.Conv2d(channels, channels, size, padding=size // 2, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(),
    )
''',
    "sep": '''
def sep(channels: int, size: int) -> nn.Module:
    """Separable convolution (depthwise, then pointwise), batch norm, ReLU."""
    return nn.Sequential(
        nn.Conv2d(channels, channels, size, padding=size // 2, groups=channels, bias=False),
        nn.Conv2d(channels, channels, 1, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(),
    )
''',
    "mean": '''
def mean(*inputs: Tensor) -> Tensor:
    """Average the outputs of several layers."""
    return sum(inputs[1:], start=inputs[0]) / len(inputs)
''',
}

_CODE = '''{helpers}

class Layers(nn.Module):
    """Stem, layers and head. Every layer computes its operation on the mean of its inputs."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d({image_channels}, {channels}, 3, padding=1, bias=False), \
nn.BatchNorm2d({channels})
        )
{layers}
        self.head = nn.Linear({channels}, {num_classes})
        # On a CPU depthwise convolutions and pooling are 3 to 8 times as fast in this layout.
        self.to(memory_format=torch.channels_last)

    def forward(self, images: Tensor) -> Tensor:
        h0 = self.stem(images)
{steps}
        return self.head(h{last}.mean(dim=(2, 3)))


class Network(nn.Module):
    """Classifies images (batch, {image_channels}, {image_size}, {image_size}): \
scores (batch, {num_classes})."""

    def __init__(self) -> None:
        super().__init__()
        self.bank = Layers()  # the name that its weights have in ngae

    def forward(self, images: Tensor) -> Tensor:
        return self.bank(images)
'''


def macro_source(
    operations: tuple[int, ...], inputs: tuple[tuple[int, ...], ...], config: MacroConfig
) -> NetworkSource:
    """Write `MacroNetwork(operations, inputs, config)`.

    Raises:
        GraphError: Operations and inputs that are no architecture.
    """
    check_layers(operations, inputs)
    names = [OPERATIONS[operation] for operation in operations]
    layers = [
        f'nn.ModuleDict({{"{OPERATIONS[o]}": {_operation(o, config.channels)}}})'
        for o in operations
    ]
    steps = []
    for layer, (name, nodes) in enumerate(zip(names, inputs, strict=True)):
        head = f'h{layer + 1} = self.layers[{layer}]["{name}"]('
        values = [f"h{node}" for node in nodes]
        if len(values) == 1:
            steps.append(f"        {head}{values[0]})")
        else:
            steps.append(listed(f"{head}mean(", values, "))", 8))
    helpers = [
        text
        for name, text in _HELPERS.items()
        if any(f"{name}(" in line for line in (*layers, *steps))
    ]
    size = (config.image_channels, config.image_size, config.image_size)
    code = _CODE.format(
        helpers="\n".join(helpers),
        layers=listed("self.layers = nn.ModuleList([", layers, "])", 8),
        steps="\n".join(steps),
        last=len(operations),
        **vars(config),
    )
    return NetworkSource(code, (f"torch.zeros(2, {size[0]}, {size[1]}, {size[2]})",))


def _operation(number: int, channels: int) -> str:
    name, size = OPERATIONS[number], KERNEL_SIZES[number]
    if name.startswith("avg"):
        return f"nn.AvgPool2d({size}, 1, {size // 2}, count_include_pad=False)"
    if name.startswith("max"):
        return f"nn.MaxPool2d({size}, 1, {size // 2})"
    return f"{name[:-3]}({channels}, {size})"
