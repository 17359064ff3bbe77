"""Cards over the picture."""

import pytest
from PyQt5.QtGui import QColor
from PyQt5.QtWidgets import QWidget

from widgets.reason_card import ReasonCard
from widgets.state_card import StateCard


@pytest.mark.parametrize("kind", [ReasonCard, StateCard])
def test_what_a_card_says_can_be_read_over_a_white_picture(qtbot, kind: type[QWidget]):
    picture = QWidget()
    qtbot.addWidget(picture)
    picture.setStyleSheet("background: white")
    card = kind(picture)
    card.resize(200, 100)
    card.show()
    picture.resize(300, 200)
    ground = QColor(card.grab().toImage().pixel(6, 50))
    assert ground.lightness() < 60  # its words are light
