"""Published files to tables that `ngae.load` reads: CSV, or JSON Lines where a cell is an object.

A converter reads row by row, names file, record, expected and found, and leaves no partial file.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, TextIO

from ngae.errors import DataError, NgaeError, RefusedError, UsageError, cut

Row = Mapping[str, Any]
Read = Callable[[Path], Iterable[Row]]


@dataclass(frozen=True)
class Form:
    """A published form that can be converted.

    Attributes:
        name: What `--from` calls it.
        source: What is read, in one line.
        suffix: What the result's name ends with, before a possible .gz.
        columns: The columns of the result, in one line.
        home: The function that reads it: "module:name".
        tried: Whether it was ever run on the original file.
    """

    name: str
    source: str
    suffix: str
    columns: str
    home: str
    tried: bool


@dataclass(frozen=True)
class Converted:
    """What was written.

    Attributes:
        path: The file.
        rows: Its rows, without the head.
    """

    path: Path
    rows: int


FORMS: tuple[Form, ...] = (
    Form(
        "nasbench101-tfrecord",
        "nasbench_only108.tfrecord or nasbench_full.tfrecord",
        ".csv",
        "module_hash, adjacency, operations, trainable_parameters, val_acc_108ep, ...",
        "convert_nasbench101:read",
        False,
    ),
    Form(
        "nats-bench",
        "NATS-tss-v1_0-3ffb9-simple (package nats-bench) or NAS-Bench-201-v1_1 (nas-bench-201)",
        ".csv",
        "index, arch_str, cifar10_val_acc_200ep, ..., cifar10_params_m, cifar10_flops_m, ...",
        "convert_nasbench201:read_api",
        False,
    ),
    Form(
        "nats-bench-landscape",
        "nats_bench.csv of v-tao/nats-bench-landscape, or a folder with it and latency/*.pt (HELP)",
        ".csv",
        "index, arch_str, cifar10_test_acc_200ep, ..., latency_<device>_ms",
        "convert_nasbench201:read_landscape",
        False,
    ),
    Form(
        "nas-bench-graph",
        "cora.bench and its like, from the package nas-bench-graph",
        ".csv",
        "arch_hash, links, ops, valid_perf, test_perf, latency_s, params_m",
        "convert_graph:read",
        True,
    ),
    Form(
        "nas-bench-nlp",
        "train_logs_wikitext-2/logs.zip of fmsnew/nas-bench-nlp-release, or its folder",
        ".jsonl",
        "recepie_id, num_params, wt2_val_loss_best, mean_epoch_time_s, recepie, ...",
        "convert_nlp:read",
        False,
    ),
    Form(
        "dvae",
        "D-VAE's text: [[type], [type, flag], ...], accuracy",
        ".csv",
        "arch, performance",
        "convert_dvae:read",
        True,
    ),
)


def form_named(name: str) -> Form:
    """Return the form called `name`.

    Raises:
        UsageError: No such form.
    """
    for form in FORMS:
        if form.name == name:
            return form
    known = ", ".join(form.name for form in FORMS)
    raise UsageError(
        f"--from: expected one of {known}, found {name!r}", remedy="see `ngae data formats`"
    )


def convert(
    name: str, source: Path, target: Path, *, overwrite: bool = False, skip: int = 0
) -> Converted:
    """Convert a published file to a table.

    Args:
        name: The form of the source.
        source: The file, or the folder where the form has one.
        target: The table: a name that ends as the form says, with or without .gz.
        overwrite: Replace a table that is there.
        skip: Rows at the head of the source that are left out.

    Returns:
        The table, whole and flushed to disk.

    Raises:
        UsageError: An unknown form, or a target that ends otherwise.
        DataError: Something is wrong with the source; nothing is written.
        RefusedError: The target is there.
    """
    form = form_named(name)
    if not target.name.removesuffix(".gz").endswith(form.suffix):
        raise UsageError(f"{target}: expected a name that ends in {form.suffix} or .gz after it")
    if target.exists() and not overwrite:
        raise RefusedError(f"{target}: expected no such file, found one", remedy="add --overwrite")
    if not source.exists():
        raise DataError(f"{source}: expected the original, found nothing of that name")
    module, function = form.home.split(":")
    read: Read = getattr(import_module(f"ngae.data.{module}"), function)
    write = _write_csv if form.suffix == ".csv" else _write_json_lines
    rows = _after(read(source), skip)
    with _writing(target) as file:
        count = write(file, rows)
        if not count:
            raise DataError(f"{source}: expected rows, found none")
    return Converted(target, count)


def bad_record(file: Path | str, record: object, expected: str, found: object) -> DataError:
    """Return the error of one record of a source."""
    text = repr(found) if not isinstance(found, str) else found
    return DataError(
        f"{file}: record {record}: expected {expected}, found {cut(text, 80)}",
        remedy="get the original again, or convert the part of it that is whole",
    )


def rounded(value: float, places: int) -> str:
    """Write a number with at most `places` decimals, without zeros at the end."""
    text = f"{value:.{places}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def _after(rows: Iterable[Row], skip: int) -> Iterator[Row]:
    for number, row in enumerate(rows):
        if number >= skip:
            yield row


def _write_csv(file: TextIO, rows: Iterable[Row]) -> int:
    writer, head, count = csv.writer(file, lineterminator="\n"), [], 0
    for count, row in enumerate(rows, 1):
        if count == 1:
            head = list(row)
            writer.writerow(head)
        if list(row) != head:
            raise DataError(f"record {count}: expected the columns {head}, found {list(row)}")
        writer.writerow(row.values())
    return count


def _write_json_lines(file: TextIO, rows: Iterable[Row]) -> int:
    count = 0
    for row in rows:
        count += 1
        file.write(json.dumps(row, separators=(",", ":"), allow_nan=False) + "\n")
    return count


@contextmanager
def _writing(target: Path) -> Iterator[TextIO]:
    """A text file that gets its name when the block ends well."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as raw:
            if target.suffix == ".gz":
                packed = gzip.GzipFile("", "wb", fileobj=raw, mtime=0)
                with packed, io.TextIOWrapper(packed, "utf-8", newline="") as text:
                    yield text
            else:
                plain = io.TextIOWrapper(raw, "utf-8", newline="")
                yield plain
                plain.flush()
                plain.detach()
            raw.flush()
            os.fsync(raw.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, target)
    except OSError as error:
        Path(temporary).unlink(missing_ok=True)
        raise NgaeError(f"{target}: expected to write it: {error}") from error
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
