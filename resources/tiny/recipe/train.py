"""Makes the embedded model: tokenizer and supervised weights, from the corpus that `scripts/make-tiny-corpus.ts` writes.

    node scripts/make-tiny-corpus.ts CORPUS 1
    python resources/tiny/recipe/train.py --corpus CORPUS --out resources/tiny/model --seed 1 --minutes 40

A Qwen2 decoder of about 1 M parameters and a byte-level BPE (every UTF-8 text has tokens; one token a digit). Loss is on worked
solutions and on the results of bare calculations, never on the question. Training ends when the time is up or when greedy
validation accuracy has not risen for `--patience` evaluations; the weights with the best validation accuracy are kept. The test
split is not read. Needs torch and transformers as pinned in `test/fixtures/requirements.txt`.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import time
from pathlib import Path
from typing import Any

import torch
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from torch.nn import functional
from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM
from transformers.utils import logging

SPECIAL = ["<|endoftext|>", "<|user|>", "<|assistant|>", "<|end|>"]
# Qwen2's own pre-tokenizer (a digit is a token of its own): Transformers puts it in for every model of type qwen2.
PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{% if message['role'] == 'assistant' %}{{ '<|assistant|>' + message['content'] + '<|end|>' }}"
    "{% else %}{{ '<|user|>' + message['content'] }}{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)


class Row:
    """Token ids of one example and how many of the first have no loss."""

    def __init__(self, ids: list[int], free: int) -> None:
        self.ids = ids
        self.free = free


def train_tokenizer(texts: list[str]) -> PreTrainedTokenizerFast:
    """Byte-level BPE; the vocabulary ends where no pair occurs 200 times."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PATTERN), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=1024,
        min_frequency=200,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="<|end|>",
        pad_token="<|endoftext|>",
        chat_template=CHAT_TEMPLATE,
        clean_up_tokenization_spaces=False,
        model_max_length=8192,
    )


def read_rows(path: Path) -> list[dict[str, Any]]:
    with path.open() as lines:
        return [json.loads(line) for line in lines]


def encode(rows: list[dict[str, Any]], tokenizer: PreTrainedTokenizerFast) -> list[Row]:
    user, assistant, end = (tokenizer.convert_tokens_to_ids(t) for t in SPECIAL[1:])
    backend = tokenizer.backend_tokenizer
    heads = [e.ids for e in backend.encode_batch([r["prompt"] or r["context"] for r in rows])]
    tails = [e.ids for e in backend.encode_batch([r["completion"] for r in rows])]
    out = []
    for row, head, tail in zip(rows, heads, tails, strict=True):
        start = [user, *head, assistant] if row["prompt"] else head
        out.append(Row([*start, *tail, end], len(start)))
    return out


def batches(rows: list[Row], tokens: int, generator: random.Random) -> list[list[Row]]:
    """Batches of about `tokens` tokens; rows of like length together, order of batches shuffled."""
    order = sorted(rows, key=lambda r: (len(r.ids) // 8, generator.random()))
    out: list[list[Row]] = []
    batch: list[Row] = []
    for row in order:
        batch.append(row)
        if len(batch) * len(row.ids) >= tokens:
            out.append(batch)
            batch = []
    if batch:
        out.append(batch)
    generator.shuffle(out)
    return out


def loss_of(model: torch.nn.Module, batch: list[Row]) -> tuple[torch.Tensor, int]:
    width = max(len(r.ids) for r in batch)
    ids = torch.zeros(len(batch), width, dtype=torch.long)
    labels = torch.full((len(batch), width), -100)
    for i, row in enumerate(batch):
        n = len(row.ids)
        ids[i, :n] = torch.tensor(row.ids)
        labels[i, row.free : n] = ids[i, row.free : n]
    logits = model(input_ids=ids).logits[:, :-1]
    targets = labels[:, 1:]
    kept = targets != -100
    return functional.cross_entropy(logits[kept], targets[kept]), ids.numel()


@torch.no_grad()
def greedy_accuracy(model: Qwen2ForCausalLM, rows: list[dict[str, Any]], tokenizer: PreTrainedTokenizerFast) -> dict[str, float]:
    """Share of validation questions whose text after the last `Answer:` starts with the gold, and mean tokens."""
    user, assistant, end = (int(tokenizer.convert_tokens_to_ids(t)) for t in SPECIAL[1:])
    backend = tokenizer.backend_tokenizer
    prompts = [[user, *backend.encode(r["prompt"]).ids, assistant] for r in rows]
    width = max(map(len, prompts))
    ids = torch.tensor([[0] * (width - len(p)) + p for p in prompts])
    mask = torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in prompts])
    out = model.generate(input_ids=ids, attention_mask=mask, max_new_tokens=160, do_sample=False, eos_token_id=end, pad_token_id=0)
    hits: dict[str, list[int]] = {}
    lengths = []
    for row, answer in zip(rows, out[:, width:].tolist(), strict=True):
        cut = answer.index(end) if end in answer else len(answer)
        lengths.append(cut + 1)
        words = tokenizer.decode(answer[:cut]).rpartition("Answer:")[2].split()
        hits.setdefault(row["dataset"], []).append(int(bool(words) and words[0] == row["gold"]))
    return {**{k: sum(v) / len(v) for k, v in hits.items()}, "tokens": sum(lengths) / len(lengths)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=40)
    parser.add_argument("--steps", type=int, default=1800)
    parser.add_argument("--batch-tokens", type=int, default=6000)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--eval-steps", type=int, default=200)
    parser.add_argument("--patience", type=int, default=4)
    parser.add_argument("--init", type=Path, help="an earlier output folder to go on from, tokenizer and weights")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    torch.use_deterministic_algorithms(True)
    logging.disable_progress_bar()

    rows = read_rows(args.corpus / "corpus.jsonl")
    validation = read_rows(args.corpus / "validation.jsonl")
    if args.init:
        tokenizer = PreTrainedTokenizerFast.from_pretrained(args.init)
    else:
        tokenizer = train_tokenizer([r["prompt"] + "\n" + r["completion"] for r in rows[:40000]])
    encoded = encode(rows, tokenizer)
    config = Qwen2Config(
        vocab_size=len(tokenizer),
        hidden_size=128,
        intermediate_size=512,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=8192,
        rms_norm_eps=1e-6,
        # 0.02 is made for widths of a thousand: at 128 attention would stay flat for hundreds of steps.
        initializer_range=0.06,
        rope_parameters={"rope_type": "default", "rope_theta": 10000.0},
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.convert_tokens_to_ids("<|end|>"),
        # No padding row in the embedding: Transformers would give it no gradient. The tokenizer names the padding token.
        pad_token_id=None,
        use_sliding_window=False,
        attn_implementation="sdpa",
    )
    model = Qwen2ForCausalLM.from_pretrained(args.init, attn_implementation="sdpa") if args.init else Qwen2ForCausalLM(config)
    print(f"vocabulary {len(tokenizer)}, parameters {model.num_parameters():,}, rows {len(encoded):,}", flush=True)
    print(f"tokens {sum(len(r.ids) for r in encoded):,}", flush=True)
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.learning_rate, betas=(0.9, 0.95), weight_decay=0.05)

    def learning_rate(step: int) -> float:
        if step < 100:
            return args.learning_rate * (step + 1) / 100
        return args.learning_rate * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * min(step / args.steps, 1))))

    generator = random.Random(args.seed)
    queue: list[list[Row]] = []
    history: list[dict[str, float]] = []
    best = -1.0
    stale = 0
    seen = 0
    start = time.monotonic()
    for step in range(args.steps):
        if not queue:
            queue = batches(encoded, args.batch_tokens, generator)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step)
        loss, tokens = loss_of(model, queue.pop())
        seen += tokens
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        elapsed = time.monotonic() - start
        if step % 20 == 0:
            print(f"step {step} loss {loss.item():.4f} tokens {seen:,} {seen / elapsed:,.0f}/s {elapsed:.0f} s", flush=True)
        last = step + 1 == args.steps or elapsed > args.minutes * 60
        if (step + 1) % args.eval_steps == 0 or last:
            scores = greedy_accuracy(model, validation, tokenizer)
            history.append({"step": step + 1, "tokens_seen": seen, "seconds": round(elapsed), **scores})
            print(history[-1], flush=True)
            mean = (scores["arithmetic"] + scores["dosage"]) / 2
            stale = 0 if mean > best else stale + 1
            if mean > best:
                best = mean
                model.save_pretrained(args.out)
                tokenizer.save_pretrained(args.out)
                (args.out / "training.json").write_text(json.dumps({"seed": args.seed, "history": history}, indent=1) + "\n")
            if last or stale >= args.patience:
                break


if __name__ == "__main__":
    main()
