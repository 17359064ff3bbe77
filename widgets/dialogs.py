"""How a dialog is opened."""

from PyQt5.QtWidgets import QDialog


def ask(dialog: QDialog) -> None:
    """Opens it over its window; answered, it is gone with all that was typed into it, passwords too."""
    dialog.finished.connect(dialog.deleteLater)
    dialog.open()
