"""From one start to the next: what the window takes up of the settings, and what it leaves in them."""

from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from PyQt5.QtCore import QByteArray, QSize
from PyQt5.QtWidgets import QApplication

from app.keeping import Wishes, folder_of
from app.settings import Settings

if TYPE_CHECKING:
    from widgets.window import Window

_FIRST_SIZE = (1280, 800)


def take_up(window: "Window", settings: Settings) -> None:
    """Puts a new window as the settings say."""
    room = QApplication.primaryScreen().availableSize()
    window.resize(QSize(*_FIRST_SIZE).boundedTo(room))  # laptops of 1366x768 are common
    if settings.geometry:
        window.restoreGeometry(QByteArray.fromBase64(settings.geometry.encode()))
    window.theme_actions[settings.theme].setChecked(True)
    desk = window.page.desk
    window.keeping.folder = desk.folder = settings.recording_folder
    window.keeping.wishes = Wishes.from_json(settings.recording)
    window.recovering.look(folder_of(settings.recording_folder))
    desk.panel.keep.setChecked(settings.keep_events)
    desk.panel.action.setText(settings.on_event)


def as_it_stands(window: "Window") -> Settings:
    """The settings that would put a window as this one is."""
    card, panel = window.models.card, window.page.desk.panel
    min_score, nms_iou = window.page.panel.thresholds
    return replace(
        window.settings,
        model=card.name if card else window.settings.model,
        min_score=min_score,
        nms_iou=nms_iou,
        keep_events=panel.keep.isChecked(),
        on_event=panel.action.text().strip(),
        recording_folder=window.keeping.folder,
        recording=asdict(window.keeping.wishes),
        geometry=bytes(window.saveGeometry().toBase64()).decode(),
    )
