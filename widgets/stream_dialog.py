"""Asks for the address of a network camera; name and password have fields of their own."""

from urllib.parse import unquote, urlsplit

from PyQt5.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.credentials import keeping_place
from app.redaction import split_credentials
from widgets.labels import form, label

SCHEMES = ("rtsp", "rtsps", "http", "https", "rtmp", "udp", "srt", "tcp")


class StreamDialog(QDialog):
    """Modal to its window.

    address      as it was last; a name inside it is moved into its field
    explanation  why it is asked, where that is not plain
    """

    def __init__(self, parent: QWidget | None = None, *, address: str = "", explanation: str = "") -> None:
        super().__init__(parent)
        self.setWindowTitle("Open stream")
        self.setMinimumWidth(480)
        self._address = QLineEdit(address, placeholderText="rtsp://192.168.1.20:554/stream1")
        self._address.setToolTip("As the camera's manual gives it")
        self._user = QLineEdit()
        self._user.setToolTip("Leave empty when the camera asks for none")
        self._password = QLineEdit(echoMode=QLineEdit.Password)
        self._password.setToolTip("Goes to the camera, and nowhere else unless it is to be kept")
        self._keep = QCheckBox("&Keep name and password for the next time")
        self._keep.setToolTip(f"Once they have worked, {keeping_place()}")
        self._hint = label(rank="muted", wrap=True)
        self._hint.setMinimumHeight(self._hint.fontMetrics().height() * 2)

        buttons = QDialogButtonBox(QDialogButtonBox.Cancel)
        self._open = QPushButton("Connect")
        self._open.setProperty("primary", True)
        self._open.setDefault(True)
        buttons.addButton(self._open, QDialogButtonBox.AcceptRole)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 16)
        column.setSpacing(14)
        if explanation:
            column.addWidget(label(explanation, wrap=True))
        rows = (("&Address", self._address), ("&User name", self._user), ("&Password", self._password))
        column.addLayout(form([(name, field, None) for name, field in rows]))
        column.addWidget(self._keep)
        column.addWidget(self._hint)
        column.addWidget(buttons)
        self._address.textChanged.connect(self._judge)
        self._address.editingFinished.connect(self._move_log_in)
        self._move_log_in()
        self._judge(self.address)
        self._address.setFocus()

    def accept(self) -> None:
        self._move_log_in()
        super().accept()

    @property
    def address(self) -> str:
        return self._address.text().strip()

    @property
    def user(self) -> str:
        return self._user.text().strip()

    @property
    def password(self) -> str:
        return self._password.text()

    @property
    def keep_log_in(self) -> bool:
        """Whether name and password are to be kept, once they have worked."""
        return self._keep.isChecked()

    def _move_log_in(self) -> None:
        """A name and password that were pasted with the address go where they cannot be read."""
        bare, log_in = split_credentials(self.address)
        if log_in is not None:
            user, _, password = log_in.partition(":")
            self._user.setText(unquote(user))
            self._password.setText(unquote(password))
            self._address.setText(bare)

    def _judge(self, text: str) -> None:
        """Says at once what is wrong with an address, and what follows from it."""
        problem = address_problem(text.strip())
        self._open.setEnabled(problem is None)
        if problem is not None:
            self._hint.setText(problem)
        elif text.startswith(("rtsp:", "http:", "rtmp:")):
            self._hint.setText("This connection is not encrypted: use it in networks you trust.")
        else:
            self._hint.setText("")


def address_problem(address: str) -> str | None:
    """Why nothing can be opened at this address, in a sentence; None when it looks right."""
    if not address:
        return "Type or paste the address. Nothing connects before you say so."
    scheme, separator, _ = address.partition("://")
    if not separator:
        return "An address begins with its protocol, for instance rtsp:// or http://"
    if scheme.lower() not in SCHEMES:
        return f"'{scheme}' is not a protocol known here; use one of {', '.join(SCHEMES)}."
    try:
        parts = urlsplit(address)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return "The port must be a number from 1 to 65535."
    return None if host else "The name or number of the camera is missing after ://"
