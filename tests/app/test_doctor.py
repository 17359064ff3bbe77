"""The doctor looks at real things, of this computer and of broken ones."""

import json
import stat
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import main
from app.doctor import Finding, Rank, checks

LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the window is tried on Linux only")


def problems(check: Callable[[], Iterator[Finding]]) -> list[Finding]:
    return [finding for finding in check() if finding.rank is Rank.PROBLEM]


@LINUX
def test_a_qt_that_aborts_is_a_finding_not_an_end(monkeypatch):
    monkeypatch.setenv("QT_QPA_PLATFORM", "no-such-platform")
    (found,) = problems(checks._window)
    assert "no-such-platform" in found.sentence and found.remedy


@LINUX
def test_a_window_that_opens_is_good(monkeypatch):
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    (found,) = checks._window()
    assert (found.rank, "offscreen" in found.sentence) == (Rank.GOOD, True)


def test_two_wheels_of_opencv_over_each_other_are_told_with_the_way_out(tmp_path, monkeypatch):
    second = tmp_path / "opencv_python_headless-5.0.0.dist-info"
    second.mkdir()
    (second / "METADATA").write_text("Metadata-Version: 2.1\nName: opencv-python-headless\nVersion: 5.0.0\n")
    assert not problems(checks._opencv_wheels)
    monkeypatch.syspath_prepend(tmp_path)
    (found,) = problems(checks._opencv_wheels)
    assert "pip uninstall opencv-python opencv-python-headless" in found.remedy


def test_settings_that_others_may_read_and_a_folder_in_the_way_are_told(studio_home):
    settings = studio_home / "config" / "settings.json"
    settings.parent.mkdir(parents=True)
    settings.write_text("{}")
    settings.chmod(0o644)
    (found,) = problems(checks._folders)
    assert found.remedy == f"'chmod 600 {settings}'."


def test_a_damaged_model_is_told(studio_home):
    (studio_home / "models").mkdir(parents=True)
    (studio_home / "models" / "street.json").write_text("{")
    (found,) = problems(checks._models)
    assert "street.json cannot be read" in found.sentence


def test_a_check_that_fails_is_a_finding_too():
    def check() -> Iterator[Finding]:
        raise KeyError("rtsp://cam:hunter2@porch")
        yield

    (found,) = checks._looked_at("cameras", check)
    assert (found.subject, found.rank) == ("cameras", Rank.PROBLEM)
    assert "KeyError" in found.sentence and "hunter2" not in found.sentence


def test_everything_is_looked_at_and_bundled_without_passwords_for_its_owner_alone(
    studio_home, tmp_path, capsys
):
    for folder, name, text in (
        ("config", "settings.json", '{"recent_sources": ["rtsp://cam:hunter2@porch/live"]}'),
        ("logs", "ssd-studio.log", f"opened rtsp://cam:hunter2@porch/live from {Path.home()}/videos\n"),
        ("logs", "crashes.txt", ""),
    ):
        (studio_home / folder).mkdir(parents=True, exist_ok=True)
        (studio_home / folder / name).write_text(text)
        (studio_home / folder / name).chmod(0o600)
    bundle = tmp_path / "report.zip"
    assert main.main(["doctor", "--json", "--bundle", str(bundle)]) in (0, 1)

    found = json.loads(capsys.readouterr().out)
    subjects = {finding["subject"] for finding in found}
    assert subjects >= {"program", "window", "recording", "cameras", "GPU", "OpenVINO", "disk", "folders"}
    assert not [finding for finding in found if "could not be looked at" in finding["sentence"]]
    assert [finding["rank"] for finding in found if finding["subject"] == "recording"] == ["ok"]

    with zipfile.ZipFile(bundle) as report:
        texts = {name: report.read(name).decode() for name in report.namelist()}
    assert sorted(texts) == ["doctor.txt", "settings.json", "ssd-studio.log"]
    assert "rtsp://***@porch/live" in texts["settings.json"] and "hunter2" not in str(texts)
    assert f"{Path.home()}/videos" not in texts["ssd-studio.log"] and "~/videos" in texts["ssd-studio.log"]
    assert "OpenVINO" in texts["doctor.txt"]
    assert stat.S_IMODE(bundle.stat().st_mode) == 0o600


def test_a_bundle_that_is_there_is_not_replaced_unasked(tmp_path, capsys):
    (tmp_path / "report.zip").touch()
    assert main.main(["doctor", "--bundle", str(tmp_path / "report.zip")]) == 2
    assert "--force" in capsys.readouterr().err
