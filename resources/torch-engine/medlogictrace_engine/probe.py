"""`python -m medlogictrace_engine.probe`: what PyTorch can compute on here, as one JSON line."""

from __future__ import annotations

import json

from .requirements import require


def main() -> None:
    require()
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    why = None
    if count == 0:
        built = torch.version.cuda is not None
        why = "PyTorch sees no NVIDIA GPU" if built else "this PyTorch is built without CUDA"
    print(
        json.dumps(
            {
                "torch": torch.__version__,
                "cuda": [torch.cuda.get_device_name(i) for i in range(count)],
                "mps": torch.backends.mps.is_available(),
                "why_no_cuda": why,
            }
        )
    )


if __name__ == "__main__":
    main()
