"""The ways a person says what to watch: by file, folder, address, or what was copied."""

from collections.abc import Sequence

from PyQt5.QtCore import QObject, pyqtBoundSignal, pyqtSignal
from PyQt5.QtWidgets import QApplication, QFileDialog

from app.redaction import without_credentials
from widgets.dialogs import ask
from widgets.incoming import address_in, with_log_in
from widgets.several_dialog import SeveralDialog
from widgets.stream_dialog import StreamDialog


class Opening(QObject):
    """Methods of the table of actions.

    chosen    an address to watch, which may hold a name and password; whether these are to be kept
    answered  the same, of a camera that asked for them again
    together  addresses to watch side by side
    told      a sentence for the person, and its tone
    """

    chosen = pyqtSignal(str, bool)
    answered = pyqtSignal(str, bool)
    together = pyqtSignal(list)
    told = pyqtSignal(str, str)
    offered: Sequence[str] = ()  # addresses that may be wanted where several are chosen

    def open_file(self) -> None:
        file, _ = QFileDialog.getOpenFileName(self.parent(), "Open a video or a picture")
        if file:
            self.chosen.emit(file, False)

    def open_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self.parent(), "Open a folder of pictures")
        if folder:
            self.chosen.emit(folder, False)

    def open_stream(self) -> None:
        self._ask(StreamDialog(self.parent()), self.chosen)

    def open_several(self) -> None:
        dialog = SeveralDialog(self.parent(), offered=self.offered)
        dialog.accepted.connect(lambda: self.together.emit(dialog.addresses))
        ask(dialog)

    def paste_source(self) -> None:
        address = address_in(QApplication.clipboard().mimeData())
        if address is None:
            self.told.emit("What was copied is neither an address nor a file.", "warning")
        else:
            self.chosen.emit(address, False)

    def ask_for_log_in(self, address: str) -> None:
        """Again, after a camera has refused the name or password."""
        words = "The camera did not accept the name or password."
        dialog = StreamDialog(self.parent(), address=without_credentials(address), explanation=words)
        self._ask(dialog, self.answered)

    def _ask(self, dialog: StreamDialog, say: pyqtBoundSignal) -> None:
        def accepted() -> None:
            address = with_log_in(dialog.address, dialog.user, dialog.password)
            say.emit(address, dialog.keep_log_in)

        dialog.accepted.connect(accepted)
        ask(dialog)
