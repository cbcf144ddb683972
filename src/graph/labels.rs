//! What a model calls its classes.

use crate::prediction::{Prediction, Shown};

/// The names of classes, in the order of their indices.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Labels {
    /// The class is its index.
    #[default]
    Indices,
    /// Integers that are not the indices.
    Integers(Vec<i64>),
    /// Strings.
    Strings(Vec<String>),
}

impl Labels {
    /// The same labels; those that count from 0 are none of their own.
    pub(super) fn simplified(self) -> Labels {
        match &self {
            Labels::Integers(labels) if labels.iter().zip(0..).all(|(&label, index)| label == index) => Labels::Indices,
            _ => self,
        }
    }

    /// How many classes have a label.
    pub(super) fn len(&self) -> usize {
        match self {
            Labels::Indices => 0,
            Labels::Integers(labels) => labels.len(),
            Labels::Strings(labels) => labels.len(),
        }
    }

    /// A prediction with the label of its class, where that is an integer.
    pub fn show(&self, prediction: Prediction) -> Shown {
        match (self, prediction) {
            (Labels::Integers(labels), Prediction::Class(class)) => {
                let label = usize::try_from(class).ok().and_then(|class| labels.get(class));
                label.map_or(Shown::Prediction(prediction), |&label| Shown::Label(label))
            }
            _ => Shown::Prediction(prediction),
        }
    }

    /// The label of a predicted class, where that is a string.
    pub fn text(&self, prediction: Prediction) -> Option<String> {
        match (self, prediction) {
            (Labels::Strings(labels), Prediction::Class(class)) => labels.get(usize::try_from(class).ok()?).cloned(),
            _ => None,
        }
    }

    /// The class that an integer label stands for.
    pub fn class_of(&self, label: f64) -> Option<u64> {
        match self {
            Labels::Integers(labels) => {
                labels.iter().position(|&known| (known as f64).total_cmp(&label).is_eq()).map(|index| index as u64)
            }
            _ => (label >= 0.0 && label.fract() == 0.0).then_some(label as u64),
        }
    }

    /// The table, for whoever reads classes.
    pub(super) fn note(&self) -> Option<String> {
        /// A table of more rows is no longer read.
        const MOST_SHOWN: usize = 20;
        let names: Vec<String> = match self {
            Labels::Indices => return None,
            Labels::Integers(labels) => labels.iter().map(ToString::to_string).collect(),
            Labels::Strings(labels) => labels.iter().map(|label| format!("`{label}`")).collect(),
        };
        let rows: Vec<String> =
            names.iter().enumerate().take(MOST_SHOWN).map(|(class, name)| format!("{class} is {name}")).collect();
        let more = if names.len() > MOST_SHOWN { ", ..." } else { "" };
        Some(format!("the contract's class is an index, the model's labels are: {}{more}", rows.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_that_count_are_indices() {
        assert_eq!(Labels::Integers(vec![0, 1, 2]).simplified(), Labels::Indices);
        let shifted = Labels::Integers(vec![1, 2]).simplified();
        assert_eq!(shifted.show(Prediction::Class(1)), Shown::Label(2));
        assert_eq!((shifted.class_of(2.0), shifted.class_of(3.0)), (Some(1), None));
        assert_eq!(Labels::Indices.class_of(3.0), Some(3));
        let named = Labels::Strings(vec!["ham".into(), "spam".into()]);
        assert_eq!(named.text(Prediction::Class(1)), Some("spam".into()));
        assert!(shifted.note().unwrap().contains("0 is 1, 1 is 2"));
    }
}
