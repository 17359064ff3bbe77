"""No password ever reaches a text. The first cases are the examples of viewer facts 2.12, in their order."""

import io
import logging

import pytest

from app.redaction import redact, redact_logs, remember_secret, split_credentials, without_credentials

EXAMPLES = [
    ("rtsp://10.0.0.5:554/live", None),
    ("rtsp://cam:secret@10.0.0.5:554/live", "rtsp://***@10.0.0.5:554/live"),
    ("rtsp://cam@10.0.0.5/live", "rtsp://***@10.0.0.5/live"),
    ("rtsp://:secret@10.0.0.5/live", "rtsp://***@10.0.0.5/live"),
    ("rtsp://cam:p@ss@10.0.0.5/live", "rtsp://***@10.0.0.5/live"),
    ("rtsp://cam:p%40ss%3Aw%2F@cam.local/live", "rtsp://***@cam.local/live"),
    ("rtsp://cam:a/b#c?d@10.0.0.5:554/live", "rtsp://***@10.0.0.5:554/live"),
    ("rtsp://cam:1234/x@10.0.0.5/live", "rtsp://***@10.0.0.5/live"),
    ("rtsp://cam:secret@[fe80::1%25eth0]:554/s1", "rtsp://***@[fe80::1%25eth0]:554/s1"),
    ("rtsp://[2001:db8::7]:8554/s1", None),
    ("rtsps://u:p@h.example:322/s?token=abc123&ch=1", "rtsps://***@h.example:322/s?token=***&ch=1"),
    ("http://h/video.mjpg?user=admin&pwd=12345&res=hd", "http://h/video.mjpg?user=***&pwd=***&res=hd"),
    (
        "rtsp://h:554/user=admin_password=tlJwpbo6_channel=1_stream=0.sdp",
        "rtsp://h:554/user=***_password=***_channel=1_stream=0.sdp",
    ),
    ("https://h/a@b/c.m3u8", None),
    ("rtmp://h/app?key=K#frag", "rtmp://h/app?key=***#frag"),
    ("RTSP://Cam:Secret@HOST/Live", "RTSP://***@HOST/Live"),
    (
        "srt://h:9000?streamid=x&passphrase=hunter2&mode=caller",
        "srt://h:9000?streamid=***&passphrase=***&mode=caller",
    ),
    ("rtsp://u:pä£@h/ü", "rtsp://***@h/ü"),
    (
        "Did you mean file:rtsp://hass:Welcome123%21@192.168.1.3:554",
        "Did you mean file:rtsp://***@192.168.1.3:554",
    ),
    ("error url=rtsp://u:p@h/x and rtsp://v:q@k/y", "error url=rtsp://***@h/x and rtsp://***@k/y"),
    (
        "Server returned 401: 'rtsp://cam:wr0ng@127.0.0.1:35517/live'",
        "Server returned 401: 'rtsp://***@127.0.0.1:35517/live'",
    ),
    ("Authorization: Basic Y2FtOnNlY3JldA==", "Authorization: Basic ***"),
    ("[tcp @ 0x5] Connection to tcp://10.0.0.5:554?timeout=0 failed: Connection refused", None),
    (
        "Invalid argument: 'rtsp://cam:p@ss w/o#r @127.0.0.1:38/live' returned 22",
        "Invalid argument: 'rtsp://***@127.0.0.1:38/live' returned 22",
    ),
]


@pytest.mark.parametrize(("text", "fit_to_be_shown"), EXAMPLES)
def test_each_published_example_is_masked_exactly_so(text: str, fit_to_be_shown: str | None):
    assert redact(text) == (text if fit_to_be_shown is None else fit_to_be_shown)


@pytest.mark.parametrize(
    "text",
    [
        "rtsp://cam:hunter2",  # cut off before its host
        "cannot open rtsp://cam:my hunter2@10.0.0.5/live",
        "cannot open 'rtsp://cam:it's hunter2@10.0.0.5/live'",
        "http://cam:p@ss/hunter2@10.0.0.5/live",
        "http://h/?pwd=a_b=hunter2&ch=1",
        "'http://h/x?token=a hunter2'",
        'GET / Authorization: Digest username="cam", response="hunter2"',
        "{'Authorization': 'Bearer hunter2'}",
        "settings: password=hunter2, model=x",
        "first line\nrtsp://u:hunter2@h/x\nlast line",
    ],
)
def test_what_may_be_a_password_goes(text: str):
    assert "hunter2" not in redact(text)


def test_masking_twice_changes_nothing_more():
    for text, _ in EXAMPLES:
        assert redact(redact(text)) == redact(text)


def test_a_secret_once_remembered_is_masked_in_any_text_raw_or_encoded():
    remember_secret("s3cr/t")
    remember_secret("ab")
    assert redact("it was s3cr/t, or s3cr%2Ft; ab") == "it was ***, or ***; ab"


def test_an_address_to_be_kept_has_no_user_part():
    assert without_credentials("rtsp://cam:p@ss@10.0.0.5/live?token=x") == "rtsp://10.0.0.5/live?token=***"


@pytest.mark.parametrize(
    ("address", "rest", "user_part"),
    [
        ("rtsp://cam:p@ss@10.0.0.5/live", "rtsp://10.0.0.5/live", "cam:p@ss"),
        ("rtsp://cam:a/b#c?d@10.0.0.5:554/live", "rtsp://10.0.0.5:554/live", "cam:a/b#c?d"),
        ("rtsp://10.0.0.5/live@2", "rtsp://10.0.0.5/live@2", None),
        ("http://u:p@h/a@b", "http://h/a@b", "u:p"),
        ("walk.mp4", "walk.mp4", None),
    ],
)
def test_an_address_is_split_from_its_user_part_even_unescaped(
    address: str, rest: str, user_part: str | None
):
    assert split_credentials(address) == (rest, user_part)


@pytest.fixture
def log_text():
    """What a handler that knows nothing of redaction writes, while logs are redacted."""
    stream, factory = io.StringIO(), logging.getLogRecordFactory()
    handler = logging.StreamHandler(stream)
    logging.getLogger().addHandler(handler)
    redact_logs()
    redact_logs()
    yield stream
    logging.getLogger().removeHandler(handler)
    logging.setLogRecordFactory(factory)


def test_no_logger_of_any_library_writes_a_password(log_text: io.StringIO):
    library = logging.getLogger("some.library")
    library.warning("cannot open %s", "rtsp://cam:hunter2@h/x")
    library.warning("wrong number of arguments for rtsp://cam:hunter2@h/x %s %s", "one")
    try:
        raise ValueError("rtsp://cam:hunter2@h/x")
    except ValueError:
        library.exception("in an exception")
    library.warning("from here", stack_info=True)  # rtsp://cam:hunter2@h/x is in the stack
    written = log_text.getvalue()
    assert "rtsp://***@h/x" in written and "ValueError" in written and "hunter2" not in written
