"""Every part of the computer that the program leans on, tried rather than asked about."""

import importlib.metadata
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from app.doctor.findings import Finding, good, note, problem
from app.logs import crash_path
from app.redaction import redact
from app.settings import Settings
from detector.errors import StudioError
from detector.places import cache_folder, config_folder, log_folder, recordings_folder, user_model_folder

_ROOT = Path(__file__).resolve().parents[2]
_PATIENCE = 60.0  # seconds for a trial in a process of its own
_PACKAGES = ("PyQt5", "opencv-python", "av", "numpy", "openvino", "tensorflow", "keras", "jax")
_OPENCV_WHEELS = (
    "opencv-python",
    "opencv-python-headless",
    "opencv-contrib-python",
    "opencv-contrib-python-headless",
)


def examine() -> Iterator[Finding]:
    """All findings, as they come; a check that fails is a finding too."""
    checks: tuple[tuple[str, Callable[[], Iterator[Finding]]], ...] = (
        ("program", _program),
        ("window", _window),
        ("OpenCV", _opencv_wheels),
        ("codecs", _codecs),
        ("cameras", _cameras),
        ("GPU", _gpu),
        ("OpenVINO", _openvino),
        ("models", _models),
        ("disk", _disk),
        ("folders", _folders),
        ("crashes", _crashes),
    )
    for subject, check in checks:
        yield from _looked_at(subject, check)


def _looked_at(subject: str, check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    try:
        yield from check()
    except StudioError as error:
        yield problem(subject, str(error), "")
    except Exception as error:  # noqa: BLE001 - the other checks are still to come
        yield problem(subject, redact(f"could not be looked at ({type(error).__name__}: {error})."), "")


def _program() -> Iterator[Finding]:
    system = f"{platform.system()} {platform.release()}, {platform.machine()}"
    versions = {name: _version(name) for name in _PACKAGES}
    listed = ", ".join(f"{name} {version}" for name, version in versions.items() if version)
    yield good("program", f"Python {platform.python_version()} on {system}; {listed}.")


def _window() -> Iterator[Finding]:
    """In a process of its own, since Qt answers a lack of anything by aborting."""
    tried = _try("-m", "widgets.trial")
    said = (tried.stdout.strip() or tried.stderr.strip()).splitlines()
    if tried.returncode == 0:
        yield good("window", f"opens; Qt draws by '{said[-1]}'.")
    elif tried.returncode > 0 and said:
        yield note("window", said[-1])
    else:
        why = said[0] if said else f"signal {-tried.returncode}"
        yield problem("window", f"Qt gives up: {redact(why)}", "Unset the variables that begin with QT_.")


def _opencv_wheels() -> Iterator[Finding]:
    """All of them install to one folder `cv2`: two overwrite each other's files."""
    installed = [name for name in _OPENCV_WHEELS if _version(name)]
    if len(installed) > 1:
        remedy = f"'pip uninstall {' '.join(installed)}', then 'pip install -r requirements.txt'."
        yield problem("OpenCV", f"{' and '.join(installed)} are installed over each other.", remedy)
    elif installed and "headless" not in installed[0]:
        yield good("OpenCV", f"{installed[0]} has a Qt of its own, which is kept away from the window's.")


def _codecs() -> Iterator[Finding]:
    import av

    from app.recording.codecs import DEFAULT_CODEC, working_codecs

    names = [codec.name for codec in working_codecs()]
    if DEFAULT_CODEC in names:
        yield good("recording", f"works with {', '.join(names)}.")
    else:
        yield problem(
            "recording",
            f"H.264 cannot be written here; what works: {', '.join(names) or 'nothing'}.",
            "Install PyAV from PyPI ('pip install --force-reinstall av').",
        )
    wanted = ("h264", "hevc", "mjpeg", "mpeg4", "vp9", "av1")
    missing = [name for name in wanted if name not in av.codecs_available]
    if missing:
        yield problem("playing", f"FFmpeg here does not know {', '.join(missing)}.", "Reinstall PyAV.")
    else:
        yield good("playing", f"FFmpeg knows {', '.join(wanted)}.")


def _cameras() -> Iterator[Finding]:
    from app.sources import list_cameras

    found = list_cameras()
    for camera in found:
        yield good("cameras", f"{camera.name} ({camera.address}).")
    closed = [path for path in sorted(Path("/dev").glob("video*")) if not os.access(path, os.R_OK | os.W_OK)]
    if closed:
        names = ", ".join(map(str, closed))
        remedy = "'sudo usermod -aG video $USER', then log in again."
        yield problem("cameras", f"{names} may not be used by you.", remedy)
    if not found and not closed:
        yield note("cameras", "none is plugged in.")


def _gpu() -> Iterator[Finding]:
    from detector.engines.devices import cuda_devices, why_no_cuda

    devices = cuda_devices()
    for device in devices:
        yield good("GPU", f"{device.name}, compute capability {'.'.join(map(str, device.capability))}.")
    if not devices:
        yield note("GPU", why_no_cuda())


def _openvino() -> Iterator[Finding]:
    from detector.engines.openvino_library import the_core

    core = the_core()
    for device in core.available_devices:
        name = core.get_property(device, "FULL_DEVICE_NAME")
        abilities = core.get_property(device, "OPTIMIZATION_CAPABILITIES")
        yield good("OpenVINO", f"{device}: {name} ({', '.join(sorted(abilities))}).")
    if "CPU" not in core.available_devices:
        yield problem("OpenVINO", "does not see the processor.", "Reinstall it: 'pip install openvino'.")


def _models() -> Iterator[Finding]:
    from detector.model_store import list_models

    damaged: list[str] = []
    models = list_models(damaged.append)
    for sentence in damaged:
        yield problem("models", sentence, "")
    if models:
        yield good("models", f"{', '.join(model.name for model in models)}.")
    elif not damaged:
        yield note(
            "models", "there is none yet.", "'python main.py models import FILE --as NAME' brings one."
        )


def _disk() -> Iterator[Finding]:
    from app.recording.disk import DiskLimits, free_bytes, size_words

    limits = DiskLimits()
    recordings = Path(Settings.load().recording_folder or recordings_folder())
    for what, folder in (("recordings", recordings), ("converted models", cache_folder())):
        free = free_bytes(folder)
        if free is None:
            yield note("disk", f"nobody can tell how much is free for {what} in {folder}.")
        elif free < limits.refuse:
            yield problem("disk", f"{size_words(free)} are free for {what} in {folder}.", "Make room.")
        else:
            yield good("disk", f"{size_words(free)} are free for {what} in {folder}.")


def _folders() -> Iterator[Finding]:
    """Whether they can be written, and whether others can read what is private."""
    for folder in (config_folder(), user_model_folder(), cache_folder(), recordings_folder(), log_folder()):
        there = next(path for path in (folder, *folder.parents) if path.exists())
        if not os.access(there, os.W_OK | os.X_OK):
            remedy = "Give yourself the right, or name another folder by SSD_STUDIO_HOME."
            yield problem("folders", f"{folder} cannot be written by you.", remedy)
    private = (config_folder() / "settings.json", *sorted(log_folder().glob("*")))
    open_ones = [str(path) for path in private if path.is_file() and path.stat().st_mode & 0o077]
    if open_ones and os.name == "posix":
        names = " ".join(open_ones)
        yield problem("folders", f"others may read {names}.", f"'chmod 600 {names}'.")
    yield good("folders", f"settings in {config_folder()}, the log in {log_folder()}.")


def _crashes() -> Iterator[Finding]:
    path = crash_path()
    if path.is_file() and path.stat().st_size:
        remedy = "'doctor --bundle report.zip' puts it in a report."
        yield note("crashes", f"a library has crashed the program; {path} says where.", remedy)


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _try(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=_PATIENCE,
    )
