#!/usr/bin/env python3
"""How much of a folder of captures Sidewatch decodes to the transport layer, compared with tshark, capture by capture.

Usage: decoded_share.py CORPUS BINARY [--cache FOLDER]

Counts datagrams whose innermost transport is TCP, UDP, ICMP or ICMPv6, and lists the captures in which the two differ.
With --cache, what tshark said is kept in FOLDER, one file for each capture, and not asked again.
Exit status 0 when at least 99 % of what tshark finds is found, else 1.
"""

import argparse
import collections
import hashlib
import pathlib
import re
import subprocess
import sys

TRANSPORTS = ("tcp", "udp", "icmp", "icmpv6")
LAYERS_BELOW = ("eth", "wlan", "ip", "ipv6", "arp")
SUFFIXES = {".pcap", ".pcapng", ".cap", ".trace", ".tcpdump", ".dump", ".ntar", ".gz", ".zst"}


def transport(protocols):
    """The innermost transport; what an ICMP error quotes and what TCP carries is payload."""
    found = None
    for name in protocols.split(":"):
        if name in LAYERS_BELOW:
            found = None
        if name in TRANSPORTS:
            found = name
        if name in ("tcp", "icmp", "icmpv6"):
            break
    return found


def by_tshark(path, cache):
    kept = cache and cache / hashlib.sha256(str(path).encode()).hexdigest()[:24]
    if kept and kept.exists():
        text = kept.read_text()
    else:
        run = subprocess.run(["tshark", "-n", "-r", path, "-T", "fields", "-e", "frame.protocols"], capture_output=True, text=True)
        lines = collections.Counter(run.stdout.splitlines())
        text = "".join(f"{count} {protocols}\n" for protocols, count in sorted(lines.items()))
        if kept:
            kept.write_text(text)
    found = collections.Counter()
    for line in text.splitlines():
        count, _, protocols = line.partition(" ")
        found[transport(protocols)] += int(count)
    return found


def by_sidewatch(path, binary):
    run = subprocess.run([binary, "replay", "--stats", "--format", "json", path], capture_output=True, text=True)
    decoded = re.search(r"^  Decoded\n((?:    .*\n)*)", run.stderr, re.MULTILINE)
    pairs = (line.rsplit(None, 1) for line in decoded.group(1).splitlines()) if decoded else ()
    return {name.strip(): int(count) for name, count in pairs}


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("corpus", type=pathlib.Path)
    arguments.add_argument("binary")
    arguments.add_argument("--cache", type=pathlib.Path)
    given = arguments.parse_args()
    theirs, shared, more = collections.Counter(), collections.Counter(), collections.Counter()
    paths = sorted(path for path in given.corpus.rglob("*") if path.is_file() and path.suffix in SUFFIXES)
    for path in paths:
        expected, counts = by_tshark(path, given.cache), by_sidewatch(path, given.binary)
        differences = []
        for name in TRANSPORTS:
            wanted, got = expected[name], counts.get(name, 0)
            theirs[name] += wanted
            shared[name] += min(wanted, got)
            more[name] += max(got - wanted, 0)
            if wanted != got:
                differences.append(f"{name} {got} of {wanted}")
        if differences:
            others = ", ".join(f"{name} {count}" for name, count in counts.items() if name not in TRANSPORTS)
            print(f"{path.relative_to(given.corpus)}: {', '.join(differences)}  [{others}]")
    print(f"\n{len(paths)} captures")
    for name in TRANSPORTS:
        share = 100 * shared[name] / theirs[name] if theirs[name] else 100.0
        print(f"{name}: {shared[name]} of {theirs[name]} ({share:.3f} %), and {more[name]} that tshark does not count")
    total, found = sum(theirs.values()), sum(shared.values())
    print(f"all: {100 * found / total if total else 100.0:.3f} %")
    return 0 if found >= 0.99 * total else 1


if __name__ == "__main__":
    sys.exit(main())
