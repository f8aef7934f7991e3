"""Records checkpoints of the families of transformers that ../../../../shared/golden/vit does not hold, in its form, beside this file.

python make.py SHARED, the folder with golden/. transformers has no classifier on DINOv3; the head here is DINOv2's: linear, on the class token
and the mean of the patches, and on the pooled token of the ConvNeXt, under the names of the backbone's own file and `classifier`.
Of DINOv3 also `train.logits`: in training, where coordinates are drawn, after torch.manual_seed(3).
"""
import os, sys
from pathlib import Path
here = Path(__file__).resolve().parent
os.environ["GOLDEN_OUT"] = str(here.parent)
sys.path.insert(0, str(Path(sys.argv[1]) / "golden/make"))
import torch
torch.backends.mkldnn.set_flags(False)
import vit
import transformers as T
from safetensors.torch import load_file, save_file
from torch import nn
from transformers.modeling_outputs import ImageClassifierOutput

LABELS = dict(num_labels=5)


class DINOv3ViTForImageClassification(T.DINOv3ViTModel):
    def __init__(self, config):
        super().__init__(config)
        self.classifier = nn.Linear(2 * config.hidden_size, config.num_labels)
        self.post_init()

    def forward(self, pixel_values, labels=None, **kw):
        out = super().forward(pixel_values, **kw)
        x = out.last_hidden_state
        logits = self.classifier(torch.cat([x[:, 0], x[:, 1 + self.config.num_register_tokens:].mean(1)], 1))
        return ImageClassifierOutput(loss=nn.functional.cross_entropy(logits, labels), logits=logits, hidden_states=out.hidden_states)


class DINOv3ConvNextForImageClassification(T.DINOv3ConvNextModel):
    def __init__(self, config):
        super().__init__(config)
        self.classifier = nn.Linear(config.hidden_sizes[-1], config.num_labels)
        self.post_init()

    def forward(self, pixel_values, labels=None, **kw):
        out = super().forward(pixel_values, **kw)
        logits = self.classifier(out.pooler_output)
        return ImageClassifierOutput(loss=nn.functional.cross_entropy(logits, labels), logits=logits, hidden_states=out.hidden_states)


class PPLCNetForImageClassification(T.PPLCNetForImageClassification):
    """transformers gives the logits as `last_hidden_state`, and no loss."""

    def forward(self, pixel_values, labels=None, **kw):
        out = super().forward(pixel_values, **kw)
        return ImageClassifierOutput(loss=nn.functional.cross_entropy(out.last_hidden_state, labels), logits=out.last_hidden_state, hidden_states=out.hidden_states)


def cases():
    width = dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=48, image_size=32, patch_size=8)
    yield "dinov3-vit", T.DINOv3ViTConfig(**width, num_register_tokens=4, **LABELS), DINOv3ViTForImageClassification, 32
    yield "dinov3-vit-gated", T.DINOv3ViTConfig(**width, num_register_tokens=0, use_gated_mlp=True, hidden_act="silu", key_bias=True, query_bias=False, proj_bias=False, mlp_bias=False, layerscale_value=0.5, pos_embed_shift=0.1, pos_embed_jitter=1.5, **LABELS), DINOv3ViTForImageClassification, (40, 24)
    yield "dinov3-convnext", T.DINOv3ConvNextConfig(hidden_sizes=[8, 16, 24, 32], depths=[1, 1, 2, 1], image_size=64, **LABELS), DINOv3ConvNextForImageClassification, 64
    yield "donut-swin", T.DonutSwinConfig(embed_dim=16, depths=[1, 2], num_heads=[2, 4], window_size=4, image_size=32, patch_size=4, **LABELS), T.DonutSwinForImageClassification, 32
    kernels = [[[3, 3], [3, 3]], [[3, 3], [1, 3]], [[3, 1]], [[3, 3], [3, 1], [1, 3]]]
    yield "textnet", T.TextNetConfig(stem_out_channels=8, hidden_sizes=[8, 8, 12, 16, 16], conv_layer_kernel_sizes=kernels, conv_layer_strides=[[1, 2], [2, 1], [2], [2, 1, 1]], image_size=64, **LABELS), T.TextNetForImageClassification, 64
    blocks = [[[3, 16, 32, 1, False]], [[3, 32, 64, 2, False], [3, 64, 64, 1, False]], [[3, 64, 64, 2, False]], [[5, 64, 96, 2, False], [5, 96, 96, 1, True]], [[5, 96, 128, 2, True]]]
    yield "pp-lcnet", T.PPLCNetConfig(scale=0.25, block_configs=blocks, class_expand=48, **LABELS), PPLCNetForImageClassification, 64


for i, (name, config, cls, side) in enumerate(cases()):
    square = side if isinstance(side, int) else 32
    folder = here / name
    vit.save(name, config, size=side, cls=cls, seed=70 + i, processor=T.ViTImageProcessor(size={"height": square, "width": square}))
    if config.model_type == "dinov3_vit":
        model = cls.from_pretrained(folder).train()
        numbers = load_file(folder / "numbers.safetensors")
        torch.manual_seed(3)
        numbers["train.logits"] = model(numbers["pixel_values"], labels=numbers["labels"]).logits.detach()
        save_file(numbers, folder / "numbers.safetensors")
