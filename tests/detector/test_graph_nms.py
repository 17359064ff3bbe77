"""Non-maximum suppression in the compiled graph against the plain loops, on TensorFlow and on JAX."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from detector import nms
from detector.anchor_layouts import LAYOUTS
from detector.anchors import generate
from detector.box_coder import VARIANCES
from detector.boxes import iou_matrix, to_xyxy
from detector.engines import graph_nms
from tests.detector.plain_nms import plain_candidates, plain_nms

PLAIN_VARIANCES = (1.0, 1.0, 1.0, 1.0)


def compiled(function):
    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(function)
    import tensorflow

    return tensorflow.function(function)


def graph_select(anchors, variances, max_detections):
    """The compiled function, arrays in, arrays out; the limits are arguments of each call."""

    def select(scores, offsets, floor, nms_iou):
        return graph_nms.select(
            scores, offsets, anchors, variances, floor=floor, nms_iou=nms_iou, max_detections=max_detections
        )

    graph = compiled(select)

    def call(scores, offsets, floor, nms_iou):
        arguments = (scores, offsets, np.float32(floor), np.float32(nms_iou))
        tensors = [keras.ops.convert_to_tensor(each) for each in arguments]
        return graph_nms.BatchSelection(*(np.array(each) for each in graph(*tensors)))

    return call


def grid_anchors(rng: np.random.Generator):
    sizes = rng.choice([0, 1, 2, 2, 3, 4, 8, -1], (16, 2))
    return np.concatenate([rng.integers(0, 9, (16, 2)), sizes], axis=1).astype(np.float32) / 8


def grid_pictures(rng: np.random.Generator, pictures: int):
    """Scores and offsets: duplicates, equal overlaps, empty boxes, reversed ones, pictures without anything.

    The offsets move anchors by whole multiples of their size, so that no decoding rounds anything.
    """
    offsets = np.zeros((pictures, 16, 4), np.float32)
    offsets[:, :, :2] = rng.integers(-1, 2, (pictures, 16, 2)) * rng.integers(0, 2, (pictures, 1, 1))
    scores = rng.choice(np.float32([0, 0, 0.05, 0.3, 0.5, 0.50001, 0.9]), (pictures, 16, 2))
    scores *= rng.integers(0, 2, (pictures, 1, 1)) | rng.integers(0, 2, (pictures, 16, 2))
    return scores.astype(np.float32), offsets


def test_thousands_of_pictures_are_thinned_as_the_plain_loop_thins_them():
    rng = np.random.default_rng(0)
    anchors = grid_anchors(rng)
    select = graph_select(anchors, PLAIN_VARIANCES, 20)
    for nms_iou in (0.0, 0.25, float(np.float32(1) / 3), 0.5, 0.6, 1.0):
        scores, offsets = grid_pictures(rng, 400)
        found = select(scores, offsets, 0.05, nms_iou)
        for picture in range(len(scores)):
            pairs = plain_candidates(scores[picture], 0.05, nms.CANDIDATES)
            anchor_ids, class_ids = np.array(pairs, np.int64).reshape(-1, 2).T
            boxes = anchors[anchor_ids].copy()
            boxes[:, :2] += offsets[picture, anchor_ids, :2] * boxes[:, 2:]
            boxes, values = to_xyxy(boxes), scores[picture, anchor_ids, class_ids]
            kept = plain_nms(boxes, values, class_ids, nms_iou)[:20]

            count = found.counts[picture]
            assert found.anchor_ids[picture, :count].tolist() == anchor_ids[kept].tolist()
            assert found.class_ids[picture, :count].tolist() == class_ids[kept].tolist()
            np.testing.assert_array_equal(found.scores[picture, :count], values[kept])
            np.testing.assert_array_equal(found.boxes[picture, :count], boxes[kept])


@pytest.mark.parametrize("nms_iou", [0.2, 0.45, 0.6])
def test_the_graph_and_the_processor_keep_the_same_boxes_of_a_network(nms_iou):
    rng = np.random.default_rng(1)
    anchors = generate(LAYOUTS["tf-ssd-300"])
    scores = rng.random((5, len(anchors), 12)).astype(np.float32) * np.float32(0.04)
    for picture, above_floor in enumerate(
        (0, 1, 60, 1000, 4000)
    ):  # nothing found, and more than may take part
        chosen = rng.choice(scores[picture].size, above_floor, replace=False)
        scores[picture].flat[chosen] = np.round(0.06 + rng.random(above_floor) * 0.9, 2)
    offsets = rng.normal(0, 1.5, (5, len(anchors), 4)).astype(np.float32)

    found = graph_select(anchors, VARIANCES, 200)(scores, offsets, 0.05, nms_iou)
    for picture in range(5):
        expected = nms.select(
            scores[picture],
            offsets[picture],
            anchors,
            VARIANCES,
            floor=0.05,
            nms_iou=nms_iou,
            max_detections=200,
        )
        count = found.counts[picture]
        assert count == len(expected.scores)
        np.testing.assert_array_equal(found.anchor_ids[picture, :count], expected.anchor_ids)
        np.testing.assert_array_equal(found.class_ids[picture, :count], expected.class_ids)
        np.testing.assert_array_equal(found.scores[picture, :count], expected.scores)
        # Compilers multiply and add with one rounding where numpy rounds twice.
        np.testing.assert_allclose(found.boxes[picture, :count], expected.boxes, rtol=1e-5, atol=1e-6)


def test_both_paths_see_the_same_overlaps_to_the_last_bit():
    rng = np.random.default_rng(2)
    corners = rng.random((300, 2), np.float32)
    boxes = np.concatenate([corners, corners + rng.random((300, 2), np.float32) / 2], axis=1)
    boxes[:150] = np.round(boxes[:150] * 10) / np.float32(10)
    overlaps = compiled(graph_nms._iou)(keras.ops.convert_to_tensor(boxes[None]))
    np.testing.assert_array_equal(np.array(overlaps)[0], iou_matrix(boxes, boxes))


def test_past_the_count_all_is_padding():
    anchors = np.float32([[0.5, 0.5, 1, 1], [0.2, 0.2, 0.1, 0.1], [0.8, 0.8, 0.1, 0.1]])
    scores = np.float32([[[0.0], [0.9], [0.8]], [[0.0], [0.0], [0.05]]])
    found = graph_select(anchors, VARIANCES, 3)(scores, np.zeros((2, 3, 4), np.float32), 0.05, 0.45)
    assert found.counts.tolist() == [2, 0]
    assert found.anchor_ids.tolist() == [[1, 2, -1], [-1, -1, -1]]
    assert found.class_ids.tolist() == [[0, 0, -1], [-1, -1, -1]]
    assert found.scores[1].tolist() == [0, 0, 0]
    assert found.boxes[1].tolist() == [[0, 0, 0, 0]] * 3
    assert [str(each.dtype) for each in found] == ["float32", "float32", "int32", "int32", "int32"]


def test_no_more_are_kept_than_may_be():
    anchors = np.float32([[0.2 * i, 0.5, 0.1, 0.1] for i in range(5)])
    scores = np.float32([[[0.5], [0.9], [0.6], [0.8], [0.7]]])
    found = graph_select(anchors, VARIANCES, 2)(scores, np.zeros((1, 5, 4), np.float32), 0.05, 0.45)
    assert found.anchor_ids.tolist() == [[1, 3]]
    assert found.counts.tolist() == [2]


def test_a_long_chain_of_boxes_each_beaten_by_the_one_before_it_is_settled():
    # Greedy keeps every second one; each decision waits for the one before it.
    anchors = np.float32([[i / 64, 0.5, 2 / 64, 0.5] for i in range(60)])
    scores = np.linspace(0.9, 0.3, 60, dtype=np.float32)[None, :, None]
    found = graph_select(anchors, VARIANCES, 60)(scores, np.zeros((1, 60, 4), np.float32), 0.05, 0.3)
    assert found.anchor_ids[0, : found.counts[0]].tolist() == list(range(0, 60, 2))


def test_other_limits_do_not_compile_anew():
    traces = []

    def select(scores, offsets, floor, nms_iou):
        traces.append(None)
        return graph_nms.select(
            scores, offsets, anchors, VARIANCES, floor=floor, nms_iou=nms_iou, max_detections=2
        )

    anchors = np.float32([[0.5, 0.5, 0.5, 0.5], [0.5, 0.5, 0.5, 0.25]])
    graph = compiled(select)
    counts = []
    for floor, nms_iou in ((0.05, 0.45), (0.05, 0.55), (0.85, 0.55)):
        arguments = (np.float32([[[0.9], [0.8]]]), np.zeros((1, 2, 4), np.float32))
        limits = (np.float32(floor), np.float32(nms_iou))
        found = graph(*(keras.ops.convert_to_tensor(each) for each in arguments + limits))
        counts.append(int(found.counts[0]))
    assert counts == [1, 2, 1]
    assert len(traces) == 1


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="this is the other backend's run")
def test_all_of_this_holds_on_jax_too():
    here = Path(__file__)
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", str(here)],
        cwd=here.parents[2],
        env={**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "9 passed, 1 skipped" in run.stdout
