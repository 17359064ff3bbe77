"""Options of `train` that cannot be meant: one sentence, before anything is read or written."""

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


def test_help_tells_the_rates_and_epochs_that_are_used(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main.main(["train", "--help"])
    told = " ".join(capsys.readouterr().out.split())
    with_model, anew = read_recipe("fine-tune"), Recipe()
    assert f"{with_model.rate:g} of fine-tune, else {anew.rate:g}" in told
    assert f"it starts from a model, {with_model.epochs:g} epochs; else {anew.epochs:g} epochs" in told
