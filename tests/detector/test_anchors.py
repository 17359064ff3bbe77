"""Anchors against the golden sums of the published layouts."""

import json
from dataclasses import replace

import numpy as np
import pytest

from detector.anchor_layouts import LAYOUTS, caffe_shapes
from detector.anchors import AnchorLayout, AnchorMap, generate
from detector.errors import ModelError


def _with_third(layout: AnchorLayout) -> AnchorLayout:
    """The TensorFlow layout with an exact third instead of 0.3333."""
    maps = list(layout.maps)
    for index in range(1, len(maps)):
        shapes = list(maps[index].shapes)
        width, height = shapes[3]
        shapes[4] = (height, width)
        maps[index] = replace(maps[index], shapes=tuple(shapes))
    return replace(layout, maps=tuple(maps))


def _chunml_512_with_its_wrong_maps() -> AnchorLayout:
    scales = (0.07, 0.15, 0.3, 0.45, 0.6, 0.75, 0.9, 1.05)
    ratios = ((2,), (2, 3), (2, 3), (2, 3), (2,), (2,), (2,))
    cells = (64, 32, 16, 8, 6, 4, 1)
    maps = tuple(
        AnchorMap(height=n, width=n, shapes=caffe_shapes(scales[i], scales[i + 1], ratios[i], image=1))
        for i, n in enumerate(cells)
    )
    return AnchorLayout(image_size=(512, 512), maps=maps, clip="coordinates")


GOLDEN_SUMS = """
ssd300-voc                        |  8732| 4443.9467| 4443.9467| 1510.4293| 1510.4293|  951.9858|  952.0243
ssd300-voc-clamped                |  8732| 4443.1467| 4443.1467| 1510.1480| 1510.1480|  951.7046|  951.7430
ssd300-voc-clipped                |  8732| 4433.8825| 4433.8825| 1395.6822| 1395.6822|  862.7323|  860.7362
ssd300-coco                       |  8732| 4443.9467| 4443.9467| 1172.1980| 1172.1980|  768.2278|  768.2579
ssd300-coco-clamped               |  8732| 4443.1467| 4443.1467| 1171.9677| 1171.9677|  767.9975|  768.0275
ssd300-coco-nvidia                |  8732| 4443.1467| 4443.1467| 1171.9677| 1171.9677|  757.6548|  774.4188
torchvision-ssd300                |  8732| 4443.9467| 4443.9467| 1171.9677| 1171.9677|  767.9975|  768.0275
ssd512-voc                        | 24564|12282.0000|12282.0000| 3105.5545| 3105.5545| 2002.7563| 2002.7847
ssd512-voc-exact                  | 24564|12282.0000|12282.0000| 3146.1417| 3146.1417| 2022.3905| 2022.4193
ssd512-voc-clamped                | 24564|12282.0000|12282.0000| 3144.9986| 3144.9986| 2021.2492| 2021.2779
ssd512-coco                       | 24564|12282.0000|12282.0000| 2173.6820| 2173.6820| 1495.7162| 1495.7364
ssd512-coco-exact                 | 24564|12282.0000|12282.0000| 2192.4711| 2192.4711| 1503.5930| 1503.6134
ssd512-coco-clamped               | 24564|12282.0000|12282.0000| 2191.9388| 2191.9388| 1503.0610| 1503.0813
ssd512-coco-paz                   | 24564|12282.0000|12282.0000| 2205.2560| 2205.2560| 1506.4412| 1506.4616
ssd300-rykov8                     |  7308| 3654.0000| 3654.0000| 1237.6403| 1237.6403|  792.8781|  792.9189
ssd300-rykov8, unclipped          |  7308| 3654.0000| 3654.0000| 1336.5556| 1336.5556|  872.6298|  872.6774
ssd7-300x480                      | 11692| 5846.0000| 5846.0000|  919.4984| 1471.1975|  566.7815|  906.7914
ssd7-300                          |  7160| 3580.0000| 3580.0000|  893.9185|  893.9185|  549.3053|  549.2468
torchvision-ssdlite320            |  3234| 1617.0000| 1617.0000|  915.4017|  915.4017|  532.6074|  532.6853
torchvision-ssdlite320, unclipped |  3234| 1617.0000| 1617.0000|  919.5912|  919.5912|  536.7666|  536.8457
tf-ssd-300                        |  1917|  958.5000|  958.5000|  568.5611|  568.5678|  360.1528|  360.2407
tf-ssd-300, with an exact third   |  1917|  958.5000|  958.5000|  568.5628|  568.5628|  360.1542|  360.2367
tf-ssd-300, clipped to the window |  1917|  958.5000|  958.5000|  508.9826|  508.9871|  315.7513|  315.8205
tf-ssd-320                        |  2034| 1017.0000| 1017.0000|  589.0074|  589.0141|  372.7348|  372.8207
mobilenet-ssd-caffe               |  1917|  958.5000|  958.5000|  604.6628|  604.6628|  370.3351|  370.4175
mobilenet-qfgaohao                |  3000| 1538.6400| 1538.6400|  862.7490|  862.7490|  504.8225|  504.9016
mobilenet-qfgaohao, unclipped     |  3000| 1539.4400| 1539.4400|  866.9607|  866.9607|  509.0015|  509.0820
squeezenet-qfgaohao               |  2568| 1227.2800| 1227.2800|  765.4972|  765.4972|  452.7761|  452.8581
mobilenet-v2-lufficc              |  3234| 1614.3750| 1614.3750|  859.4212|  859.4212|  500.5392|  500.6126
mobilenet-v3-lufficc              |  3234| 1617.0844| 1617.0844|  859.4212|  859.4212|  500.5392|  500.6126
ssd300-chunml                     |  8732| 4366.0000| 4366.0000| 1516.3479| 1516.3479|  957.5474|  957.5859
chunml's 512, wrong maps          | 24660|12330.0000|12330.0000| 3211.5512| 3211.5512| 2079.8241| 2079.8528
"""  # Σcx Σcy Σw Σh, then Σ i·w_i / n and Σ i·h_i / n with i = 1..n, which see the order


VARIANTS = {
    "ssd300-rykov8, unclipped": replace(LAYOUTS["ssd300-rykov8"], clip="none"),
    "torchvision-ssdlite320, unclipped": replace(LAYOUTS["torchvision-ssdlite320"], clip="none"),
    "tf-ssd-300, with an exact third": _with_third(LAYOUTS["tf-ssd-300"]),
    "tf-ssd-300, clipped to the window": replace(LAYOUTS["tf-ssd-300"], clip="corners"),
    "mobilenet-qfgaohao, unclipped": replace(LAYOUTS["mobilenet-qfgaohao"], clip="none"),
    "chunml's 512, wrong maps": _chunml_512_with_its_wrong_maps(),
}
ROWS = [tuple(cell.strip() for cell in line.split("|")) for line in GOLDEN_SUMS.strip().splitlines()]


def layout_named(name: str) -> AnchorLayout:
    return VARIANTS.get(name) or LAYOUTS[name]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_the_sums_are_the_golden_ones(row):
    anchors = generate(layout_named(row[0])).astype(np.float64)
    n = int(row[1])
    assert anchors.shape == (n, 4)
    ranks = np.arange(1, n + 1) / n
    sums = [*anchors.sum(axis=0), ranks @ anchors[:, 2], ranks @ anchors[:, 3]]
    np.testing.assert_allclose(sums, [float(cell) for cell in row[2:]], rtol=0, atol=1e-3)


def test_every_named_layout_has_its_golden_row():
    assert {row[0] for row in ROWS} - set(VARIANTS) == set(LAYOUTS) - {"ssd300-voc-jedol"}


@pytest.mark.parametrize(
    ("name", "sums"),
    [
        ("ssd300-voc", [654.9311, 490.3007, 245.6357, 88.7946, 27.0592, 3.7080]),
        ("ssd300-coco", [463.4690, 374.3910, 220.2382, 84.0720, 26.3565, 3.6713]),
        ("ssd512-voc", [1286.5712, 1041.1361, 509.2452, 189.3489, 62.8306, 12.6474, 3.7750]),
        ("ssd300-rykov8", [438.3096, 460.5568, 222.9233, 76.6706, 34.0783, 5.1017]),
        ("tf-ssd-300", [189.2593, 231.9072, 82.1358, 38.2595, 20.8653, 6.1338]),
        ("mobilenet-ssd-caffe", [225.3593, 231.9083, 82.1362, 38.2597, 20.8654, 6.1339]),
        ("torchvision-ssdlite320", [540.2878, 231.9083, 82.1362, 37.1272, 18.7974, 5.1449]),
    ],
)
def test_the_widths_of_each_map_sum_to_the_golden_ones(name, sums):
    layout = LAYOUTS[name]
    of_maps = np.split(generate(layout)[:, 2].astype(np.float64), np.cumsum(layout.counts)[:-1])
    np.testing.assert_allclose([each.sum() for each in of_maps], sums, rtol=0, atol=1e-3)


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("ssd300-voc", (5776, 2166, 600, 150, 36, 4)),
        ("ssd512-coco", (16384, 6144, 1536, 384, 96, 16, 4)),
        ("tf-ssd-300", (1083, 600, 150, 54, 24, 6)),
        ("mobilenet-ssd-caffe", (1083, 600, 150, 54, 24, 6)),
        ("mobilenet-qfgaohao", (2166, 600, 150, 54, 24, 6)),
        ("ssd7-300x480", (8880, 2160, 540, 112)),
    ],
)
def test_the_counts_are_those_of_the_network(name, counts):
    layout = LAYOUTS[name]
    assert layout.counts == counts
    assert layout.count == len(generate(layout)) == sum(counts)
    assert layout.boxes_per_cell == tuple(len(each.shapes) for each in layout.maps)


# First and last anchor of each map (cx, cy, w, h), worked out by hand from the configurations.
# Last: the inverse of the last ratio, at the centre of the last cell.
SQRT2 = 2**0.5
ENDS = {
    "ssd300-voc": [
        ((4 / 300, 4 / 300, 0.1, 0.1), (300 / 300, 300 / 300, 0.1 / 2**0.5, 0.1 * 2**0.5)),
        ((8 / 300, 8 / 300, 0.2, 0.2), (296 / 300, 296 / 300, 0.2 / 3**0.5, 0.2 * 3**0.5)),
        ((16 / 300, 16 / 300, 0.37, 0.37), (304 / 300, 304 / 300, 0.37 / 3**0.5, 0.37 * 3**0.5)),
        ((32 / 300, 32 / 300, 0.54, 0.54), (288 / 300, 288 / 300, 0.54 / 3**0.5, 0.54 * 3**0.5)),
        ((50 / 300, 50 / 300, 0.71, 0.71), (250 / 300, 250 / 300, 0.71 / 2**0.5, 0.71 * 2**0.5)),
        ((0.5, 0.5, 0.88, 0.88), (0.5, 0.5, 0.62225397, 1.24450793)),
    ],
    "ssd512-voc": [
        ((4 / 512,) * 2 + (35 / 512,) * 2, (508 / 512,) * 2 + (35 / 512 / 2**0.5, 35 / 512 * 2**0.5)),
        ((8 / 512,) * 2 + (76 / 512,) * 2, (504 / 512,) * 2 + (76 / 512 / 3**0.5, 76 / 512 * 3**0.5)),
        ((16 / 512,) * 2 + (153 / 512,) * 2, (496 / 512,) * 2 + (153 / 512 / 3**0.5, 153 / 512 * 3**0.5)),
        ((32 / 512,) * 2 + (230 / 512,) * 2, (480 / 512,) * 2 + (230 / 512 / 3**0.5, 230 / 512 * 3**0.5)),
        ((64 / 512,) * 2 + (307 / 512,) * 2, (448 / 512,) * 2 + (307 / 512 / 3**0.5, 307 / 512 * 3**0.5)),
        ((0.25, 0.25, 0.75, 0.75), (0.75, 0.75, 0.75 / 2**0.5, 0.75 * 2**0.5)),
        ((0.5, 0.5, 460 / 512, 460 / 512), (0.5, 0.5, 460 / 512 / 2**0.5, 460 / 512 * 2**0.5)),
    ],
    "tf-ssd-300": [
        ((0.5 / 19, 0.5 / 19, 0.1, 0.1), (18.5 / 19, 18.5 / 19, 0.14142136, 0.28284271)),
        ((0.05, 0.05, 0.35, 0.35), (0.95, 0.95, 0.41833001, 0.41833001)),
        ((0.1, 0.1, 0.5, 0.5), (0.9, 0.9, 0.325**0.5, 0.325**0.5)),
        ((1 / 6, 1 / 6, 0.65, 0.65), (5 / 6, 5 / 6, 0.52**0.5, 0.52**0.5)),
        ((0.25, 0.25, 0.8, 0.8), (0.75, 0.75, 0.76**0.5, 0.76**0.5)),
        ((0.5, 0.5, 0.95, 0.95), (0.5, 0.5, 0.95**0.5, 0.95**0.5)),
    ],
    "mobilenet-ssd-caffe": [
        ((0.5 / 19, 0.5 / 19, 0.2, 0.2), (18.5 / 19, 18.5 / 19, 0.14142136, 0.28284271)),
        ((0.05, 0.05, 0.35, 0.35), (0.95, 0.95, 0.35 / 3**0.5, 0.35 * 3**0.5)),
        ((0.1, 0.1, 0.5, 0.5), (0.9, 0.9, 0.5 / 3**0.5, 0.5 * 3**0.5)),
        ((1 / 6, 1 / 6, 0.65, 0.65), (5 / 6, 5 / 6, 0.65 / 3**0.5, 0.65 * 3**0.5)),
        ((0.25, 0.25, 0.8, 0.8), (0.75, 0.75, 0.8 / 3**0.5, 0.8 * 3**0.5)),
        ((0.5, 0.5, 0.95, 0.95), (0.5, 0.5, 0.95 / 3**0.5, 0.95 * 3**0.5)),
    ],
    "ssd7-300x480": [
        (
            (0.5 / 60, 0.5 / 37, 0.05 / SQRT2, 0.08 * SQRT2),
            (59.5 / 60, 36.5 / 37, 0.05 * SQRT2, 0.08 / SQRT2),
        ),
        ((0.5 / 30, 0.5 / 18, 0.1 / SQRT2, 0.16 * SQRT2), (29.5 / 30, 17.5 / 18, 0.1 * SQRT2, 0.16 / SQRT2)),
        ((0.5 / 15, 0.5 / 9, 0.2 / SQRT2, 0.32 * SQRT2), (14.5 / 15, 8.5 / 9, 0.2 * SQRT2, 0.32 / SQRT2)),
        ((0.5 / 7, 0.5 / 4, 0.4 / SQRT2, 0.64 * SQRT2), (6.5 / 7, 3.5 / 4, 0.4 * SQRT2, 0.64 / SQRT2)),
    ],
}


@pytest.mark.parametrize("name", ENDS)
def test_each_map_begins_and_ends_with_the_anchor_worked_out_by_hand(name):
    layout = LAYOUTS[name]
    of_maps = np.split(generate(layout), np.cumsum(layout.counts)[:-1])
    assert len(of_maps) == len(ENDS[name])
    for anchors, (first, last) in zip(of_maps, ENDS[name]):
        np.testing.assert_allclose(anchors[0], first, rtol=0, atol=1e-6)
        np.testing.assert_allclose(anchors[-1], last, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "start", "centre", "sizes"),
    [
        (
            "ssd300-voc",
            0,
            (0.01333333, 0.01333333),
            [(0.1, 0.1), (0.14142136, 0.14142136), (0.14142136, 0.07071068), (0.07071068, 0.14142136)],
        ),
        (
            "ssd300-voc",
            8728,
            (0.5, 0.5),
            [(0.88, 0.88), (0.96124919, 0.96124919), (1.24450793, 0.62225397), (0.62225397, 1.24450793)],
        ),
        (
            "tf-ssd-300",
            0,
            (0.02631579, 0.02631579),
            [(0.1, 0.1), (0.28284271, 0.14142136), (0.14142136, 0.28284271)],
        ),
        (
            "tf-ssd-300",
            1083,
            (0.05, 0.05),
            [
                (0.35, 0.35),
                (0.49497475, 0.24748737),
                (0.24748737, 0.49497475),
                (0.60621778, 0.20207259),
                (0.20206249, 0.6062481),
                (0.41833001, 0.41833001),
            ],
        ),
        (
            "mobilenet-ssd-caffe",
            0,
            (0.02631579, 0.02631579),
            [(0.2, 0.2), (0.28284271, 0.14142136), (0.14142136, 0.28284271)],
        ),
        (
            "mobilenet-ssd-caffe",
            1083,
            (0.05, 0.05),
            [(0.35, 0.35), (0.41833001, 0.41833001), (0.49497475, 0.24748737)],
        ),
        (
            "torchvision-ssdlite320",
            0,
            (0.025, 0.025),
            [
                (0.2, 0.2),
                (0.26457513, 0.26457513),
                (0.28284271, 0.14142136),
                (0.14142136, 0.28284271),
                (0.34641016, 0.11547005),
                (0.11547005, 0.34641016),
            ],
        ),
        (
            "ssd300-voc-jedol",  # all ratios, then all inverses
            5776,
            (8 / 300, 8 / 300),
            [
                (0.2, 0.2),
                (0.037**0.5 * 2**0.5, 0.037**0.5 * 2**0.5),
                (0.2 * 2**0.5, 0.2 / 2**0.5),
                (0.2 * 3**0.5, 0.2 / 3**0.5),
                (0.2 / 2**0.5, 0.2 * 2**0.5),
                (0.2 / 3**0.5, 0.2 * 3**0.5),
            ],
        ),
    ],
)
def test_the_shapes_of_a_cell_come_in_the_order_of_the_origin(name, start, centre, sizes):
    cell = generate(LAYOUTS[name])[start : start + len(sizes)]
    np.testing.assert_allclose(cell[:, :2], [centre] * len(sizes), rtol=0, atol=1e-7)
    np.testing.assert_allclose(cell[:, 2:], sizes, rtol=0, atol=1e-7)


def test_cells_run_along_the_row_first():
    anchors = generate(LAYOUTS["ssd7-300x480"])
    np.testing.assert_allclose(anchors[4, :2] - anchors[0, :2], (1 / 60, 0), atol=1e-7)
    np.testing.assert_allclose(anchors[60 * 4, :2] - anchors[0, :2], (0, 1 / 37), atol=1e-7)


def test_shape_major_order_is_the_same_anchors_arranged_by_shape():
    by_cell, by_shape = generate(LAYOUTS["ssd300-coco-clamped"]), generate(LAYOUTS["ssd300-coco-nvidia"])
    first = by_cell[:5776].reshape(38 * 38, 4, 4).transpose(1, 0, 2).reshape(-1, 4)
    np.testing.assert_array_equal(by_shape[:5776], first)


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_layout_comes_back_from_json_as_it_was(name):
    layout = LAYOUTS[name]
    assert AnchorLayout.from_json(json.loads(json.dumps(layout.to_json()))) == layout


@pytest.mark.parametrize(
    ("damage", "word"),
    [
        (lambda card: card.pop("maps"), "maps"),
        (lambda card: card.update(clip="sometimes"), "sometimes"),
        (lambda card: card.update(image_size=[300]), "import"),
        (lambda card: card.update(image_size=[0, 300]), "image_size"),
        (lambda card: card["maps"][0].update(shapes=[[0.1, 0.0]]), "above 0"),
        (lambda card: card["maps"][0].update(cells=[0, 3]), "cells"),
        (lambda card: card["maps"][0].update(step=-8), "step"),
        (lambda card: card["maps"][0].pop("step"), "step"),
        (lambda card: card.update(maps=[]), "at least one"),
    ],
)
def test_a_card_that_cannot_be_meant_is_answered_with_what_is_wrong(damage, word):
    card = json.loads(json.dumps(LAYOUTS["ssd300-voc"].to_json()))
    damage(card)
    with pytest.raises(ModelError, match="(?i)" + word):
        AnchorLayout.from_json(card)


def test_a_layout_fitted_to_its_own_size_is_itself():
    for layout in LAYOUTS.values():
        assert layout.for_maps(layout.map_shapes, layout.image_size) == layout


def test_strides_stay_in_pixels_and_sizes_follow_the_shorter_side_of_a_wider_input():
    maps = [(38, 50), (19, 25), (10, 13), (5, 7), (3, 5), (1, 3)]
    layout = LAYOUTS["ssd300-voc"].for_maps(maps, (300, 400))
    anchors = generate(layout)
    assert layout.count == len(anchors)
    np.testing.assert_allclose(anchors[0], (4 / 400, 4 / 300, 0.1 * 300 / 400, 0.1), atol=1e-7)
    np.testing.assert_allclose(anchors[4, 0] - anchors[0, 0], 8 / 400, atol=1e-7)
    # The last map's single row and three columns divide the image: step 300 was not a stride.
    np.testing.assert_allclose(anchors[-12::4, 0], (1 / 6, 0.5, 5 / 6), atol=1e-7)
    np.testing.assert_allclose(anchors[-12::4, 1], 0.5, atol=1e-7)


def test_ssd300_at_512_pixels_stands_where_ssd512_stands():
    maps = [(64, 64), (32, 32), (16, 16), (8, 8), (6, 6), (4, 4)]
    layout = LAYOUTS["ssd300-voc"].for_maps(maps, (512, 512))
    first = layout.counts[0]
    np.testing.assert_array_equal(generate(layout)[:first, :2], generate(LAYOUTS["ssd512-voc"])[:first, :2])


def test_an_even_grid_stays_even_on_another_input():
    layout = LAYOUTS["tf-ssd-300"].for_maps([(10, 20), (5, 10), (3, 5), (2, 3), (1, 2), (1, 1)], (160, 320))
    centres = generate(layout)[: 10 * 20 * 3 : 3, :2].reshape(10, 20, 2)
    np.testing.assert_allclose(centres[0, :, 0], (np.arange(20) + 0.5) / 20, atol=1e-7)
    np.testing.assert_allclose(centres[:, 0, 1], (np.arange(10) + 0.5) / 10, atol=1e-7)


def test_fitting_to_a_wrong_number_of_maps_is_refused():
    with pytest.raises(ValueError, match="6 maps"):
        LAYOUTS["ssd300-voc"].for_maps([(38, 38)], (300, 300))
