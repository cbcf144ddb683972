//! What bytes choose.

use arbitrary::{Result, Unstructured};
use onnx2script::Options;
use onnx2script::codegen::{self, Optimise, Strategy};
use onnx2script::passes::Level;
use onnx2script::quant::{self, Granularity, Rescale};
use onnx2script::stack::Layout;
use onnx2script::target::{Era, Rules, Target};

use crate::common::networks::weights_of_layers;

const INPUTS: &[&str] = &[
    "fixed",
    "u8",
    "u8:1",
    "u8:1/255:-1/2",
    "u1",
    "u2:2.5:7/3",
    "u4:2/15:-1",
    "fixed:1",
    "fixed:2",
    "fixed:3",
    "fixed:8",
    "fixed:16",
];
const WEIGHTS: &[&str] = &[
    "fixed:1e8",
    "fixed:1",
    "fixed:7/3",
    "fixed:10",
    "fixed:1e15",
    "int1",
    "int2",
    "int4",
    "int8",
    "int16",
    "int4,fixed:1e8",
    "fixed:1e8,int3",
];
const CONTRACTS: &[&str] = &["claim", "claim", "claim", "class", "expect:0", "expect:1"];
/// Bytes that options take.
pub(crate) const OPTION_BYTES: usize = 12;

/// What a user can choose; it takes [`OPTION_BYTES`], whatever they are.
pub(crate) fn options(source: &mut Unstructured<'_>) -> Result<Options> {
    let head = source.bytes(OPTION_BYTES)?;
    let mut source = Unstructured::new(head);
    let weights = weights_of_layers(choice(&mut source, WEIGHTS)?);
    let quant = quant::Options {
        weights,
        granularity: *source.choose(&[Granularity::Tensor, Granularity::Channel])?,
        rescale: *source.choose(&[Rescale::Sum, Rescale::None, Rescale::Product])?,
        zero_points: source.arbitrary()?,
        activation_error: *source.choose(&[Some(0.1), Some(1e-2), None])?,
        ..quant::Options::default()
    };
    Ok(Options {
        input: choice(&mut source, INPUTS)?.parse().unwrap(),
        quant,
        level: *source.choose(&[Level::Full, Level::Exact, Level::None])?,
        contract: choice(&mut source, CONTRACTS)?.parse().unwrap(),
        codegen: codegen(&mut source)?,
        target: *source.choose(&[target(Era::Genesis), target(Era::Chronicle)])?,
        ..Options::default()
    })
}

fn codegen(source: &mut Unstructured<'_>) -> Result<codegen::Options> {
    let strategy = *source.choose(&[Strategy::Auto, Strategy::Unrolled, Strategy::Packed])?;
    let optimise = *source.choose(&[Optimise::Size, Optimise::Speed, Optimise::Balanced])?;
    let bits: u8 = source.arbitrary()?;
    let bit = |at: u8| bits >> at & 1 == 0;
    let layout = Layout { idioms: bit(0), orders: bit(1), alt: bit(2), peephole: bit(3) };
    Ok(codegen::Options { strategy, optimise, layout })
}

fn target(era: Era) -> Target {
    Target { era, rules: Rules::Policy }
}

fn choice<'t>(source: &mut Unstructured<'_>, texts: &[&'t str]) -> Result<&'t str> {
    source.choose(texts).copied()
}

/// A number where arithmetic goes wrong if it does, or whatever a float can be.
pub(crate) fn float(source: &mut Unstructured<'_>) -> Result<f64> {
    const SPECIAL: &[f64] = &[0.0, 1.0, -1.0, 0.5, -0.5, 2.0, 1e-8, -1e-8, 1e-30, 90.0, -90.0, 9e10, -9e10];
    Ok(match source.arbitrary::<u8>()? {
        special if usize::from(special) < SPECIAL.len() => SPECIAL[usize::from(special)],
        255 => f64::from(f32::from_bits(source.arbitrary()?)),
        coarse if coarse < 128 => f64::from(coarse as i8 - 64) / 16.0,
        _ => f64::from(source.arbitrary::<i16>()?) / 8192.0,
    })
}

/// Some of them, all finite.
pub(crate) fn floats(source: &mut Unstructured<'_>, count: usize) -> Result<Vec<f64>> {
    let finite = |value: f64| if value.is_finite() { value } else { 1.0 };
    (0..count).map(|_| float(source).map(finite)).collect()
}
