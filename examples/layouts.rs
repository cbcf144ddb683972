//! What stack scheduling saves: the table of ARCHITECTURE.md.
//!
//! `cargo run --release --example layouts -- models/*.onnx`

use std::path::Path;

use onnx2script::codegen::{self, Strategy};
use onnx2script::onnx::Model;
use onnx2script::stack::Layout;
use onnx2script::{Options, compile};

const STEPS: [(&str, Layout); 5] = [
    ("ROLL and PICK by index", Layout::NAIVE),
    ("+ idioms", Layout { idioms: true, ..Layout::NAIVE }),
    ("+ operand orders", Layout { idioms: true, orders: true, ..Layout::NAIVE }),
    ("+ alt stack", Layout { idioms: true, orders: true, alt: true, peephole: false }),
    ("+ peephole", Layout::FULL),
];

#[allow(clippy::print_stdout)]
fn main() -> anyhow::Result<()> {
    println!("| model | layout | bytes | instructions |");
    println!("|---|---|---|---|");
    for path in std::env::args().skip(1) {
        let model = Model::load(Path::new(&path))?;
        for (name, layout) in STEPS {
            // Unrolled code has the most to lay out.
            let codegen = codegen::Options { layout, strategy: Strategy::Unrolled, ..codegen::Options::default() };
            let options = Options { codegen, ..Options::default() };
            let compiled = compile(&mut model.clone(), &options)?;
            let (bytes, instructions) = (compiled.script.byte_len(), compiled.script.instructions.len());
            println!("| {} | {name} | {bytes} | {instructions} |", compiled.ir.name);
        }
    }
    Ok(())
}
