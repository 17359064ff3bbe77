"""The command line as a person meets it: every command runs in a process of its own."""

import argparse
import importlib
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from main import COMMANDS

_ROOT = Path(__file__).resolve().parents[1]
_EXAMPLES = [
    (name, re.split(r" {2,}| \| ", example)[0])
    for name in COMMANDS
    for example in re.findall(
        rf"^ .*python main\.py {name}\b(.*)$",
        importlib.import_module(f"app.commands.{name}").__doc__,
        re.MULTILINE,
    )
]
_ACTS = {"annotate": "annotate_run.annotate", "detect": "detect_run.detect", "record": "record_run.record"}


def studio(
    *arguments: str, python: tuple[str, ...] = (), **variables: str
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *python, "main.py", *arguments]
    return subprocess.run(
        command, cwd=_ROOT, env=os.environ | variables, capture_output=True, text=True, timeout=60
    )


def test_help_lists_every_command_with_a_line_each():
    said = studio("--help")
    assert said.returncode == 0
    for name, summary in COMMANDS.items():
        assert any(name in line and summary in line for line in said.stdout.splitlines())


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_shows_an_example_and_loads_nothing_heavy(name):
    said = studio(name, "--help", python=("-X", "importtime"))
    assert said.returncode == 0, said.stderr
    assert f"python main.py {name}" in said.stdout.partition("options:")[0].partition("\n\n")[2]
    loaded = {line.rpartition("|")[2].strip() for line in said.stderr.splitlines()}
    assert not loaded & {"tensorflow", "keras", "openvino", "jax", "cv2", "PyQt5", "av", "supervision"}


@pytest.mark.parametrize(("name", "example"), _EXAMPLES)
def test_an_example_in_the_help_of_a_command_can_be_read_by_it(name, example, monkeypatch):
    command = importlib.import_module(f"app.commands.{name}")
    parser = argparse.ArgumentParser(allow_abbrev=False)
    command.add_arguments(parser)
    options = parser.parse_args(shlex.split(example))
    if name in _ACTS:  # the amounts in it are read later, before anything is done
        monkeypatch.setattr(f"app.commands.{_ACTS[name]}", lambda options: 0)
        assert command.run(options) == 0


def test_a_wrong_option_is_a_usage_error_without_a_traceback():
    said = studio("detect", "--no-such-option")
    assert said.returncode == 2
    assert "Traceback" not in said.stderr


def test_a_missing_file_is_one_sentence_and_exit_code_1():
    said = studio("detect", "no-such-video.mp4")
    assert said.returncode == 1
    assert said.stderr.startswith("error: ")
    assert len(said.stderr.strip().splitlines()) == 1


def test_a_misspelt_log_level_is_one_sentence():
    said = studio("models", "list", SSD_STUDIO_LOG="verbose")
    assert said.returncode == 2
    assert said.stderr.startswith("error: SSD_STUDIO_LOG") and "DEBUG" in said.stderr
    assert len(said.stderr.strip().splitlines()) == 1
