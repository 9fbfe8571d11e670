# SPDX-License-Identifier: BSD-3-Clause
"""embed.py SYMBOL INPUT OUTPUT: a text file as a C string."""
import sys

symbol, source, target = sys.argv[1:]
with open(source, encoding="ascii") as f:
    lines = f.read().splitlines()
with open(target, "w", encoding="ascii") as f:
    f.write(f"extern const char {symbol}[];\nconst char {symbol}[] =\n")
    for line in lines:
        text = line.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t")
        f.write(f'\t"{text}\\n"\n')
    f.write(";\n")
