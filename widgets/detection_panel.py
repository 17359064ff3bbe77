"""What is detected and how sure it must be: the model, two thresholds, the classes."""

from PyQt5.QtCore import QEvent, QSize, Qt, pyqtSignal
from PyQt5.QtWidgets import QFrame, QHBoxLayout, QPushButton, QSlider, QVBoxLayout, QWidget

from app.recording.sidecar import Finder, finder_of
from detector.model_card import ModelCard
from widgets.actions import find_action
from widgets.class_filter import ClassFilter
from widgets.icons import icon
from widgets.labels import label


class ThresholdSlider(QWidget):
    """A value from 0 to 1 in hundredths, with its name and figure.

    changed  the new value, while it is being moved too
    """

    changed = pyqtSignal(float)

    def __init__(self, name: str, explanation: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.slider = QSlider(Qt.Horizontal, minimum=0, maximum=100, singleStep=1, pageStep=10)
        self.slider.setFocusPolicy(Qt.TabFocus)
        self.slider.setAccessibleName(name)
        self.slider.setAccessibleDescription(explanation)
        self.setToolTip(explanation)
        self._figure = label(rank="strong")
        top = QHBoxLayout()
        top.addWidget(label(name), 1)
        top.addWidget(self._figure)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(top)
        column.addWidget(self.slider)
        self.slider.valueChanged.connect(self._moved)
        self._moved(0)

    @property
    def value(self) -> float:
        return self.slider.value() / 100

    def set_value(self, value: float) -> None:
        self.slider.setValue(round(value * 100))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.EnabledChange:
            self._show(self.slider.value())

    def step(self, step: float) -> None:
        self.set_value(self.value + step)

    def _moved(self, hundredths: int) -> None:
        self._show(hundredths)
        self.changed.emit(hundredths / 100)

    def _show(self, hundredths: int) -> None:
        self._figure.setText(f"{hundredths / 100:.2f}" if self.isEnabled() else "–")


class DetectionPanel(QFrame):
    """The side panel.

    thresholds_changed  minimum score or overlap was moved
    classes_changed     another set of classes is to be shown
    """

    thresholds_changed = pyqtSignal()
    classes_changed = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("panel")
        self.setAccessibleName("Detection")
        self.model_button = QPushButton(icon("model"), "No model")
        self.model_button.setToolTip(find_action("choose_model").hint)
        self.model_button.setAccessibleName("Model")
        self.model_button.setFocusPolicy(Qt.TabFocus)
        self._model_facts = label(rank="muted", wrap=True)
        self.min_score = ThresholdSlider(
            "Minimum score", "Boxes less sure than this are not shown; it costs nothing (↑, ↓)"
        )
        self.nms_iou = ThresholdSlider(
            "Overlap", "Boxes of a class that overlap more than this count as one object (Shift+↑, Shift+↓)"
        )
        self.reset = QPushButton("The model's own values")
        self.reset.setToolTip(find_action("reset_thresholds").hint)
        self.reset.setFocusPolicy(Qt.TabFocus)
        self.reset.clicked.connect(self.reset_thresholds)
        self.classes = ClassFilter()
        self._card: ModelCard | Finder | None = None

        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(8)
        for widget in (label("Model", "heading"), self.model_button, self._model_facts):
            column.addWidget(widget)
        column.addSpacing(8)
        for widget in (label("Detection", "heading"), self.min_score, self.nms_iou, self.reset):
            column.addWidget(widget)
        column.addSpacing(8)
        column.addWidget(label("Classes", "heading"))
        column.addWidget(self.classes, 1)

        self.min_score.changed.connect(self._thresholds_moved)
        self.nms_iou.changed.connect(self._thresholds_moved)
        self.classes.changed.connect(self.classes_changed)
        self.show_model(None)

    def sizeHint(self) -> QSize:
        return QSize(272, 600)

    def show_model(self, card: ModelCard | Finder | None) -> None:
        """Shows what the model is, or was; thresholds become its own where they were the last one's own."""
        was_own = self.thresholds == (None, None)
        self._card, names = card, finder_of(card).labels.names
        self.model_button.setText(f" {card.name}" if card else " Import a model…")
        if card:
            classes = f"{len(names)} class{'es' if len(names) > 1 else ''}"
            if isinstance(card, ModelCard):
                height, width = card.input_size
                self._model_facts.setText(f"{classes} · {width} × {height}")
            else:
                self._model_facts.setText(f"{classes} · boxes as they were recorded")
        else:
            self._model_facts.setText("Without a model there are no boxes.")
        for widget in (self.min_score, self.nms_iou, self.reset, self.classes):
            widget.setEnabled(card is not None)
        self.classes.set_classes(names)
        if was_own:
            self.reset_thresholds()
        self._thresholds_moved()

    @property
    def max_detections(self) -> int:
        return self._card.max_detections if isinstance(self._card, ModelCard) else 200

    def raise_min_score(self) -> None:
        self.min_score.step(0.05)

    def lower_min_score(self) -> None:
        self.min_score.step(-0.05)

    def raise_nms_iou(self) -> None:
        self.nms_iou.step(0.05)

    def lower_nms_iou(self) -> None:
        self.nms_iou.step(-0.05)

    def reset_thresholds(self) -> None:
        """Back to what the model's card says."""
        if self._card:
            self.min_score.set_value(self._card.min_score)
            self.nms_iou.set_value(self._card.nms_iou)

    def find_class(self) -> None:
        self.classes.search.setFocus(Qt.ShortcutFocusReason)
        self.classes.search.selectAll()

    @property
    def thresholds(self) -> tuple[float | None, float | None]:
        """Minimum score and overlap; None where they are the model's own."""
        card, score, overlap = self._card, self.min_score.value, self.nms_iou.value
        if card is None:
            return None, None
        own_score, own_overlap = round(card.min_score, 2), round(card.nms_iou, 2)
        return (None if score == own_score else score), (None if overlap == own_overlap else overlap)

    def set_thresholds(self, min_score: float | None, nms_iou: float | None) -> None:
        """None: the model's own."""
        self.reset_thresholds()
        if min_score is not None:
            self.min_score.set_value(min_score)
        if nms_iou is not None:
            self.nms_iou.set_value(nms_iou)

    def _thresholds_moved(self) -> None:
        self.reset.setEnabled(self._card is not None and self.thresholds != (None, None))
        self.thresholds_changed.emit()
