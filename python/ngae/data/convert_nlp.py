"""NAS-Bench-NLP on WikiText-2: a JSON log of each run, packed or in a folder, to JSON Lines.

Learning curves are reduced to their best epoch; a run that failed keeps its line, without losses.
"""

from __future__ import annotations

import json
import math
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ngae.data.convert import bad_record
from ngae.errors import DataError

MOST_BYTES = 1 << 24  # of one log; the published ones have some kilobytes


def read(path: Path) -> Iterator[dict[str, Any]]:
    """Yield one row a run, in the order of recepie and log name.

    Keys: recepie_id, log_name, status, num_nodes, num_params, epochs, wt2_val_loss_best,
    wt2_test_loss_at_best_val, wt2_train_loss_last (nats for a word, null where training failed),
    mean_epoch_time_s, recepie (the cell).

    Raises:
        DataError: No logs, or a log without these.
    """
    rows = [_row(path, name, content) for name, content in _logs(path)]
    rows.sort(key=lambda row: (row["recepie_id"], row["log_name"]))
    yield from rows


def _logs(path: Path) -> Iterator[tuple[str, bytes]]:
    try:
        if path.is_dir():
            for file in sorted(path.rglob("log_stats_*.json")):
                yield file.name, file.read_bytes()
            return
        with zipfile.ZipFile(path) as packed:
            for info in packed.infolist():
                name = info.filename.rsplit("/", 1)[-1]
                if not name.startswith("log_stats_") or not name.endswith(".json"):
                    continue
                if info.file_size > MOST_BYTES:
                    raise bad_record(path, name, f"at most {MOST_BYTES} bytes", info.file_size)
                yield name, _unpacked(path, packed, info)
    except DataError:
        raise
    except Exception as error:  # a broken archive raises almost anything
        raise DataError(f"{path}: expected a folder or a whole zip file: {error}") from error


def _unpacked(path: Path, packed: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    name = info.filename.rsplit("/", 1)[-1]
    try:
        return packed.read(info)
    except Exception as error:  # whatever a decompressor raises
        found = f"{type(error).__name__}: {error}"
        raise bad_record(path, name, "bytes that unpack", found) from error


def _row(path: Path, name: str, content: bytes) -> dict[str, Any]:
    try:
        log = json.loads(content)
        recepie = log["recepie"]
        cell = json.loads(recepie) if isinstance(recepie, str) else recepie
        validation, test, train = (
            [float(x) for x in log[f"{k}_losses"]] for k in ("val", "test", "train")
        )
        times = [float(x) for x in log["wall_times"]]
        row = {
            "recepie_id": int(log["recepie_id"]),
            "log_name": name,
            "status": str(log["status"]),
            "num_nodes": len(cell),
            "num_params": int(log["num_params"]),
            "epochs": len(train),
        }
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise bad_record(path, name, "a log in JSON", str(error)) from error
    except KeyError as error:
        raise bad_record(path, name, f"the key {error}", "none") from error
    if not isinstance(cell, dict) or not all(_is_node(node) for node in cell.values()):
        raise bad_record(path, name, "a recepie of nodes with op and input", cell)
    if not _is_json(cell):
        raise bad_record(path, name, "a recepie of finite numbers", cell)
    if not len(validation) == len(test) == len(train) == len(times):
        found = f"{len(train)}, {len(validation)}, {len(test)} losses and {len(times)} times"
        raise bad_record(path, name, "as many losses of each kind as times", found)
    best = _best(validation) if row["status"] == "OK" else None
    return {
        **row,
        "wt2_val_loss_best": None if best is None else round(validation[best], 6),
        "wt2_test_loss_at_best_val": None if best is None else _finite(test[best], 6),
        "wt2_train_loss_last": None if best is None else _finite(train[-1], 6),
        "mean_epoch_time_s": _finite(sum(times) / len(times), 3) if times else None,
        "recepie": cell,
    }


def _is_node(node: object) -> bool:
    if not isinstance(node, dict) or not isinstance(node.get("op"), str):
        return False
    inputs = node.get("input")
    return isinstance(inputs, list) and all(isinstance(name, str) for name in inputs)


def _is_json(value: object) -> bool:
    """Whether JSON can hold it: no number in it is NaN or infinite."""
    try:
        json.dumps(value, allow_nan=False)
    except (ValueError, RecursionError):
        return False
    return True


def _best(losses: list[float]) -> int | None:
    """The epoch with the lowest loss; None where there is no finite one."""
    finite = [epoch for epoch, loss in enumerate(losses) if math.isfinite(loss)]
    return min(finite, key=lambda epoch: losses[epoch], default=None)


def _finite(value: float, places: int) -> float | None:
    return round(value, places) if math.isfinite(value) else None
