//! `--report`: the page is whole, harmless, the same every time, and says what the other reports say.

#[path = "common/binary.rs"]
mod binary;
mod common;

use binary::onnx2script;
use common::networks::{End, Layer, Step, network};
use onnx2script::codegen::Strategy;
use onnx2script::data::{Inputs, Samples};
use onnx2script::graph::{Graph, Labels, Tie};
use onnx2script::guard::{Guard, Payee};
use onnx2script::onnx::Model;
use onnx2script::report::compare::Comparison;
use onnx2script::report::explain::explain;
use onnx2script::report::html::{Measured, Sample, page};
use onnx2script::report::limits::grouped;
use onnx2script::{Compiled, Options, compile, generate, passes, quant};
use roxmltree::{Document, Node, ParsingOptions};

/// The sections of every page, in order.
const SECTIONS: [&str; 8] = ["network", "bytes", "weights", "errors", "course", "limits", "sample", "usage"];
/// More would not be opened gladly.
const LONGEST_PAGE: usize = 700_000;

/// A model, its options, and the file of its samples.
const CASES: [(&str, &str, &str, &str); 8] = [
    ("toy_2-2-2", "fixed", "fixed:1e8", "toy_samples"),
    ("iris_4-8-3", "fixed", "fixed:1e8", "iris_samples"),
    ("diabetes_10-16-1", "fixed", "int8", "diabetes_samples"),
    ("breast_cancer_30-16-1", "fixed", "fixed:1e8", "breast_cancer_samples"),
    ("digits_64_32_10", "u8", "int4", "digits_samples"),
    ("ternary_784_64_10", "u8", "int8", "mnist_samples"),
    ("zoo/mnist_act_gelu", "u8", "int4", "mnist_samples"),
    ("zoo/mnist_residual", "u8", "int4", "mnist_samples"),
];

fn load(name: &str, input: &str, weights: &str) -> (Model, Compiled) {
    let model = Model::load(format!("models/{name}.onnx").as_ref()).unwrap();
    let mut options = Options { input: input.parse().unwrap(), ..Options::default() };
    options.quant.weights = vec![weights.parse().unwrap()];
    let compiled = compile(&mut model.clone(), &options).unwrap();
    (model, compiled)
}

/// Errors on the first samples of a file, and one sample run.
fn measured(model: &Model, compiled: &Compiled, file: &str, index: usize) -> Measured {
    let samples = Samples::load(format!("models/{file}.npy").as_ref()).unwrap();
    let inputs = Inputs::new(samples, (&compiled.graph).into(), &compiled.ir.input, None).unwrap();
    let comparison = Comparison::new(compiled);
    let tallies: Vec<_> = (0..20.min(inputs.len())).map(|row| comparison.sample(&inputs.get(row).unwrap())).collect();
    Measured {
        data: file.to_owned(),
        samples: tallies.len(),
        layers: comparison.report(&tallies),
        sample: Sample::new(compiled, model, index, inputs.get(index).unwrap(), None),
    }
}

fn parse(page: &str) -> Document<'_> {
    let options = ParsingOptions { allow_dtd: true, ..ParsingOptions::default() };
    Document::parse_with_options(page, options).unwrap_or_else(|error| panic!("{error}"))
}

fn named<'a, 'd>(parent: Node<'a, 'd>, name: &'static str) -> impl Iterator<Item = Node<'a, 'd>> {
    parent.descendants().filter(move |node| node.tag_name().name() == name)
}

fn section<'a, 'd>(document: &'a Document<'d>, id: &str) -> Node<'a, 'd> {
    document.descendants().find(|node| node.attribute("id") == Some(id)).unwrap_or_else(|| panic!("no {id}"))
}

fn text(node: Node<'_, '_>) -> String {
    node.descendants().filter_map(|node| node.is_text().then(|| node.text()).flatten()).collect()
}

/// The rows of a table, cell by cell.
fn rows(table: Node<'_, '_>) -> Vec<Vec<String>> {
    let body = named(table, "tbody").next().unwrap();
    let cells = |row: Node<'_, '_>| row.children().filter(Node::is_element).map(text).collect();
    named(body, "tr").map(cells).collect()
}

/// What holds of every page.
fn check(page: &str) {
    assert!(page.len() < LONGEST_PAGE, "{} bytes", page.len());
    let document = parse(page);
    let root = document.root_element();
    assert_eq!(root.attribute("lang"), Some("en"));
    assert!(!text(named(root, "title").next().unwrap()).is_empty());
    assert_eq!(named(root, "h1").count(), 1);
    let ids: Vec<_> = named(root, "section").filter_map(|section| section.attribute("id")).collect();
    assert_eq!(ids, SECTIONS);
    check_nothing_is_loaded(page, root);
    for node in root.descendants() {
        if node.tag_name().name() == "svg" {
            let said = node.ancestors().take(2).find(|node| node.attribute("role") == Some("img"));
            assert!(said.and_then(|node| node.attribute("aria-label")).is_some_and(|label| !label.is_empty()));
        }
    }
    for wrong in ["NaN", ">inf", "could not be drawn"] {
        assert!(!without_pictures(page).contains(wrong), "{wrong}");
    }
}

/// No script, no style from elsewhere, no address but SVG's and XHTML's names; pictures lie in the page.
fn check_nothing_is_loaded(page: &str, root: Node<'_, '_>) {
    for node in root.descendants().filter(Node::is_element) {
        let name = node.tag_name().name();
        assert!(
            !["script", "link", "iframe", "object", "embed", "base", "form", "use", "image"].contains(&name),
            "{name}"
        );
        for attribute in node.attributes() {
            assert!(!attribute.name().starts_with("on") && attribute.name() != "href", "{}", attribute.name());
            assert!(attribute.name() != "src" || attribute.value().starts_with("data:image/png;base64,"));
        }
    }
    let names = ["http://www.w3.org/2000/svg", "http://www.w3.org/1999/xhtml"];
    let rest = names.iter().fold(without_pictures(page), |page, name| page.replace(&format!("xmlns=\"{name}\""), ""));
    for wrong in ["http:", "https:", "//", "@import", "url(", "javascript:"] {
        assert!(!rest.contains(wrong), "{wrong}");
    }
    let policy = named(root, "meta").find(|node| node.attribute("http-equiv") == Some("Content-Security-Policy"));
    assert!(policy.unwrap().attribute("content").unwrap().starts_with("default-src 'none';"));
}

/// Letters of pictures can spell anything.
fn without_pictures(page: &str) -> String {
    let mut parts = page.split("data:image/png;base64,");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once('"').unwrap_or_default().1)
}

#[test]
fn pages_are_whole_and_the_same_every_time() {
    for (name, input, weights, data) in CASES {
        let (model, compiled) = load(name, input, weights);
        let first = page(&compiled, Some(&measured(&model, &compiled, data, 1)));
        check(&first);
        let (model, compiled) = load(name, input, weights);
        assert!(first == page(&compiled, Some(&measured(&model, &compiled, data, 1))), "{name}");
        let document = parse(&first);
        let sample = section(&document, "sample");
        assert!(text(sample).contains("accepted"), "{name}");
        let picture = ["digits", "ternary", "mnist"].iter().any(|picture| name.contains(picture));
        assert_eq!(named(sample, "img").count(), usize::from(picture), "{name}");
        let dense = compiled.layers.len();
        assert_eq!(named(section(&document, "weights"), "figure").count(), dense, "{name}");
        assert_eq!(rows(named(section(&document, "errors"), "table").next().unwrap()).len(), dense, "{name}");
    }
}

/// Pages and `--explain` tell the same bytes, layer by layer and idiom by idiom, and the same needs.
#[test]
fn pages_say_what_the_explanation_says() {
    for (name, input, weights, _) in CASES {
        let (_, compiled) = load(name, input, weights);
        let (page, explanation) = (page(&compiled, None), explain(&compiled, 100));
        let document = parse(&page);
        let tables: Vec<Node<'_, '_>> = named(section(&document, "bytes"), "table").collect();
        let mut bytes = 0usize;
        let (mut layers, mut idioms) = (rows(tables[0]), rows(tables[1]));
        assert_eq!(layers.len(), compiled.ir.layers.len() + 2, "{name}");
        for row in &mut layers {
            let [label, weights, bytes, _, share] = row.as_slice() else { panic!("{row:?}") };
            let line = format!("{label:<10} {weights:>9} {bytes:>10} {:>7}", share.replace(' ', ""));
            assert!(explanation.contains(&line), "{name}: {line}\n{explanation}");
        }
        for row in &mut idioms {
            let [label, taken, instructions, time] = row.as_slice() else { panic!("{row:?}") };
            let (_, step) = label.split_once(": ").unwrap();
            let line = format!("{step:<35} {taken:>9} {instructions:>13} {time:>9}");
            assert!(explanation.contains(&line), "{name}: {line}\n{explanation}");
            bytes += taken.replace(',', "").parse::<usize>().unwrap();
        }
        assert_eq!(bytes, compiled.script.byte_len(), "{name}");
        for row in rows(named(section(&document, "limits"), "table").next().unwrap()) {
            let line = format!("  {:<24} {:>14} {:>14} {:>14}\n", row[0], row[1], row[2], row[3]);
            assert!(explanation.contains(&line), "{name}: {line}\n{explanation}");
        }
        let header = text(named(document.root_element(), "header").next().unwrap());
        for told in [grouped(bytes as u64), compiled.script.sha256().to_string()] {
            assert!(header.contains(&told), "{name}: {told}");
        }
    }
}

#[test]
fn no_name_in_a_model_is_markup() {
    let evil = "</style><script>alert(1)</script><img src=x onerror=alert(1)>\"'&\u{1}\u{202e}]]>".to_owned();
    let (model, mut compiled) = load("iris_4-8-3", "fixed", "fixed:1e8");
    compiled.graph.name.clone_from(&evil);
    compiled.ir.name.clone_from(&evil);
    compiled.ir.layers.iter_mut().for_each(|layer| {
        layer.onnx_nodes = vec![evil.clone()];
        layer.approximations = vec![evil.clone()];
    });
    compiled.graph.nodes.iter_mut().for_each(|node| {
        node.origin.name.clone_from(&evil);
        node.origin.op.clone_from(&evil);
    });
    compiled.graph.labels = Labels::Strings(vec![evil.clone(); 3]);
    let mut measured = measured(&model, &compiled, "iris_samples", 0);
    measured.data.clone_from(&evil);
    let page = page(&compiled, Some(&measured));
    check(&page);
    let document = parse(&page);
    let seen = evil.replace(['\u{1}', '\u{202e}'], "\u{fffd}");
    assert_eq!(text(named(document.root_element(), "h1").next().unwrap()), seen);
    for id in ["network", "errors", "sample"] {
        assert!(text(section(&document, id)).contains("<script>alert(1)</script>"), "{id}");
    }
}

fn dense(columns: usize, after: Vec<Step>) -> Layer {
    let weights = (0..997).map(|at| f64::from((at * 619 + columns as i32) % 997) / 500.0 - 1.0).collect();
    Layer { before: Vec::new(), columns, weights, after }
}

/// The contract of a network made here.
fn made(mut graph: Graph, options: &Options) -> Compiled {
    graph.simplify(|weights| quant::grid::find(weights).is_some());
    let ir = quant::quantise(&graph, options.input.resolve(false), &options.quant).unwrap();
    let optimised = passes::run(&ir, options.level, None).unwrap();
    generate(graph, ir, optimised, options).unwrap()
}

#[test]
fn networks_of_any_shape_have_a_page() {
    let argmax = End::ArgMax(Tie::First);
    let deep = || (0..19).map(|_| dense(6, vec![Step::Relu])).chain([dense(3, vec![])]).collect();
    let shapes = [
        ("one input", network(1, vec![dense(4, vec![Step::Relu]), dense(1, vec![])], End::Value)),
        ("two classes of one logit", network(3, vec![dense(1, vec![])], End::Positive)),
        ("a thousand classes", network(4, vec![dense(1000, vec![])], argmax)),
        ("twenty layers", network(6, deep(), argmax)),
        ("a curve", network(4, vec![dense(3, vec![Step::Sigmoid]), dense(2, vec![])], argmax)),
        ("equal weights", network(2, vec![Layer { weights: vec![1.0], ..dense(1, vec![]) }], End::Value)),
    ];
    let mut unrolled = Options::default();
    unrolled.codegen.strategy = Strategy::Unrolled;
    for (what, graph) in shapes {
        let narrow = Options { input: "u8".parse().unwrap(), ..Options::default() };
        for options in [&Options::default(), &unrolled, &narrow] {
            let compiled = made(graph.clone(), options);
            let page = page(&compiled, None);
            check(&page);
            let text = text(section(&parse(&page), "sample"));
            assert!(text.contains("--data FILE"), "{what}: {text}");
        }
    }
}

/// A network without a dense layer says so in place of histograms.
#[test]
fn a_guard_is_counted_and_named() {
    let guard = Guard { payee: Payee::Key("751e76e8199196d454941c45d1b3a323f1433bd6".parse().unwrap()), refund: None };
    let mut model = Model::load("models/toy_2-2-2.onnx".as_ref()).unwrap();
    let compiled = compile(&mut model, &Options { guard, ..Options::default() }).unwrap();
    let page = page(&compiled, None);
    assert!(page.contains("the key of hash 751e76e8") && page.contains("<code>publicKey</code>"));
    assert!(page.contains(&format!("<strong>{}</strong> bytes", compiled.locking().byte_len())));
    assert!(page.contains(&compiled.locking().sha256()) && page.contains("is not drawn"));
}

#[test]
fn a_network_without_weights_has_a_page() {
    let mut graph = network(3, vec![dense(3, vec![])], End::ArgMax(Tie::First));
    graph.nodes.remove(1);
    let onnx2script::graph::Op::ArgMax { x, .. } = &mut graph.nodes[1].op else { panic!("{graph:?}") };
    *x = 0;
    let page = page(&made(graph, &Options::default()), None);
    check(&page);
    assert!(text(section(&parse(&page), "weights")).contains("has no dense layer"));
}

#[test]
fn of_many_classes_the_highest_are_shown() {
    let (model, iris) = load("iris_4-8-3", "fixed", "fixed:1e8");
    let mut measured = measured(&model, &iris, "iris_samples", 0);
    let graph = network(4, vec![dense(1000, vec![])], End::ArgMax(Tie::First));
    let compiled = made(graph, &Options::default());
    let samples = Samples::load("models/iris_samples.npy".as_ref()).unwrap();
    let inputs = Inputs::new(samples, (&compiled.graph).into(), &compiled.ir.input, None).unwrap();
    let input = inputs.get(0).unwrap();
    let (_, scores) = Comparison::new(&compiled).scores(&input).unwrap();
    measured.sample = Sample::new(&compiled, &model, 0, input, None);
    let page = page(&compiled, Some(&measured));
    let document = parse(&page);
    let table = rows(named(section(&document, "sample"), "table").next().unwrap());
    let shown: Vec<usize> = table.iter().map(|row| row[0].parse().unwrap()).collect();
    assert_eq!(shown.len(), 20);
    let least = shown.iter().map(|&class| scores[class]).fold(f64::INFINITY, f64::min);
    assert_eq!(scores.iter().filter(|&&score| score > least).count(), 19);
}

#[test]
fn the_page_is_written_beside_the_artifact() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let (model, data) = ("models/iris_4-8-3.onnx", "models/iris_samples.npy");
    let plain = onnx2script(&[model, "-q"]);
    let ran = onnx2script(&[model, "-q", "--report", &file("a.html"), "--data", data, "--index", "2"]);
    assert_eq!((ran.code, &ran.stdout, ran.stderr.as_str()), (0, &plain.stdout, ""));
    let page = std::fs::read_to_string(file("a.html")).unwrap();
    check(&page);
    assert!(text(section(&parse(&page), "sample")).contains("Sample 2 of models/iris_samples.npy"));
    assert!(text(section(&parse(&page), "errors")).contains("samples of models/iris_samples.npy"));
    // What cannot be shown is an error before anything is written.
    for (args, code, says) in [
        (["--data", data, "--index", "100000"], 1, "sample"),
        (["--data", "models/toy_samples.npy", "--index", "0"], 1, "does not fit"),
        (["--data", "missing.npy", "--index", "0"], 2, "missing.npy"),
    ] {
        let ran = onnx2script(&[&[model, "-q", "--report", &file("b.html")], args.as_slice()].concat());
        assert_eq!((ran.code, ran.stdout.as_str()), (code, ""), "{args:?}");
        assert!(ran.stderr.contains(says), "{}", ran.stderr);
        assert!(!std::path::Path::new(&file("b.html")).exists());
    }
    assert_eq!(onnx2script(&[model, "-q", "--data", data]).code, 2);
    assert_eq!(onnx2script(&[model, "-q", "--report", &file("none/b.html")]).code, 2);
}
