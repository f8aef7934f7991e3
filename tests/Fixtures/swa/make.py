"""Writes swa.json: what torch.optim.swa_utils makes of a small network's weights and batches.

    PYTHONPATH=<site-packages with torch> python3 make.py

weights: the network at the end of each epoch; average: AveragedModel after all of them (parameters alone, buffers are the last).
batches: what update_bn feeds to the averaged network; mean, variance: its batch norm afterwards.
"""
import json
import pathlib

import torch
from torch.optim.swa_utils import AveragedModel, update_bn

torch.manual_seed(21)
network = torch.nn.Sequential(torch.nn.Conv2d(2, 3, 1), torch.nn.BatchNorm2d(3))
average = AveragedModel(network)
weights = []
for _ in range(4):
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn(parameter.shape))
        network(torch.randn(5, 2, 3, 3))
    average.update_parameters(network)
    weights.append({name: value.flatten().tolist() for name, value in network.state_dict().items()})

averaged = {name: value.flatten().tolist() for name, value in average.module.state_dict().items()}
batches = [torch.randn(n, 2, 3, 3) for n in (4, 4, 2)]
update_bn(batches, average)
norm = average.module[1]
pathlib.Path(__file__).with_name("swa.json").write_text(json.dumps({
    "weights": weights,
    "average": averaged,
    "batches": [{"shape": list(b.shape), "values": b.flatten().tolist()} for b in batches],
    "mean": norm.running_mean.tolist(),
    "variance": norm.running_var.tolist(),
    "count": int(norm.num_batches_tracked),
}, indent=1) + "\n")
