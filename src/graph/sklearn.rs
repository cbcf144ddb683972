//! What scikit-learn's exporter writes around linear models and networks: ops of the domain
//! `ai.onnx.ml`.

use super::import::{Importer, origin};
use super::linear::{self, Weights};
use super::operand::{Computed, Meaning, Operand};
use super::{Op, Tie, relabel};
use crate::error::Problem;
use crate::onnx::{Attribute, ElementType, Node, Tensor};

/// Scaler: `(x - offset) · scale`, one for all elements or one each.
pub(super) fn scaler(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    let x = numbers(importer, node)?;
    let each = |name: &str, default: f64| -> Result<Vec<f64>, Problem> {
        let given = node.floats(name)?;
        match given.len() {
            0 => Ok(vec![default; x.len()]),
            1 => Ok(vec![given[0]; x.len()]),
            len if len == x.len() => Ok(given),
            len => Err(node.problem(format!("has {len} numbers in `{name}` for {} elements", x.len()))),
        }
    };
    let shift = each("offset", 0.0)?.iter().map(|offset| -offset).collect();
    let scale = each("scale", 1.0)?;
    let moved = importer.push(node, Op::Add { x: x.node, constant: shift }, x.shape, ElementType::Float)?;
    let scaled = Op::Mul { x: moved.node, constant: scale };
    importer.push(node, scaled, moved.shape, ElementType::Float).map(Operand::Computed)
}

/// Imputer: of NaNs only, which a contract's input never holds.
pub(super) fn imputer(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    let replaces_nan = match node.attributes.get("replaced_value_float") {
        Some(Attribute::Float(value)) => value.is_nan(),
        _ => false,
    };
    if !replaces_nan {
        return Err(node
            .problem("replaces a number by another")
            .help("only NaNs may be imputed, which a contract's input never holds: impute before the model"));
    }
    importer.operand(node, 0)
}

/// Normalizer: divides scores by their sum, which keeps their order.
pub(super) fn normalizer(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    let x = importer.computed(node, 0)?;
    if x.shape.last() != Some(&x.len()) {
        return Err(node.problem(format!("normalises rows of a value of shape {:?}", x.shape)));
    }
    let by_largest = node.text("norm", "MAX")? == "MAX";
    let positive = match &x.meaning {
        Meaning::Order(softmax) => softmax.op != "LogSoftmax",
        Meaning::Logit(_) | Meaning::Pair(_) => true,
        Meaning::Value => false,
        _ => return x.for_computing(importer, node).map(Operand::Computed),
    };
    if by_largest && !positive {
        return Err(node
            .problem("divides by the largest of computed numbers, which may be negative")
            .help("normalise the data before it goes into the model; behind probabilities this op is fine"));
    }
    let meaning = match x.meaning {
        Meaning::Pair(sigmoid) => Meaning::Pair(sigmoid),
        // A sum of one is itself.
        Meaning::Logit(sigmoid) if x.shape.iter().product::<usize>() == 1 => Meaning::Order(sigmoid),
        _ => Meaning::Order(origin(node)),
    };
    Ok(Operand::Computed(Computed { meaning, ..x }))
}

/// ZipMap: the scores, each under its label.
pub(super) fn zip_map(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    let scores = importer.computed(node, 0)?;
    let labels = relabel::of_node(node, "classlabels_int64s", "classlabels_strings")?;
    if labels.len() != scores.len() {
        return Err(node.problem(format!("names {} scores by {} labels", scores.len(), labels.len())));
    }
    importer.name_scores(labels);
    Ok(Operand::Computed(scores))
}

/// LinearClassifier: its label, by the rule of onnxruntime: the largest of several scores, or the second of two labels
/// where a single score is above 0, whatever is made of the scores behind that.
pub(super) fn linear_classifier(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    let labels = relabel::of_node(node, "classlabels_ints", "classlabels_strings")?;
    let scores = linear(importer, node, node.floats("intercepts")?.len())?;
    let row = scores.shape[..scores.shape.len() - 1].to_vec();
    let op = match (scores.len(), labels.len()) {
        (1, 2) => Op::Positive { x: scores.node },
        (count, named) if count == named && count > 1 => {
            if let Some(meaning) = meaning_of_scores(node)? {
                importer.name_scores(labels.clone());
                importer.also(node, 1, Operand::Computed(scores.clone().meaning(meaning)));
            }
            Op::ArgMax { x: scores.node, tie: Tie::First }
        }
        (count, named) => {
            return Err(node
                .problem(format!("has {count} scores for {named} labels"))
                .help("export the classifier with one score for each label, or one score for two labels"));
        }
    };
    let class = importer.push(node, op, row, ElementType::INT64)?;
    Ok(Operand::Computed(class.meaning(Meaning::Label(origin(node), labels))))
}

/// What is left of the scores; `None` where not even their order is.
fn meaning_of_scores(node: &Node) -> Result<Option<Meaning>, Problem> {
    Ok(match node.text("post_transform", "NONE")? {
        "NONE" => Some(Meaning::Value),
        "LOGISTIC" => Some(Meaning::Logit(origin(node))),
        "SOFTMAX" => Some(Meaning::Order(origin(node))),
        _ => None,
    })
}

/// LinearRegressor: of one number.
pub(super) fn linear_regressor(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    let targets = node.int("targets", 1)?;
    if targets != 1 {
        return Err(node
            .problem(format!("gives {targets} numbers"))
            .help("a contract has one answer: export a regressor for each number"));
    }
    if node.text("post_transform", "NONE")? != "NONE" {
        return Err(node.problem("transforms its number").help("export it with post_transform NONE"));
    }
    linear(importer, node, 1).map(Operand::Computed)
}

/// So many sums of the elements, by `coefficients` (one row a sum) and `intercepts`.
fn linear(importer: &mut Importer<'_>, node: &Node, sums: usize) -> Result<Computed, Problem> {
    let x = numbers(importer, node)?;
    let (coefficients, intercepts) = (node.floats("coefficients")?, node.floats("intercepts")?);
    let fits = sums.checked_mul(x.len()) == Some(coefficients.len()) && sums > 0;
    if !fits || !(intercepts.is_empty() || intercepts.len() == sums) {
        return Err(node.problem(format!(
            "has {} coefficients and {} intercepts for {} elements",
            coefficients.len(),
            intercepts.len(),
            x.len()
        )));
    }
    let tensor = Tensor::floats(vec![sums, x.len()], coefficients);
    let mut shape = x.shape.clone();
    shape.pop();
    shape.push(sums);
    let x = Computed { element: ElementType::Float, ..x };
    let product =
        linear::product(importer, node, &x, &Weights { tensor: &tensor, transposed: true, factor: 1.0 }, shape)?;
    match intercepts.is_empty() {
        true => Ok(product),
        false => linear::bias(importer, node, product, &Tensor::floats(vec![sums], intercepts), 1.0),
    }
}

/// The operand, one row of numbers of any type: these ops compute in floats.
fn numbers(importer: &mut Importer<'_>, node: &Node) -> Result<Computed, Problem> {
    let x = importer.computed(node, 0)?.for_computing(importer, node)?;
    match x.shape.last() {
        Some(&columns) if columns == x.len() => Ok(x),
        _ => Err(node
            .problem(format!("takes rows of a value of shape {:?}", x.shape))
            .help("one sample is one row: flatten the value first")),
    }
}
