"""Records where checkpoints of the recordings looked, as plain PyTorch and transformers compute it: explanations.json beside this file.

python make.py SHARED, the folder with golden/ and data/. For each checkpoint below golden/vit and for lite0, for each picture of its numbers.safetensors:
the likeliest class and the heat map, row by row. Attention rollout is the product of the whole matrices, in float64; Grad-CAM takes the gradient from
hooks on the module that pools. `key` is the SHA-256 of logits recorded beside the weights, by which a test knows that it has the same checkpoint.
"""
import hashlib, json, sys
from pathlib import Path
shared = Path(sys.argv[1])
sys.path.insert(0, str(shared / "golden/make"))
from common import torchvision_without_kernels
torchvision_without_kernels()
import torch
from safetensors.torch import load_file
from transformers import AutoModelForImageClassification


def rollout(attentions, shares):
    n = len(shares)
    joint = torch.eye(n, dtype=torch.float64)
    for a in attentions:
        joint = (0.5 * a.double().mean(0) + 0.5 * torch.eye(n, dtype=torch.float64)) @ joint
    return torch.tensor(shares, dtype=torch.float64) @ joint


def attention_case(model, x, kw):
    kind, c = model.config.model_type, model.config
    rows, columns = x.shape[-2] // c.patch_size, x.shape[-1] // c.patch_size
    leading = {"vit": [1.0], "deit": [1.0, 0.0], "dinov2": [0.5], "beit": [0.0 if c.to_dict().get("use_mean_pooling") else 1.0]}[kind]
    shares = leading + [(1 - sum(leading)) / (rows * columns)] * (rows * columns)
    with torch.no_grad():
        out = model(pixel_values=x[None], output_attentions=True, **kw)
    heat = rollout([a[0] for a in out.attentions], shares)[len(leading):]
    return {"class": out.logits[0].argmax().item(), "rows": rows, "columns": columns, "heat": heat.tolist()}


def plane_case(forward, module, x, tokens=False):
    kept = []
    hook = module.register_forward_pre_hook(lambda m, a: (a[0].retain_grad(), kept.append(a[0]))[1])
    logits = forward(x[None].requires_grad_())[0]
    hook.remove()
    index = logits.argmax().item()
    logits[index].backward()
    plane, gradient = kept[0].detach()[0], kept[0].grad[0]
    if tokens:
        side = int(plane.shape[0] ** 0.5)
        plane, gradient = (t.T.reshape(-1, side, side) for t in (plane, gradient))
    heat = (gradient.mean((1, 2))[:, None, None] * plane).sum(0).relu()
    return {"class": index, "rows": heat.shape[0], "columns": heat.shape[1], "heat": heat.flatten().tolist()}


def convnext_case(model, x):
    kept = []
    hook = model.convnext.encoder.register_forward_hook(lambda m, a, o: kept.append(o.last_hidden_state if hasattr(o, "last_hidden_state") else o[0]))
    logits = model(pixel_values=x[None].requires_grad_()).logits[0]
    hook.remove()
    index = logits.argmax().item()
    gradient = torch.autograd.grad(logits[index], kept[0])[0][0]
    heat = (gradient.mean((1, 2))[:, None, None] * kept[0].detach()[0]).sum(0).relu()
    return {"class": index, "rows": heat.shape[0], "columns": heat.shape[1], "heat": heat.flatten().tolist()}


def checkpoint(folder):
    numbers = load_file(folder / "numbers.safetensors")
    kw = json.loads((folder / "call.json").read_text())
    model = AutoModelForImageClassification.from_pretrained(folder, attn_implementation="eager").eval() if (folder / "config.json").exists() else None
    kind = model.config.model_type
    logits = lambda p: model(pixel_values=p).logits
    cases = []
    for x in numbers["pixel_values"]:
        if kind == "swin": cases.append(plane_case(logits, model.swin.layernorm, x, tokens=True))
        elif kind == "convnext": cases.append(convnext_case(model, x))
        elif kind in ("resnet", "mobilenet_v2", "efficientnet"): cases.append(plane_case(logits, getattr(model, kind).pooler, x))
        else: cases.append(attention_case(model, x, kw))
    return {"key": key(numbers), "cases": cases}


def lite0():
    import timm
    numbers = load_file(shared / "golden/cnn/lite0.safetensors")
    model = timm.create_model("tf_efficientnet_lite0", pretrained=False)
    model.load_state_dict(load_file(shared / "data/weights/tf_efficientnet_lite0/model.safetensors"))
    model.eval()
    return {"key": key(numbers), "cases": [plane_case(model, model.global_pool, x) for x in numbers["pixel_values"]]}


def key(numbers):
    return hashlib.sha256(numbers["logits"].contiguous().numpy().tobytes()).hexdigest()


result = {f.name: checkpoint(f) for f in sorted((shared / "golden/vit").iterdir()) if (f / "numbers.safetensors").exists()}
result["lite0"] = lite0()
text = lambda v: json.dumps(v).replace(" ", "")
lines = [f'"{name}": {{"key": "{r["key"]}", "cases": [\n' + ",\n".join(text({**c, "heat": [float(f"{h:.7g}") for h in c["heat"]]}) for c in r["cases"]) + "]}" for name, r in result.items()]
(Path(__file__).parent / "explanations.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
