"""The PyTorch engine: it holds a model and does the verbs of the Policy contract (main/policy/policy.ts) over a Unix socket.

Token ids in, token ids and numbers out. It knows no text, no prompts, no rewards, no grading and no data sets.
"""

VERSION = "0.1.0"
"""Version of this package."""

PROTOCOL = 1
"""Version of the frames and messages; main/policy/torch/protocol.ts has the same number."""
