"""What `train` does with its options."""

import argparse
import os
import signal
import sys
import tomllib
from functools import partial
from pathlib import Path
from typing import Any

import cv2

from app.commands.options import read_pair
from app.commands.stopping import stopped_by
from detector.errors import OptionError


def train(options: argparse.Namespace) -> int:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow greets every process with its build flags
    from app.commands.train_report import Report
    from trainer.training import begin, go_on

    cv2.setNumThreads(1)  # the loader has threads of its own; more only take them from the network
    with stopped_by((signal.SIGINT,), lambda: None) as signals, Report(quiet=options.quiet) as report:
        stop = partial(bool, signals)  # asked after each step
        if options.resume:
            changes = _values(options.set, "--set") | _epochs(options)
            training = go_on(options.resume, listener=report, say=report.say, stop=stop, changes=changes)
        else:
            plan, path = _plan(options)
            training = begin(plan, path, listener=report, say=report.say, stop=stop)
        report.say(f"Everything about this training is in {training.folder.path}.")
        reason = training.run()
        model = training.model()
    if reason == "patience":
        print("Ended early: no evaluation was better for a while.", file=sys.stderr)
    if model is None:
        print(f"Stopped before there was a model; --resume {training.folder.path} goes on.", file=sys.stderr)
        return 130
    print(f"{model.card_path}: validation mAP {model.card.measured['voc_area_map']:.4f}")
    return 130 if reason == "stopped" else 0


def _plan(options: argparse.Namespace) -> tuple[Any, Path]:
    from trainer.plan import Plan
    from trainer.recipe import Recipe, read_recipe
    from trainer.run_folder import next_run_folder

    if not options.data:
        raise OptionError("Say what to learn from: --data FOLDER, or --resume RUN to go on with a training.")
    recipe = read_recipe(options.recipe) if options.recipe else Recipe()
    recipe = recipe.with_values(_values(options.set, "--set") | _epochs(options))
    folder = Path(options.data).resolve()
    name = options.name or folder.name
    plan = Plan(
        data=str(folder),
        name=name,
        recipe=recipe,
        train_split=options.train_split,
        val_split=options.val_split,
        classes=options.classes,
        columns=options.columns,
        architecture=options.architecture,
        options=_values(options.option, "--option"),
        input_size=_size(options.size),
        scores=options.scores,
        start_from=options.start_from,
        unfold=not options.keep_folded,
        backbone_weights=options.backbone_weights,
        aliases=tuple(read_pair(text, option="--alias") for text in options.alias),
        minutes=options.minutes,
    )
    return plan, options.run or next_run_folder(Path("runs"), name)


def _epochs(options: argparse.Namespace) -> dict[str, Any]:
    return {} if options.epochs is None else {"epochs": options.epochs}


def _size(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    height, _, width = text.partition("x")
    if not (height.isdigit() and width.isdigit()):
        raise OptionError(f"--size '{text}' cannot be read; write height and width: 300x300.")
    return int(height), int(width)


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
