"""What is read from recorded output of ptxas 13.0, and how it is held against a table."""

import shutil

import pytest

from scripts.kernel_report import (
    Budget,
    Kernel,
    blocks_by_registers,
    compare,
    main,
    parse,
    read_budgets,
    short_name,
    table,
)

GOOD = """\
ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function '_ZN4ngae4cuda3sumEPKf' for 'sm_80'
ptxas info    : Function properties for _ZN4ngae4cuda3sumEPKf
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 34 registers, 1024 bytes smem, 392 bytes cmem[0], 8 bytes cmem[2]
ptxas info    : Compile time = 12.094 ms
ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function '_ZN4ngae4cuda3sumEPKf' for 'sm_90'
ptxas info    : Function properties for _ZN4ngae4cuda3sumEPKf
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 32 registers, used 0 barriers
ptxas info    : Compile time = 14.041 ms
"""
LOCAL = """\
ptxas error   : Local memory used for function '_Z5spillPKfPf', size of stack frame: 640 bytes
ptxas info    : Compiling entry function '_Z5spillPKfPf' for 'sm_80'
ptxas info    : Function properties for _Z5spillPKfPf
    640 bytes stack frame, 1484 bytes spill stores, 1472 bytes spill loads
ptxas info    : Used 32 registers, 640 bytes cumulative stack size, 368 bytes cmem[0]
"""
DOUBLE = """\
ptxas /tmp/x.ptx, line 34; error   : Program is doing double precision computations.
ptxas fatal   : Ptx assembly aborted due to errors
"""
OLD = [Kernel("sum", "sm_80", 34, 1024, 400), Kernel("sum", "sm_90", 32, 0, None)]


def test_kernels_of_each_architecture():
    kernels, problems = parse(GOOD)
    assert kernels == [
        Kernel("_ZN4ngae4cuda3sumEPKf", "sm_80", 34, 1024, 400),
        Kernel("_ZN4ngae4cuda3sumEPKf", "sm_90", 32, 0, None),
    ]
    assert problems == []


def test_spills_and_stack_frames_are_problems():
    kernels, problems = parse(LOCAL)
    assert [kernel.registers for kernel in kernels] == [32]
    assert problems == [
        LOCAL.splitlines()[0],
        "_Z5spillPKfPf for sm_80: "
        "640 bytes stack frame, 1484 bytes spill stores, 1472 bytes spill loads",
    ]


def test_a_spill_is_a_problem_without_a_warning():
    _, problems = parse(GOOD.replace("0 bytes spill stores", "4 bytes spill stores", 1))
    assert problems == [
        "_ZN4ngae4cuda3sumEPKf for sm_80: "
        "0 bytes stack frame, 4 bytes spill stores, 0 bytes spill loads"
    ]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (DOUBLE, 2),
        ("ptxas warning : Registers are spilled to local memory\n", 1),
        ('warn.cu(2): warning #177-D: variable "unused" was declared but never referenced\n', 1),
        ("a.cu:3:40: error: comparison of integers [-Werror=sign-compare]\n", 1),
    ],
)
def test_complaints_are_problems(text, count):
    assert parse(text) == ([], text.strip().splitlines()[:count])


@pytest.mark.parametrize(
    ("demangled", "name"),
    [
        ("ngae::cuda::(anonymous namespace)::aggregate(ngae::GraphView, long)", "aggregate"),
        (
            "void ngae::cuda::multiply_rows<ngae::cuda::ExactTile<2>, 2, (ngae::cuda::Weight)1, "
            "ngae::cuda::(anonymous namespace)::AddTo>(ngae::cuda::Product, void (*)(int))",
            "multiply_rows<ExactTile<2>, 2, (Weight)1, AddTo>",
        ),
        ("from_c", "from_c"),
    ],
)
def test_short_names(demangled, name):
    assert short_name(demangled) == name


def test_the_table_is_read():
    text = "# all of them\n\nmultiply<Tile<3>, 2>*  256 128\nsum 64 40 # why\n"
    assert read_budgets(text) == [
        Budget("multiply<Tile<3>, 2>*", 256, 128),
        Budget("sum", 64, 40),
    ]


@pytest.mark.parametrize("line", ["sum 64", "sum 64 x", "64 40", "sum -1 40"])
def test_a_broken_table_names_the_line(line):
    with pytest.raises(ValueError, match="line 2: expected pattern, threads, registers, found"):
        read_budgets(f"# the table\n{line}\n")


@pytest.mark.parametrize(
    ("budgets", "problems"),
    [
        ([Budget("s*", 256, 34)], []),
        ([Budget("s*", 256, 50)], []),
        ([Budget("sum", 256, 33)], ["sum for sm_80: expected at most 33 registers, found 34"]),
        (
            [Budget("sum", 256, 51)],
            ["sum: expected a budget of at most 50, for 34 are used, found 51"],
        ),
        (
            [Budget("su", 256, 34)],
            [
                "sum: no row in the table of registers",
                "su: no kernel fits this row of the table",
            ],
        ),
        (
            [Budget("sum", 256, 34), Budget("s*", 256, 34)],  # the first that fits counts
            ["s*: no kernel fits this row of the table"],
        ),
        (
            [Budget("sum", 2048, 34)],
            [
                "sum for sm_80: 2048 threads of 34 registers do not fit",
            ],
        ),
    ],
)
def test_the_table_is_exact(budgets, problems):
    assert compare(OLD, budgets) == problems


@pytest.mark.parametrize(
    ("registers", "threads", "blocks"),
    [(32, 256, 8), (33, 256, 6), (128, 256, 2), (129, 256, 1), (255, 1024, 0)],
)
def test_blocks_on_a_multiprocessor(registers, threads, blocks):
    assert blocks_by_registers(registers, threads) == blocks


def test_what_is_printed(tmp_path, capsys):
    assert table(OLD, [Budget("sum", 256, 40)]).splitlines() == [
        "kernel  arch   registers  budget  blocks  shared  constant",
        "sum     sm_80         34      40       6    1024       400",
        "sum     sm_90         32      40       8       0         -",
    ]
    if shutil.which("c++filt") is None:
        pytest.skip("no c++filt to read the names of symbols with")
    (tmp_path / "table").write_text("sum 256 40")
    (tmp_path / "log").write_text(GOOD)
    assert main([str(tmp_path / "table"), str(tmp_path / "log")]) == 0
    assert capsys.readouterr().out.endswith("\n2 kernels, 0 problems\n")
    (tmp_path / "log").write_text(GOOD + DOUBLE)
    assert main([str(tmp_path / "table"), str(tmp_path / "log")]) == 1
    assert "wrong: ptxas /tmp/x.ptx, line 34; error" in capsys.readouterr().out
