"""Whole trainings, small: from a folder of pictures to a model, interrupted in every way."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from detector.errors import ModelError, OptionError, TrainingError
from detector.model_store import find_model, read_model, read_weights, save_model
from detector.networks.catalog import build_network
from detector.networks.weights import weights_of
from tests.trainer.shapes import shapes_folder
from trainer.fitting import Standing
from trainer.plan import Plan
from trainer.recipe import Recipe
from trainer.run_folder import RunFolder
from trainer.training import Training, begin, go_on

_ROOT = Path(__file__).resolve().parents[2]


class _Heard:
    """Everything a training says."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.sentences: list[str] = []
        self.standings: list[Standing] = []
        self.evaluations: list[Mapping[str, float]] = []
        self._stop_after = stop_after

    def say(self, sentence: str) -> None:
        self.sentences.append(sentence)

    def stepped(self, standing: Standing) -> None:
        self.standings.append(standing)

    def evaluated(self, epoch: float, figures: Mapping[str, float], is_best: bool) -> None:
        self.evaluations.append(figures)

    def wants_to_stop(self) -> bool:
        return self._stop_after is not None and len(self.standings) >= self._stop_after


def _plan(folder: Path, **changes: Any) -> Plan:
    recipe = {
        "batch": 4,
        "epochs": 3.0,
        "evaluations": 3,
        "rate": 0.01,
        "warm_up_steps": 2,
        "averaging": 0.9,
        "precision": "float32",
    }
    recipe |= changes.pop("recipe", {})
    settings = {"input_size": (96, 96), "options": {"width": 0.25}, **changes}
    return Plan(data=str(folder), name="shapes", recipe=Recipe(**recipe), **settings)


def _begin(plan: Plan, path: Path, heard: _Heard) -> Training:
    return begin(plan, path, attendant=heard)


def _go_on(path: Path, heard: _Heard, **changes: Any) -> Training:
    return go_on(path, attendant=heard, **changes)


def _curve(path: Path) -> list[tuple[float, ...]]:
    return [(row["step"], row["loss"], row["rate"]) for row in RunFolder.open(path).rows("curves.csv")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shapes_folder(tmp_path_factory.mktemp("shapes"))


@pytest.fixture(scope="module")
def whole(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, _Heard, Training]:
    """A training that nothing interrupted: 12 steps."""
    home = tmp_path_factory.mktemp("whole")
    path, heard = home / "run", _Heard()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSD_STUDIO_HOME", str(home))
        training = _begin(_plan(folder), path, heard)
        assert training.run() == "finished"
        assert training.model() is not None
    return path, heard, training


def test_a_run_folder_tells_the_whole_story(whole: tuple[Path, _Heard, Training]) -> None:
    path, heard, _ = whole
    curve = RunFolder.open(path).rows("curves.csv")
    assert [row["step"] for row in curve] == list(range(12))
    assert curve[-1]["epoch"] == pytest.approx(11 / 4)
    assert all(row["loss"] == pytest.approx(row["classes"] + row["places"], rel=1e-5) for row in curve)
    evaluations = RunFolder.open(path).rows("evaluations.csv")
    assert [row["step"] for row in evaluations] == [3, 7, 11]
    assert evaluations[0]["best"] == 1
    assert len(heard.evaluations) == 3
    assert heard.sentences[0].startswith("16 pictures to learn from, 4 of 'val' to choose by")
    events = [json.loads(line)["event"] for line in (path / "progress.jsonl").read_text().splitlines()]
    assert events.count("evaluation") == 3
    assert (events[0], events[-1]) == ("begun", "finished")
    assert [sheet.name for sheet in sorted((path / "predictions").iterdir())] == [
        f"step-{step:06d}.jpg" for step in (3, 7, 11)
    ]
    assert cv2.imread(str(path / "predictions" / "step-000011.jpg")) is not None
    assert list((path / "tensorboard").glob("events*"))


def test_the_model_is_the_best_weights_with_what_was_measured(whole: tuple[Path, _Heard, Training]) -> None:
    path, heard, _ = whole
    model = read_model(path / "shapes.json")
    best = max(figures["voc_area_map"] for figures in heard.evaluations)
    assert model.card.measured["voc_area_map"] == best
    assert model.card.classes == ("disc", "square")
    assert set(read_weights(model)) == set(weights_of(build_network(model.card)))


def test_an_interrupted_training_goes_on_as_if_nothing_had_happened(
    folder: Path, tmp_path: Path, whole: tuple[Path, _Heard, Training]
) -> None:
    path = tmp_path / "run"
    assert _begin(_plan(folder), path, _Heard(stop_after=5)).run() == "stopped"
    assert len(_curve(path)) < 12
    heard = _Heard()
    training = _go_on(path, heard)
    assert "goes on after" in heard.sentences[-1]
    assert training.run() == "finished"
    np.testing.assert_allclose(_curve(path), _curve(whole[0]), rtol=1e-5)
    ours, theirs = (each.read_checkpoint("last")[0] for each in (training.folder, whole[2].folder))
    for name, array in theirs.items():
        np.testing.assert_allclose(ours[name], array, rtol=1e-4, atol=1e-5, err_msg=name)


def test_epochs_can_be_added_to_a_finished_run(
    folder: Path, tmp_path: Path, whole: tuple[Path, _Heard, Training]
) -> None:
    path = tmp_path / "run"
    _begin(_plan(folder, recipe={"epochs": 1.0, "evaluations": 2}), path, _Heard()).run()
    assert len(_curve(path)) == 4
    heard = _Heard()
    _go_on(path, heard)
    assert heard.sentences[-1].endswith("is finished; --epochs or --minutes adds to it.")
    training = _go_on(path, _Heard(), more_epochs=1.0)
    assert training.run() == "finished"
    assert [step for step, *_ in _curve(path)] == list(range(8))
    assert len(RunFolder.open(path).rows("evaluations.csv")) == 3


def test_epochs_can_be_added_to_what_was_given_minutes_and_minutes_to_what_was_given_epochs(
    folder: Path, tmp_path: Path
) -> None:
    path = tmp_path / "run"
    _begin(_plan(folder, minutes=0.02, recipe={"evaluations": 1}), path, _Heard()).run()
    steps = len(_curve(path))
    assert _go_on(path, _Heard(), more_epochs=2.0).run() == "finished"
    assert len(_curve(path)) == steps + 8
    seconds = RunFolder.open(path).rows("curves.csv")[-1]["seconds"]
    training = _go_on(path, _Heard(), more_minutes=0.05)
    assert training.run() == "finished"
    assert RunFolder.open(path).rows("curves.csv")[-1]["seconds"] > seconds + 1


def test_a_model_that_took_the_name_meanwhile_is_not_replaced(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "run"
    training = _begin(_plan(folder, recipe={"epochs": 1.0}), path, _Heard())
    training.run()
    ours = training.model()
    assert ours is not None
    _go_on(path, _Heard())
    weights = {name: array + 1 for name, array in read_weights(ours).items()}
    theirs = save_model(ours.card, weights, force=True)
    with pytest.raises(TrainingError, match="There is another model 'shapes' by now"):
        _go_on(path, _Heard())
    assert find_model("shapes").card.weights_sha256 == theirs.card.weights_sha256
    _go_on(path, _Heard(), force=True)


def test_other_pictures_are_not_gone_on_with(tmp_path: Path) -> None:
    folder = shapes_folder(tmp_path / "shapes", train=8, val=2)
    path = tmp_path / "run"
    _begin(_plan(folder, recipe={"epochs": 1.0}), path, _Heard(stop_after=1)).run()
    shapes_folder(tmp_path / "shapes", train=8, val=2, seed=1)
    with pytest.raises(TrainingError, match="are not those"):
        _go_on(path, _Heard())


def test_a_loss_that_is_no_number_stops_with_the_pictures_names_and_a_whole_checkpoint(
    folder: Path, tmp_path: Path
) -> None:
    path = tmp_path / "run"
    training = _begin(
        _plan(folder, recipe={"rate": 1e30, "clip_norm": 0.0, "warm_up_steps": 0}), path, _Heard()
    )
    with pytest.raises(TrainingError, match=r"is no number, with the pictures shape0\d\d\.jpg"):
        training.run()
    arrays, _ = training.folder.read_checkpoint("last")
    assert all(np.isfinite(array).all() for array in arrays.values())


def test_patience_ends_a_training_that_gets_no_better(folder: Path, tmp_path: Path) -> None:
    recipe = {"rate": 1e-12, "freeze_statistics": True, "evaluations": 12, "patience": 2}
    training = _begin(_plan(folder, recipe=recipe), tmp_path / "run", _Heard())
    assert training.run() == "patience"
    assert len(RunFolder.open(tmp_path / "run").rows("evaluations.csv")) == 3


def test_a_time_budget_is_kept(folder: Path, tmp_path: Path) -> None:
    heard = _Heard()
    training = _begin(_plan(folder, minutes=0.2), tmp_path / "run", heard)
    assert training.run() == "finished"
    row = RunFolder.open(tmp_path / "run").rows("evaluations.csv")[-1]
    assert 8 < row["seconds"] < 30  # 12 s, on a computer that may be busy
    assert heard.standings[-1].rate < 0.01  # the schedule came to its end
    assert training.model() is not None


def test_starting_from_a_model_and_being_taught_by_it(
    folder: Path, tmp_path: Path, whole: tuple[Path, _Heard, Training]
) -> None:
    source = str(whole[0] / "shapes.json")
    changes = {"start_from": source, "options": {}, "input_size": None}
    taught = {"epochs": 1.0, "teacher": source, "mosaic": 0.5, "mixup": 0.25, "backbone_rests": 0.5}
    heard = _Heard()
    training = _begin(_plan(folder, **changes, recipe=taught), tmp_path / "run", heard)
    assert training.run() == "finished"
    assert any("disc, square" in sentence for sentence in heard.sentences)


def test_a_name_that_is_taken_is_said_before_the_work_begins(
    folder: Path, tmp_path: Path, whole: Any
) -> None:
    whole[2].model()
    with pytest.raises(ModelError, match="'shapes'"):
        _begin(_plan(folder), tmp_path / "run", _Heard())


def test_a_teacher_that_lacks_a_class_is_refused(folder: Path, tmp_path: Path, whole: Any) -> None:
    plan = _plan(folder, classes="disc=ball", recipe={"teacher": str(whole[0] / "shapes.json")})
    with pytest.raises(OptionError, match="does not know 'ball'"):
        _begin(plan, tmp_path / "run", _Heard())


def test_a_teacher_without_a_say_need_not_be_there(folder: Path, tmp_path: Path) -> None:
    plan = _plan(folder, recipe={"teacher": "nobody", "teacher_weight": 0.0})
    training = _begin(plan, tmp_path / "run", _Heard(stop_after=1))
    assert training.run() == "stopped"


def _command(folder: Path, run: Path) -> list[str]:
    recipe = ["batch=4", "evaluations=3", "warm_up_steps=2", "averaging=0.9", "precision=float32"]
    settings = [part for value in recipe for part in ("--set", value)]
    plan = ["--data", str(folder), "--name", "shapes", "--size", "96x96", "--option", "width=0.25"]
    return [sys.executable, "main.py", "train", *plan, "--epochs", "3", *settings, "--run", str(run)]


def _wait_for(condition: Any, process: subprocess.Popen[str], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _evaluations(run: Path) -> int:
    path = run / "evaluations.csv"
    return len(path.read_text().splitlines()) - 1 if path.exists() else 0


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGINT])
def test_the_command_survives_being_killed_and_ctrl_c(
    folder: Path, tmp_path: Path, whole: tuple[Path, _Heard, Training], blow: signal.Signals
) -> None:
    run = tmp_path / "run"
    streams: dict[str, Any] = {
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
        "text": True,
        "cwd": _ROOT,
    }
    with subprocess.Popen(_command(folder, run), **streams) as process:
        _wait_for(lambda: _evaluations(run) >= 1, process)
        process.send_signal(blow)
        out, err = process.communicate(timeout=60)
    if blow == signal.SIGINT and process.returncode != 0:  # unless it had just finished
        assert process.returncode == 130
        assert out.startswith("Made the model 'shapes': validation mAP")
        assert "Traceback" not in err
    done = subprocess.run(
        [sys.executable, "main.py", "train", "--resume", str(run)], **streams, timeout=100, env=os.environ
    )
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose(_curve(run), _curve(whole[0]), rtol=1e-5)
    assert find_model("shapes").card == read_model(run / "shapes.json").card


def test_jax_goes_on_with_what_tensorflow_began_and_measures_it(
    folder: Path, tmp_path: Path, whole: tuple[Path, _Heard, Training]
) -> None:
    path = tmp_path / "run"
    assert _begin(_plan(folder), path, _Heard(stop_after=5)).run() == "stopped"
    done = subprocess.run(
        [sys.executable, "main.py", "train", "--resume", str(path)],
        env={**os.environ, "KERAS_BACKEND": "jax"},
        cwd=_ROOT,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose(_curve(path), _curve(whole[0]), rtol=1e-2)
    assert len(RunFolder.open(path).rows("evaluations.csv")) == 3


@pytest.mark.parametrize(
    ("words", "named"),
    [(["--seed", "0"], "--seed"), (["--from", "x", "--keep-folded"], "--from, --keep-folded")],
)
def test_what_is_settled_cannot_be_asked_for_when_a_training_goes_on(
    whole: tuple[Path, _Heard, Training], words: list[str], named: str
) -> None:
    command = [sys.executable, "main.py", "train", "--resume", str(whole[0]), *words]
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert f"{named} cannot be changed any more" in done.stderr


def test_a_training_that_fails_says_so_to_whoever_follows_it(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "run"
    training = _begin(_plan(folder, recipe={"evaluations": 1, "epochs": 1.0}), path, _Heard())
    (path / "predictions").write_text("no folder")
    with pytest.raises(TrainingError, match="cannot be written to"):
        training.run()
    last = json.loads((path / "progress.jsonl").read_text().splitlines()[-1])
    assert last["event"] == "failed"
    assert "cannot be written to" in last["sentence"]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_sixteen_photographs_are_learnt_by_heart_in_five_minutes(shared: Path, tmp_path: Path) -> None:
    whole, folder = shared / "data" / "voc2007", tmp_path / "sixteen"
    names = (whole / "ImageSets" / "Main" / "train.txt").read_text().split()[:16]
    for kind, suffix in (("JPEGImages", ".jpg"), ("Annotations", ".xml")):
        (folder / kind).mkdir(parents=True)
        for name in names:
            shutil.copy(whole / kind / f"{name}{suffix}", folder / kind)
    (folder / "ImageSets" / "Main").mkdir(parents=True)
    for split in ("train", "val"):  # measured on the pictures it learns
        (folder / "ImageSets" / "Main" / f"{split}.txt").write_text("\n".join(names))
    recipe = Recipe(augmentation="none", rate=0.02, averaging=0.98, evaluations=4)
    backbone = shared / "models" / "mobilenet_v1_1.0_224_quant_embedding_extractor.tflite"
    plan = Plan(data=str(folder), name="sixteen", recipe=recipe, minutes=4.8, backbone_weights=str(backbone))
    heard = _Heard()
    _begin(plan, tmp_path / "run", heard).run()
    best = max(figures["voc_area_map"] for figures in heard.evaluations)
    print(f"\narea mAP at IoU 0.5 of the sixteen: {best:.4f}")
    assert best >= 0.99
