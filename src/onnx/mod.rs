//! ONNX files as data: decoded protobuf, named nodes, plain tensors and inferred shapes.
//!
//! This is the only place that sees tract's types. What it promises of a [`Model`]:
//! 1. every node has a name, also those the exporter left unnamed;
//! 2. nodes come after the nodes they read, and each is needed by a graph output;
//! 3. every value that a node reads is a graph input, a constant or made by an earlier node, once;
//! 4. constants are decoded, of the length their shape says, and finite where they are floats.
//!
//! Nodes keep ONNX's own ops and attributes (tract's typed graph rewrites them), so that an error
//! can name what the user's exporter wrote.

mod attributes;
pub(crate) mod bounds;
mod cast;
mod decode;
mod element;
mod external;
mod load;
mod order;
mod outputs;
pub mod reference;
mod shapes;
pub mod tensor;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

pub use attributes::Attribute;
use bitcoin::hashes::{Hash, sha256};
pub use element::ElementType;
pub use shapes::Inferred;
pub use tensor::Tensor;
use tract_onnx::pb;

use crate::error::Refusal;

/// Oldest operator set read: before it, Add and Gemm broadcast by attributes.
pub const OPSET_MIN: i64 = 7;
/// Newest operator set whose definitions were compared with what is implemented here.
pub const OPSET_MAX: i64 = 25;

/// A graph input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// Its name in the file.
    pub name: String,
    /// Element type.
    pub element: ElementType,
    /// Shape for one sample: a symbolic batch counts 1.
    pub shape: Vec<usize>,
}

/// One ONNX operation.
#[derive(Debug, Clone)]
pub struct Node {
    /// The node's own name, or one made of its first output's.
    pub name: String,
    /// ONNX op type, prefixed by its domain unless that is ONNX's own.
    pub op: String,
    /// Names of the operands; empty where an optional one is left out.
    pub inputs: Vec<String>,
    /// Names of the results; empty where an optional one is not wanted.
    pub outputs: Vec<String>,
    /// Attributes by name.
    pub attributes: BTreeMap<String, Attribute>,
}

/// A decoded and ordered ONNX graph.
#[derive(Debug, Clone)]
pub struct Model {
    /// The file's name without its folder.
    pub file_name: String,
    /// Version of ONNX's own operator set.
    pub opset: i64,
    /// Inputs that are not initializers.
    pub inputs: Vec<Input>,
    /// Names of the outputs.
    pub outputs: Vec<String>,
    /// Nodes in an order in which they can be computed.
    pub nodes: Vec<Node>,
    /// Initializers and Constant nodes.
    pub constants: BTreeMap<String, Tensor>,
    /// Those of them that are strings: class labels.
    pub strings: BTreeMap<String, Vec<String>>,
    /// What tract found out about values, once it was asked.
    pub inferred: Inferred,
    /// What the file says about itself: keys and values, in its order.
    pub metadata: Vec<(String, String)>,
    /// SHA-256 of the file, in hex.
    pub sha256: String,
    /// Names of the files beside it that hold data, in order.
    pub external_files: Vec<String>,
    /// What was decided about the file that the user may want to know.
    pub notes: Vec<String>,
    source: Source,
}

/// The protobuf message and where it lies, for tract.
#[derive(Debug, Clone)]
struct Source {
    proto: pb::ModelProto,
    /// None where the message came without one.
    folder: Option<PathBuf>,
}

impl Model {
    /// Reads a model file; weights may lie in other files beside it.
    ///
    /// # Errors
    /// An I/O error when the file cannot be read, else a [`Refusal`] when it is not a sound ONNX graph.
    pub fn load(path: &Path) -> anyhow::Result<Model> {
        let bytes = std::fs::read(path)
            .map_err(|error| anyhow::Error::new(error).context(format!("cannot read model `{}`", path.display())))?;
        Ok(Model::of_file(&bytes, path)?)
    }

    /// Decodes what a model's file held.
    ///
    /// # Errors
    /// As [`Model::from_bytes`].
    pub fn of_file(bytes: &[u8], path: &Path) -> Result<Model, Refusal> {
        let folder = path.parent().unwrap_or(Path::new(".")).to_path_buf();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Model::from_bytes(bytes, name, Some(folder))
    }

    /// Decodes a model from the bytes of its file, which lies in a folder, or came without one: weights in other files
    /// are out of reach then.
    ///
    /// # Errors
    /// A [`Refusal`] when the bytes are not a sound ONNX graph.
    pub fn from_bytes(bytes: &[u8], file_name: String, folder: Option<PathBuf>) -> Result<Model, Refusal> {
        let source = Source { proto: decode::message(bytes)?, folder };
        let mut model = decode::model(file_name, source)?;
        model.sha256 = sha256::Hash::hash(bytes).to_string();
        order::sort_and_prune(&mut model)?;
        model.trim_source();
        Ok(model)
    }

    /// Leaves to tract only what it is asked about. Nodes that no output needs would be evaluated where
    /// they are constant, whatever they allocate; declared shapes are replaced or ignored, and expressions
    /// of symbols in them are parsed by recursion.
    fn trim_source(&mut self) {
        let needed: BTreeSet<&String> = self.nodes.iter().flat_map(|node| &node.outputs).collect();
        let Some(graph) = &mut self.source.proto.graph else { return };
        graph.node.retain(|node| node.op_type == "Constant" || node.output.iter().any(|name| needed.contains(name)));
        graph.output.retain(|info| self.outputs.contains(&info.name));
        graph.value_info.clear();
        for info in graph.input.iter_mut().chain(&mut graph.output) {
            if let Some(pb::type_proto::Value::TensorType(tensor)) =
                info.r#type.as_mut().and_then(|kind| kind.value.as_mut())
            {
                tensor.shape = None;
            }
        }
    }

    /// Whether no node has to make a value: it is an input or a constant.
    fn is_given(&self, name: &str) -> bool {
        self.constants.contains_key(name)
            || self.strings.contains_key(name)
            || self.inputs.iter().any(|input| input.name == name)
    }

    /// Asks tract for the shape of every value, and for the values that are constants after all: a second reading of
    /// the file. What tract cannot infer is left out.
    ///
    /// Call it only where all ops are known to be supported: it hands the graph to tract.
    pub fn infer(&mut self) {
        self.inferred = shapes::infer(self);
    }
}

impl Node {
    /// The operand at `index`, unless it is left out.
    pub fn input(&self, index: usize) -> Option<&str> {
        self.inputs.get(index).map(String::as_str).filter(|name| !name.is_empty())
    }

    /// A problem of this node.
    pub fn problem(&self, reason: impl Into<String>) -> crate::error::Problem {
        crate::error::Problem::of_node(&self.name, &self.op, reason)
    }
}
