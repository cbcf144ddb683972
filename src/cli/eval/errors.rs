//! How far a contract's numbers are from the float model's, and both from the true ones: the figures of models that
//! give a number.

use std::fmt::Write;

use onnx2script::prediction::{Agreement, Prediction};
use serde::Serialize;

/// Fields of the JSON object; null where tract cannot run the float model, or there are no labels. All are in the
/// model's numbers.
#[derive(Debug, Serialize)]
pub(super) struct Errors {
    /// Differences of up to this much count as agreement.
    tolerance: Option<f64>,
    /// Largest difference of contract and float model.
    max_error: Option<f64>,
    /// Mean difference, without its sign.
    mean_error: Option<f64>,
    /// Mean square of the contract's difference from the label.
    mean_squared_error: Option<f64>,
    /// The same of the float model.
    float_mean_squared_error: Option<f64>,
}

impl Errors {
    /// Compares sample by sample; those on which the script told nothing are left out.
    pub(super) fn new(
        contract: &[Option<Prediction>],
        floats: Option<&[Prediction]>,
        labels: Option<&[Prediction]>,
        agreement: Agreement,
    ) -> Errors {
        let known = |predictions: &[Prediction]| predictions.iter().copied().map(Some).collect::<Vec<_>>();
        let errors = floats.map(|floats| differences(contract, floats));
        let squared = |of: &[Option<Prediction>], labels: &[Prediction]| {
            mean(&differences(of, labels).iter().map(|error| error * error).collect::<Vec<_>>())
        };
        Errors {
            tolerance: floats.map(|_| agreement.within()),
            max_error: errors.as_ref().and_then(|errors| errors.iter().copied().reduce(f64::max)),
            mean_error: errors.as_deref().and_then(mean),
            mean_squared_error: labels.and_then(|labels| squared(contract, labels)),
            float_mean_squared_error: labels.zip(floats).and_then(|(labels, floats)| squared(&known(floats), labels)),
        }
    }

    /// What agreement means, in words.
    pub(super) fn within(&self) -> Option<String> {
        self.tolerance.map(|tolerance| format!(", within {tolerance:.4e}"))
    }

    /// The rows of the report in words.
    pub(super) fn describe(&self) -> String {
        let mut text = String::new();
        let mut row = |name: &str, value: Option<f64>| {
            let value = value.map_or("unknown".into(), |value| format!("{value:.4e}"));
            let _ = writeln!(text, "{name:<20} {value}");
        };
        if self.mean_squared_error.is_some() {
            row("float mean sq. error", self.float_mean_squared_error);
            row("mean squared error", self.mean_squared_error);
        }
        row("largest error", self.max_error);
        row("mean error", self.mean_error);
        text
    }
}

/// By how much numbers differ, without the sign.
fn differences(of: &[Option<Prediction>], from: &[Prediction]) -> Vec<f64> {
    let pairs = of.iter().zip(from);
    pairs.filter_map(|(of, from)| Some(((*of)?.value()? - from.value()?).abs())).collect()
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::Prediction::Value;
    use super::*;

    #[test]
    fn errors_are_of_what_was_told() {
        let contract = [Some(Value(1.0)), None, Some(Value(-2.0))];
        let floats = [Value(1.5), Value(9.0), Value(-4.0)];
        let labels = [Value(0.0), Value(9.0), Value(0.0)];
        let agreement = Agreement::new(&floats, 0.1);
        let errors = Errors::new(&contract, Some(&floats), Some(&labels), agreement);
        let exactly = |figure: Option<f64>, expected: f64| (figure.unwrap() - expected).abs() < 1e-12;
        assert!(exactly(errors.max_error, 2.0) && exactly(errors.mean_error, 1.25));
        assert!(exactly(errors.mean_squared_error, 2.5) && exactly(errors.tolerance, 1.3));
        assert!(exactly(errors.float_mean_squared_error, (1.5 * 1.5 + 16.0) / 3.0));
        let alone = Errors::new(&contract, None, None, agreement);
        assert!(alone.max_error.is_none() && alone.mean_squared_error.is_none() && alone.tolerance.is_none());
    }
}
