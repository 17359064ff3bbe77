"""The table of actions: what menus, keys, tooltips and the help page are made of."""

from collections import Counter

from PyQt5.QtGui import QKeySequence

from detector.places import assets_folder
from widgets.actions import ACTIONS, shown_key


def test_no_key_does_two_things():
    keys = Counter(QKeySequence(key).toString() for row in ACTIONS for key in row.keys)
    assert "" not in keys
    assert {key for key, times in keys.items() if times > 1} == set()


def test_every_icon_is_drawn():
    for row in ACTIONS:
        assert not row.icon or (assets_folder() / "icons" / f"{row.icon}.svg").is_file(), row.name


def test_every_action_stands_in_a_menu_with_its_key_and_says_it_in_its_tooltip(open_window):
    window = open_window()
    for row in ACTIONS:
        action = window.actions_by_name[row.name]
        assert action in window.menus[row.menu].actions()
        assert [key.toString() for key in action.shortcuts()] == [
            QKeySequence(key).toString() for key in row.keys
        ]
        if row.keys:
            assert action.toolTip().endswith(f"({shown_key(row.keys[0])})")


def test_the_keys_of_mpv_and_vlc_that_agree_are_ours():
    keys = {key: row.name for row in ACTIONS for key in row.keys}
    assert keys["Space"] == "toggle_pause"
    assert keys["."] == keys["E"] == "step_forward" and keys[","] == "step_back"
    assert keys["Right"] == "seek_forward" and keys["Ctrl+Left"] == "seek_back_long"
    assert keys["]"] == "faster" and keys["["] == "slower" and keys["Backspace"] == "normal_speed"
    assert keys["F"] == keys["F11"] == "toggle_full_screen" and keys["Esc"] == "leave"
    assert keys["S"] == "take_snapshot" and keys["R"] == "toggle_recording"
    assert keys["Ctrl+O"] == "open_file" and keys["Ctrl+N"] == "open_stream"
