"""What the Object Detection API calls our layers."""

_V1 = "FeatureExtractor/MobilenetV1"
_V2 = "FeatureExtractor/MobilenetV2"


def theirs(ours: str, sources: list[str]) -> str:
    """The name of a layer in the Object Detection API, by its own rules."""
    for index, source in enumerate(sources):
        for kind, word in (("offsets", "BoxEncodingPredictor"), ("logits", "ClassPredictor")):
            if ours.removesuffix("_depthwise") == f"{source}_{kind}":
                return f"BoxPredictor_{index}/{word}{'_depthwise' if ours.endswith('_depthwise') else ''}"
    if ours.startswith("layer_19"):
        _, _, number, part, *depthwise = ours.split("_")
        size = ("1x1_256", "1x1_128", "1x1_128", "1x1_64") if part == "1" else ("3x3_s2_512",) * 4
        name = f"layer_19_{part}_Conv2d_{number}_{size[int(number) - 2]}"
        return f"{_V2}/{name}{'_depthwise' if depthwise else ''}"
    if ours.startswith("expanded_conv"):
        block, _, part = ours.rpartition("_")
        return f"{_V2}/{block}/{part}"
    if ours in ("Conv", "Conv_1"):
        return f"{_V2}/{ours}"
    number, part = ours.removeprefix("Conv2d_").partition("_")[::2]
    if number.isdigit() and int(number) >= 14:
        kind = "1_Conv2d_{}_1x1_256" if part == "1x1" else "2_Conv2d_{}_3x3_s2_512"
        return f"{_V1}/Conv2d_13_pointwise_{kind.format(int(number) - 12)}"
    return f"{_V1}/{_V1.rpartition('/')[2]}/{ours}"
