"""`python -m medlogictrace_engine --socket PATH`: connects to the runner that listens there, says hello and serves it until it is gone.

Started by TorchPolicy (main/policy/torch), under torchrun where there is more than one rank.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from importlib.metadata import version
from pathlib import Path

from .requirements import require

require()

from .protocol import Connection  # noqa: E402
from .ranks import ACCEPT_SECONDS, connect, gather  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(prog="medlogictrace_engine", description=__doc__)
    parser.add_argument("--socket", required=True, type=Path, help="the Unix socket that the runner listens on")
    options = parser.parse_args()
    # Models are folders: nothing here has a reason to use the network.
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    # What deterministic products need of cuBLAS.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    import torch
    import torch.distributed as dist

    from . import PROTOCOL, VERSION
    from .server import Server
    from .team import join_team

    team = join_team()
    folder: Path = options.socket.parent
    if team.rank == 0:
        upstream = connect(options.socket)
        upstream.send(
            {
                "type": "hello",
                "protocol": PROTOCOL,
                "engine": VERSION,
                "python": platform.python_version(),
                "packages": {name: version(name) for name in ("torch", "transformers", "peft")},
                "device": team.device.type,
                "ranks": team.world,
            }
        )
        downstream = gather(folder, team.world)
        if team.world > 1:
            dist.barrier()
    else:
        downstream = []
        upstream = wait_for_rank_0(folder, team.rank)
        dist.barrier()
    torch.set_grad_enabled(True)
    Server(team, upstream, downstream, folder).run()
    # Nothing is left to save, and the orderly end of PyTorch's threads can take seconds.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def wait_for_rank_0(folder: Path, rank: int) -> Connection:
    """Rank 0's socket is there once it has been bound; torchrun starts all at the same time."""
    path = folder / "ranks.sock"
    end = time.monotonic() + ACCEPT_SECONDS
    while True:
        try:
            connection = connect(path)
            break
        except (FileNotFoundError, ConnectionRefusedError):
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
    connection.send({"rank": rank})
    return connection


if __name__ == "__main__":
    main()
