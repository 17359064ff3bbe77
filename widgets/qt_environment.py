"""What a window needs from the system, settled before Qt starts: Qt answers any lack of it by aborting.

Two things go wrong on Linux. The opencv-python wheel carries a second Qt, and importing cv2 points two
variables at it, whereupon PyQt5 looks for its platform plugin in the wrong package. And the plugin links a
dozen small xcb libraries that minimal installations lack.
"""

import ctypes
import os
import sys
from pathlib import Path

from detector.errors import DisplayError

_OPENCV_SETS = ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR")

# Library -> Debian package, of all that libqxcb.so of PyQt5 5.15.11 and cv2 link beyond the C library.
_LIBRARIES = {
    "libGL.so.1": "libgl1",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libX11.so.6": "libx11-6",
    "libXext.so.6": "libxext6",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-render.so.0": "libxcb-render0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libxcb-shm0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xinerama.so.0": "libxcb-xinerama0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxcb.so.1": "libxcb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxkbcommon.so.0": "libxkbcommon0",
}


def prepare() -> None:
    """Makes it safe to import PyQt5 and to create the application; call it before either.

    raises  DisplayError when no window can open here, with what to install or to use instead
    """
    if sys.platform.startswith("linux"):
        _choose_platform()
        if os.environ.get("QT_QPA_PLATFORM", "xcb").startswith("xcb"):
            _check_libraries()
            _check_x_server()
    load_opencv()


def load_opencv() -> None:
    """Imports cv2 and undoes what that does to Qt's environment, for this process and its children."""
    kept = {name: os.environ.get(name) for name in _OPENCV_SETS} if "cv2" not in sys.modules else {}
    import cv2

    package = str(Path(cv2.__file__).parent)
    for name in _OPENCV_SETS:
        if os.environ.get(name, "").startswith(package):
            del os.environ[name]
        if (before := kept.get(name)) is not None and not before.startswith(package):
            os.environ[name] = before


def _choose_platform() -> None:
    chosen = os.environ.get("QT_QPA_PLATFORM", "")
    if os.environ.get("DISPLAY") or (chosen and not chosen.startswith("xcb")):
        return
    if chosen:
        raise DisplayError(_no_display("DISPLAY is not set"))
    if not os.environ.get("WAYLAND_DISPLAY"):
        raise DisplayError(_no_display("neither DISPLAY nor WAYLAND_DISPLAY is set"))
    os.environ["QT_QPA_PLATFORM"] = "wayland"


def _check_libraries() -> None:
    packages = {package: None for library, package in _LIBRARIES.items() if not _loads(library)}
    if packages:
        raise DisplayError(
            f"The window needs system libraries that are missing here: 'apt install {' '.join(packages)}' "
            "on Debian and Ubuntu, or use 'python main.py detect', which needs no window."
        )


def _check_x_server() -> None:
    """Asks the X server for a connection, as Qt will: where Qt aborts, this raises."""
    xcb = ctypes.CDLL("libxcb.so.1")
    xcb.xcb_connect.restype = ctypes.c_void_p
    xcb.xcb_connect.argtypes = [ctypes.c_char_p, ctypes.c_void_p]
    xcb.xcb_connection_has_error.argtypes = [ctypes.c_void_p]
    xcb.xcb_disconnect.argtypes = [ctypes.c_void_p]
    connection = xcb.xcb_connect(None, None)
    refused = xcb.xcb_connection_has_error(connection)
    xcb.xcb_disconnect(connection)
    if refused:
        raise DisplayError(_no_display(f"nothing answers at DISPLAY {os.environ['DISPLAY']}"))


def _no_display(why: str) -> str:
    return (
        f"There is no screen for the window ({why}); start it from a desktop, "
        "or use 'python main.py detect', which needs none."
    )


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
