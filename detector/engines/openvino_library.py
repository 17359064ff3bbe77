"""OpenVINO, loaded quickly and quietly.

`import openvino` also imports its model converter, which takes two thirds of the time (0.3 s instead of
0.1 s) and reports every import to Google Analytics. So the converter is left out here, and where it is needed
(`convert`) it is loaded without its telemetry.
"""

import importlib
import sys
import threading
from types import ModuleType
from typing import Any

from detector.errors import EngineError

_CONVERTER, _TELEMETRY = "openvino.tools.ovc", "openvino_telemetry"

_lock = threading.Lock()
_core: Any = None


def load_openvino() -> Any:
    """The library without its converter.

    raises  EngineError when it is not installed or cannot be loaded
    """
    if loaded := sys.modules.get("openvino"):
        return loaded
    _forbid(_TELEMETRY)
    _forbid(_CONVERTER)
    try:
        return importlib.import_module("openvino")
    except ImportError as error:
        raise EngineError(
            f"OpenVINO cannot be loaded ({error}); install it with 'pip install openvino', "
            "or choose --engine keras."
        ) from error
    finally:
        sys.modules.pop(_CONVERTER, None)


def the_core() -> Any:
    """The one `openvino.Core` of this process, which lives as long as the process.

    With a Core comes its plugin for processors, and that gives the thread it is loaded in another stack for
    signals (AMX needs a large one); when it goes, the stack is freed. Of two that go in the order they came,
    the second puts the first one's back, freed already: the next Ctrl-C was a segmentation fault.

    raises  EngineError as `load_openvino` does
    """
    global _core
    with _lock:
        if _core is None:
            _core = load_openvino().Core()
        return _core


def load_converter() -> Any:
    """The library with its converter, for a process that converts and ends."""
    _forbid(_TELEMETRY)
    return importlib.import_module("openvino")


def library_version(openvino: Any) -> str:
    """ "2026.4.1-22982" of "2026.4.1-22982-e213a147257-releases/2026/4"."""
    return "-".join(str(openvino.__version__).split("-")[:2])


def _forbid(name: str) -> None:
    """Makes the next import of a module fail, which is how Python reads None in the table of modules."""
    modules: dict[str, ModuleType | None] = sys.modules  # type: ignore[assignment]
    modules.setdefault(name, None)
