//! From a protobuf message to nodes, inputs and constants, each checked on its own.

use std::collections::{BTreeMap, BTreeSet};

use prost::Message;
use tract_onnx::pb;

use super::{
    Attribute, ElementType, Inferred, Input, Model, Node, OPSET_MAX, OPSET_MIN, Source, Tensor, external, load,
};
use crate::error::{Problem, Problems, Refusal};

/// Most elements that an input may have: each takes some bytes of both scripts, and kilobytes while it is compiled.
const MOST_INPUTS: usize = 1 << 18;

/// Decodes the protobuf message of a model file.
pub(super) fn message(bytes: &[u8]) -> Result<pb::ModelProto, Refusal> {
    let not_onnx =
        |reason: String| Problem::of_model(reason).help("export the model again, and check that the file is whole");
    if bytes.is_empty() {
        return Err(not_onnx("the file is empty".into()).into());
    }
    pb::ModelProto::decode(bytes).map_err(|error| {
        not_onnx(format!("this is not an ONNX file, or not the whole of one ({})", innermost(&error.to_string())))
            .into()
    })
}

/// The last two parts of a decoding error: the field, and what is wrong with it. The others say where
/// it lies, and are as many as messages are nested.
fn innermost(error: &str) -> String {
    let parts: Vec<&str> = error.split(": ").collect();
    parts[parts.len().saturating_sub(2)..].join(": ")
}

/// Decodes everything in a model, reporting all that is wrong with it at once.
pub(super) fn model(file_name: String, source: Source) -> Result<Model, Refusal> {
    let opset = opset(&source.proto)?;
    let Some(graph) = &source.proto.graph else {
        return Err(Problem::of_model("the file holds no graph").help("export the model again").into());
    };
    let mut problems = Problems::default();
    let mut constants = BTreeMap::new();
    let mut strings = BTreeMap::new();
    for initializer in &graph.initializer {
        let name = &initializer.name;
        if let Some(texts) = load::strings(initializer) {
            strings.insert(name.clone(), texts);
            continue;
        }
        let problem = match load::decode(initializer, &source) {
            Ok(tensor) => match constants.insert(name.clone(), tensor) {
                None => continue,
                Some(_) => Problem::of_model(format!("initializer `{name}` is there twice"))
                    .help("export the model again: every value has a name of its own"),
            },
            Err(fault) => Problem {
                unreadable: fault.unreadable,
                ..Problem::of_model(format!("initializer `{name}` {}", fault.reason))
                    .help("check the weights that were exported, and that no file is cut off or missing")
            },
        };
        problems.push(problem);
    }
    for sparse in &graph.sparse_initializer {
        let name = sparse.values.as_ref().map_or("", |values| &values.name);
        problems.push(Problem::of_model(format!("initializer `{name}` is sparse")).help("export dense weights"));
    }
    let nodes = nodes(graph, &source, (&mut constants, &mut strings), &mut problems);
    let filled = |name: &str| constants.contains_key(name) || strings.contains_key(name);
    let inputs = inputs(graph, filled, &mut problems);
    let outputs = graph.output.iter().map(|output| output.name.clone()).collect();
    problems.into_result()?;
    Ok(Model {
        file_name,
        opset,
        inputs,
        outputs,
        nodes,
        constants,
        strings,
        inferred: Inferred::default(),
        metadata: source.proto.metadata_props.iter().map(|entry| (entry.key.clone(), entry.value.clone())).collect(),
        sha256: String::new(),
        external_files: external::files(&source.proto),
        notes: vec![],
        source,
    })
}

fn opset(proto: &pb::ModelProto) -> Result<i64, Refusal> {
    let own = proto.opset_import.iter().find(|import| import.domain.is_empty() || import.domain == "ai.onnx");
    let supported = format!("onnx2script reads operator sets {OPSET_MIN} to {OPSET_MAX}");
    // scikit-learn's models may have no node of ONNX's own domain, or only such as never change, and then need no
    // version of it.
    let foreign = |node: &pb::NodeProto| !matches!(node.domain.as_str(), "" | "ai.onnx") || node.op_type == "Identity";
    let needless = proto.graph.as_ref().is_some_and(|graph| !graph.node.is_empty() && graph.node.iter().all(foreign));
    match own.map(|import| import.version) {
        _ if needless => Ok(OPSET_MAX),
        Some(version) if (OPSET_MIN..=OPSET_MAX).contains(&version) => Ok(version),
        Some(version) => Err(Problem::of_model(format!("the model uses ONNX operator set {version}; {supported}"))
            .help("export with another opset, e.g. 17 (tf2onnx: --opset 17; torch.onnx.export: opset_version=17)")
            .into()),
        None => Err(Problem::of_model(format!("the model does not say which ONNX operator set it uses; {supported}"))
            .help("export the model again with an exporter that writes opset_import")
            .into()),
    }
}

/// Decodes the nodes, and moves the values of Constant nodes to the constants.
fn nodes(
    graph: &pb::GraphProto,
    source: &Source,
    (constants, strings): (&mut BTreeMap<String, Tensor>, &mut BTreeMap<String, Vec<String>>),
    problems: &mut Problems,
) -> Vec<Node> {
    let mut nodes = Vec::new();
    let mut names = BTreeSet::new();
    for proto in &graph.node {
        let node = match node(proto, source, &mut names) {
            Ok(node) => node,
            Err(problem) => {
                problems.push(problem);
                continue;
            }
        };
        if node.op != "Constant" {
            nodes.push(node);
            continue;
        }
        let name = node.outputs.first().cloned().unwrap_or_default();
        let taken = match constant(&node) {
            Ok(Value::Numbers(tensor)) => constants.insert(name.clone(), tensor).is_some(),
            Ok(Value::Strings(texts)) => strings.insert(name.clone(), texts).is_some(),
            Err(problem) => {
                problems.push(problem);
                continue;
            }
        };
        if taken {
            problems.push(made_twice(&node, &name));
        }
    }
    nodes
}

/// A node gives its result a name that is taken.
pub(super) fn made_twice(node: &Node, name: &str) -> Problem {
    node.problem(format!("makes `{name}`, which something else makes as well"))
        .help("export the model again: every value has a name of its own")
}

fn node(proto: &pb::NodeProto, source: &Source, names: &mut BTreeSet<String>) -> Result<Node, Problem> {
    let op = match proto.domain.as_str() {
        "" | "ai.onnx" => proto.op_type.clone(),
        domain => format!("{domain}.{}", proto.op_type),
    };
    let mut name = match (&proto.name, proto.output.first()) {
        (name, _) if !name.is_empty() => name.clone(),
        (_, Some(output)) => format!("{}:{output}", proto.op_type),
        (_, None) => proto.op_type.clone(),
    };
    if !names.insert(name.clone()) {
        name = (2..).map(|number| format!("{name}#{number}")).find(|name| names.insert(name.clone())).unwrap_or(name);
    }
    let mut attributes = BTreeMap::new();
    for attribute in &proto.attribute {
        let value = Attribute::decode(attribute, source)
            .map_err(|reason| Problem::of_node(&name, &op, format!("attribute `{}` {reason}", attribute.name)))?;
        if attributes.insert(attribute.name.clone(), value).is_some() {
            return Err(Problem::of_node(&name, &op, format!("attribute `{}` is there twice", attribute.name))
                .help("export the model again: every attribute of a node has a name of its own"));
        }
    }
    Ok(Node { name, op, inputs: proto.input.clone(), outputs: proto.output.clone(), attributes })
}

/// The value of a Constant node.
enum Value {
    Numbers(Tensor),
    Strings(Vec<String>),
}

fn constant(node: &Node) -> Result<Value, Problem> {
    let scalar = |tensor: Tensor| Tensor { shape: vec![], ..tensor };
    let floats = |values: &[f32]| Tensor::floats(vec![values.len()], values.iter().copied().map(f64::from).collect());
    let tensor = match node.attributes.iter().next() {
        Some((_, Attribute::Tensor(tensor))) => tensor.clone(),
        Some((_, Attribute::Int(value))) => scalar(Tensor::ints(vec![1], vec![*value])),
        Some((_, Attribute::Ints(values))) => Tensor::ints(vec![values.len()], values.clone()),
        Some((_, Attribute::Float(value))) => scalar(floats(&[*value])),
        Some((_, Attribute::Floats(values))) => floats(values),
        Some((_, Attribute::String(text))) => return Ok(Value::Strings(vec![text.clone()])),
        Some((_, Attribute::Strings(texts) | Attribute::Labels(texts))) => return Ok(Value::Strings(texts.clone())),
        _ => return Err(node.problem("holds no number tensor").help("export the constant as numbers")),
    };
    tensor.finite().map(Value::Numbers).map_err(|reason| node.problem(reason))
}

/// The inputs that no initializer fills, for one sample each.
fn inputs(graph: &pb::GraphProto, filled: impl Fn(&str) -> bool, problems: &mut Problems) -> Vec<Input> {
    let mut inputs = Vec::new();
    for info in graph.input.iter().filter(|info| !filled(&info.name)) {
        match input(info) {
            Ok(input) => inputs.push(input),
            Err(problem) => problems.push(problem),
        }
    }
    inputs
}

fn input(info: &pb::ValueInfoProto) -> Result<Input, Problem> {
    let name = &info.name;
    let Some(pb::type_proto::Value::TensorType(tensor)) = info.r#type.as_ref().and_then(|kind| kind.value.as_ref())
    else {
        return Err(Problem::of_model(format!("input `{name}` has no tensor type")));
    };
    let element = ElementType::from_onnx(tensor.elem_type).ok_or_else(|| {
        Problem::of_model(format!("input `{name}` has element type code {}", tensor.elem_type))
            .help("export with a float or uint8 input")
    })?;
    let Some(shape) = &tensor.shape else {
        return Err(Problem::of_model(format!("input `{name}` has no shape"))
            .help("export with an input shape in which only the batch is symbolic"));
    };
    let mut dims = Vec::new();
    for (axis, dim) in shape.dim.iter().enumerate() {
        use pb::tensor_shape_proto::dimension::Value;
        match &dim.value {
            Some(Value::DimValue(size)) if *size > 0 => dims.push(usize::try_from(*size).unwrap_or(usize::MAX)),
            // Exporters write an unknown batch as a symbol, as 0, as -1, or not at all.
            _ if axis == 0 => dims.push(1),
            _ => {
                return Err(Problem::of_model(format!("dimension {axis} of input `{name}` is not a fixed number"))
                    .help("only the first dimension, the batch, may be symbolic: export with the others fixed"));
            }
        }
    }
    let count = dims.iter().try_fold(1usize, |product, &dim| product.checked_mul(dim));
    if count.is_none_or(|count| count > MOST_INPUTS) {
        return Err(Problem::of_model(format!(
            "input `{name}` has dimensions {dims:?}: more than {MOST_INPUTS} elements"
        ))
        .help("shrink the input: an unlocking script pushes every element, and each takes bytes of the script"));
    }
    Ok(Input { name: name.clone(), element, shape: dims })
}
