"""The run folder: whole rows, whole checkpoints, whatever happens between."""

import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from detector.errors import TrainingError
from trainer.run_folder import RunFolder, next_run_folder

_ROW = {
    "step": 0,
    "epoch": 0.0,
    "progress": 0.0,
    "seconds": 1.5,
    "rate": 0.1,
    "loss": 1 / 3,
    "classes": 1.0,
    "places": 2.0,
}


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return RunFolder.create(tmp_path / "run", {"plan": {"name": "x"}})


def test_a_number_comes_back_to_the_last_digit(run: RunFolder) -> None:
    run.add_row("curves.csv", _ROW)
    assert run.rows("curves.csv") == [_ROW]


def test_a_row_that_was_not_finished_is_not_read(run: RunFolder) -> None:
    run.add_row("curves.csv", _ROW)
    with (run.path / "curves.csv").open("a") as file:
        file.write("1,0.5,0.3")
    assert len(run.rows("curves.csv")) == 1


def test_rows_beyond_the_checkpoint_are_taken_off(run: RunFolder) -> None:
    for step in range(6):
        run.add_row("curves.csv", {**_ROW, "step": step})
    run.take_off_after(3)
    assert [row["step"] for row in run.rows("curves.csv")] == [0, 1, 2, 3]
    run.add_row("curves.csv", {**_ROW, "step": 4})
    assert len(run.rows("curves.csv")) == 5


def test_a_checkpoint_comes_back_as_it_was(run: RunFolder) -> None:
    arrays = {"weights/a/kernel": np.arange(6, dtype=np.float32).reshape(2, 3), "step": np.int32(7)}
    run.save_checkpoint("last", arrays, {"seconds": 1 / 3, "best": None})
    read, facts = RunFolder.open(run.path).read_checkpoint("last")
    assert facts == {"seconds": 1 / 3, "best": None}
    assert set(read) == set(arrays)
    assert np.array_equal(read["weights/a/kernel"], arrays["weights/a/kernel"])
    assert read["step"].shape == ()


def test_a_run_is_never_begun_over_another(run: RunFolder) -> None:
    with pytest.raises(TrainingError, match="holds a training already"):
        RunFolder.create(run.path, {})


def test_what_is_no_run_is_said_to_be_none(tmp_path: Path, run: RunFolder) -> None:
    with pytest.raises(TrainingError, match=r"no config\.json"):
        RunFolder.open(tmp_path / "nothing")
    with pytest.raises(TrainingError, match="no checkpoint 'last'"):
        run.read_checkpoint("last")


def test_progress_is_told_once_a_second_and_events_always(run: RunFolder) -> None:
    for step in range(50):
        run.tell("step", {"step": step}, always=False)
    for step in range(3):
        run.tell("evaluation", {"step": step})
    events = [json.loads(line) for line in (run.path / "progress.jsonl").read_text().splitlines()]
    assert [event["event"] for event in events] == ["step"] + ["evaluation"] * 3


def test_the_next_folder_is_the_first_free_number(tmp_path: Path) -> None:
    for name in ("cells-1", "cells-2"):
        (tmp_path / name).mkdir()
    assert next_run_folder(tmp_path, "cells").name == "cells-3"


_FILL_THE_DISK = """
import numpy as np, sys
from pathlib import Path
from detector.errors import TrainingError
from trainer.run_folder import RunFolder
run = RunFolder.open(Path(sys.argv[1]))
try:
    run.save_checkpoint("last", {"big": np.zeros(1 << 20)}, {})
except TrainingError as error:
    print(error)
"""


def test_a_full_disk_is_said_in_a_sentence_and_the_last_checkpoint_stays(run: RunFolder) -> None:
    run.save_checkpoint("last", {"small": np.ones(3)}, {"step": 3})

    def small_files_only() -> None:  # the nearest to a full disk that needs no rights
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))

    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", _FILL_THE_DISK, str(run.path)],
        preexec_fn=small_files_only,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.startswith("The disk is full")
    assert "--resume" in done.stdout
    arrays, facts = run.read_checkpoint("last")
    assert facts == {"step": 3}
    assert arrays["small"].tolist() == [1, 1, 1]
    assert not list((run.path / "checkpoints").glob("*.part"))
