"""The real RTSP server that lies beside the checkout, in this process or as one of its own."""

import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any


def load_server(shared: Path) -> ModuleType:
    """The server's module: `RtspServer(clip, **faults)` is a context manager with a `url`."""
    path = shared / "tools/rtsp_server.py"
    spec = importlib.util.spec_from_file_location("rtsp_server", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def server_process(
    shared: Path, clip: Path, *faults: str, port: int = 0
) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """(url, process), killed at the end as by a power cut."""
    command: list[Any] = [sys.executable, shared / "tools/rtsp_server.py", clip, "--port", str(port), *faults]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            words = process.stdout.readline().split()
            assert words[:1] == ["READY"]
            yield words[1], process
        finally:
            process.kill()
