"""What `train` does with its options."""

import argparse
import json
import signal
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2

from app.commands.options import read_pair
from app.commands.stopping import stopped_by
from app.greetings import without_greetings
from detector.errors import ModelError, OptionError
from detector.model_store import list_models

_SIGNALS = (signal.SIGINT, signal.SIGTERM)

# Options of a training that has begun.
_SETTLED = (
    *("name", "classes", "columns", "train_split", "val_split", "start_from", "alias", "keep_folded"),
    *("backbone_weights", "architecture", "option", "size", "anchors", "scores", "recipe", "set", "run"),
    *("batch", "augmentation", "difficult", "seed"),
)

if TYPE_CHECKING:
    from detector.anchors import AnchorLayout
    from trainer.plan import Plan


def train(options: argparse.Namespace) -> int:
    with without_greetings():
        from app.commands.train_report import Report
        from trainer.training import begin, go_on

    cv2.setNumThreads(1)  # the loader has threads of its own; more only take them from the network
    with Report(quiet=options.quiet) as report, stopped_by(_SIGNALS, report.stop) as signals:
        if options.resume:
            _refuse_what_is_settled(options)
            data = str(Path(options.data).resolve()) if options.data else None
            training = go_on(
                options.resume,
                attendant=report,
                more_epochs=options.epochs,
                more_minutes=options.minutes,
                rate=options.rate,
                data=data,
                workers=options.workers,
                force=options.force,
            )
        else:
            plan = _plan(options)
            path = _run_folder(options, plan.name)
            training = begin(plan, path, attendant=report, workers=options.workers, force=options.force)
        report.say(f"Everything about this training is in {training.folder.path}.")
        reason = training.run()
        model = training.model()
    if reason == "patience":
        print("Ended early: no evaluation was better for a while.", file=sys.stderr)
    if reason == "stopped":
        print(f"Stopped; 'train --resume {training.folder.path}' goes on.", file=sys.stderr)
    if model is not None:
        print(f"Made the model '{model.name}': validation mAP {model.card.measured['voc_area_map']:.4f}.")
    return 128 + signals[0] if reason == "stopped" else 0


def _refuse_what_is_settled(options: argparse.Namespace) -> None:
    """A run that goes on is the one that was begun.

    raises  OptionError for an option that would make it another
    """
    values = {name: getattr(options, name) for name in _SETTLED}
    if settled := [name for name, value in values.items() if value not in (None, []) and value is not False]:
        names = ", ".join(f"--{name.removeprefix('start_').replace('_', '-')}" for name in settled)
        raise OptionError(
            f"{options.resume} goes on as it was begun: {names} cannot be changed any more. "
            "Leave that out, or begin a new training."
        )
    if options.epochs is not None and options.minutes is not None:
        raise OptionError("Give --epochs or --minutes to add to a training, not both.")


def _plan(options: argparse.Namespace) -> "Plan":
    from trainer.plan import Plan
    from trainer.recipe import Recipe, read_recipe

    if not options.data:
        raise OptionError("Say what to learn from: --data FOLDER, or --resume RUN to go on with a training.")
    folder = Path(options.data).resolve()
    start_from = _start_from(options)
    named = options.recipe or ("fine-tune" if start_from else None)
    recipe = read_recipe(named) if named else Recipe()
    return Plan(
        data=str(folder),
        name=options.name or folder.name,
        recipe=recipe.with_values(_changes(options)),
        train_split=options.train_split,
        val_split=options.val_split,
        classes=options.classes,
        columns=options.columns,
        architecture=options.architecture or "ssd300-mobilenet-v1",
        options=_values(options.option, "--option"),
        input_size=options.size,
        scores=options.scores,
        start_from=start_from,
        unfold=not options.keep_folded,
        backbone_weights=options.backbone_weights,
        aliases=tuple(read_pair(text, option="--alias") for text in options.alias),
        minutes=options.minutes,
        anchors=_anchors(options.anchors) if options.anchors else None,
    )


def _anchors(path: Path) -> "AnchorLayout":
    from detector.anchors import AnchorLayout

    try:
        return AnchorLayout.from_json(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, ModelError) as error:
        raise OptionError(
            f"--anchors {path} cannot be used; 'dataset check --anchors' writes such a file."
        ) from error


def _start_from(options: argparse.Namespace) -> str | None:
    """The model to start from: the one that was named; without any word about the network, one that ships."""
    about_network = (options.architecture, options.backbone_weights, options.option)
    if options.start_from or any(about_network):
        return str(options.start_from) if options.start_from else None
    return next((model.name for model in list_models() if model.ships), None)


def _run_folder(options: argparse.Namespace, name: str) -> Path:
    from trainer.run_folder import next_run_folder

    chosen: Path | None = options.run
    return chosen or next_run_folder(Path("runs"), name)


def _changes(options: argparse.Namespace) -> dict[str, Any]:
    """What is to be changed in the recipe."""
    named = {
        name: getattr(options, name)
        for name in ("epochs", "batch", "rate", "seed", "difficult", "augmentation")
    }
    return {name: value for name, value in named.items() if value is not None} | _values(options.set, "--set")


def _values(texts: list[str], option: str) -> dict[str, Any]:
    """NAME=VALUE as TOML has it; a word without quotes is a text."""
    values: dict[str, Any] = {}
    for text in texts:
        name, value = read_pair(text, option=option)
        try:
            values[name] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            values[name] = value
    return values
