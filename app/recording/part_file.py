"""The file a recording lives in until it is finished: what has reached it survives this program."""

import contextlib
import errno
import os
import sys
from pathlib import Path

from av.error import FFmpegError

from detector.errors import RecordingError

_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)  # a file system without locks

PRIVATE = 0o600  # pictures of people: their owner alone may read them


class PartFile:
    """A new file that the muxer writes through, and that remembers what went wrong.

    FFmpeg would lose the reason of a failed write; here the first one is kept in `failure`, the muxer is
    told, and whatever it still wants to write is swallowed: what lies on the disk stays as it is, playable.
    Nobody else may finish or replace it until it is let go.

    force   replace a file that an interrupted recording left
    raises  RecordingError when it cannot be made, or when another program is writing it
    """

    def __init__(self, path: Path, *, force: bool) -> None:
        self.path = path
        self.failure: OSError | None = None
        self.written = 0  # bytes
        if path.exists():
            check_left_over(path, force=force)
            path.unlink(missing_ok=True)
        self._fd = _create_claimed(path)
        self._claim = -1

    def write(self, block: bytes) -> int:
        """All of it, or an OSError: a disk that takes half a block is full."""
        rest = memoryview(block)
        while self.failure is None and rest:
            try:
                count = os.write(self._fd, rest)
                self.written += count
                rest = rest[count:]
            except OSError as error:
                self.failure = error
                raise
        return len(block)

    def read(self, count: int) -> bytes:
        return os.read(self._fd, count)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return os.lseek(self._fd, offset, whence)

    def tell(self) -> int:
        return os.lseek(self._fd, 0, os.SEEK_CUR)

    def sync(self) -> None:
        """What was written is on the disk when this returns, and survives a power cut. From any thread."""
        try:
            fd = os.dup(self._fd)  # so that closing it meanwhile harms nobody
        except OSError:  # it is closed
            return
        try:
            os.fsync(fd)
        except OSError as error:
            self.failure = self.failure or error
        finally:
            os.close(fd)

    def close(self) -> None:
        """Closing it is allowed to fail late: network disks report a lost write only here."""
        fd, self._fd = self._fd, -1
        if fd < 0:
            return
        try:
            if sys.platform != "win32":  # there nobody could remove it
                self._claim = os.dup(fd)  # the lock goes with the last descriptor
            os.close(fd)
        except OSError as error:
            self.failure = self.failure or error

    def let_go(self) -> None:
        """Others may have it."""
        self.close()
        claim, self._claim = self._claim, -1
        if claim >= 0:
            with contextlib.suppress(OSError):
                os.close(claim)


def refuse_existing(path: Path, *, force: bool) -> None:
    """raises  RecordingError when there is such a file and it may not be replaced"""
    if path.exists() and not force:
        raise RecordingError(f"{path} exists; choose another name, or add --force to replace it.")


def make_folder(folder: Path) -> None:
    """Makes a folder for recordings, and those above it, for their owner alone.

    raises  RecordingError when it cannot be made
    """
    try:
        for each in (*reversed(folder.parents), folder):
            each.mkdir(exist_ok=True, mode=0o700)  # with parents=True these would get the usual mode
    except OSError as error:
        raise RecordingError(f"The folder {folder} cannot be made ({reason(error)}).") from error


def create_private(path: Path) -> int:
    """A descriptor for reading and writing a file that did not exist, readable by its owner alone.

    raises  RecordingError that names the folder or the file in the way
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        return os.open(path, flags, PRIVATE)
    except FileExistsError:
        raise RecordingError(f"{path} exists; choose another name, or add --force to replace it.") from None
    except FileNotFoundError:
        raise RecordingError(f"The folder {path.parent} does not exist; make it first.") from None
    except OSError as error:
        raise RecordingError(f"{path} cannot be written ({reason(error)}); choose another folder.") from error


def reason(error: OSError | FFmpegError) -> str:
    """What the system says, without number and path: "no space left on device"."""
    text = error.strerror or str(error)
    return text[:1].lower() + text[1:]


def _create_claimed(path: Path) -> int:
    """A descriptor of a new file that is ours, though others look whether it is a left-over.

    raises  RecordingError when it cannot be made
    """
    while True:
        fd = create_private(path)
        _claim_in_turn(fd)
        if path.exists():
            return fd
        os.close(fd)  # whoever was faster took it for a left-over with nothing in it


def check_left_over(path: Path, *, force: bool) -> None:
    """A part file that is there: may it be replaced?

    raises  RecordingError when it may not, or when the recording that writes it still runs
    """
    try:
        with path.open("r+b") as file:
            if not claim(file.fileno()):
                raise RecordingError(f"{path} is being written by another recording; choose another name.")
    except FileNotFoundError:  # it has just been finished
        return
    except OSError as error:
        raise RecordingError(f"{path} cannot be replaced ({reason(error)}); choose another name.") from error
    if not force:
        raise RecordingError(
            f"{path} is left from a recording that was interrupted; it plays: "
            "move it away, or add --force to replace it."
        )


def claim(fd: int) -> bool:
    """Whether nobody else has this file; it is ours until it is closed, by whatever end we come to.

    fd  open for writing: NFS has no other locks than those that want it
    """
    if sys.platform == "win32":  # there an open file cannot be replaced anyway
        return True
    import fcntl

    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in _NO_LOCKS
    return True


def _claim_in_turn(fd: int) -> None:
    """As `claim`, once whoever looks at the file is done."""
    if sys.platform == "win32":
        return
    import fcntl

    with contextlib.suppress(OSError):  # a file system without locks
        fcntl.flock(fd, fcntl.LOCK_EX)
