//! What roundings may change: the network without them, and how far they can lead away from it.

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Signed, Zero};
use onnx2script::ir::{self, Bend, Curve, Ir, Matrix, Op};
use onnx2script::passes::Keeps;

/// The scores (a logit, or the number that is the answer) as numbers of the model.
pub(crate) fn scores(ir: &Ir, input: &[BigInt]) -> Vec<BigRational> {
    let id = ir.scores();
    in_units(&ir::eval_all(ir, input)[id], &ir.values[id].scale)
}

fn in_units(steps: &[BigInt], scale: &BigRational) -> Vec<BigRational> {
    steps.iter().map(|step| BigRational::from(step.clone()) * scale).collect()
}

/// The scores that the network would give if no division cut anything off, as numbers of the model.
pub(crate) fn unrounded_scores(ir: &Ir, input: &[BigInt]) -> Vec<BigRational> {
    let id = ir.scores();
    // Each value in steps of its scale divided by `finer`: the product of the divisors passed.
    let mut values: Vec<(Vec<BigInt>, BigInt)> = Vec::new();
    for value in &ir.values[..=id] {
        let operands: Vec<&(Vec<BigInt>, BigInt)> = value.op.operands().iter().map(|&x| &values[x]).collect();
        let next = match (&value.op, operands.as_slice()) {
            (_, []) => (input.to_vec(), BigInt::one()),
            (Op::Rescale { divisor, .. }, [(x, finer)]) => (x.clone(), finer * divisor),
            (Op::Round { factors, divisor, .. }, [(x, finer)]) => {
                (x.iter().zip(factors).map(|(x, factor)| x * factor).collect(), finer * divisor)
            }
            (op, [(x, finer)]) => (apply(op, x, finer), finer.clone()),
            (op, several) => joined(op, several),
        };
        values.push(next);
    }
    let (steps, finer) = &values[id];
    in_units(steps, &(&ir.values[id].scale / finer))
}

fn apply(op: &Op, x: &[BigInt], finer: &BigInt) -> Vec<BigInt> {
    match op {
        Op::MatMul { weights, .. } => matmul(x, weights, BigInt::from),
        Op::Products { weights, .. } => products(x, weights, BigInt::from),
        Op::SumRows { columns, .. } => sum_rows(x, *columns),
        Op::Add { constant, .. } => x.iter().zip(constant).map(|(x, c)| x + c * finer).collect(),
        Op::Mul { constant, .. } => x.iter().zip(constant).map(|(x, c)| x * c).collect(),
        Op::Relu { .. } => x.iter().map(|x| x.clone().max(BigInt::zero())).collect(),
        Op::Max { constant, .. } => x.iter().zip(constant).map(|(x, c)| x.max(&(c * finer)).clone()).collect(),
        Op::Min { constant, .. } => x.iter().zip(constant).map(|(x, c)| x.min(&(c * finer)).clone()).collect(),
        Op::Piecewise { curves, .. } => {
            let finer_curve = |curve: &Curve| Curve {
                offset: &curve.offset * finer,
                bends: curve.bends.iter().map(|bend| Bend { at: &bend.at * finer, ..bend.clone() }).collect(),
                ..curve.clone()
            };
            x.iter().enumerate().map(|(j, x)| finer_curve(&curves[j % curves.len()]).at(x)).collect()
        }
        Op::Gather { picks, .. } => picks.iter().map(|&(_, index)| x[index].clone()).collect(),
        _ => unreachable!("not a step of the scores of one operand"),
    }
}

/// Several operands, brought to steps of one size.
fn joined(op: &Op, operands: &[&(Vec<BigInt>, BigInt)]) -> (Vec<BigInt>, BigInt) {
    let finer: BigInt = operands.iter().map(|(_, finer)| finer).product();
    if let Op::Product { .. } = op {
        return (operands[0].0.iter().zip(&operands[1].0).map(|(x, y)| x * y).collect(), finer);
    }
    let finest = |(x, own): &&(Vec<BigInt>, BigInt)| x.iter().map(|x| x * (&finer / own)).collect();
    let parts: Vec<Vec<BigInt>> = operands.iter().map(finest).collect();
    let joined = match op {
        Op::Gather { picks, .. } => picks.iter().map(|&(part, index)| parts[part][index].clone()).collect(),
        _ => parts[0].iter().zip(&parts[1]).map(|(x, y)| x + y).collect(),
    };
    (joined, finer)
}

/// How far each score can be from [`unrounded_scores`], as numbers of the model: each division is off
/// by less than one step, and what follows multiplies that.
pub(crate) fn score_bounds(ir: &Ir) -> Vec<BigRational> {
    let id = ir.scores();
    let mut bounds: Vec<Vec<BigRational>> = Vec::new();
    for value in &ir.values[..=id] {
        let next = match (&value.op, value.op.operands()) {
            (Op::Sum { .. }, &[x, y]) => bounds[x].iter().zip(&bounds[y]).map(|(x, y)| x + y).collect(),
            // |xy - x'y'| is at most |x|·|y - y'| + |y'|·|x - x'|, and |y'| at most |y| + |y - y'|.
            (Op::Product { .. }, &[x, y]) => {
                let most = |value: usize, j: usize| BigRational::from(ir.values[value].intervals[j].magnitude());
                let product = |j: usize| {
                    let (of_x, of_y) = (&bounds[x][j], &bounds[y][j]);
                    most(x, j) * of_y + (most(y, j) + of_y) * of_x
                };
                (0..value.len()).map(product).collect()
            }
            (Op::Gather { parts, picks }, _) => {
                picks.iter().map(|&(part, index)| bounds[parts[part]][index].clone()).collect()
            }
            (op, &[x]) => bound(op, &bounds[x]),
            _ => vec![BigRational::zero(); value.len()],
        };
        bounds.push(next);
    }
    let scale = &ir.values[id].scale;
    bounds[id].iter().map(|steps| steps * scale).collect()
}

/// The bound in steps of the result, from that in steps of the operand.
fn bound(op: &Op, x: &[BigRational]) -> Vec<BigRational> {
    let magnitude = |w: i64| BigRational::from(BigInt::from(w).abs());
    match op {
        Op::MatMul { weights, .. } => matmul(x, weights, magnitude),
        Op::Products { weights, .. } => products(x, weights, magnitude),
        Op::SumRows { columns, .. } => sum_rows(x, *columns),
        Op::Mul { constant, .. } => x.iter().zip(constant).map(|(x, c)| x * c.abs()).collect(),
        Op::Rescale { divisor, .. } => x.iter().map(|x| x / divisor + BigRational::one()).collect(),
        Op::Round { factors, divisor, .. } => {
            let half = BigRational::new(BigInt::one(), BigInt::from(2));
            x.iter().zip(factors).map(|(x, factor)| x * factor / divisor + &half).collect()
        }
        Op::Piecewise { curves, .. } => {
            let steepest = |curve: &Curve| {
                let mut slope = curve.slope.clone();
                let slopes = curve.bends.iter().map(|bend| {
                    slope += &bend.change;
                    slope.abs()
                });
                slopes.fold(curve.slope.abs(), BigInt::max)
            };
            x.iter().enumerate().map(|(j, x)| x * steepest(&curves[j % curves.len()])).collect()
        }
        Op::Add { .. } | Op::Relu { .. } | Op::Max { .. } | Op::Min { .. } => x.to_vec(),
        _ => unreachable!("not a step of the scores of one operand"),
    }
}

trait Number: Clone + Zero + std::ops::Mul<Output = Self> {}
impl<N: Clone + Zero + std::ops::Mul<Output = N>> Number for N {}

fn products<N: Number>(x: &[N], weights: &Matrix, weight: impl Fn(i64) -> N) -> Vec<N> {
    let row = |(row, x): (usize, &N)| -> Vec<N> {
        let weights = weights.row(row).iter();
        weights.map(|&w| x.clone() * weight(w)).collect()
    };
    x.iter().enumerate().flat_map(row).collect()
}

fn sum_rows<N: Number>(x: &[N], columns: usize) -> Vec<N> {
    let mut sums = vec![N::zero(); columns];
    for row in x.chunks(columns) {
        for (sum, x) in sums.iter_mut().zip(row) {
            *sum = sum.clone() + x.clone();
        }
    }
    sums
}

fn matmul<N: Number>(x: &[N], weights: &Matrix, weight: impl Fn(i64) -> N) -> Vec<N> {
    sum_rows(&products(x, weights, weight), weights.columns)
}

/// Demands that every value lies inside the interval that is proved of it.
pub(crate) fn demand_intervals(ir: &Ir, input: &[BigInt]) {
    for (id, (value, results)) in ir.values.iter().zip(ir::eval_all(ir, input)).enumerate() {
        assert_eq!(value.len(), results.len(), "%{id}");
        for (index, (interval, result)) in value.intervals.iter().zip(&results).enumerate() {
            assert!(interval.contains(result), "%{id}[{index}] is {result}, outside {interval}");
        }
    }
}

/// Demands that a rewrite of a network keeps what it promises, for these inputs.
pub(crate) fn demand_kept(keeps: Keeps, before: &Ir, after: &Ir, inputs: &[Vec<BigInt>]) {
    let (bounds_before, bounds_after) = (score_bounds(before), score_bounds(after));
    // A rounding that turns out to be exact is none any more: what it did to the bounds says nothing then. Nor do the
    // bounds of products, which depend on how large values are, to the last step.
    let products = before.values.iter().any(|value| matches!(value.op, Op::Product { .. }));
    let comparable = keeps == Keeps::ExactValues && !products;
    for (before, after) in bounds_before.iter().zip(&bounds_after).filter(|_| comparable) {
        assert!(after <= before, "a rounding grew from {before} to {after}");
    }
    for input in inputs {
        let (rounded_before, rounded_after) = (scores(before, input), scores(after, input));
        match keeps {
            Keeps::EveryBit => {
                assert_eq!(rounded_before, rounded_after, "scores for {input:?}");
                assert_eq!(ir::eval(before, input), ir::eval(after, input), "answer for {input:?}");
            }
            Keeps::ExactValues => {
                let unrounded = unrounded_scores(after, input);
                assert_eq!(unrounded_scores(before, input), unrounded, "unrounded scores for {input:?}");
                demand_near(&rounded_before, &unrounded, &bounds_before);
                demand_near(&rounded_after, &unrounded, &bounds_after);
            }
        }
    }
}

fn demand_near(scores: &[BigRational], unrounded: &[BigRational], bounds: &[BigRational]) {
    for ((score, unrounded), bound) in scores.iter().zip(unrounded).zip(bounds) {
        let off = (score - unrounded).abs();
        assert!(off <= *bound, "{score} is {off} from {unrounded}, more than {bound}");
    }
}
