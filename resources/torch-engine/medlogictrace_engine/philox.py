"""The counter-based random stream of shared/random.ts, number for number: Philox4x32-10 (Salmon et al., "Parallel random
numbers: as easy as 1, 2, 3", SC 2011). What is drawn depends on seed, key, sample and position alone, not on batch or rank.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]

M0, M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
W0, W1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
LOW = np.uint64(0xFFFFFFFF)
HALF = np.uint64(32)


def philox4x32(counter: tuple[Words, Words, Words, Words], key: tuple[int, int]) -> tuple[Words, Words, Words, Words]:
    """Ten rounds, element by element over arrays of 32-bit words held in 64 bits."""
    c0, c1, c2, c3 = counter
    k0, k1 = np.uint64(key[0]), np.uint64(key[1])
    for _ in range(10):
        product0, product1 = M0 * c0, M1 * c2
        c0, c1, c2, c3 = (product1 >> HALF) ^ c1 ^ k0, product1 & LOW, (product0 >> HALF) ^ c3 ^ k1, product0 & LOW
        k0, k1 = (k0 + W0) & LOW, (k1 + W1) & LOW
    return c0, c1, c2, c3


def stream_key(name: str) -> tuple[int, int]:
    """FNV-1a over the UTF-8 bytes of a name, two 32-bit lanes with different offsets."""
    a, b = 0x811C9DC5, 0x9747B28C
    for byte in name.encode():
        a = ((a ^ byte) * 0x01000193) & 0xFFFFFFFF
        b = ((b ^ byte) * 0x01000193) & 0xFFFFFFFF
        b ^= b >> 15
    return a, b


def token_uniforms(seed: int, key: tuple[int, int], sample: int, first: int, count: int) -> NDArray[np.float32]:
    """The uniform numbers in [0, 1) that pick tokens `first` … `first + count - 1` of one sample; 24 bits, exact in float32."""
    positions = np.arange(first, first + count, dtype=np.uint64) & LOW

    def constant(word: int) -> Words:
        return np.full(count, word & 0xFFFFFFFF, dtype=np.uint64)

    block = philox4x32((positions, constant(sample), constant(key[0]), constant(key[1])), (seed & 0xFFFFFFFF, 0))
    return ((block[0] >> np.uint64(8)).astype(np.float64) / 0x1000000).astype(np.float32)


def stream_uniforms(seed: int, name: str, count: int) -> NDArray[np.float32]:
    """The first numbers in [0, 1) of the named stream (RandomStream of shared/random.ts); 24 bits, exact in float32."""
    positions = np.arange(count, dtype=np.uint64)
    words = [np.full(1, word, dtype=np.uint64) for word in stream_key(name)]
    block = philox4x32((positions & LOW, positions >> HALF, words[0], words[1]), (seed & 0xFFFFFFFF, 1))
    return ((block[0] >> np.uint64(8)).astype(np.float64) / 0x1000000).astype(np.float32)


def dropout_seed(seed: int, step: int, turn: int) -> int:
    """What PyTorch draws a pass's dropout masks from: 64 bits, another for each step and turn."""
    words = [np.full(1, word & 0xFFFFFFFF, dtype=np.uint64) for word in (step, turn, *stream_key("lora_dropout"))]
    high, low, _, _ = philox4x32((words[0], words[1], words[2], words[3]), (seed & 0xFFFFFFFF, 2))
    return int(high[0]) << 32 | int(low[0])
