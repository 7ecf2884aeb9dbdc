import pytest
import torch
from torch.nn import functional
from torch.testing import assert_close

from ngae.errors import GraphError
from ngae.networks.macro import MacroBank, MacroConfig, MacroNetwork

CONFIG = MacroConfig(channels=4, image_size=5, image_channels=2, num_classes=3)
OPERATIONS = (0, 3, 5, 1, 4, 2)
INPUTS = ((0,), (0, 1), (2,), (0, 1, 3), (1, 4), (0, 2, 5))


def images(seed=0, count=7):
    return torch.randn(count, 2, 5, 5, generator=torch.Generator().manual_seed(seed))


def test_forward_follows_the_formula():
    torch.manual_seed(0)
    network = MacroNetwork((0, 5, 3), ((0,), (0, 1), (0, 1, 2)), CONFIG).eval()
    weights = network.bank.state_dict()

    def norm(x, prefix):
        kinds = ("running_mean", "running_var", "weight", "bias")
        return functional.batch_norm(x, *(weights[f"{prefix}.{kind}"] for kind in kinds))

    x = images()
    h0 = norm(functional.conv2d(x, weights["stem.0.weight"], padding=1), "stem.1")
    first = functional.conv2d(h0, weights["layers.0.conv3x3.0.weight"], padding=1)
    h1 = torch.relu(norm(first, "layers.0.conv3x3.1"))
    h2 = functional.max_pool2d((h0 + h1) / 2, 3, stride=1, padding=1)
    mean = (h0 + h1 + h2) / 3
    deep = functional.conv2d(mean, weights["layers.2.sep5x5.0.weight"], padding=2, groups=4)
    deep = functional.conv2d(deep, weights["layers.2.sep5x5.1.weight"])
    h3 = torch.relu(norm(deep, "layers.2.sep5x5.2"))
    scores = h3.mean(dim=(2, 3)) @ weights["head.weight"].T + weights["head.bias"]
    assert_close(network(x), scores)


def test_average_pooling_does_not_count_the_border():
    network = MacroNetwork((4,), ((0,),), CONFIG).eval()
    ones = torch.ones(1, 4, 5, 5)
    assert_close(network.bank.run_layer(0, [ones], 4, (0,)), ones)


def test_shared_weights_and_a_network_with_their_copies_agree():
    torch.manual_seed(1)
    bank = MacroBank.complete(6, CONFIG)
    network = MacroNetwork(OPERATIONS, INPUTS, CONFIG)
    missing = network.bank.load_state_dict(bank.state_dict(), strict=False).missing_keys
    kinds = {name.rsplit(".", 1)[1] for name in missing}
    assert kinds == {"running_mean", "running_var", "num_batches_tracked"}
    # In train mode a network of its own uses the statistics of the batch, as the bank always does.
    expected = network.train()(images())
    assert torch.equal(bank.eval()(images(), OPERATIONS, INPUTS), expected)


def test_gradients_reach_every_weight_of_the_network():
    network = MacroNetwork(OPERATIONS, INPUTS, CONFIG)
    network(images()).square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())


def test_every_layer_matters_and_keeps_the_size():
    torch.manual_seed(0)
    bank = MacroBank.complete(1, CONFIG)
    x = torch.randn(2, 4, 5, 5)
    outputs = [bank.run_layer(0, [x], operation, (0,)) for operation in range(6)]
    assert {tuple(output.shape) for output in outputs} == {(2, 4, 5, 5)}
    for i, one in enumerate(outputs):
        assert all(not torch.allclose(one, other) for other in outputs[:i])


def test_a_bank_without_the_operation_says_so():
    network = MacroNetwork((0,), ((0,),), CONFIG)
    with pytest.raises(GraphError, match="layer 0: expected one of conv3x3, found sep3x3"):
        network.bank(images(), (1,), ((0,),))
