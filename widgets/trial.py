"""Whether a window can open here, in a process that Qt may abort: `python -m widgets.trial`.

Prints the name of Qt's platform, or one sentence and ends with 1.
"""

import sys

from detector.errors import DisplayError
from widgets import qt_environment


def main() -> int:
    try:
        qt_environment.prepare()
    except DisplayError as error:
        print(error)  # noqa: T201 - whoever tries reads it
        return 1
    from PyQt5.QtWidgets import QApplication, QWidget

    application = QApplication(sys.argv[:1])
    window = QWidget()
    window.show()
    application.processEvents()
    print(application.platformName())  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
