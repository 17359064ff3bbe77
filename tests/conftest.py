"""What every room's tests share: the given material beside the checkout, and a home of their own."""

from pathlib import Path

import pytest

_SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real videos, models and pictures that lies beside the checkout."""
    if not (_SHARED / "video").is_dir():
        pytest.skip("needs ../shared: real videos, models and pictures that are not part of the project")
    return _SHARED


@pytest.fixture(autouse=True)
def studio_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings, models and caches of a test lie in its own folder, never in the person's."""
    home = tmp_path / "studio-home"
    monkeypatch.setenv("SSD_STUDIO_HOME", str(home))
    return home
