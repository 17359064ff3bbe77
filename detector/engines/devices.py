"""What this computer can run networks on, found without loading TensorFlow, JAX or OpenVINO."""

import ctypes
import math
import os
import platform
import sys
from dataclasses import dataclass
from pathlib import Path

_CUDA_DRIVER = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
_CAPABILITY_MAJOR, _CAPABILITY_MINOR = 75, 76  # CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_...


@dataclass(frozen=True, slots=True)
class CudaDevice:
    """name as the driver says it; capability (major, minor): (8, 0) and later compute in bfloat16"""

    name: str
    capability: tuple[int, int]


def cuda_devices(library: str = _CUDA_DRIVER) -> tuple[CudaDevice, ...]:
    """The CUDA GPUs, as the driver's own library tells them (0.1 s; importing TensorFlow takes 4).

    CUDA_VISIBLE_DEVICES is obeyed, since the driver obeys it. Empty without a driver or a GPU.
    """
    try:
        driver = ctypes.CDLL(library)
    except OSError:
        return ()
    count = ctypes.c_int()
    if driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count)):
        return ()
    return tuple(_cuda_device(driver, index) for index in range(count.value))


def why_no_cuda(library: str = _CUDA_DRIVER, cards: Path = Path("/sys/bus/pci/devices")) -> str:
    """Why `cuda_devices` is empty, in a sentence.

    cards  where the system lists what is plugged in; not on Windows and macOS
    """
    try:
        driver = ctypes.CDLL(library)
    except OSError:
        if any(_is_nvidia_display(card) for card in cards.glob("*")):
            return "There is an NVIDIA card, but no driver for it; install the system's NVIDIA driver."
        return "There is no NVIDIA GPU here; networks run on the processor."
    if error := driver.cuInit(0):
        return (
            f"The NVIDIA driver does not start (error {error}); restart the computer after an update of it, "
            "or give the container its GPU ('--gpus all')."
        )
    if os.environ.get("CUDA_VISIBLE_DEVICES") is not None:
        return "CUDA_VISIBLE_DEVICES hides every GPU; unset it."
    return "The NVIDIA driver finds no GPU; networks run on the processor."


def _is_nvidia_display(card: Path) -> bool:
    try:
        kind = (card / "class").read_text().strip()
        return (card / "vendor").read_text().strip() == "0x10de" and kind.startswith("0x03")
    except OSError:
        return False


def _cuda_device(driver: ctypes.CDLL, index: int) -> CudaDevice:
    device, name = ctypes.c_int(), ctypes.create_string_buffer(256)
    major, minor = ctypes.c_int(), ctypes.c_int()
    driver.cuDeviceGet(ctypes.byref(device), index)
    driver.cuDeviceGetName(name, len(name), device)
    driver.cuDeviceGetAttribute(ctypes.byref(major), _CAPABILITY_MAJOR, device)
    driver.cuDeviceGetAttribute(ctypes.byref(minor), _CAPABILITY_MINOR, device)
    return CudaDevice(name.value.decode(errors="replace"), (major.value, minor.value))


def usable_cores() -> int:
    """How many processor cores this process may use: those of its affinity mask."""
    affinity = getattr(os, "sched_getaffinity", None)  # Linux only
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def core_quota(
    membership: Path = Path("/proc/self/cgroup"), root: Path = Path("/sys/fs/cgroup")
) -> int | None:
    """Whole cores of time that the container grants, rounded up; None where nothing limits it.

    A container with `--cpus 2` on a large machine sees all its cores: with a thread for each, the process is
    halted most of the time.

    membership  the process's control groups, as the kernel lists them
    root        where the control groups are mounted
    """
    if not membership.is_file():
        return None
    quotas: list[float | None] = []
    for line in membership.read_text().splitlines():
        _, controllers, group = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        mounted = root / controllers if controllers else root
        own = mounted / group.lstrip("/")
        above = [folder for folder in own.parents if folder.is_relative_to(mounted)]
        quotas += map(_quota_of, (own, *above))  # every group above may set a limit too
    limits = [quota for quota in quotas if quota is not None]
    return max(1, math.ceil(min(limits))) if limits else None


def processor_name() -> str:
    """What the processor is called, for people: "AMD EPYC", "Intel(R) Xeon(R) Platinum 8481C"."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _quota_of(group: Path) -> float | None:
    """Cores granted by one control group, of the second version (cpu.max) or the first."""
    try:
        if (group / "cpu.max").is_file():
            quota, period = (group / "cpu.max").read_text().split()
            return None if quota == "max" else int(quota) / int(period)
        quota = (group / "cpu.cfs_quota_us").read_text()
        period = (group / "cpu.cfs_period_us").read_text()
    except OSError:
        return None
    return int(quota) / int(period) if int(quota) > 0 else None
