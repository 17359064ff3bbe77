"""Where the program keeps things on this computer."""

import os
from pathlib import Path

import platformdirs

_NAME = "ssd-studio"


def _home(system_folder: str) -> Path | None:
    """One folder for everything, when SSD_STUDIO_HOME names it: for tests, servers and memory sticks."""
    home = os.environ.get("SSD_STUDIO_HOME")
    return Path(home) / system_folder if home else None


def config_folder() -> Path:
    """Settings. Not created here."""
    return _home("config") or Path(platformdirs.user_config_dir(_NAME, appauthor=False))


def user_model_folder() -> Path:
    """Models the person imported or trained. Not created here."""
    return _home("models") or Path(platformdirs.user_data_dir(_NAME, appauthor=False)) / "models"


def network_folder() -> Path:
    """Networks the person wrote (docs/own-network.md). Not created here."""
    return _home("networks") or Path(platformdirs.user_data_dir(_NAME, appauthor=False)) / "networks"


def cache_folder() -> Path:
    """What can be made again: converted models, compiled kernels. Not created here."""
    return _home("cache") or Path(platformdirs.user_cache_dir(_NAME, appauthor=False))


def log_folder() -> Path:
    """What the program has to say of its runs. Not created here."""
    return _home("logs") or Path(platformdirs.user_log_dir(_NAME, appauthor=False))


def weights_catalog() -> Path:
    """The list of weights that can be had; SSD_STUDIO_CATALOG names another: of a firm, of a test."""
    return Path(os.environ.get("SSD_STUDIO_CATALOG") or builtin_model_folder() / "catalog.json")


def builtin_model_folder() -> Path:
    """Models that ship with the program."""
    return Path(__file__).resolve().parent.parent / "weights"


def assets_folder() -> Path:
    """Icons, label lists, styles."""
    return Path(__file__).resolve().parent.parent / "assets"


def recordings_folder() -> Path:
    """Recordings and snapshots that were asked for without a name. Not created here."""
    return _home("recordings") or Path(platformdirs.user_videos_dir()) / "SSD Studio"
