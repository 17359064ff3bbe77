"""What the window says about a source and its figures: sentences only."""

from dataclasses import dataclass
from pathlib import Path

from app.pipeline import RecordingState, View
from app.recording.disk import duration_words
from app.sources import FoundCamera, State
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
    state, left = view.status.state, view.status.seconds_left(now)
    if state in (State.LIVE, State.ENDED):
        return None
    sentence = view.status.sentence + ("" if view.status.sentence.endswith("?") else ".")
    sentence = "\n".join(filter(None, (sentence, _age(view), _countdown(state, left))))
    match state:
        case State.CONNECTING:
            return CardWords(title="Connecting", sentence=sentence)
        case State.STALLED:
            return CardWords(title="Stalled", sentence=sentence, leave="Close")
        case State.RECONNECTING:
            title = f"Reconnecting in {left} s"
            return CardWords(title=title, sentence=sentence, retry="Try now", leave="Close")
        case State.WRONG_PASSWORD:
            return CardWords(
                title="Wrong password", sentence=sentence, log_in=True, retry="Try now", leave="Close"
            )
        case State.NOT_FOUND:
            return CardWords(title="Not found", sentence=sentence, retry="Try now", leave="Close")
        case State.CRASHED:
            retry = "" if left is None else "Try now"
            return CardWords(title="Crashed", sentence=sentence, retry=retry, leave="Close")
        case _:
            return CardWords(title="This cannot be shown", sentence=sentence, leave="Back")


def camera_words(camera: FoundCamera) -> tuple[str, str, str]:
    """Name, explanation and address of a camera: what it can do at best, and how much else."""
    if not camera.modes:
        return camera.name, f"Camera {Path(camera.address).name}", camera.address
    others = len(camera.modes) - 1
    more = f" and {others} other modes" if others > 1 else " and one other mode" if others else ""
    return camera.name, f"{camera.modes[0]}{more}", camera.address


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
        frames, lost = view.recording.frames, figures.unrecorded
        if view.recording.time_left is not None:
            rows.append(("room", f"{duration_words(view.recording.time_left)} at this rate"))
        rows.append(("written", f"{figures.written:.1f}/s, {frames} so far, {lost} lost"))
    width = max(len(name) for name, _ in rows)
    return tuple(f"{name:<{width}}  {words}" for name, words in rows)


def recording_words(recording: RecordingState) -> str:
    """The mark in the corner of the picture while a recording runs."""
    return "WAITING" if is_waiting(recording) else f"REC {clock(recording.seconds)}"


def is_waiting(recording: RecordingState) -> bool:
    """Whether nothing is written yet of one that runs: no event has come, or no picture."""
    return recording.waiting or not recording.frames


def _pair(value: tuple[float, float] | None) -> str:
    return "–" if value is None else f"{value[0]:.1f} ms, 95 % within {value[1]:.1f} ms"


def _age(view: View) -> str:
    """How old the last picture is, where it stays in view."""
    if view.frame is None or not view.silent_for:
        return ""
    seconds = view.silent_for
    return f"Last picture {clock(seconds) if seconds >= 60 else f'{seconds:.0f} s'} ago."


def _countdown(state: State, left: int | None) -> str:
    """Until the next attempt, where the title does not tell."""
    if left is None or state is State.RECONNECTING:
        return ""
    return f"Reconnecting in {clock(left) if left >= 60 else f'{left} s'}."
