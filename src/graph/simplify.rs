//! Rewrites in floats, before anything is rounded: constants that follow or precede a dense layer are folded into it.
//!
//! - `(x @ W + b) · c` is `x @ (W · c) + b · c`, column by column: a batch normalisation vanishes;
//! - `((x + a) · c) @ W` is `(x + a) @ (c · W)`, row by row, and `(x · c + a) @ W` is `x @ (c · W) + a @ W`: a scaler does;
//! - a factor below 1 behind a smooth function is part of it: the function takes fewer pieces then, for the same error;
//! - an increasing function before an ArgMax is dropped: it keeps the order;
//! - elements picked before a dense layer, or of its results, are rows or columns of its weights.
//!
//! Products are computed in 64-bit floats, 29 bits finer than the weights of most models are given in. A factor that all
//! elements share stays: it is a change of scale later on, and no rounding at all. Rows of weights that lie on a grid are
//! not scaled: they would leave it.

use std::sync::Arc;

use super::{Function, Graph, Matrix, Node, NodeId, Op};

/// Folding picks into rows may make a matrix at most so many times as large.
const MOST_ROWS: usize = 2;

/// Folds what can be; `on_grid` tells the weights that are to keep their values.
pub(super) fn simplify(graph: &mut Graph, on_grid: impl Fn(&Matrix) -> bool) {
    let mut at = 1;
    let mut users = users_of(&graph.nodes);
    while at < graph.nodes.len() {
        let mut folding = Folding { users, nodes: &mut graph.nodes };
        let folded = folding.fold(at, &on_grid);
        users = folding.users;
        match folded {
            Some(()) => {
                let instead = graph.nodes[at].op.operands()[0];
                remove(&mut graph.nodes, at);
                users = users_of(&graph.nodes);
                // What stands before may fold into what stands behind, now: across a sum at most.
                at = graph.nodes[instead].op.operands().iter().copied().min().unwrap_or(instead).max(1);
            }
            None => at += 1,
        }
    }
}

fn users_of(nodes: &[Node]) -> Vec<Vec<NodeId>> {
    let mut users = vec![vec![]; nodes.len()];
    for (user, node) in nodes.iter().enumerate() {
        node.op.operands().iter().for_each(|&operand| users[operand].push(user));
    }
    users
}

/// Takes a node out; its users read its operand. Where it is the answer, its operand is: nothing stands behind that.
fn remove(nodes: &mut Vec<Node>, id: NodeId) {
    let instead = nodes[id].op.operands()[0];
    nodes.remove(id);
    if id == nodes.len() {
        nodes.truncate(instead + 1);
    }
    let moved = |operand: NodeId| match operand {
        operand if operand == id => instead,
        operand if operand > id => operand - 1,
        operand => operand,
    };
    let operands = nodes.iter_mut().flat_map(|node| node.op.operands_mut());
    operands.for_each(|operand| *operand = moved(*operand));
}

struct Folding<'g> {
    nodes: &'g mut Vec<Node>,
    users: Vec<Vec<NodeId>>,
}

impl Folding<'_> {
    /// Folds a node into its neighbours, if it can be; it computes nothing from then on.
    fn fold(&mut self, id: NodeId, on_grid: &impl Fn(&Matrix) -> bool) -> Option<()> {
        match &self.nodes[id].op {
            Op::Mul { x, constant } if !is_uniform(constant) => {
                let (x, constant) = (*x, constant.clone());
                self.scale_before(x, &constant).or_else(|| self.scale_behind(id, &constant, on_grid))
            }
            Op::Mul { x, constant } => self.shrink(*x, constant.first().copied()?),
            Op::Activate { x, function } if function.expression().is_increasing() => self.dropped_before_argmax(id, *x),
            Op::Gather { parts, picks } if parts.len() == 1 => {
                let parts = parts.clone();
                let picks: Vec<usize> = picks.iter().map(|&(_, index)| index).collect();
                self.pick_before(parts[0], &picks).or_else(|| self.pick_behind(id, parts[0], &picks))
            }
            _ => None,
        }
    }

    /// A factor for all elements, behind a function that nothing else uses.
    fn shrink(&mut self, x: NodeId, factor: f64) -> Option<()> {
        self.user(x)?;
        let Op::Activate { function, .. } = &mut self.nodes[x].op else { return None };
        if factor.abs() >= 1.0 {
            return None;
        }
        *function = Arc::new(Function::new(function.expression().clone().times(factor))?);
        Some(())
    }

    /// An increasing function keeps the order that an ArgMax looks at.
    fn dropped_before_argmax(&mut self, id: NodeId, x: NodeId) -> Option<()> {
        let argmax = self.user(id)?;
        match self.nodes[argmax].op {
            Op::ArgMax { tie, .. } => self.nodes[argmax].op = Op::ArgMax { x, tie },
            _ => return None,
        }
        Some(())
    }

    /// The one user of a value.
    fn user(&self, id: NodeId) -> Option<NodeId> {
        match self.users[id].as_slice() {
            &[user] => Some(user),
            _ => None,
        }
    }

    /// The dense layer that makes a value which one node uses, and the sum with constants between, if there is one.
    fn dense_before(&self, x: NodeId) -> Option<(NodeId, Option<NodeId>)> {
        self.user(x)?;
        match self.nodes[x].op {
            Op::MatMul { .. } => Some((x, None)),
            Op::Add { x: sums, .. } if matches!(self.nodes[sums].op, Op::MatMul { .. }) => {
                self.user(sums).map(|_| (sums, Some(x)))
            }
            _ => None,
        }
    }

    fn scale_before(&mut self, x: NodeId, factors: &[f64]) -> Option<()> {
        let (dense, sum) = self.dense_before(x)?;
        let Op::MatMul { weights, .. } = &self.nodes[dense].op else { return None };
        let scaled = scaled_columns(weights, factors)?;
        let bias = self.addends(sum, |j, addend| addend * factors[j])?;
        self.replace(dense, scaled, sum, bias);
        Some(())
    }

    fn scale_behind(&mut self, id: NodeId, factors: &[f64], on_grid: &impl Fn(&Matrix) -> bool) -> Option<()> {
        let next = self.user(id)?;
        let dense = match self.nodes[next].op {
            Op::MatMul { .. } => next,
            Op::Add { .. } => self.user(next)?,
            _ => return None,
        };
        let Op::MatMul { weights, .. } = &self.nodes[dense].op else { return None };
        if on_grid(weights) {
            return None;
        }
        let scaled = scaled_rows(weights, factors)?;
        match &self.nodes[next].op {
            Op::Add { constant, .. } => {
                let through = finite(vector_times_matrix(constant, weights))?;
                self.exchange(id, next, dense, scaled, through);
            }
            _ => self.replace(dense, scaled, None, vec![]),
        }
        Some(())
    }

    /// Puts a sum behind the dense layer that it stands before.
    fn exchange(&mut self, x: NodeId, sum: NodeId, dense: NodeId, weights: Matrix, constant: Vec<f64>) {
        let origin = self.nodes[sum].origin.clone();
        let origin = std::mem::replace(&mut self.nodes[dense].origin, origin);
        self.nodes[sum] = Node { len: weights.columns, op: Op::MatMul { x, weights }, origin };
        self.nodes[dense].op = Op::Add { x: sum, constant };
    }

    /// What a sum adds, changed; nothing where there is no sum. `None` where it is too large for floats then.
    fn addends(&self, sum: Option<NodeId>, change: impl Fn(usize, f64) -> f64) -> Option<Vec<f64>> {
        let Some(Op::Add { constant, .. }) = sum.map(|sum| &self.nodes[sum].op) else { return Some(vec![]) };
        finite(constant.iter().enumerate().map(|(j, &addend)| change(j, addend)).collect())
    }

    /// Gives a dense layer, and the sum beside it, other constants.
    fn replace(&mut self, dense: NodeId, scaled: Matrix, sum: Option<NodeId>, bias: Vec<f64>) {
        if let Op::MatMul { weights, .. } = &mut self.nodes[dense].op {
            *weights = scaled;
        }
        if let Some(Op::Add { constant, .. }) = sum.map(|sum| &mut self.nodes[sum].op) {
            *constant = bias;
        }
    }

    fn pick_before(&mut self, x: NodeId, picks: &[usize]) -> Option<()> {
        let (dense, sum) = self.dense_before(x)?;
        for node in [Some(dense), sum].into_iter().flatten() {
            let node = &mut self.nodes[node];
            node.len = picks.len();
            match &mut node.op {
                Op::MatMul { weights, .. } => *weights = picked_columns(weights, picks),
                Op::Add { constant, .. } => *constant = picks.iter().map(|&pick| constant[pick]).collect(),
                _ => {}
            }
        }
        Some(())
    }

    fn pick_behind(&mut self, id: NodeId, x: NodeId, picks: &[usize]) -> Option<()> {
        let (rows, dense) = (self.nodes[x].len, self.user(id)?);
        let Op::MatMul { weights, .. } = &mut self.nodes[dense].op else { return None };
        if rows > MOST_ROWS * picks.len() {
            return None;
        }
        *weights = weights.before_picks(picks.iter().copied(), rows);
        Some(())
    }
}

fn is_uniform(constant: &[f64]) -> bool {
    constant.windows(2).all(|pair| pair[0].to_bits() == pair[1].to_bits())
}

fn scaled_columns(weights: &Matrix, factors: &[f64]) -> Option<Matrix> {
    let scaled = |(index, weight): (usize, &f64)| weight * factors[index % weights.columns];
    Some(Matrix { elements: finite(weights.elements.iter().enumerate().map(scaled).collect())?, ..*weights })
}

fn vector_times_matrix(vector: &[f64], weights: &Matrix) -> Vec<f64> {
    let mut sums = vec![0.0; weights.columns];
    for (x, row) in vector.iter().zip(weights.elements.chunks(weights.columns)) {
        sums.iter_mut().zip(row).for_each(|(sum, weight)| *sum += x * weight);
    }
    sums
}

fn scaled_rows(weights: &Matrix, factors: &[f64]) -> Option<Matrix> {
    let scaled = |(index, weight): (usize, &f64)| weight * factors[index / weights.columns];
    Some(Matrix { elements: finite(weights.elements.iter().enumerate().map(scaled).collect())?, ..*weights })
}

/// Constants, if they are finite: a graph has no others.
fn finite(values: Vec<f64>) -> Option<Vec<f64>> {
    values.iter().all(|value| value.is_finite()).then_some(values)
}

fn picked_columns(weights: &Matrix, picks: &[usize]) -> Matrix {
    let row = |row: &[f64]| picks.iter().map(|&pick| row[pick]).collect::<Vec<f64>>();
    let elements = weights.elements.chunks(weights.columns).flat_map(row).collect();
    Matrix { elements, rows: weights.rows, columns: picks.len() }
}

#[cfg(test)]
mod tests {
    use super::super::{Answer, Origin, eval_all};
    use super::*;
    use crate::onnx::ElementType;

    fn graph(inputs: usize, ops: Vec<(Op, usize)>) -> Graph {
        let origin = |op: &Op| Origin { name: String::new(), op: format!("{op:?}") };
        let mut nodes = vec![Node { op: Op::Input, len: inputs, origin: origin(&Op::Input) }];
        nodes.extend(ops.into_iter().map(|(op, len)| Node { origin: origin(&op), op, len }));
        Graph {
            name: String::new(),
            input_name: String::new(),
            input_shape: vec![1, inputs],
            input_element: ElementType::Float,
            nodes,
            answer: Answer::Value,
            labels: Default::default(),
            notes: vec![],
        }
    }

    /// A dense layer from three elements to two.
    fn dense(x: NodeId) -> Op {
        let elements = vec![0.25, -0.5, 0.75, 1.0, -1.25, 1.5];
        Op::MatMul { x, weights: Matrix { rows: 3, columns: 2, elements } }
    }

    /// Demands that what is left has so many nodes, and gives what it gave.
    fn demand_kept(mut graph: Graph, nodes: usize, grid: bool) {
        let input: Vec<f64> = (0..graph.input_len()).map(|i| 1.5 * i as f64 - 1.0).collect();
        let before = eval_all(&graph, &input).pop().unwrap();
        simplify(&mut graph, |_| grid);
        let after = eval_all(&graph, &input).pop().unwrap();
        assert_eq!(before.len(), after.len());
        assert!(before.iter().zip(&after).all(|(a, b)| (a - b).abs() < 1e-12), "{before:?} {after:?}");
        assert_eq!(graph.nodes.len(), nodes, "{:?}", graph.nodes);
    }

    #[test]
    fn factors_fold_into_what_is_before_or_behind() {
        let add = |x: NodeId, constant: &[f64]| Op::Add { x, constant: constant.to_vec() };
        let mul = |x: NodeId, constant: &[f64]| Op::Mul { x, constant: constant.to_vec() };
        let normalised =
            vec![(dense(0), 2), (add(1, &[1.0, 2.0]), 2), (mul(2, &[3.0, -4.0]), 2), (add(3, &[5.0, 6.0]), 2)];
        demand_kept(graph(3, normalised), 4, true);
        let (a, c) = ([1.0, -2.0, 3.0], [2.0, 4.0, -0.5]);
        demand_kept(graph(3, vec![(add(0, &a), 3), (mul(1, &c), 3), (dense(2), 2)]), 3, false);
        demand_kept(graph(3, vec![(mul(0, &c), 3), (add(1, &a), 3), (dense(2), 2)]), 3, false);
        // Weights on a grid stay there, and a factor for all is none of ours.
        demand_kept(graph(3, vec![(mul(0, &c), 3), (dense(1), 2)]), 3, true);
        demand_kept(graph(3, vec![(mul(0, &[0.0, 1e-12, 2.0]), 3), (add(1, &a), 3), (dense(2), 2)]), 3, false);
        demand_kept(graph(3, vec![(mul(0, &[2.0; 3]), 3), (dense(1), 2)]), 3, false);
        // A value that something else reads, too.
        let both = vec![(dense(0), 2), (mul(1, &[3.0, 4.0]), 2), (Op::Sum { terms: [1, 2] }, 2)];
        demand_kept(graph(3, both), 4, false);
    }

    #[test]
    fn picks_fold_into_rows_and_columns() {
        let gather =
            |x: NodeId, picks: &[usize]| Op::Gather { parts: vec![x], picks: picks.iter().map(|&i| (0, i)).collect() };
        let add = |x: NodeId, constant: &[f64]| Op::Add { x, constant: constant.to_vec() };
        demand_kept(graph(4, vec![(gather(0, &[3, 0, 2]), 3), (dense(1), 2)]), 2, true);
        demand_kept(graph(9, vec![(gather(0, &[3, 0, 2]), 3), (dense(1), 2)]), 3, true);
        demand_kept(graph(3, vec![(gather(0, &[1, 1, 2]), 3), (dense(1), 2)]), 2, true);
        demand_kept(graph(3, vec![(dense(0), 2), (add(1, &[1.0, 2.0]), 2), (gather(2, &[1, 0, 1]), 3)]), 3, true);
        demand_kept(graph(3, vec![(dense(0), 2), (gather(1, &[1]), 1)]), 2, true);
        // What nothing reads does not become the answer.
        demand_kept(graph(3, vec![(dense(0), 2), (dense(0), 2), (gather(1, &[1]), 1)]), 2, true);
    }
}
