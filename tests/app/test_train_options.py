"""Options of `train` that cannot be meant: one sentence, before anything is read or written."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import main
from trainer.recipe import Recipe, read_recipe


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--architecture", "ssd7"], "--architecture"),
        (["--option", "width=0.25"], "--option"),
        (["--backbone-weights", "nosuch.h5"], "--backbone-weights"),
        (["--architecture", "ssd7", "--backbone-weights", "b.h5"], "--architecture and --backbone-weights"),
    ],
)
def test_a_model_to_start_from_and_another_network_are_one_too_many(
    words: list[str], named: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main(["train", "--data", str(tmp_path), "--from", "everyday", *words]) == 2
    assert f"so {named} cannot be followed" in capsys.readouterr().err


def test_a_model_that_is_not_there_cannot_keep_its_normalisation_folded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["train", "--data", str(tmp_path), "--keep-folded", "--architecture", "ssd7"]
    assert main.main(words) == 2
    assert "with --architecture there is none" in capsys.readouterr().err


def test_help_tells_the_rates_and_epochs_that_are_used(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main.main(["train", "--help"])
    told = " ".join(capsys.readouterr().out.split())
    with_model, anew = read_recipe("fine-tune"), Recipe()
    assert f"{with_model.rate:g} of fine-tune, else {anew.rate:g}" in told
    assert f"it starts from a model, {with_model.epochs:g} epochs; else {anew.epochs:g} epochs" in told


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (["--seed", "-1"], "'-1' is not a whole number of 0 or more"),
        (["--workers", "-1"], "'-1' is not a whole number of 1 or more"),
        (["--batch", "0"], "'0' is not a whole number of 1 or more"),
        (["--epochs", "nan"], "'nan' is not a number above 0"),
        (["--minutes", "-1"], "'-1' is not a number above 0"),
        (["--minutes", "nan"], "'nan' is not a number above 0"),
        (["--minutes", "inf"], "'inf' is not a number above 0"),
        (["--rate", "fast"], "'fast' is not a number above 0"),
    ],
)
def test_numbers_that_cannot_be_meant_are_wrong_use(
    words: list[str], answer: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main.main(["train", "--data", str(tmp_path), *words])
    assert end.value.code == 2
    assert answer in capsys.readouterr().err


@pytest.mark.parametrize(
    ("backend", "answer"),
    [("foo", "KERAS_BACKEND may be tensorflow or jax."), ("numpy", "KERAS_BACKEND=numpy cannot train")],
)
def test_a_backend_that_cannot_train_is_said_before_anything_is_read(backend: str, answer: str) -> None:
    ended = subprocess.run(
        [sys.executable, "main.py", "train", "--data", "nowhere"],
        env={**os.environ, "KERAS_BACKEND": backend},
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert ended.returncode == 1
    assert answer in ended.stderr and "nowhere" not in ended.stderr
    assert "defect" not in ended.stderr and "Traceback" not in ended.stderr
