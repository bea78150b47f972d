"""A careless safetensors writer: a name may come twice, and bytes may be in the wrong order. What is right goes through ninja.save."""

import json
import struct

import torch

TYPES = {torch.float32: "F32", torch.float64: "F64", torch.int64: "I64"}


def save_carelessly(path, pairs, raw=()):
    """`pairs`: names and tensors. `raw`: names whose bytes are written in the order in which they lie in memory."""
    entries, blocks, offset = [], [], 0
    for name, tensor in pairs:
        block = tensor.detach().numpy().tobytes(order="A" if name in raw else "C")
        entry = {"dtype": TYPES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [offset, offset + len(block)]}
        entries.append(f"{json.dumps(name)}: {json.dumps(entry)}")
        blocks.append(block)
        offset += len(block)
    text = ("{" + ", ".join(entries) + "}").encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(blocks))
