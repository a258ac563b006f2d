"""Encodes a text with tiktoken once for every line on standard input, and answers with tokens, wall and CPU seconds.

Arguments: the text, and GPT-2's ranks as JTokkit's jar carries them (tiktoken would fetch the same list from the network).
"""

import base64
import sys
import time

import tiktoken
import tiktoken_ext.openai_public as public

with open(sys.argv[1], encoding="utf-8", newline="") as file:
    text = file.read()
with open(sys.argv[2], "rb") as file:
    ranks = {base64.b64decode(line.split()[0]): int(line.split()[1]) for line in file}
encoding = tiktoken.Encoding(
    "gpt2", pat_str=public.r50k_pat_str, mergeable_ranks=ranks, special_tokens={"<|endoftext|>": 50256}
)
print(tiktoken.__version__, flush=True)
for _ in sys.stdin:
    wall, cpu = time.perf_counter(), time.process_time()
    tokens = encoding.encode_ordinary(text)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(len(tokens), wall, cpu, flush=True)
