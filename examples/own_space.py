"""A search space of one's own: small convolutional cells for 32x32 colour images."""

from torch import nn

from ngae.spaces import Cell

WIDTH = 16


def conv(size: int) -> nn.Module:
    """Convolution, batch norm and ReLU of one width."""
    layer = nn.Conv2d(WIDTH, WIDTH, size, padding="same", bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(WIDTH), nn.ReLU())


class ConvCell(Cell):
    """Up to five operations, nine edges, and at least one convolution."""

    operations = {"conv3x3": lambda: conv(3), "conv1x1": lambda: conv(1), "skip": nn.Identity}
    max_operations, max_edges = 5, 9
    input_shape = (3, 32, 32)
    identity_types = ("skip",)

    def accepts(self, dag):
        return any(label.startswith("conv") for label in dag.node_labels)

    def stem(self):
        return nn.Conv2d(3, WIDTH, 3, padding=1)

    def head(self):
        return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(WIDTH, 10))
