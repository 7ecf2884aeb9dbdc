"""The published tables: where they are, what they must be, who made them, how they become tables.

Facts only: nothing here touches the net or the disk.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

MIB = 1 << 20
NOT_KNOWN = "not known"


@dataclass(frozen=True)
class SourceFile:
    """A file that a table is made of.

    Attributes:
        name: Its name, at the source and in the cache.
        url: Where it is; "" where it has to be got by hand.
        sha256: Its checksum; None where nobody has stated it.
        size: Its bytes; None where that is not known.
        most: Bytes after which a download stops.
        about: Its bytes as the source rounds them, where `size` is not known; None likewise.
    """

    name: str
    url: str
    sha256: str | None
    size: int | None
    most: int
    about: int | None = None


@dataclass(frozen=True)
class Entry:
    """One table.

    Attributes:
        name: What `--data` and `ngae data get` call it.
        title: What it is, in one line.
        space: Name of its search space.
        rows: Its rows, after the burn-in.
        licence: As stated at the source.
        citation: The paper.
        home: Where a person reads about it.
        table: File name of the table in the cache; "" for an embedded one.
        form: The converter that makes the table; "" where the file is the table.
        files: What has to be fetched.
        by_hand: How to come by it without a download, or how to get more of it.
        settings: Values of `DataConfig` that read the table.
    """

    name: str
    title: str
    space: str
    rows: int
    licence: str
    citation: str
    home: str
    table: str = ""
    form: str = ""
    files: tuple[SourceFile, ...] = ()
    by_hand: str = ""
    settings: Mapping[str, str | int | bool] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def embedded(self) -> bool:
        """Whether the table comes with the package."""
        return not self.table

    @property
    def size(self) -> int | None:
        """Bytes to fetch; None where that is not known."""
        sizes = [file.size for file in self.files]
        return None if None in sizes else sum(size for size in sizes if size is not None)

    @property
    def about(self) -> int | None:
        """Bytes to fetch, perhaps rounded; None where not even that is known."""
        sizes = [file.about if file.size is None else file.size for file in self.files]
        return None if None in sizes else sum(size for size in sizes if size is not None)

    @property
    def way(self) -> str:
        """How the file becomes a table: "embedded", "as is", or the converter's name."""
        return "embedded" if self.embedded else self.form or "as is"


_DIGITS6 = Entry(
    name="digits6",
    title="ENAS macro networks of 6 layers, shared weights, 8x8 digits",
    space="enas6",
    rows=19_020,
    licence="MIT",
    citation="made for ngae (scripts/make_digits6.py)",
    home="",
)

_ENAS6 = Entry(
    name="enas6",
    title="ENAS macro networks of 6 layers, shared weights, CIFAR-10",
    space="enas6",
    rows=19_020,
    licence="MIT",
    citation="Zhang et al., D-VAE, NeurIPS 2019",
    home="https://github.com/muhanzhang/D-VAE",
    table="final_structures6.txt",
    files=(
        SourceFile(
            "final_structures6.txt",
            "https://raw.githubusercontent.com/muhanzhang/D-VAE/"
            "3569a4a3bf5ecf8e12ae548e0d22e72062d29e26/data/final_structures6.txt",
            "fea9a7dde1545e7d3bd58fd4b9c3db08a89c18e0351f770cde2fe530c4791725",
            1_677_427,
            4 * MIB,
        ),
    ),
    # The first 1,000 rows are the controller's burn-in, which D-VAE's code skips as well.
    settings=MappingProxyType({"burn_in": 1000}),
)

_NASBENCH101 = Entry(
    name="nas-bench-101",
    title="cells of up to 7 vertices, CIFAR-10, 3 runs of 108 epochs",
    space="nas-bench-101",
    rows=423_624,
    licence="Apache-2.0",
    citation="Ying et al., NAS-Bench-101, ICML 2019",
    home="https://github.com/google-research/nasbench",
    table="nas-bench-101.csv",
    form="nasbench101-tfrecord",
    files=(
        SourceFile(
            "nasbench_only108.tfrecord",
            "https://storage.googleapis.com/nasbench/nasbench_only108.tfrecord",
            None,
            None,
            600 * MIB,
            about=499_000_000,
        ),
    ),
    by_hand="for 4, 12 and 36 epochs as well: nasbench_full.tfrecord (1.95 GB) from the same "
    "page, then `ngae data convert --from nasbench101-tfrecord nasbench_full.tfrecord table.csv`",
    settings=MappingProxyType(
        {
            "arch_col": "adjacency,operations",
            "performance_col": "val_acc_108ep",
            "complexity_col": "trainable_parameters,train_time_108ep_s",
            "report_col": "test_acc_108ep",
        }
    ),
)

_NASBENCH201 = Entry(
    name="nas-bench-201",
    title="all cells of NAS-Bench-201, test accuracy on 3 data sets, 200 epochs",
    space="nas-bench-201",
    rows=15_625,
    licence="no licence file at the source; the values are NATS-Bench's (MIT)",
    citation="Dong and Yang, NAS-Bench-201, ICLR 2020; Dong et al., NATS-Bench, TPAMI 2021",
    home="https://github.com/D-X-Y/NATS-Bench",
    table="nas-bench-201.csv",
    form="nats-bench-landscape",
    files=(
        SourceFile(
            "nats_bench.csv",
            "https://raw.githubusercontent.com/v-tao/nats-bench-landscape/"
            "b307ae5fe6e8d7043cd4fe7d1c3532288271adb7/nats_bench.csv",
            "cb5d777ec3368be83c8f9b3aa4d520696051cb0eb8d94b8f85b519f9ea4afa3e",
            None,
            8 * MIB,
        ),
    ),
    by_hand="this copy has test accuracies only; validation, 12 epochs, parameters and FLOPs: "
    "NATS-tss-v1_0-3ffb9-simple from D-X-Y/NATS-Bench, then "
    "`ngae data convert --from nats-bench NATS-tss-v1_0-3ffb9-simple table.csv`; latency on 27 "
    "devices: data/nasbench201/latency of HayeonLee/HELP (MIT) beside nats_bench.csv, then "
    "`ngae data convert --from nats-bench-landscape FOLDER table.csv`",
    settings=MappingProxyType(
        {
            "arch_col": "arch_str",
            "performance_col": "cifar10_test_acc_200ep",
            "report_col": "cifar100_test_acc_200ep,imagenet16_120_test_acc_200ep",
        }
    ),
)

_NASBENCHNLP = Entry(
    name="nas-bench-nlp",
    title="recurrent cells as language models, WikiText-2",
    space="recurrent",
    rows=345,
    licence="Apache-2.0",
    citation="Klyuchnikov et al., NAS-Bench-NLP, 2020",
    home="https://github.com/fmsnew/nas-bench-nlp-release",
    table="nas-bench-nlp.jsonl",
    form="nas-bench-nlp",
    files=(
        SourceFile(
            "logs.zip",
            "https://raw.githubusercontent.com/fmsnew/nas-bench-nlp-release/"
            "a6d90a3b19e3966b1d009c0970b3761aa46707d1/train_logs_wikitext-2/logs.zip",
            "f5052d6bea6398001e32c986322a243e8cdedffa906caf242eb0a62ee105aa12",
            None,
            100 * MIB,
        ),
    ),
    settings=MappingProxyType(
        {
            "arch_col": "recepie",
            "performance_col": "wt2_val_loss_best",
            "lower_is_better": True,
            "complexity_col": "num_params,mean_epoch_time_s",
            "report_col": "wt2_test_loss_at_best_val",
            "missing": "keep",  # four runs failed
            "repeats": "keep",  # cells that are equal as graphs
        }
    ),
)

# SHA-256 of the files in the package nas-bench-graph 1.4.0, the same as in the repository.
_GRAPHS = {
    "cora": "5e69b2f9bb08d8927d9ffd4921f8494a3cea349c9c3a461334cb9dc9e11701a8",
    "citeseer": "99c7f79b73372636305bf73fb32a58b63c57bd1871a152dd62ec72d984c8c50f",
    "pubmed": "10b4dcf6cfd3a24f6059f7d541a4a872960b4adac0b3dba26abed1bb9a3d904d",
    "cs": "71ae8469930517160b024f52db6000a4897f1aff5d765beb27bb60952ed5bd31",
    "physics": "1e309bafee0b832c8b84fa3c039c36992bc0a910238b128f26b7e9190d7f2aea",
    "photo": "5511b4dc3f63fa988792177227db7901290fb9b27fc6c02e3036b29e134ed6df",
    "computers": "fdb3dc0cf405d62322f0ab9614b2083c2a5e6576c2f43e4f2214be64bc62b1b3",
    "arxiv": "7ee21a7653297a806c0ed1be3efe6ecc06acc84e48e942da0bfde0e5d287debe",
    "proteins": "b9e7fb0902bda44fec32c948e5fde822fb22d38d674c52e43ace5197378f2d21",
}


def _graph_entry(data: str, name: str) -> Entry:
    rows, size = (2_021, 245_616) if data == "proteins" else (26_206, 2_036_857)
    return Entry(
        name=name,
        title=f"graph neural networks of 4 operations, {data}, mean of 3 seeds",
        space="nas-bench-graph",
        rows=rows,
        licence="Apache-2.0",
        citation="Qin et al., NAS-Bench-Graph, NeurIPS 2022",
        home="https://github.com/THUMNLab/NAS-Bench-Graph",
        table=f"{data}.csv",
        form="nas-bench-graph",
        files=(
            SourceFile(
                f"{data}.bench",
                "https://raw.githubusercontent.com/THUMNLab/NAS-Bench-Graph/"
                f"be42534b56f6aaab2c3d6145b10eda9cbde10193/nas-bench-graph/light/{data}.bench",
                _GRAPHS[data],
                size,
                size,
            ),
        ),
        by_hand="the same files are in the package nas-bench-graph 1.4.0 (folder light): "
        "`ngae data get NAME --from-dir THAT_FOLDER`",
        settings=MappingProxyType(
            {
                "arch_col": "links,ops",
                "performance_col": "valid_perf",
                "complexity_col": "params_m,latency_s",
                "report_col": "test_perf",
            }
        ),
    )


ENTRIES: tuple[Entry, ...] = (
    _DIGITS6,
    _ENAS6,
    _NASBENCH101,
    _NASBENCH201,
    _graph_entry("cora", "nas-bench-graph"),
    *(_graph_entry(data, f"nas-bench-graph-{data}") for data in _GRAPHS if data != "cora"),
    _NASBENCHNLP,
)


def find(name: str) -> Entry | None:
    """Return the table called `name`, or None."""
    return next((entry for entry in ENTRIES if entry.name == name), None)


def names() -> tuple[str, ...]:
    """Return the name of every table."""
    return tuple(entry.name for entry in ENTRIES)
