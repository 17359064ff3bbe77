"""What a person sees without a source: what can be watched, what was watched, and the models at hand."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtGui import QResizeEvent
from PyQt5.QtWidgets import QAction, QBoxLayout, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from detector.model_card import ModelCard
from widgets.actions import find_action
from widgets.icons import program_icon
from widgets.labels import label
from widgets.large_button import LargeButton

_WIDE = 720  # logical pixels: below this, one column
_WIDEST = 1040
_PRIVACY = "Nothing connects before you say so. No account, no telemetry, no update check."


class StartPage(QScrollArea):
    """Large buttons; it knows nothing of what they do.

    asked         the name of an action (see `widgets.actions`)
    source_asked  the address of a camera or of a recent source
    source_struck the address of a recent source that is to be forgotten
    model_asked   the name of a model
    """

    asked = pyqtSignal(str)
    source_asked = pyqtSignal(str)
    source_struck = pyqtSignal(str)
    model_asked = pyqtSignal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Start page")
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.NoFocus)
        self._cameras, self._recent, self._models = _column(), _column(), _column()
        self._found: tuple[tuple[str, str, str], ...] | None = None
        watch = _column()
        watch.addWidget(label("Watch", "heading"))
        for name, explanation, primary in (
            ("open_file", "A video or a picture", True),
            ("open_stream", "A network camera: rtsp, http …", False),
            ("open_folder", "A folder of pictures", False),
            ("open_several", "Side by side", False),
        ):
            watch.addWidget(self._action(name, explanation, primary=primary))
        watch.addWidget(label("or drop a file, a folder or an address here", "muted"))
        watch.addSpacing(14)
        for part in (self._cameras, self._recent):
            watch.addLayout(part)
            watch.addSpacing(14)
        watch.addStretch(1)
        self._models.addStretch(1)

        self._columns = QHBoxLayout()
        self._columns.setSpacing(36)
        self._columns.addLayout(watch, 1)
        self._columns.addLayout(self._models, 1)
        page = QWidget()
        page.setMaximumWidth(_WIDEST)
        column = QVBoxLayout(page)
        column.setContentsMargins(36, 30, 36, 20)
        column.setSpacing(24)
        column.addLayout(_head())
        column.addLayout(self._columns, 1)
        column.addWidget(label(_PRIVACY, "muted", wrap=True))
        outer = QWidget()
        row = QHBoxLayout(outer)
        row.setContentsMargins(0, 0, 0, 0)
        row.addStretch(1)
        row.addWidget(page, 1000)
        row.addStretch(1)
        self.setWidget(outer)

    def show_cameras(self, cameras: Sequence[tuple[str, str, str]]) -> None:
        """Cameras of this computer as (name, explanation, address)."""
        if tuple(cameras) == self._found:
            return
        self._found = tuple(cameras)
        buttons = [
            self._button("camera", name, explanation, self.source_asked.emit, address)
            for name, explanation, address in cameras
        ]
        _fill(self._cameras, "Cameras", buttons or [label("No camera found on this computer.", "muted")])

    def show_recent(self, sources: Sequence[tuple[str, str, str]]) -> None:
        """What was watched as (title, explanation, address), the latest first, without passwords."""
        buttons = [
            self._button(_drawing(address), title, explanation, self.source_asked.emit, address)
            for title, explanation, address in sources
        ]
        for button, (_, _, address) in zip(buttons, sources):
            strike = QAction("Remove from this list", button)
            strike.triggered.connect(partial(self.source_struck.emit, address))
            button.addAction(strike)
            button.setContextMenuPolicy(Qt.ActionsContextMenu)
        _fill(self._recent, "Recent" if buttons else "", buttons)

    def show_models(self, cards: Sequence[ModelCard], chosen: str | None) -> None:
        """The models at hand and the one in use; without any, how to get one."""
        parts: list[QWidget] = []
        for card in cards:
            button = self._button("model", card.name, _model_words(card), self.model_asked.emit, card.name)
            button.setCheckable(True)
            button.setChecked(card.name == chosen)
            button.setToolTip(f"Use this model\nOrigin: {card.origin}\nLicence: {card.licence}")
            parts.append(button)
        if not cards:
            words = (
                "There is no model yet: video is shown, but no boxes. Import one, for instance an SSD "
                "MobileNet of the TensorFlow Object Detection API as a .tflite file."
            )
            parts.append(label(words, wrap=True))
        explanation = "From somebody else's file" if cards else "A file on this computer"
        parts.append(self._action("import_model", explanation, primary=not cards))
        _fill(self._models, "Models", parts, stretch=True)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        wide = self.width() >= _WIDE
        self._columns.setDirection(QBoxLayout.LeftToRight if wide else QBoxLayout.TopToBottom)

    def _action(self, name: str, explanation: str, *, primary: bool) -> LargeButton:
        action = find_action(name)
        button = LargeButton(
            action.icon,
            action.text.rstrip("…"),
            f"{explanation} · {action.keys[0]}",
            tip=action.hint,
            primary=primary,
        )
        button.clicked.connect(lambda: self.asked.emit(name))
        return button

    @staticmethod
    def _button(
        drawing: str, title: str, explanation: str, ask: Callable[[str], None], value: str
    ) -> LargeButton:
        button = LargeButton(drawing, title, explanation)
        button.clicked.connect(lambda: ask(value))
        return button


def _model_words(card: ModelCard) -> str:
    height, width = card.input_size
    if len(card.classes) <= 3:
        classes = ", ".join(card.classes)
    else:
        classes = f"{len(card.classes)} classes: {', '.join(card.classes[:3])} …"
    return f"{classes} · {width} × {height}"


def _drawing(address: str) -> str:
    """The icon of a kind of source."""
    if "://" in address:
        return "stream"
    if address.isdecimal() or address.startswith("/dev/"):
        return "camera"
    return "file"


def _head() -> QHBoxLayout:
    mark = QLabel()
    mark.setPixmap(program_icon().pixmap(52, 52))
    words = QVBoxLayout()
    words.setSpacing(0)
    words.addWidget(label("SSD Studio", "title"))
    words.addWidget(label("Watch video, and see what is in it.", "muted"))
    row = QHBoxLayout()
    row.setSpacing(16)
    row.addWidget(mark)
    row.addLayout(words, 1)
    return row


def _column() -> QVBoxLayout:
    column = QVBoxLayout()
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(8)
    return column


def _fill(column: QVBoxLayout, heading: str, parts: Iterable[QWidget], *, stretch: bool = False) -> None:
    """Replaces what stands in a column."""
    while (item := column.takeAt(0)) is not None:
        if (widget := item.widget()) is not None:
            widget.hide()
            widget.deleteLater()
    if heading:
        column.addWidget(label(heading, "heading"))
    for part in parts:
        column.addWidget(part)
    if stretch:
        column.addStretch(1)
