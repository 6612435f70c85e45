"""Transformers' half of test/engine/tokenizer.test.ts: what it makes of random texts, with the tokenizers of some folders.

    python tokenizer_side.py COUNT FOLDER ...

prints a list with, for each folder, {"texts": [{"text", "ids", "plain"}], "decoded": [{"ids", "text", "skipped"}],
"chats": [{"messages", "addGenerationPrompt", "ids"}]}; `plain` are the ids when special tokens are not recognised (null where the text
has an added token that is not special: Transformers recognises those in any case).
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path
from typing import Any

from transformers import AutoTokenizer

sys.path.insert(0, str(Path(__file__).parent.parent / "fixtures"))

from make_tokenizer import POOLS, SPECIAL  # noqa: E402

CODE = [
    "def f(x):\n    return x ** 2  # squared\n",
    "for (let i = 0; i < n; i++) {\n\t\tsum += a[i];\n\t}\n",
    "SELECT * FROM patients WHERE age >= 65 AND dose_mg IS NOT NULL;\n",
    '{"key": [1, 2.5e-3, null], "nested": {"a": "\\u00e9\\n"}}',
    "<div class='x'>&nbsp;&lt;b&gt;</div>",
    "$$\\frac{a_{1}}{b^2} \\le 10^{-6}$$",
    "https://example.org/a_b?c=%20d#e",
]


def pools(special: list[str]) -> list[list[str]]:
    """The fixtures' pools with this tokenizer's own special tokens, and code."""
    own = [pool for pool in POOLS if SPECIAL[0] not in pool]
    alike = [
        *special,
        *(token.upper() for token in special),
        *(token[:-1] for token in special),
        *(token.replace("|", " |") for token in special),
    ]
    return [
        *own,
        [*alike, "<|", "|>"],
        CODE,
        [" " * n for n in (2, 3, 4, 8, 17)],
        ["\n" * n for n in (2, 3, 5)],
        ["\t", "\t\t", " \t ", "\r\n\r\n"],
    ]


def make_texts(rng: random.Random, count: int, special: list[str]) -> list[str]:
    texts = ["", " ", "   a", "a   ", "\n\n\n", "a\n\n b", "  \n  x", "What is 12 + 345?\nIt isn't 50 %, it's 357.", *special]
    chosen = pools(special)
    while len(texts) < count:
        parts: list[str] = []
        for _ in range(rng.randint(1, 8)):
            pool = rng.choice(chosen)
            parts += [rng.choice(pool) for _ in range(rng.randint(1, 8))]
        texts.append("".join(parts))
    return texts


def make_chats(rng: random.Random, texts: list[str]) -> list[list[dict[str, str]]]:
    """Conversations whose contents hold no added token, with white space of every kind at their edges."""
    edges = ["", " ", "\n\n", "\ufeff", "\u0085", "\u001c ", "\u3000\t"]
    chats = []
    for i in range(200):
        roles = [["user"], ["system", "user"], ["user", "assistant", "user"], ["system", "user", "assistant"]][i % 4]
        chats.append([{"role": role, "content": rng.choice(edges) + rng.choice(texts) + rng.choice(edges)} for role in roles])
    return chats


def cases(folder: str, count: int, seed: int) -> dict[str, Any]:
    from_pretrained: Any = AutoTokenizer.from_pretrained
    tokenizer = from_pretrained(folder)
    added = tokenizer.added_tokens_decoder.values()
    special = [str(token) for token in added if token.special]
    others = [str(token) for token in added if not token.special]
    rng = random.Random(seed)
    texts = make_texts(rng, count, [*special, *others])

    ids = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts]
    backend = tokenizer.backend_tokenizer
    backend.encode_special_tokens = True
    plain = [None if any(token in text for token in others) else backend.encode(text, add_special_tokens=False).ids for text in texts]
    backend.encode_special_tokens = False
    drawn = [[rng.randrange(len(tokenizer)) for _ in range(rng.randint(0, 12))] for _ in range(count // 4)]
    decoded = [{"ids": row, "text": tokenizer.decode(row), "skipped": tokenizer.decode(row, skip_special_tokens=True)} for row in drawn]
    tame = [text for text in texts if not any(token in text for token in [*special, *others])]
    chats = []
    for messages in make_chats(rng, tame):
        prompt = rng.random() < 0.5
        rendered = tokenizer.apply_chat_template(messages, tokenize=True, add_generation_prompt=prompt, return_dict=False)
        chats.append({"messages": messages, "addGenerationPrompt": prompt, "ids": rendered})
    return {
        "texts": [{"text": t, "ids": i, "plain": p} for t, i, p in zip(texts, ids, plain, strict=True)],
        "decoded": decoded,
        "chats": chats,
    }


def main() -> None:
    count, folders = int(sys.argv[1]), sys.argv[2:]
    json.dump([cases(folder, count, seed) for seed, folder in enumerate(folders)], sys.stdout)


if __name__ == "__main__":
    main()
