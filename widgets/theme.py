"""How the window looks: two sets of colours, one style sheet, and what the system prefers."""

import os
import string
import sys
from dataclasses import asdict, dataclass

from PyQt5.QtCore import QSettings
from PyQt5.QtGui import QColor, QPalette
from PyQt5.QtWidgets import QApplication

from detector.places import assets_folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """The colours of one look. Every text colour keeps a contrast of 4.5 on every surface (WCAG AA)."""

    name: str
    window: str  # behind everything
    panel: str  # side panel, bars
    raised: str  # buttons, cards, fields
    hover: str
    line: str  # borders and grooves
    text: str
    muted: str  # second-rank text
    accent: str  # focus, what is switched on
    on_accent: str
    primary: str  # the button most people want
    on_primary: str
    record: str  # a recording runs; an error
    warning: str
    good: str
    stage: str  # behind the picture: never lighter than the picture's own black


DARK = Theme(
    name="dark",
    window="#13161b",
    panel="#191d24",
    raised="#232933",
    hover="#2c3440",
    line="#343d4a",
    text="#e7ebf0",
    muted="#a3aebc",
    accent="#6cb6ff",
    on_accent="#0b1320",
    primary="#2666ab",
    on_primary="#ffffff",
    record="#ff7b72",
    warning="#e8b44f",
    good="#5fc98f",
    stage="#0b0d10",
)
LIGHT = Theme(
    name="light",
    window="#f1f3f6",
    panel="#fafbfc",
    raised="#ffffff",
    hover="#e9eef5",
    line="#cfd6df",
    text="#1a2029",
    muted="#535e6c",
    accent="#0b5cad",
    on_accent="#ffffff",
    primary="#0b5cad",
    on_primary="#ffffff",
    record="#b42318",
    warning="#855800",
    good="#14693c",
    stage="#15181d",
)

_current = DARK


def current() -> Theme:
    """The look in use; widgets that paint themselves ask for it each time."""
    return _current


def apply(application: QApplication, choice: str) -> None:
    """Dresses the whole application.

    choice  one of `app.settings.THEMES`
    """
    global _current
    _current = {"dark": DARK, "light": LIGHT}.get(choice) or (DARK if system_is_dark() else LIGHT)
    application.setStyle("Fusion")
    application.setPalette(_palette(_current))
    sheet = (assets_folder() / "style.qss").read_text(encoding="utf-8")
    icons = (assets_folder() / "icons").as_posix()
    application.setStyleSheet(string.Template(sheet).substitute(asdict(_current), icons=icons))


def system_is_dark() -> bool:
    """What the desktop asks for; dark where it does not say, as video is best watched so."""
    if sys.platform == "win32":
        key = r"HKEY_CURRENT_USER\Software\Microsoft\Windows\CurrentVersion\Themes\Personalize"
        return QSettings(key, QSettings.NativeFormat).value("AppsUseLightTheme", 0) != 1
    if sys.platform == "darwin":
        style = QSettings(".GlobalPreferences", QSettings.NativeFormat).value("AppleInterfaceStyle", "")
        return style == "Dark"
    return _portal_colour_scheme() != 2  # 0 no preference, 1 dark, 2 light


def _portal_colour_scheme() -> int:
    """The setting all Linux desktops publish, by the XDG desktop portal; 0 without a portal."""
    if not os.environ.get("DBUS_SESSION_BUS_ADDRESS"):
        return 0
    from PyQt5.QtDBus import QDBusConnection, QDBusMessage

    call = QDBusMessage.createMethodCall(
        "org.freedesktop.portal.Desktop",
        "/org/freedesktop/portal/desktop",
        "org.freedesktop.portal.Settings",
        "Read",
    )
    call.setArguments(["org.freedesktop.appearance", "color-scheme"])
    reply = QDBusConnection.sessionBus().call(call, timeout=200)  # ms: the window waits for this
    answer = reply.arguments()[0] if reply.type() == QDBusMessage.ReplyMessage else 0
    while hasattr(answer, "variant"):  # the portal wraps its number once or twice
        answer = answer.variant()
    return answer if isinstance(answer, int) else 0


def _palette(theme: Theme) -> QPalette:
    roles = {
        QPalette.Window: theme.window,
        QPalette.WindowText: theme.text,
        QPalette.Base: theme.raised,
        QPalette.AlternateBase: theme.panel,
        QPalette.Text: theme.text,
        QPalette.Button: theme.raised,
        QPalette.ButtonText: theme.text,
        QPalette.BrightText: theme.record,
        QPalette.ToolTipBase: theme.raised,
        QPalette.ToolTipText: theme.text,
        QPalette.PlaceholderText: theme.muted,
        QPalette.Highlight: theme.accent,
        QPalette.HighlightedText: theme.on_accent,
        QPalette.Link: theme.accent,
        QPalette.Light: theme.hover,
        QPalette.Midlight: theme.hover,
        QPalette.Mid: theme.line,
        QPalette.Dark: theme.line,
        QPalette.Shadow: "#000000",
    }
    palette = QPalette()
    for role, colour in roles.items():
        palette.setColor(role, QColor(colour))
    for role in (QPalette.WindowText, QPalette.Text, QPalette.ButtonText):
        palette.setColor(QPalette.Disabled, role, QColor(theme.muted))
    return palette
