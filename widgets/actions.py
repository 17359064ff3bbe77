"""Everything a person can do in the window: one table for menus, keys, tooltips and the help page."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One thing to do.

    name       of the method that does it (see `menus.make_actions`)
    text       as the menu says it; three dots when it asks something first
    keys       the first one is shown in tooltips
    menu       the menu it stands in
    tip        what a tooltip says of it; the text where this is empty
    icon       a drawing of assets/icons
    checkable  switches something on and off: the method takes the new state
    separated  a line stands above it in the menu
    follows    what it switches also changes by itself: only a person's choice calls the method
    together   of sources side by side it can be done too, of all at once
    """

    name: str
    text: str
    keys: tuple[str, ...] = ()
    menu: str
    tip: str = ""
    icon: str = ""
    checkable: bool = False
    separated: bool = False
    follows: bool = False
    together: bool = False

    @property
    def hint(self) -> str:
        """What the tooltip says, with the key."""
        words = self.tip or self.text.rstrip("…")
        return f"{words} ({shown_key(self.keys[0])})" if self.keys else words


# Keys as mpv and VLC have them, where those agree.
ACTIONS = (
    Action(name="open_file", text="Open file…", keys=("Ctrl+O",), menu="File", icon="file",
           tip="Open a video or a picture"),
    Action(name="open_folder", text="Open folder…", keys=("Ctrl+Shift+O",), menu="File", icon="folder",
           tip="Open a folder of pictures"),
    Action(name="open_stream", text="Open stream…", keys=("Ctrl+N",), menu="File", icon="stream",
           tip="Watch a network camera by its address"),
    Action(name="open_several", text="Open several…", keys=("Ctrl+G",), menu="File", icon="grid",
           tip="Watch several sources side by side"),
    Action(name="paste_source", text="Open what was copied", keys=("Ctrl+V",), menu="File",
           tip="Open the address or file that was copied"),
    Action(name="save_together", text="Save these sources as a set…", menu="File",
           tip="Save the sources watched together, to open them as one"),
    Action(name="import_model", text="Import a model…", keys=("Ctrl+I",), menu="File", icon="import",
           separated=True),
    Action(name="download_model", text="Download a model…", keys=("Ctrl+D",), menu="File", icon="model",
           tip="Fetch weights that others have published"),
    Action(name="close_source", text="Back to the start page", keys=("Ctrl+W",), menu="File", icon="home",
           separated=True),
    Action(name="close", text="Quit", keys=("Ctrl+Q",), menu="File"),
    Action(name="toggle_pause", text="Play or pause", keys=("Space", "P"), menu="Playback", icon="pause"),
    Action(name="step_forward", text="Next frame", keys=(".", "E"), menu="Playback", icon="step-forward"),
    Action(name="step_back", text="Previous frame", keys=(",",), menu="Playback", icon="step-back"),
    Action(name="seek_forward", text="Forward 5 seconds", keys=("Right",), menu="Playback", icon="forward",
           separated=True),
    Action(name="seek_back", text="Back 5 seconds", keys=("Left",), menu="Playback", icon="back"),
    Action(name="seek_forward_short", text="Forward 1 second", keys=("Shift+Right",), menu="Playback"),
    Action(name="seek_back_short", text="Back 1 second", keys=("Shift+Left",), menu="Playback"),
    Action(name="seek_forward_long", text="Forward 1 minute", keys=("Ctrl+Right",), menu="Playback"),
    Action(name="seek_back_long", text="Back 1 minute", keys=("Ctrl+Left",), menu="Playback"),
    Action(name="seek_start", text="To the beginning", keys=("Home",), menu="Playback"),
    Action(name="faster", text="Faster", keys=("]",), menu="Playback", separated=True),
    Action(name="slower", text="Slower", keys=("[",), menu="Playback"),
    Action(name="normal_speed", text="Normal speed", keys=("Backspace", "="), menu="Playback"),
    Action(name="toggle_recording", text="Record", keys=("R", "Shift+R"), menu="Playback", icon="record",
           tip="Record what is seen, with boxes", checkable=True, separated=True, follows=True,
           together=True),
    Action(name="take_snapshot", text="Snapshot", keys=("S", "Shift+S"), menu="Playback", icon="snapshot",
           tip="Save this picture, with boxes", together=True),
    Action(name="choose_recording", text="Recordings…", keys=("Ctrl+R",), menu="Playback",
           tip="What is recorded, when and where to", together=True),
    Action(name="toggle_star", text="Star or unstar", keys=("*",), menu="Playback",
           tip="A starred recording is never deleted to make room", together=True),
    Action(name="find_next", text="Next appearance", keys=("N",), menu="Playback", separated=True,
           tip="To the next appearance of a chosen class, in a recording with its boxes"),
    Action(name="find_previous", text="Previous appearance", keys=("Shift+N",), menu="Playback"),
    Action(name="raise_min_score", text="Higher minimum score", keys=("Up",), menu="Detection"),
    Action(name="lower_min_score", text="Lower minimum score", keys=("Down",), menu="Detection"),
    Action(name="raise_nms_iou", text="Allow more overlap", keys=("Shift+Up",), menu="Detection"),
    Action(name="lower_nms_iou", text="Allow less overlap", keys=("Shift+Down",), menu="Detection"),
    Action(name="reset_thresholds", text="The model's own values", keys=("Shift+Backspace",),
           menu="Detection", tip="Minimum score and overlap as the model's card says"),
    Action(name="find_class", text="Choose classes…", keys=("C", "/"), menu="Detection", icon="search",
           tip="Choose which classes are shown", separated=True),
    Action(name="draw_zone", text="Draw a zone", keys=("Z",), menu="Detection",
           tip="Draw a zone: who appears in it and leaves it is told", separated=True),
    Action(name="draw_line", text="Draw a line", keys=("Shift+Z",), menu="Detection",
           tip="Draw a line: who crosses it is told"),
    Action(name="choose_model", text="Choose the model…", keys=("M",), menu="Detection", icon="model"),
    Action(name="toggle_full_screen", text="Full screen", keys=("F", "F11"), menu="View", icon="fullscreen",
           checkable=True),
    Action(name="leave", text="Leave full screen", keys=("Esc",), menu="View"),
    Action(name="show_grid", text="All sources", keys=("G",), menu="View",
           tip="From one of several sources back to all of them"),
    Action(name="toggle_panel", text="Detection panel", keys=("D",), menu="View", icon="panel",
           checkable=True, tip="Show or hide the detection panel", separated=True),
    Action(name="toggle_events", text="Zones and events", keys=("V",), menu="View", checkable=True,
           tip="Show or hide zones, lines and what happens in them"),
    Action(name="toggle_boxes", text="Boxes", keys=("B",), menu="View", icon="boxes", checkable=True,
           tip="Show or hide the boxes"),
    Action(name="toggle_labels", text="Names and scores", keys=("L",), menu="View", checkable=True),
    Action(name="toggle_statistics", text="Statistics", keys=("I",), menu="View", icon="note", checkable=True,
           tip="Show or hide all figures over the picture"),
    Action(name="zoom_in", text="Zoom in", keys=("Ctrl++", "Ctrl+="), menu="View", separated=True,
           tip="Zoom in; also Ctrl and the wheel"),
    Action(name="zoom_out", text="Zoom out", keys=("Ctrl+-",), menu="View"),
    Action(name="reset_zoom", text="Whole picture", keys=("0", "Ctrl+0"), menu="View"),
    Action(name="show_keys", text="Keys", keys=("F1", "?"), menu="Help", icon="note"),
    Action(name="show_about", text="About SSD Studio", menu="Help"),
)  # fmt: skip


def shown_key(key: str) -> str:
    """A key as a person reads it: arrows as arrows."""
    for word, arrow in (("Left", "←"), ("Right", "→"), ("Up", "↑"), ("Down", "↓")):
        key = key.replace(word, arrow)
    return key


def find_action(name: str) -> Action:
    return next(action for action in ACTIONS if action.name == name)
