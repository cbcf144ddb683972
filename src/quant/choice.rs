//! What a user can choose about weights.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use num_rational::BigRational;
use num_traits::Signed;

use super::calibrate::Calibration;
use super::decimal;

/// Most bits of an integer weight.
pub const MOST_BITS: u32 = 16;

/// How the weights of a layer become integers, unless they lie on a grid of their own.
#[derive(Debug, Clone, PartialEq)]
pub enum Weights {
    /// Multiples of one unit for the whole layer, as in the article.
    Fixed {
        /// What a step of one is worth; positive.
        unit: BigRational,
    },
    /// Integers of so many bits, at the scale that loses least.
    Int {
        /// 1 to [`MOST_BITS`].
        bits: u32,
    },
}

/// Where the division by the weights' scale happens. Integers of few bits are never rescaled: their
/// scales multiply through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rescale {
    /// After every single product, as in the article.
    Product,
    /// Once, after the dot product.
    #[default]
    Sum,
    /// Never: scales multiply through the layers, and nothing is rounded.
    None,
}

/// How many scales the integer weights of a layer have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Granularity {
    /// One.
    Tensor,
    /// One for each output, where the next layer can take it up; the last layer has one.
    #[default]
    Channel,
}

/// The choices of quantisation.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// How weights become integers: one choice a dense layer, the last one for all that follow.
    pub weights: Vec<Weights>,
    /// Where rescaling happens.
    pub rescale: Rescale,
    /// How many scales integer weights have.
    pub granularity: Granularity,
    /// Whether integer weights may have a zero point of their own for each scale.
    pub zero_points: bool,
    /// Samples of the input, to choose roundings by.
    pub calibration: Option<Arc<Calibration>>,
    /// How far straight pieces may be from the smooth function that they stand for; `None` leaves that to the kind of
    /// answer.
    pub activation_error: Option<f64>,
}

/// How far straight pieces may be from a smooth function where the answer is a class, unless a user says otherwise.
pub const CLASS_ERROR: f64 = 1e-3;
/// The same where the answer is a number, which shows errors as they are, and where activations are rounded, which makes
/// whole steps of them.
pub const FINE_ERROR: f64 = 1e-4;

impl Default for Options {
    fn default() -> Self {
        Options {
            weights: vec![Weights::default()],
            rescale: Rescale::default(),
            granularity: Granularity::default(),
            zero_points: true,
            calibration: None,
            activation_error: None,
        }
    }
}

impl Options {
    /// The choice for a dense layer, counted from 0.
    pub fn weights_of(&self, layer: usize) -> Weights {
        self.weights.get(layer).or(self.weights.last()).cloned().unwrap_or_default()
    }
}

impl Default for Weights {
    fn default() -> Self {
        Weights::Fixed { unit: decimal::power_of_ten(-8) }
    }
}

impl FromStr for Weights {
    type Err = String;

    /// Reads `fixed:SCALE`, the scale being how many steps make one (`fixed:1e8`), or `intK`.
    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(bits) = text.strip_prefix("int") {
            let bits = bits.parse().ok().filter(|bits| (1..=MOST_BITS).contains(bits));
            return Ok(Weights::Int { bits: bits.ok_or(format!("`{text}`: give int1 to int{MOST_BITS}"))? });
        }
        let Some(scale) = text.strip_prefix("fixed:") else {
            return Err("give fixed:SCALE, as in fixed:1e8, or intK, as in int8".into());
        };
        let scale = decimal::parse_rational(scale)?;
        if !scale.is_positive() {
            return Err("the scale must be positive".into());
        }
        Ok(Weights::Fixed { unit: scale.recip() })
    }
}

impl fmt::Display for Weights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Weights::Fixed { unit } => write!(f, "fixed:{}", crate::ir::describe_scale(&unit.recip())),
            Weights::Int { bits } => write!(f, "int{bits}"),
        }
    }
}

/// What a user asks for: a choice for each layer, or a search for the fewest bits.
#[derive(Debug, Clone, PartialEq)]
pub enum WeightsSpec {
    /// One choice a dense layer, the last one for all that follow.
    Layers(Vec<Weights>),
    /// The fewest bits that samples allow (see [`crate::auto`]).
    Auto,
}

impl FromStr for WeightsSpec {
    type Err = String;

    /// Reads `auto`, or one or several of `fixed:SCALE` and `intK`, separated by commas.
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(WeightsSpec::Auto),
            list => list.split(',').map(str::parse).collect::<Result<_, _>>().map(WeightsSpec::Layers),
        }
    }
}

impl fmt::Display for WeightsSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WeightsSpec::Auto => f.write_str("auto"),
            WeightsSpec::Layers(layers) => {
                f.write_str(&layers.iter().map(ToString::to_string).collect::<Vec<_>>().join(","))
            }
        }
    }
}

impl FromStr for Rescale {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "product" => Ok(Rescale::Product),
            "sum" => Ok(Rescale::Sum),
            "none" => Ok(Rescale::None),
            _ => Err("give product, sum or none".into()),
        }
    }
}

impl fmt::Display for Rescale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Rescale::Product => "product",
            Rescale::Sum => "sum",
            Rescale::None => "none",
        })
    }
}
