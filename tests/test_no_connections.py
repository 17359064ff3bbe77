"""The program connects to nobody but the sources a person opens: counted by the kernel, told by Python.

Each run has a network of its own that leads nowhere. The kernel counts what finds no way out of it, whichever
library or child tried; where such a network cannot be made, the connections that Python makes are heard of.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.app.videos import write_video

ROOT = Path(__file__).resolve().parents[1]

# Read by every Python process of a run before anything else.
_SITE = """
import os, socket, sys
ASKED = {"socket.getaddrinfo", "socket.gethostbyname"}
SENT = {"socket.connect", "socket.sendto"}
def listen(event, details):
    if (event in ASKED and details[0]) or (event in SENT and details[0].family != socket.AF_UNIX):
        with open(os.environ["HEARD"], "a") as file:
            file.write(f"{event} {details[0] if event in ASKED else details[1]} by {sys.argv}\\n")
sys.addaudithook(listen)
"""

# Runs a command; where its stderr says UNTIL it is told to end. Prints what the kernel has counted meanwhile.
_DRIVER = """
import json, os, signal, subprocess, sys
from pathlib import Path

def attempts():
    counts = {}
    for table in (line.split() for line in open("/proc/net/snmp") if line[:3] in ("Ip:", "Tcp", "Udp")):
        if table[1].isalpha():
            names = table
        else:
            counts |= {f"{table[0]}{name}": int(count) for name, count in zip(names[1:], table[1:])}
    for line in open("/proc/net/snmp6") if os.path.exists("/proc/net/snmp6") else ():
        name, count = line.split()
        counts[name] = int(count)
    wanted = ("Ip:OutNoRoutes", "Ip:OutRequests", "Tcp:ActiveOpens", "Ip6OutNoRoutes", "Udp6OutDatagrams")
    return sum(counts.get(name, 0) for name in wanted)

before, until, command = attempts(), sys.argv[1], sys.argv[2:]
process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
said = ""
for line in process.stderr:
    said += line
    if until and until in line:
        process.send_signal(signal.SIGTERM)
print(json.dumps({"code": process.wait(), "said": said, "attempts": attempts() - before}))
"""


def run_alone(tmp_path: Path, *command: str, until: str = "", **variables: str) -> dict[str, Any]:
    """What became of a command in a network that leads nowhere.

    until    a word on stderr at which it is told to end; empty: it ends by itself
    returns  code, said, attempts (None where the kernel cannot be asked), heard (lines)
    """
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(_SITE)
    heard = tmp_path / "heard.txt"
    heard.touch()
    own_network = ["unshare", "-rn"] if _can_unshare() else []
    done = subprocess.run(
        [*own_network, sys.executable, "-c", _DRIVER, until, *command],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(tmp_path / "site"), "HEARD": str(heard)} | variables,
        capture_output=True,
        text=True,
        timeout=110,
        check=True,
    )
    result = dict(json.loads(done.stdout))
    return result | {
        "attempts": result["attempts"] if own_network else None,
        "heard": heard.read_text().splitlines(),
    }


def _can_unshare() -> bool:
    unshare = shutil.which("unshare")
    return bool(unshare) and subprocess.run([unshare, "-rn", "true"], capture_output=True).returncode == 0


def main(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, "main.py", *arguments)


def assert_silent(result: dict[str, Any], code: int = 0) -> None:
    assert result["code"] == code, result["said"]
    assert (result["heard"], result["attempts"] or 0) == ([], 0)


@pytest.mark.parametrize(
    "script", ["socket.create_connection(('192.0.2.1', 80), 1)", "socket.getaddrinfo('a.b', 1)"]
)
def test_a_program_that_does_connect_would_be_noticed(tmp_path, script):
    code = f"import socket, contextlib\nwith contextlib.suppress(OSError): {script}"
    result = run_alone(tmp_path, sys.executable, "-c", code)
    assert result["heard"] and result["attempts"] != 0


def test_detecting_connects_to_nobody(coco_home, tmp_path):
    command = main("detect", str(coco_home / "blank.png"), "--model", "coco", "--engine", "openvino")
    assert_silent(run_alone(tmp_path, *command, SSD_STUDIO_HOME=str(coco_home)))


def test_the_window_connects_to_nobody_and_what_it_leaves_is_its_owners_alone(tmp_path, studio_home):
    write_video(tmp_path / "clip.mp4", 100)
    result = run_alone(
        tmp_path,
        *main(str(tmp_path / "clip.mp4"), "--record", str(tmp_path / "out.mp4")),
        until="First picture painted",
        SSD_STUDIO_LOG="INFO",
        QT_QPA_PLATFORM="offscreen",
    )
    assert_silent(result)
    assert (tmp_path / "out.mp4").exists()
    files = [path for path in (*studio_home.rglob("*"), tmp_path / "out.mp4") if path.is_file()]
    assert {path.name for path in files} >= {"settings.json", "ssd-studio.log", "crashes.txt", "out.mp4"}
    assert all(path.stat().st_mode & 0o077 == 0 for path in files)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("engine", ["openvino", "keras"])
def test_a_first_conversion_and_tensorflow_connect_to_nobody(coco_home, tmp_path, engine):
    """OpenVINO's converter would report each use to its makers."""
    shutil.copytree(coco_home / "models", tmp_path / "home" / "models")
    command = main("detect", str(coco_home / "blank.png"), "--model", "coco", "--engine", engine)
    assert_silent(run_alone(tmp_path, *command, SSD_STUDIO_HOME=str(tmp_path / "home")))
