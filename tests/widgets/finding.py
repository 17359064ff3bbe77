"""A window's models, where the only one is the square finder."""

from functools import partial

from PyQt5.QtCore import QObject

from app.pipeline import OpenEngine
from detector.anchor_layouts import LAYOUTS
from detector.model_card import ModelCard
from tests.app.watching import LABELS, SquareFinder
from widgets.model_chooser import ModelChooser

LAYOUT = LAYOUTS["ssd300-voc"]
CARD = ModelCard(
    name="squares",
    architecture="ssd300-vgg16",
    input_size=LAYOUT.image_size,
    anchors=LAYOUT,
    channel_order="RGB",
    mean=(0.0, 0.0, 0.0),
    scale=(1.0, 1.0, 1.0),
    score_activation="softmax",
    classes=LABELS.names,
)


class FinderChooser(ModelChooser):
    """Its model is the square finder: two overlapping squares (0.9, 0.6) and a number (0.3)."""

    def __init__(self, parent: QObject | None = None, *, open_engine: OpenEngine | None = None) -> None:
        super().__init__(parent)
        self._open_engine = open_engine or partial(SquareFinder)

    @property
    def card(self) -> ModelCard | None:
        return CARD

    @property
    def cards(self) -> list[ModelCard]:
        return [CARD]

    def engine_opener(self, batch: int = 1) -> OpenEngine | None:
        return self._open_engine
