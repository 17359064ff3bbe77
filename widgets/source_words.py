"""What the window says about a source and its figures: sentences only."""

from dataclasses import dataclass
from pathlib import Path

from app.pipeline import View
from app.sources import State
from widgets.seek_bar import clock


@dataclass(frozen=True, slots=True, kw_only=True)
class CardWords:
    """What the card over the picture says (see `StateCard.say`)."""

    title: str
    sentence: str
    retry: str = ""
    log_in: bool = False
    leave: str = "Cancel"


def card_words(view: View, now: float) -> CardWords | None:
    """What must be said over the picture at the monotonic time `now`; None while all is well."""
    left, sentence = view.status.seconds_left(now), view.status.sentence
    if left is not None:
        sentence += f".\nReconnecting in {left} s"
    match view.status.state:
        case State.CONNECTING if view.frame is None:
            return CardWords(title="Connecting", sentence=sentence)
        case State.CONNECTING:
            return CardWords(title=_since(view), sentence=sentence)
        case State.STALLED:
            return CardWords(title=_since(view), sentence=sentence, leave="Close")
        case State.RECONNECTING:
            title = _since(view) if view.frame is not None else "No connection"
            return CardWords(title=title, sentence=sentence, retry="Try now", leave="Close")
        case State.WRONG_PASSWORD:
            return CardWords(
                title="Not let in", sentence=sentence, log_in=True, retry="Try now", leave="Close"
            )
        case State.NOT_FOUND:
            return CardWords(title="Nothing there", sentence=sentence, retry="Try now", leave="Close")
        case State.FAILED:
            return CardWords(title="This cannot be shown", sentence=sentence, leave="Back")
    return None


def recent_words(address: str) -> tuple[str, str, str]:
    """Title, explanation and address of a source watched before."""
    if "://" in address:
        scheme, _, rest = address.partition("://")
        return rest, scheme, address
    if address.isdecimal():
        return f"Camera {address}", "At this computer", address
    path = Path(address)
    home = str(Path.home())
    folder = str(path.parent)
    return path.name, "~" + folder[len(home) :] if folder.startswith(home) else folder, address


def statistics(view: View) -> tuple[str, ...]:
    """All figures, a line each."""
    figures, frame = view.figures, view.frame
    rows = [
        (
            "picture",
            f"{frame.width} × {frame.height}  #{frame.sequence}  {frame.pts:.3f} s" if frame else "–",
        ),
        ("captured", f"{figures.captured:.1f}/s, {figures.unique:.1f} different"),
        ("detected", f"{figures.detected:.1f}/s, {figures.undetected} never looked at"),
        ("shown", f"{figures.shown:.1f}/s, {figures.unshown} never shown"),
        ("inference", _pair(figures.infer_ms)),
        ("age shown", _pair(figures.age_ms)),
        ("age boxes", _pair(figures.box_age_ms)),
        ("longest gap", f"{figures.gap:.2f} s"),
        ("device", view.detector.device or "–"),
    ]
    if view.recording:
        rows.append(("recorded", f"{view.recording.frames}, {figures.unrecorded} lost"))
    width = max(len(name) for name, _ in rows)
    return tuple(f"{name:<{width}}  {words}" for name, words in rows)


def _pair(value: tuple[float, float] | None) -> str:
    return "–" if value is None else f"{value[0]:.1f} ms, 95 % within {value[1]:.1f} ms"


def _since(view: View) -> str:
    seconds = view.silent_for
    return f"No picture for {clock(seconds) if seconds >= 60 else f'{seconds:.0f} s'}"
