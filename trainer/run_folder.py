"""Everything about one training, in a folder that another process can read while it grows.

    config.json      what is trained on what, and how: enough to go on with it
    curves.csv       one row a step
    evaluations.csv  one row an evaluation
    tensorboard/     the same rows for TensorBoard
    progress.jsonl   where it stands, about once a second, and every event: "begun", "evaluation", at the end
                     "finished", "patience", "stopped" or "failed"; without one of these it was killed
    checkpoints/     last.h5 (where to go on) and best.h5 (by validation mAP)
    predictions/     a picture sheet of each evaluation
    NAME.json, .h5   the model, at the end

A row or a checkpoint is written whole or not at all: after `kill -9` the folder says how far it came, and
rows beyond the last checkpoint are taken off when the run goes on.
"""

import csv
import errno
import io
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from detector.errors import TrainingError
from trainer.tensorboard import EventsFile

Arrays = Mapping[str, NDArray[Any]]

CURVES = ("step", "epoch", "progress", "seconds", "rate", "loss", "classes", "places")
EVALUATIONS = ("step", "epoch", "seconds", "voc07_map", "voc_area_map", "best")


class RunFolder:
    """A folder as described above; made by `create`, found again by `open`."""

    def __init__(self, path: Path, config: Mapping[str, Any]) -> None:
        self.path = path
        self.config = config
        self._told = 0.0
        self._events: EventsFile | None = None  # one a sitting

    @staticmethod
    def create(path: Path, config: Mapping[str, Any]) -> "RunFolder":
        """A new run.

        raises  TrainingError when there is one already
        """
        if (path / "config.json").exists():
            raise TrainingError(
                f"{path} holds a training already; go on with it (--resume {path}) or name another."
            )
        run = RunFolder(path, config)
        run.save_config(config)
        with _disk(path):
            for name, columns in (("curves.csv", CURVES), ("evaluations.csv", EVALUATIONS)):
                (path / name).write_text(",".join(columns) + "\n", encoding="utf-8")
        return run

    @staticmethod
    def open(path: Path) -> "RunFolder":
        """A run that was begun.

        raises  TrainingError when this is none
        """
        try:
            config = json.loads((path / "config.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise TrainingError(f"{path} holds no training: it has no config.json.") from None
        except (OSError, ValueError) as error:
            raise TrainingError(f"{path / 'config.json'} cannot be read: {error}.") from error
        return RunFolder(path, config)

    def save_config(self, config: Mapping[str, Any]) -> None:
        self.config = config
        with _disk(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            _replace(self.path / "config.json", json.dumps(config, indent=2, ensure_ascii=False) + "\n")

    def add_row(self, name: str, row: Mapping[str, Any]) -> None:
        """Appends to a CSV file, and to TensorBoard's; the values stand in the order of the columns."""
        line = ",".join(_number(value) for value in row.values()) + "\n"
        with _disk(self.path):
            with (self.path / name).open("a", encoding="utf-8") as file:
                file.write(line)
            if self._events is None:
                self._events = EventsFile(self.path / "tensorboard")
            self._events.add(
                row["step"], {f"{Path(name).stem}/{key}": row[key] for key in row if key != "step"}
            )

    def tell(self, event: str, facts: Mapping[str, Any], *, always: bool = True) -> None:
        """Appends to progress.jsonl; what is not `always` to be told, at most once a second."""
        now = time.monotonic()
        if not always and now - self._told < 1:
            return
        self._told = now
        line = json.dumps({"event": event, "time": round(time.time(), 3), **facts}, ensure_ascii=False)
        with _disk(self.path), (self.path / "progress.jsonl").open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def add_sheet(self, step: int, picture: bytes) -> None:
        """Keeps the JPEG of what was found after a step."""
        with _disk(self.path):
            (self.path / "predictions").mkdir(exist_ok=True)
            (self.path / "predictions" / f"step-{step:06d}.jpg").write_bytes(picture)

    def rows(self, name: str) -> list[dict[str, float]]:
        """What a CSV file holds; a last line that was not finished is left out."""
        rows = csv.DictReader(self._whole_lines(name))
        return [{key: float(value) for key, value in row.items()} for row in rows]

    def _whole_lines(self, name: str) -> list[str]:
        text = (self.path / name).read_text(encoding="utf-8")
        return text[: text.rfind("\n") + 1].splitlines()

    def take_off_after(self, step: int) -> None:
        """Removes the rows of steps beyond this one: they are about to be made again."""
        for name in ("curves.csv", "evaluations.csv"):
            header, *lines = self._whole_lines(name)
            kept = [line for line in lines if int(line.split(",")[0]) <= step]
            with _disk(self.path):
                _replace(self.path / name, "\n".join([header, *kept]) + "\n")

    def save_checkpoint(self, name: str, arrays: Arrays, facts: Mapping[str, Any]) -> None:
        """Writes a checkpoint beside the old one and puts it in its place when it is whole.

        raises  TrainingError when the disk refuses; the old one is still there
        """
        place = self.path / "checkpoints" / f"{name}.h5"
        part = place.with_suffix(".part")
        with _disk(self.path):
            place.parent.mkdir(exist_ok=True)
            try:
                with part.open("wb") as file:
                    file.write(_as_hdf5(arrays, facts))
                    file.flush()
                    os.fsync(file.fileno())
                part.replace(place)
            finally:
                part.unlink(missing_ok=True)

    def read_checkpoint(self, name: str) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """The arrays and facts of a checkpoint.

        raises  TrainingError when there is none that can be read
        """
        place = self.path / "checkpoints" / f"{name}.h5"
        arrays: dict[str, NDArray[Any]] = {}

        def collect(key: str, item: object) -> None:
            if isinstance(item, h5py.Dataset):
                arrays[key] = np.asarray(item)

        try:
            with h5py.File(place, "r") as file:
                file.visititems(collect)
                return arrays, json.loads(file.attrs["facts"])
        except FileNotFoundError:
            raise TrainingError(
                f"{self.path} has no checkpoint '{name}': it ended before the first was written."
            ) from None
        except (OSError, KeyError, ValueError) as error:
            raise TrainingError(f"The checkpoint {place} cannot be read: {error}.") from error

    def has_checkpoint(self, name: str) -> bool:
        return (self.path / "checkpoints" / f"{name}.h5").exists()


def next_run_folder(parent: Path, name: str) -> Path:
    """`parent/name-1`, or the next number that is free."""
    number = 1
    while (parent / f"{name}-{number}").exists():
        number += 1
    return parent / f"{name}-{number}"


class _disk:  # noqa: N801 - reads as a with statement should
    """Turns what a disk refuses into a sentence."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if not isinstance(error, OSError):
            return
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise TrainingError(
                f"The disk is full: {self._path} keeps its last checkpoint; make room and go on with "
                f"--resume {self._path}."
            ) from error
        raise TrainingError(f"{self._path} cannot be written to: {error}.") from error


def _as_hdf5(arrays: Arrays, facts: Mapping[str, Any]) -> bytes:
    """In memory first: HDF5 has many words for a full disk, a plain file has one."""
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        for key, array in arrays.items():
            file.create_dataset(key, data=array)
        file.attrs["facts"] = json.dumps(facts)
    return content.getvalue()


def _replace(path: Path, text: str) -> None:
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def _number(value: Any) -> str:
    """Every digit of a float: what is read back is what was meant."""
    return repr(float(value)) if isinstance(value, float) else str(value)
