"""The models at hand and the one in use; how another one is chosen or brought in."""

import threading
from functools import partial

from PyQt5.QtCore import QObject, pyqtSignal
from PyQt5.QtWidgets import QAction, QMenu, QWidget

from app.pipeline import OpenEngine
from detector.errors import StudioError
from detector.model_card import ModelCard
from detector.model_store import Model, find_model, list_models
from widgets.actions import find_action
from widgets.dialogs import ask
from widgets.model_download import ModelDownload
from widgets.model_import import ModelImport


class ModelChooser(QObject):
    """Loads nothing heavy: an engine is opened by the detector's thread.

    wanted   the model to begin with; without it the first at hand is used
    changed  another model is in use, or other models are at hand
    told     a sentence for the person, and its tone
    """

    changed = pyqtSignal()
    told = pyqtSignal(str, str)

    def __init__(self, parent: QObject | None = None, *, wanted: Model | None = None) -> None:
        super().__init__(parent)
        self._damaged: list[str] = []
        self._look()
        self._chosen = wanted or next(iter(self._at_hand), None)
        self._given_up = threading.Event()
        self.import_action: QAction | None = None

    @property
    def model(self) -> Model | None:
        """The one in use."""
        return self._chosen

    @property
    def card(self) -> ModelCard | None:
        """Of the model in use."""
        return self._chosen.card if self._chosen else None

    @property
    def cards(self) -> list[ModelCard]:
        """Of all models at hand."""
        return [model.card for model in self._at_hand]

    def engine_opener(self, batch: int = 1) -> OpenEngine | None:
        """What the detector's thread calls; None without a model.

        batch  pictures looked at together
        """
        if self._chosen is None:
            return None
        from detector.engines import open_engine

        return partial(
            open_engine,
            self._chosen,
            batch=batch,
            notify=lambda words: self.told.emit(words, "note"),
            wanted=lambda: not self._given_up.is_set(),
        )

    def give_up(self) -> None:
        """The program closes: no model is made ready any more."""
        self._given_up.set()

    def use_model(self, name: str) -> None:
        try:
            self._chosen = find_model(name)
        except StudioError as error:
            self.told.emit(str(error), "error")
            return
        self.changed.emit()

    def tell_damaged(self) -> None:
        """Says which models lie there and cannot be used."""
        if self._damaged:
            self.told.emit(" ".join(self._damaged), "warning")

    def choose_model(self, at: QWidget | None = None) -> None:
        """A menu of the models at hand, under a widget."""
        self._look()
        self.tell_damaged()
        if not self._at_hand:
            self.import_model()
            return
        menu = QMenu(at or self.parent())
        menu.aboutToHide.connect(menu.deleteLater)
        for card in self.cards:
            action = menu.addAction(card.name, partial(self.use_model, card.name))
            action.setCheckable(True)
            action.setChecked(card == self.card)
        menu.addSeparator()
        menu.addAction(self.import_action)
        menu.addAction(find_action("download_model").text, self.download_model)
        anchor = at or self.parent()
        menu.setActiveAction(menu.actions()[0])
        menu.popup(anchor.mapToGlobal(anchor.rect().bottomLeft() if at else anchor.rect().center()))

    def import_model(self) -> None:
        dialog = ModelImport(self.parent())
        dialog.accepted.connect(lambda: self._imported(dialog.name))
        ask(dialog)

    def download_model(self) -> None:
        dialog = ModelDownload(self.parent())
        dialog.accepted.connect(lambda: self._imported(dialog.name))
        ask(dialog)

    def _imported(self, name: str) -> None:
        self._look()
        self.use_model(name)
        self.told.emit(f"The model '{name}' is there and in use.", "note")

    def _look(self) -> None:
        self._damaged.clear()
        self._at_hand = list_models(self._damaged.append)
