//! Values that are read from the command line.

use std::str::FromStr;

use clap::builder::PossibleValuesParser;
use onnx2script::passes;

/// Bytes in hex.
#[derive(Debug, Clone)]
pub(crate) struct Hex(pub(crate) Vec<u8>);

impl FromStr for Hex {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        use bitcoin::hex::FromHex;
        Vec::from_hex(text).map(Hex).map_err(|error| error.to_string())
    }
}

/// What classes are called.
#[derive(Debug, Clone)]
pub(crate) struct Labels(pub(crate) Vec<String>);

impl FromStr for Labels {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let labels: Vec<String> = text.split(',').map(|label| label.trim().to_owned()).collect();
        match labels.iter().any(String::is_empty) {
            true => Err("a label is empty".into()),
            false => Ok(Labels(labels)),
        }
    }
}

pub(super) fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(error) if (1e-9..=1.0).contains(&error) => Ok(error),
        _ => Err("give a number from 1e-9 to 1, as in 1e-3".into()),
    }
}

pub(super) fn share(text: &str) -> Result<f64, String> {
    let share = text.parse::<f64>().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "give a share from 0 to 1, as in 0.995".into())
}

pub(super) fn pass_names() -> PossibleValuesParser {
    PossibleValuesParser::new(passes::ALL.iter().map(|pass| pass.name))
}
