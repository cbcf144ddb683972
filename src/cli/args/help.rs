//! What stands below the options of every command: examples, which run as they stand in a clone of the repository
//! (tests/manners.rs runs them, in this order), and what exit codes mean. Paragraphs begin with their heading, which
//! the manual takes for its own.

/// Of the whole command line.
pub(super) const COMPILE: &str = "\
Examples:
  # the locking script, in hex, and where its bytes go
  onnx2script models/mnist_784_64_10.onnx -o contract.hex --explain
  # what the contract says of a sample, beside the float model
  onnx2script run models/mnist_784_64_10.onnx --data models/mnist_samples.npy
  # a contract with all that it takes to spend it later, and the spend
  onnx2script models/iris_4-8-3.onnx --artifact iris.json
  onnx2script unlock iris.json --data models/iris_samples.npy -o unlock.hex

Files:
  `-` in a file's place is standard input, or standard output.
  Files are written whole or not at all.

Exit codes:
  0  done
  1  the model or the input was refused, or a check failed
  2  usage, or a file that cannot be read or written";

pub(super) const RUN: &str = "\
Examples:
  onnx2script run models/toy_2-2-2.onnx --data models/toy_samples.npy --index 3
  # a model from a pipe, bytes as input, and the report as JSON
  onnx2script run - --data models/mnist_samples.npy --input u8 --json \\
    < models/mnist_784_64_10.onnx
  # what each idiom of the script leaves on the stack
  onnx2script run models/toy_2-2-2.onnx --data models/toy_samples.npy --trace

Exit codes:
  0 if the script accepted, 1 if it did not";

pub(super) const UNLOCK: &str = "\
Examples:
  onnx2script models/iris_4-8-3.onnx --artifact iris.json
  onnx2script unlock iris.json --data models/iris_samples.npy -o unlock.hex
  # the contract straight from the model, as the same options make it
  onnx2script unlock models/iris_4-8-3.onnx --data models/iris_samples.npy";

pub(super) const COMMIT: &str = "\
Examples:
  onnx2script models/iris_4-8-3.onnx --commit-reveal 6:1d00ffff \\
    --artifact reveal.json
  onnx2script commit reveal.json --data models/iris_samples.npy \\
    --payee 000102030405060708090a0b0c0d0e0f10111213 -o commitment.json";

pub(super) const EXPLAIN: &str = "\
Examples:
  onnx2script explain models/digits_64_32_10.onnx --weights int8
  # what a fee rate of 50 satoshis per 1000 bytes makes of an artifact
  onnx2script models/iris_4-8-3.onnx --artifact iris.json
  onnx2script explain iris.json --fee-rate 50";

pub(super) const SCHEMA: &str = "\
Examples:
  onnx2script schema > artifact.schema.json";

/// The three ways to use `exec`.
pub(super) const EXEC_USAGE: &str = "\
onnx2script exec [OPTIONS] --unlock <FILE> --lock <FILE>
       onnx2script exec [OPTIONS] --tx <HEX|FILE> --utxo <SCRIPT:SATS>
       onnx2script exec --vectors <FILE.tsv>";

pub(super) const EXEC: &str = "\
Examples:
  onnx2script models/iris_4-8-3.onnx -o lock.hex
  onnx2script unlock models/iris_4-8-3.onnx --data models/iris_samples.npy \\
    -o unlock.hex
  onnx2script exec --unlock unlock.hex --lock lock.hex
  # the unlocking script from a pipe
  onnx2script unlock models/iris_4-8-3.onnx --data models/iris_samples.npy | \\
    onnx2script exec --unlock - --lock lock.hex --json

Exit codes:
  0 if the scripts succeed, 1 if they fail";

pub(super) const INSPECT: &str = "\
Examples:
  onnx2script inspect models/iris_4-8-3.onnx
  onnx2script inspect models/digits_64_32_10.onnx --input u8:1/16 --json";

pub(super) const EVAL: &str = "\
Examples:
  onnx2script eval models/iris_4-8-3.onnx --data models/iris_samples.npy
  # with weights of 4 bits, rounded by other samples than those that judge
  onnx2script eval models/digits_64_32_10.onnx --weights int4 --engine ir \\
    --calibrate models/digits_samples.npy@0..200 \\
    --data models/digits_samples.npy@200..

Exit codes:
  0 done, 1 if the script contradicts its definition on a sample";

pub(super) const COMPARE: &str = "\
Examples:
  onnx2script compare models/iris_4-8-3.onnx --data models/iris_samples.npy";

pub(super) const OPS: &str = "\
Examples:
  onnx2script ops | grep Sigmoid
  onnx2script ops --json";

pub(super) const COMPLETIONS: &str = "\
Examples:
  onnx2script completions bash > onnx2script.bash
  onnx2script completions zsh > _onnx2script";

pub(super) const MAN: &str = "\
Examples:
  onnx2script man > onnx2script.1
  # a page for each command
  onnx2script man --output man1";
