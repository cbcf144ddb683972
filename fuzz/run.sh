#!/bin/sh
# Fuzzes every target for so many seconds, all at once, at low priority: fuzz/run.sh SECONDS [FOLDER]
# Logs, corpora and inputs that fail go to FOLDER (target/fuzz_runs unless told otherwise). It needs a nightly
# toolchain and cargo-fuzz. The end of each log holds libFuzzer's figures.
set -eu
seconds=${1:?give the seconds}
cd "$(dirname "$0")/.."
runs=${2:-target/fuzz_runs}
targets="artifact data ir onnx script text"
cargo +nightly fuzz build -s none
binaries=${CARGO_TARGET_DIR:-fuzz/target}/x86_64-unknown-linux-gnu/release
for target in $targets; do
    mkdir -p "$runs/$target/corpus" "$runs/$target/failed"
    # The alarm counts seconds of the wall: what takes 10 s alone takes minutes where all targets share a processor.
    nice -n 15 "$binaries/$target" -max_total_time="$seconds" -timeout=300 -rss_limit_mb=2048 -max_len=4096 \
        -print_final_stats=1 -artifact_prefix="$runs/$target/failed/" "$runs/$target/corpus" tests/fuzz/seeds/"$target" \
        >"$runs/$target/log" 2>&1 &
    echo "$target: process $!, log $runs/$target/log"
done
wait
for target in $targets; do
    echo "$target: $(sed -n 's/^stat::number_of_executed_units: *//p' "$runs/$target/log") executions," \
        "$(ls "$runs/$target/failed" | wc -l) failed"
done
