"""Writes the table of timm's names that src/Vizsla/Models/Timm embeds: python timm_names.py results-imagenet.csv > names.jsonl, with timm 1.0.31 installed
and the table of results of its repository (results/).

A line for each name: its Python class, the arguments that its function gives the class (functions by their names, defaults left out),
its settings, what each tag changes in them, the default tag first, its size (parameters, multiplications) measured by torch's
FlopCounterMode, and the first-class accuracy on ImageNet, in percent, that timm publishes for the weights of the default tag; then the names of earlier versions. Names of other blocks than those that are built are left out.
"""
import csv
import dataclasses
import functools
import importlib
import inspect
import json
import sys

from timm.models import _registry

MODULES = """resnet resnetv2 efficientnet mobilenetv3 ghostnet convnext regnet densenet vgg inception_v3 inception_v4 xception xception_aligned hgnet byobnet
edgenext fastvit vision_transformer vision_transformer_hybrid deit eva beit mlp_mixer levit tiny_vit swin_transformer swin_transformer_v2""".split()

# What a name or its arguments hold that is not built.
ABSENT_NAMES = ("_cc_", "_pruned", "mixnet", "ghostnetv3", "aimv2", "beit3", "radio", "flexivit", "sapiens", "lingbot", "vit_pe_", "tips", "gmlp", "vit_base_mci", "vit_intern", "efficientnet_h_", "efficientnet_x_", "_sgn")
ABSENT_VALUES = ("EvoNorm", "FilterResponse", '"gc"', "DiffParallel", '"diff"', "rmsnorm2d", "ParallelScaling")
LEFT_OUT = ("in_chs", "features_only", "device", "dtype", "cfgs")
SETTINGS = ("input_size", "test_input_size", "fixed_input_size", "interpolation", "crop_pct", "test_crop_pct", "crop_mode", "mean", "std", "num_classes", "pool_size", "first_conv", "classifier", "license")
DEFAULTS = {"input_size": [3, 224, 224], "interpolation": "bicubic", "crop_pct": 0.875, "crop_mode": "center", "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225],
            "num_classes": 1000, "license": "apache-2.0", "fixed_input_size": False, "hf_hub_id": "timm/"}


class Recorded(Exception):
    pass


def plain(value):
    if isinstance(value, functools.partial):
        parts = [str(plain(a)) for a in value.args] + [f"{k}={plain(a)}" for k, a in value.keywords.items()]
        return f"{plain(value.func)}({', '.join(parts)})" if parts else plain(value.func)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        blank = {f.name: f.default if f.default_factory is dataclasses.MISSING else f.default_factory() for f in dataclasses.fields(value)}
        return {k: plain(getattr(value, k)) for k, d in blank.items() if d is dataclasses.MISSING or getattr(value, k) != d}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    return value if value is None or isinstance(value, (int, float, str, bool)) else value.__name__


def record(cls, variant, pretrained, model_cfg=None, **kwargs):
    skipped = ("pretrained_cfg", "pretrained_cfg_overlay", "feature_cfg", "pretrained_strict", "pretrained_filter_fn", "kwargs_filter", *LEFT_OUT)
    config = plain(model_cfg)
    raise Recorded(cls, {**(config if isinstance(config, dict) else {"cfg": config} if config is not None else {}), **{k: plain(v) for k, v in kwargs.items() if k not in skipped}})


def undecoded(arch_def, depth_multiplier=1.0, depth_trunc="ceil", experts_multiplier=1, fix_first_last=False, group_size=None):
    given = {"depth_multiplier": (depth_multiplier, 1.0), "depth_trunc": (depth_trunc, "ceil"), "fix_first_last": (fix_first_last, False), "group_size": (group_size, None)}
    return {"arch_def": " ".join(",".join(stage) for stage in arch_def), **{k: plain(v) for k, (v, default) in given.items() if v != default}}


def arguments(name):
    try:
        _registry._model_entrypoints[name](pretrained=False)
    except Recorded as call:
        cls, args = call.args
    blank = {k: plain(p.default) for k, p in inspect.signature(cls.__init__).parameters.items() if p.default is not inspect.Parameter.empty}
    if isinstance(args.get("block_args"), dict) and "arch_def" in args["block_args"]:
        args = {**args.pop("block_args"), **args}
    if "block_cfg" in args:
        args["block_cfg"] = [[b["in_chs"], b["out_chs"], b["stride"], *([False] if b.get("no_skip") else [])] for b in args["block_cfg"]]
    return cls.__name__, {k: v for k, v in args.items() if k not in blank or blank[k] != v}


def settings(config, name):
    found = {k: plain(getattr(config, k)) for k in SETTINGS}
    found["hf_hub_id"] = config.hf_hub_id
    if config.url and not config.hf_hub_id:
        found["url"] = config.url
    return {k: v for k, v in found.items() if (k in DEFAULTS and v != DEFAULTS[k]) or (k not in DEFAULTS and v is not None)}


def line(name):
    cls, args = arguments(name)
    configs = _registry._model_default_cfgs[name]
    tags = {t: settings(configs.cfgs[t], name) for t in configs.tags}
    first = tags[configs.tags[0]]
    common = {k: v for k, v in first.items() if all(t.get(k) == v for t in tags.values())}
    own = {t: {k: v for k, v in c.items() if k not in common} for t, c in tags.items()}
    return {"name": name, "class": cls, "args": args, "cfg": common, "tags": own}


def size(name):
    """Parameters, and multiplications for one picture of the default size, or None where the meta device can not run the network."""
    import torch
    from timm import create_model
    from torch.utils.flop_counter import FlopCounterMode

    config = _registry._model_default_cfgs[name].default
    try:
        try:
            with torch.device("meta"):
                model = create_model(name, num_classes=config.num_classes or 1000).eval()
        except RuntimeError:
            # Some networks read values while they are built.
            model = create_model(name, num_classes=config.num_classes or 1000).eval().to("meta")
        model.requires_grad_(False)
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            model(torch.zeros(1, *config.input_size, device="meta"))
    except RuntimeError:
        return None
    return [sum(p.numel() for p in model.parameters()), counter.get_total_flops() // 2]


def main():
    written = set()
    with open(sys.argv[1]) as file:
        accuracies = {r["model"]: round(float(r["top1"]), 2) for r in csv.DictReader(file)}
    sizes = {n: size(n) for m in MODULES for n in _registry._module_to_models[m] if n not in _registry._deprecated_models}
    for name in MODULES:
        module = importlib.import_module("timm.models." + name)
        module.build_model_with_cfg = record
        if hasattr(module, "decode_arch_def"):
            module.decode_arch_def = undecoded
        if name == "vision_transformer_hybrid":
            module._resnetv2 = lambda layers=(3, 4, 9), **kwargs: "ResNetV2(layers=" + json.dumps(layers) + ")"
            for backbone in ("resnet26d", "resnet50d"):
                setattr(module, backbone, lambda backbone=backbone, **kwargs: f"{backbone}(out_indices={json.dumps(kwargs['out_indices'])})")
    for module in MODULES:
        for name in sorted(n for n in _registry._module_to_models[module] if n not in _registry._deprecated_models):
            if any(a in name for a in ABSENT_NAMES) or (module == "byobnet" and not name.startswith("repvgg")) or name.startswith("regnetz"):
                continue
            row = line(name)
            if not any(a in json.dumps(row["args"]) for a in ABSENT_VALUES):
                written.add(name)
                row |= {"size": sizes[name]} if sizes[name] else {}
                tag = next(iter(row["tags"]))
                accuracy = accuracies.get(f"{name}.{tag}" if tag else name)
                row |= {"top1": accuracy} if accuracy else {}
                print(json.dumps(row, separators=(",", ":")))
    for old, new in sorted(_registry._deprecated_models.items()):
        if new and new.split(".")[0] in written:
            print(json.dumps({"name": old, "alias": new}, separators=(",", ":")))


if __name__ == "__main__":
    main()
