"""The CUDA module: loads without a GPU, and says once and clearly why it cannot compute."""

import re
import subprocess
import sys

import pytest
import torch

from ngae import _native
from ngae.cli import main
from ngae.errors import UsageError
from ngae.ops import _cuda, devices

needs_module = pytest.mark.skipif(not _native.has_cuda(), reason="ngae._cuda was not built")
needs_no_gpu = pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
NO_GPU = r"cudaError(InsufficientDriver|NoDevice|StubLibrary): \w+"
GPU = torch.device("cuda", 0)
RUN = (0, 0, False)  # device, stream, precision
SUM = ((2, 3), (4096, 4096, 4096, 4096))  # sizes; addresses that no kernel will read


@pytest.fixture
def without_module(monkeypatch):
    """Take the CUDA module away."""
    monkeypatch.setitem(sys.modules, "ngae._cuda", None)
    monkeypatch.delattr("ngae._cuda", raising=False)
    monkeypatch.setattr("ngae._native.has_cuda", lambda: False)


class _Refusing:
    """A module whose device refuses with one of CUDA's errors."""

    def __init__(self, error):
        self.error = error

    def sum_rows(self, run, *arguments):
        raise RuntimeError(f"sum_rows: {self.error}: told so")


@pytest.fixture(autouse=True)
def default_stream(monkeypatch):
    """Take no stream from torch, which may be built without CUDA."""
    monkeypatch.setattr("ngae.ops._cuda.run_arguments", lambda device, bf16: (0, 0, bf16))


@pytest.mark.parametrize("error", ["cudaErrorNoDevice", "cudaErrorNoKernelImageForDevice"])
def test_a_refusal_names_function_device_error_and_remedy(error, monkeypatch):
    monkeypatch.setattr("ngae._native.load_cuda", lambda: _Refusing(error))
    with pytest.raises(UsageError) as caught:
        _cuda.call("sum_rows", torch.device("cuda", 3), False)
    assert str(caught.value) == f"sum_rows on cuda:3: sum_rows: {error}: told so"
    expected = {"cudaErrorNoDevice": "CUDA_VISIBLE_DEVICES",
                "cudaErrorNoKernelImageForDevice": "CMAKE_CUDA_ARCHITECTURES=native"}  # fmt: skip
    assert expected[error] in caught.value.remedy


def test_an_unknown_refusal_has_a_remedy_too(monkeypatch):
    monkeypatch.setattr("ngae._native.load_cuda", lambda: _Refusing("cudaErrorLaunchFailure"))
    with pytest.raises(UsageError) as caught:
        _cuda.call("sum_rows", GPU, False)
    assert caught.value.remedy.startswith("`ngae doctor` tests the GPU")


def test_a_missing_module_is_named(without_module):
    with pytest.raises(ImportError) as caught:
        _native.load_cuda()
    assert "ngae's CUDA module could not be loaded from" in str(caught.value)
    assert "`pip install . -Ccmake.define.NGAE_CUDA=ON`" in str(caught.value)
    assert devices.cuda_module().startswith("not built; build it with `pip install .")
    assert devices.summary() == "no CUDA module"


@needs_module
def test_the_module_loads_and_knows_its_functions():
    module = _native.load_cuda()
    for name in ("device_count", "dag_gru_forward", "dag_gru_backward", "sum_rows"):
        assert callable(getattr(module, name))
    assert devices.cuda_module() == "built"


@needs_module
@needs_no_gpu
def test_without_a_gpu_each_call_gives_one_clear_error():
    with pytest.raises(RuntimeError, match=f"^cudaGetDeviceCount: {NO_GPU}"):
        _native.load_cuda().device_count()
    for _ in range(2):
        with pytest.raises(UsageError, match=f"^sum_rows on cuda:0: cudaGetDevice: {NO_GPU}"):
            _cuda.call("sum_rows", GPU, False, *SUM)


@needs_module
@needs_no_gpu
def test_a_refused_launch_leaves_the_process_alive():
    code = (
        "from ngae import _native\n"
        "try:\n"
        f"    _native.load_cuda().sum_rows({RUN}, *{SUM})\n"
        "except RuntimeError as error:\n"
        "    print(str(error).split(':')[1].strip())\n"
        "print('torch' in __import__('sys').modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    error, has_torch = done.stdout.split()
    assert re.fullmatch(r"cudaError\w+", error)
    assert has_torch == "False"


@needs_module
@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_with_a_gpu_the_module_sees_what_torch_sees():
    assert _native.load_cuda().device_count() == torch.cuda.device_count()
    assert len(devices.cuda_devices()) == torch.cuda.device_count()
    major, minor = torch.cuda.get_device_capability(0)
    assert f"compute capability {major}.{minor}" in devices.cuda_devices()[0]


def test_doctor_names_the_module_and_the_devices(capsys):
    assert main(["doctor"]) == 0
    shown = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert shown["module"] == devices.cuda_module()
    assert shown["GPUs"] == (
        "; ".join(devices.cuda_devices()) or f"none: {devices.no_devices_because()}"
    )
    assert shown["self-test"].startswith("ok on c")


def test_doctor_says_how_to_get_the_module(without_module, capsys):
    assert main(["doctor"]) == 0
    shown = capsys.readouterr().out
    assert "not built; build it with `pip install . -Ccmake.define.NGAE_CUDA=ON`" in shown
    assert "cuda       no CUDA module" in shown


def test_doctor_fails_where_a_device_does(monkeypatch, capsys):
    def refuse(device):
        raise UsageError(f"dag_gru on {device}: no")

    monkeypatch.setattr("ngae.commands.doctor._self_test", refuse)
    assert main(["doctor"]) == 1
    assert "self-test  FAILED on cpu: dag_gru on cpu: no" in capsys.readouterr().out
