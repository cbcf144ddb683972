//! From a class to its label: the tables behind a classifier's ArgMax.

use super::import::{Importer, origin};
use super::operand::{Computed, Meaning, Operand};
use super::{Labels, Origin, select};
use crate::error::Problem;
use crate::onnx::{ElementType, Node};

/// ONNX's code of the string type.
const STRING: i64 = 8;

/// The class labels of a node, by the names of its two attributes.
pub(super) fn of_node(node: &Node, integers: &str, strings: &str) -> Result<Labels, Problem> {
    let (integers, strings) = (node.ints(integers)?, node.texts(strings)?);
    match (integers.is_empty(), strings.is_empty()) {
        (false, true) => Ok(Labels::Integers(integers.to_vec())),
        (true, false) => Ok(Labels::Strings(strings.to_vec())),
        (true, true) => Err(node.problem("names no class labels")),
        (false, false) => Err(node.problem("has labels of two kinds")),
    }
}

/// ArrayFeatureExtractor: the label of a class, out of a constant table.
pub(super) fn extracted(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    if let (Ok(Operand::Computed(_)), Ok(Operand::Constant(_))) = (importer.operand(node, 0), importer.operand(node, 1))
    {
        return select::columns(importer, node);
    }
    let class = importer.computed(node, 1).map_err(|_| no_table(node))?;
    let labels = table(importer, node)?;
    let shape = vec![1, class.len()];
    labelled(importer, node, class.reshaped(shape), labels)
}

/// Gather of a class's label; `None` where it gathers something else.
pub(super) fn gathered(importer: &Importer<'_>, node: &Node) -> Option<Result<Operand, Problem>> {
    let Ok(Operand::Computed(class)) = importer.operand(node, 1) else { return None };
    let flat = matches!(importer.operand(node, 0), Ok(Operand::Constant(table)) if table.shape.len() == 1)
        || importer.strings(node, 0).is_some();
    (flat && matches!(class.meaning, Meaning::Class(_)))
        .then(|| table(importer, node).and_then(|labels| labelled(importer, node, class, labels)))
}

/// The table of labels at operand 0.
fn table(importer: &Importer<'_>, node: &Node) -> Result<Labels, Problem> {
    if let Some(strings) = importer.strings(node, 0) {
        return Ok(Labels::Strings(strings.to_vec()));
    }
    let Operand::Constant(constant) = importer.operand(node, 0)? else { return Err(no_table(node)) };
    // Some exporters write integer labels as floats.
    let whole = |value: &f64| (value.fract().abs() < f64::MIN_POSITIVE).then_some(*value as i64);
    let floats = || constant.to_floats().and_then(|values| values.iter().map(whole).collect());
    let integers = constant.to_ints().map(<[i64]>::to_vec).or_else(floats);
    integers.map(Labels::Integers).ok_or_else(|| no_table(node))
}

fn no_table(node: &Node) -> Problem {
    node.problem("takes elements out of computed values")
        .help("only the constant label of a computed class can be taken; choose the columns before the model")
}

fn labelled(importer: &Importer<'_>, node: &Node, class: Computed, labels: Labels) -> Result<Operand, Problem> {
    let Meaning::Class(_) = class.meaning else { return Err(no_table(node)) };
    let classes = importer.classes(&class);
    if labels.len() != classes {
        return Err(node.problem(format!("names {classes} classes by {} labels", labels.len())));
    }
    Ok(Operand::Computed(class.meaning(Meaning::Label(origin(node), labels))))
}

/// Cast of a label: to strings, or to numbers that can hold it.
pub(super) fn cast(node: &Node, value: Computed, origin: Origin, labels: &Labels) -> Result<Computed, Problem> {
    let to = node.int("to", 0)?;
    let element = i32::try_from(to).ok().and_then(ElementType::from_onnx);
    match (labels, element) {
        (Labels::Integers(labels), None) if to == STRING => {
            let strings = Labels::Strings(labels.iter().map(ToString::to_string).collect());
            Ok(value.meaning(Meaning::Label(origin, strings)))
        }
        (Labels::Strings(_), None) if to == STRING => Ok(value),
        (Labels::Integers(labels), Some(element)) if labels.iter().all(|&label| element.wrap(label) == label) => {
            Ok(Computed { element, ..value })
        }
        _ => Err(node
            .problem("casts class labels to a type that cannot hold them")
            .help("leave the labels as they are, or cast them to int64")),
    }
}

/// LabelEncoder: other labels for the same classes.
pub(super) fn encoder(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    let value = importer.computed(node, 0)?;
    let (class, labels) = match value.meaning.clone() {
        Meaning::Label(class, labels) => (class, labels),
        Meaning::Class(class) => (class, Labels::Integers((0..importer.classes(&value) as i64).collect())),
        _ => {
            return Err(node
                .problem("looks a computed number up in a table")
                .help("encode the data before it goes into the model; behind a class this op is fine"));
        }
    };
    let values = Values::of(node)?;
    let places = match &labels {
        Labels::Strings(labels) => places(labels, node.texts("keys_strings")?),
        Labels::Integers(labels) => places(labels, node.ints("keys_int64s")?),
        Labels::Indices => vec![],
    };
    Ok(Operand::Computed(value.meaning(Meaning::Label(class, values.at(&places)))))
}

/// Where each label is among the keys.
fn places<T: PartialEq>(labels: &[T], keys: &[T]) -> Vec<Option<usize>> {
    labels.iter().map(|label| keys.iter().position(|key| key == label)).collect()
}

/// The values of a LabelEncoder, and the one for what has no key.
enum Values {
    Integers(Vec<i64>, i64),
    Strings(Vec<String>, String),
}

impl Values {
    fn of(node: &Node) -> Result<Values, Problem> {
        let (integers, strings) = (node.ints("values_int64s")?, node.texts("values_strings")?);
        let keys = node.ints("keys_int64s")?.len() + node.texts("keys_strings")?.len();
        let values = match integers.is_empty() {
            false => Values::Integers(integers.to_vec(), node.int("default_int64", -1)?),
            true => Values::Strings(strings.to_vec(), node.text("default_string", "_Unused")?.to_owned()),
        };
        match integers.len() + strings.len() == keys && keys > 0 {
            true => Ok(values),
            false => Err(node.problem("has no table from integers or strings to integers or strings")),
        }
    }

    fn at(&self, places: &[Option<usize>]) -> Labels {
        fn look_up<T: Clone>(places: &[Option<usize>], values: &[T], default: &T) -> Vec<T> {
            let value = |place: &Option<usize>| place.and_then(|place| values.get(place)).unwrap_or(default).clone();
            places.iter().map(value).collect()
        }
        match self {
            Values::Integers(values, default) => Labels::Integers(look_up(places, values, default)),
            Values::Strings(values, default) => Labels::Strings(look_up(places, values, default)),
        }
    }
}
