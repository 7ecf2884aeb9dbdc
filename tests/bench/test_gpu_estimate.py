import pytest

from bench.gpu_estimate import H100, Kernel, backward_kernels, forward_kernels, main
from ngae.batch import GraphBatch
from ngae.dag import Dag

CHAIN = GraphBatch.pack([Dag((0, 1, 2), ((0, 1), (1, 2)))])


def test_kernels_of_a_chain():
    forward = list(forward_kernels(CHAIN, 64))
    names = ["aggregate", "update_states", "send_messages"]
    assert [k.name for k in forward] == [*names, *names, *names[:2]]
    assert [k.level for k in forward] == [0, 0, 0, 1, 1, 1, 2, 2]
    update, send = forward[4], forward[5]
    assert update.operations == 2 * 64 * 64 * 3 * 64  # one tile of 64 rows, three gates
    assert update.bytes == 4 * (3 * 64 * 64 + 64 * 6)  # weights; a twice, three gates, h
    assert (update.steps, update.blocks) == (2, 2)
    assert send.operations == 2 * 64 * 64 * 2 * 64
    assert forward[1].operations == 0  # nothing feeds the first level


def test_backward_ends_with_the_weights():
    backward = list(backward_kernels(CHAIN, 64))
    assert [k.level for k in backward] == [2, 2, 2, 1, 1, 1, 0, 0, -1, -1]
    assert sum(k.operations for k in backward if k.level < 0) == 2 * 3 * 5 * 64 * 64


def test_a_kernel_takes_its_longest_part():
    def kernel(operations=0.0, size=0.0, steps=0, blocks=1):
        return Kernel("", 0, 1, operations, size, steps, blocks)

    assert kernel().seconds(H100, "float32") == H100.launch
    assert kernel(operations=67e12).seconds(H100, "float32") == pytest.approx(1)
    assert kernel(operations=989e12).seconds(H100, "bf16") == pytest.approx(1)
    assert kernel(size=3.35e12).seconds(H100, "bf16") == pytest.approx(1)
    assert kernel(steps=100, blocks=265).seconds(H100, "bf16") == pytest.approx(2 * 100 * H100.step)


def test_page(capsys):
    main(["--hidden", "16", "--batch", "2"])
    page = capsys.readouterr().out
    assert page.startswith("### 2 graphs, hidden 16: 1")
    assert "| forward | 23 |" in page
