"""The figures of the status bar; those that matter least give way when the window is narrow."""

from PyQt5.QtCore import Qt
from PyQt5.QtGui import QResizeEvent
from PyQt5.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QWidget

from app.pipeline import DetectorStatus, Figures

_MEANINGS = {
    "captured": "Pictures taken from the source per second, over the last 2 s",
    "detected": "Different pictures the model has looked at per second, over the last 2 s",
    "shown": "Different pictures painted per second, over the last 2 s",
    "inference": "Time of one detection in milliseconds, median of the last 5 s",
    "age": "From the arrival of a picture to its painting, milliseconds, median of the last 5 s; "
    "the camera's own delay comes on top",
    "dropped": "Pictures that were never shown",
    "device": "What really runs the model",
}
_GIVE_WAY = ("dropped", "captured", "age", "detected", "shown", "inference")  # the first goes first
_MORE = "; all figures: Statistics (I)"


class FiguresBar(QWidget):
    """One line of small figures."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Figures")
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 3, 14, 4)
        row.setSpacing(18)
        self._labels: dict[str, QLabel] = {}
        for name, meaning in _MEANINGS.items():
            label = QLabel()
            label.setToolTip(meaning + _MORE)
            label.setAccessibleDescription(meaning)
            label.setTextFormat(Qt.RichText)
            label.setProperty("rank", "muted")
            self._labels[name] = label
            if name == "device":
                row.addStretch(1)
            row.addWidget(label)
        row.setSizeConstraint(QHBoxLayout.SetNoConstraint)  # it takes what room there is
        self.setSizePolicy(QSizePolicy.Ignored, QSizePolicy.Fixed)
        self.show_figures(Figures(), None)

    def show_figures(self, figures: Figures, detector: DetectorStatus | None) -> None:
        """The detector's device, or the sentence why it has none, stands beside the figures."""
        self._say("captured", f"{figures.captured:.1f}", "/s")
        self._say("detected", f"{figures.detected:.1f}", "/s")
        self._say("shown", f"{figures.shown:.1f}", "/s")
        self._say("inference", _median(figures.infer_ms, 1), " ms")
        self._say("age", _median(figures.age_ms, 0), " ms")
        self._say("dropped", str(figures.unshown), "")
        self._labels["device"].setText((detector.device or detector.sentence) if detector else "")
        self._make_room()

    def text(self, name: str) -> str:
        """What is shown under a name of `_MEANINGS`, without markup."""
        return self._labels[name].text().replace("<b>", "").replace("</b>", "")

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._make_room()

    def _say(self, name: str, figure: str, unit: str) -> None:
        self._labels[name].setText(f"{name} <b>{figure}</b>{unit if figure != '–' else ''}")

    def _make_room(self) -> None:
        left = self.width() - 28 - sum(label.sizeHint().width() + 18 for label in self._labels.values())
        for name in _GIVE_WAY:
            label = self._labels[name]
            label.setVisible(left >= 0)
            if left < 0:
                left += label.sizeHint().width() + 18


def _median(value: tuple[float, float] | None, digits: int) -> str:
    return "–" if value is None else f"{value[0]:.{digits}f}"
