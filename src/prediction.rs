//! What a network says of a sample, and when a contract says the same as the float model.

use std::fmt;

use serde::Serialize;

/// The answer for one sample; in JSON a number.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Prediction {
    /// A class.
    Class(u64),
    /// The number itself, of a model that gives one.
    Value(f64),
}

/// A prediction as a user reads it: a class by the model's own label, where that is an integer; in JSON a number.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Shown {
    /// An integer label.
    Label(i64),
    /// The prediction itself.
    Prediction(Prediction),
}

impl Shown {
    /// The number, of a model that gives one.
    pub fn value(self) -> Option<f64> {
        match self {
            Shown::Prediction(prediction) => prediction.value(),
            Shown::Label(_) => None,
        }
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Shown::Label(label) => label.fmt(f),
            Shown::Prediction(prediction) => prediction.fmt(f),
        }
    }
}

/// When predictions of a contract and of the float model count as the same: equal classes, and numbers that are near.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Agreement {
    within: f64,
}

impl Agreement {
    /// So far apart may numbers be unless a user says otherwise: a share of the range of the float model's.
    pub const TOLERANCE: f64 = 1e-4;

    /// Judges beside these predictions of the float model. The tolerance is a share of their range: what is near is a
    /// matter of how much samples differ. Where all are one number, it is a share of that.
    pub fn new(floats: &[Prediction], tolerance: f64) -> Self {
        let values = || floats.iter().filter_map(|prediction| prediction.value());
        let (low, high) = values().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        let spread = if high > low { high - low } else { values().fold(0.0, |most: f64, v| most.max(v.abs())) };
        Agreement { within: tolerance * spread }
    }

    /// How far apart numbers may be.
    pub fn within(self) -> f64 {
        self.within
    }

    /// Whether a contract says what the float model says.
    pub fn holds(self, contract: Option<Prediction>, float: Prediction) -> bool {
        match (contract, float) {
            (Some(Prediction::Class(contract)), Prediction::Class(float)) => contract == float,
            (Some(Prediction::Value(contract)), Prediction::Value(float)) => (contract - float).abs() <= self.within,
            _ => false,
        }
    }

    /// The share of samples on which it does; of none, all.
    pub fn share(self, contract: &[Option<Prediction>], floats: &[Prediction]) -> f64 {
        let agreeing = contract.iter().zip(floats).filter(|(contract, float)| self.holds(**contract, **float)).count();
        agreeing as f64 / floats.len().max(1) as f64
    }
}

impl Prediction {
    /// The number, where it is one and no class.
    pub fn value(self) -> Option<f64> {
        match self {
            Prediction::Value(value) => Some(value),
            Prediction::Class(_) => None,
        }
    }
}

impl fmt::Display for Prediction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Prediction::Class(class) => class.fmt(f),
            Prediction::Value(value) => value.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Prediction::{Class, Value};
    use super::*;

    #[test]
    fn numbers_agree_within_a_share_of_their_range() {
        let floats = [Value(100.0), Value(300.0)];
        let agreement = Agreement::new(&floats, 0.01);
        assert!(agreement.holds(Some(Value(101.9)), floats[0]) && agreement.holds(Some(Value(298.1)), floats[1]));
        assert!(!agreement.holds(Some(Value(102.1)), floats[0]) && !agreement.holds(None, floats[0]));
        assert!((agreement.share(&[Some(Value(101.0)), Some(Value(0.0))], &floats) - 0.5).abs() < 1e-12);
    }

    #[test]
    fn one_number_agrees_within_a_share_of_itself() {
        let agreement = Agreement::new(&[Value(-50.0)], 0.01);
        assert!(
            agreement.holds(Some(Value(-50.4)), Value(-50.0)) && !agreement.holds(Some(Value(-50.6)), Value(-50.0))
        );
    }

    #[test]
    fn classes_agree_where_they_are_equal() {
        let agreement = Agreement::new(&[Class(0), Class(7)], 1.0);
        assert!(agreement.holds(Some(Class(7)), Class(7)) && !agreement.holds(Some(Class(6)), Class(7)));
        assert!(!agreement.holds(Some(Value(7.0)), Class(7)));
    }
}
