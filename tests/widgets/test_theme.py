"""Both looks can be read, and nothing of the style sheet is left to chance."""

import string
from dataclasses import asdict

import pytest

from detector.places import assets_folder
from widgets import theme

SURFACES = ("window", "panel", "raised", "hover")


def luminance(colour: str) -> float:
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """WCAG 2: 4.5 is readable text, 3 a visible sign."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("look", [theme.DARK, theme.LIGHT], ids=lambda look: look.name)
def test_every_text_can_be_read_on_every_surface(look):
    for surface in SURFACES:
        for text in ("text", "muted"):
            assert contrast(getattr(look, text), getattr(look, surface)) >= 4.5, (text, surface)
    assert contrast(look.on_accent, look.accent) >= 4.5
    assert contrast(look.on_primary, look.primary) >= 4.5


@pytest.mark.parametrize("look", [theme.DARK, theme.LIGHT], ids=lambda look: look.name)
def test_focus_recording_and_warnings_stand_out_from_every_surface(look):
    for surface in SURFACES:
        for sign in ("accent", "record", "warning", "good"):
            assert contrast(getattr(look, sign), getattr(look, surface)) >= 3, (sign, surface)


def test_the_style_sheet_names_only_colours_and_icons_that_exist():
    sheet = string.Template((assets_folder() / "style.qss").read_text(encoding="utf-8"))
    assert set(sheet.get_identifiers()) <= {*asdict(theme.DARK), "icons"}
    for look in (theme.DARK, theme.LIGHT):
        filled = sheet.substitute(asdict(look), icons=assets_folder() / "icons")
        for part in filled.split('url("')[1:]:
            assert part.partition('"')[0].endswith(".svg")
            assert (assets_folder() / "icons" / part.partition('"')[0].rpartition("/")[2]).is_file()


def test_the_system_is_taken_as_dark_where_it_does_not_say(monkeypatch):
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    assert theme.system_is_dark()


def test_a_change_of_look_recolours_icons_that_are_there_already(qapp):
    from widgets.icons import icon

    def colour() -> str:
        image = picture.pixmap(32, 32).toImage()
        return max(
            (image.pixelColor(x, y) for x in range(32) for y in range(32)), key=lambda pixel: pixel.alpha()
        ).name()

    picture = icon("pause")
    theme.apply(qapp, "light")
    assert colour() == theme.LIGHT.text
    theme.apply(qapp, "dark")
    assert colour() == theme.DARK.text
