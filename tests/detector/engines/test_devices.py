"""Finding out what this computer has, from real things: a driver library, control groups, a mask."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from detector.engines.devices import (
    CudaDevice,
    core_quota,
    cuda_devices,
    processor_name,
    usable_cores,
    why_no_cuda,
)
from tests.detector.engines.conftest import ROOT

# The five functions of the CUDA driver that are called, of a computer with two GPUs.
DRIVER = """
#include <string.h>
int cuInit(unsigned flags) { return 0; }
int cuDeviceGetCount(int *count) { *count = 2; return 0; }
int cuDeviceGet(int *device, int index) { *device = 40 + index; return 0; }
int cuDeviceGetName(char *name, int size, int device) {
    strncpy(name, device == 40 ? "NVIDIA H200" : "Tesla T4", size);
    return 0;
}
int cuDeviceGetAttribute(int *value, int attribute, int device) {
    *value = attribute == 75 ? (device == 40 ? 9 : 7) : (device == 40 ? 0 : 5);
    return 0;
}
"""


def build_driver(folder: Path, source: str) -> str:
    if not (compiler := shutil.which("cc")):
        pytest.skip("needs a C compiler to build a driver library")
    (folder / "driver.c").write_text(source)
    library = folder / "libdriver.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, folder / "driver.c"], check=True)
    return str(library)


def test_gpus_are_named_as_the_driver_names_them(tmp_path: Path) -> None:
    found = cuda_devices(build_driver(tmp_path, DRIVER))
    assert found == (CudaDevice("NVIDIA H200", (9, 0)), CudaDevice("Tesla T4", (7, 5)))


def test_a_driver_that_does_not_start_means_no_gpu(tmp_path: Path) -> None:
    broken = DRIVER.replace("cuInit(unsigned flags) { return 0; }", "cuInit(unsigned flags) { return 100; }")
    assert cuda_devices(build_driver(tmp_path, broken)) == ()


def test_why_there_is_no_gpu_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    none = str(tmp_path / "libcuda.so.1")
    assert "There is no NVIDIA GPU" in why_no_cuda(none, tmp_path)
    (tmp_path / "card").mkdir()
    (tmp_path / "card" / "class").write_text("0x030000\n")
    (tmp_path / "card" / "vendor").write_text("0x10de\n")
    assert "no driver for it" in why_no_cuda(none, tmp_path)
    starts = build_driver(tmp_path, DRIVER)
    assert "finds no GPU" in why_no_cuda(starts, tmp_path)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert "CUDA_VISIBLE_DEVICES hides" in why_no_cuda(starts, tmp_path)
    (tmp_path / "broken").mkdir()
    broken = DRIVER.replace("cuInit(unsigned flags) { return 0; }", "cuInit(unsigned flags) { return 100; }")
    assert "(error 100)" in why_no_cuda(build_driver(tmp_path / "broken", broken), tmp_path)


def test_no_driver_means_no_gpu(tmp_path: Path) -> None:
    assert cuda_devices(str(tmp_path / "libcuda.so.1")) == ()


def test_looking_for_gpus_loads_no_framework() -> None:
    code = (
        "import sys; from detector.engines.devices import cuda_devices; cuda_devices(); "
        "assert not {'tensorflow', 'keras', 'jax', 'openvino'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


@pytest.mark.skipif(sys.platform != "linux", reason="the affinity mask is Linux's")
def test_cores_outside_the_affinity_mask_are_not_counted() -> None:
    code = (
        "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); "
        "from detector.engines.devices import usable_cores; print(usable_cores())"
    )
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    assert said.stdout.strip() == "1"
    assert usable_cores() >= 1


@pytest.mark.parametrize(
    ("limits", "cores"),
    [
        ({"box/cpu.max": "200000 100000"}, 2),
        ({"box/cpu.max": "150000 100000"}, 2),  # one core and a half: two threads are worth it
        ({"box/cpu.max": "50000 100000"}, 1),
        ({"box/cpu.max": "max 100000"}, None),
        ({"cpu.max": "100000 100000", "box/cpu.max": "400000 100000"}, 1),  # the group above limits too
        ({}, None),
    ],
)
def test_the_time_granted_to_a_container_is_counted_in_cores(
    tmp_path: Path, limits: dict[str, str], cores: int | None
) -> None:
    (tmp_path / "membership").write_text("0::/box\n")
    for name, limit in limits.items():
        (tmp_path / "groups" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "groups" / name).write_text(limit + "\n")
    assert core_quota(tmp_path / "membership", tmp_path / "groups") == cores


def test_control_groups_of_the_first_version_are_read_too(tmp_path: Path) -> None:
    (tmp_path / "membership").write_text("5:memory:/docker/1\n4:cpu,cpuacct:/docker/1\n0::/\n")
    mounted = tmp_path / "groups" / "cpu,cpuacct"  # inside a container its own group is the root
    mounted.mkdir(parents=True)
    (mounted / "cpu.cfs_period_us").write_text("100000\n")
    (mounted / "cpu.cfs_quota_us").write_text("300000\n")
    assert core_quota(tmp_path / "membership", tmp_path / "groups") == 3
    (mounted / "cpu.cfs_quota_us").write_text("-1\n")
    assert core_quota(tmp_path / "membership", tmp_path / "groups") is None


def test_without_control_groups_nothing_is_limited(tmp_path: Path) -> None:
    assert core_quota(tmp_path / "membership", tmp_path) is None


def test_the_processor_has_a_name() -> None:
    assert processor_name().strip()
