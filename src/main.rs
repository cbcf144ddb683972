//! The command line of onnx2script: only the artifact goes to standard output, the rest to standard error.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
