//! Functions of one number: what elementwise ops make of it, however many of them an exporter wrote for one activation.
//!
//! All arithmetic is [`libm`]'s: the C library's differs from one machine to the next in the last bit, and what is made
//! of these values ends up in scripts.

use std::fmt;
use std::sync::Arc;

/// Most operations of a function: an expression that uses its parts twice, again and again, would take for ever.
const MOST_OPERATIONS: usize = 64;

/// A function of one number.
#[derive(Debug, Clone, PartialEq)]
pub struct Function(Expression);

/// A function as a tree.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expression {
    /// The number itself.
    X,
    /// A constant.
    Constant(f64),
    /// Of one operand.
    Unary(Unary, Arc<Expression>),
    /// Of two operands.
    Binary(Binary, Arc<Expression>, Arc<Expression>),
    /// The second where the first is not 0, else the third.
    Where(Arc<Expression>, Arc<Expression>, Arc<Expression>),
}

/// Functions of one operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unary {
    Negate,
    Abs,
    Exp,
    ExpMinusOne,
    Log,
    Sqrt,
    Reciprocal,
    Erf,
    Tanh,
    Sigmoid,
    Softplus,
    Relu,
}

/// Functions of two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Binary {
    Add,
    Multiply,
    Divide,
    Power,
    Max,
    Min,
    /// 1 where it holds, else 0.
    Greater,
    /// 1 where it holds, else 0.
    GreaterOrEqual,
}

impl Function {
    /// The function that an expression computes; `None` where it takes too many operations.
    pub(super) fn new(expression: Expression) -> Option<Function> {
        (expression.operations() <= MOST_OPERATIONS).then_some(Function(expression))
    }

    /// `1 / (1 + e^-x)`.
    pub fn sigmoid() -> Function {
        Function(Expression::unary(Unary::Sigmoid, Expression::X))
    }

    /// The function's value at a number.
    pub fn at(&self, x: f64) -> f64 {
        self.0.at(x)
    }

    /// What it is computed by.
    pub(super) fn expression(&self) -> &Expression {
        &self.0
    }
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Expression::X => f.write_str("x"),
            // As many digits as a float32 has: constants are float32 in nearly all models.
            Expression::Constant(value) => write!(f, "{}", *value as f32),
            Expression::Unary(Unary::Negate, x) => write!(f, "-{x}"),
            Expression::Unary(op, x) => write!(f, "{op:?}({x})"),
            Expression::Binary(op, x, y) => match op {
                Binary::Add => write!(f, "({x} + {y})"),
                Binary::Multiply => write!(f, "{x}·{y}"),
                Binary::Divide => write!(f, "{x}/{y}"),
                Binary::Power => write!(f, "{x}^{y}"),
                Binary::Max | Binary::Min => write!(f, "{op:?}({x}, {y})"),
                Binary::Greater => write!(f, "({x} > {y})"),
                Binary::GreaterOrEqual => write!(f, "({x} >= {y})"),
            },
            Expression::Where(test, x, y) => write!(f, "({test} ? {x} : {y})"),
        }
    }
}

impl Expression {
    /// A function of one operand. `log(1 + e^u)` is Softplus: as it is written, e^u overflows.
    pub(super) fn unary(op: Unary, x: Expression) -> Expression {
        match (op, x.above_one()) {
            (Unary::Log, Some(Expression::Unary(Unary::Exp, power))) => {
                Expression::Unary(Unary::Softplus, power.clone())
            }
            _ => Expression::Unary(op, Arc::new(x)),
        }
    }

    /// A function of two operands. `e^u / (1 + e^u)` is a Sigmoid: as it is written, e^u overflows.
    pub(super) fn binary(op: Binary, x: Expression, y: Expression) -> Expression {
        match (op, &x, y.above_one()) {
            (Binary::Divide, Expression::Unary(Unary::Exp, power), Some(below)) if *below == x => {
                Expression::Unary(Unary::Sigmoid, power.clone())
            }
            _ => Expression::Binary(op, Arc::new(x), Arc::new(y)),
        }
    }

    /// What 1 is added to, if it is.
    fn above_one(&self) -> Option<&Expression> {
        let Expression::Binary(Binary::Add, x, y) = self else { return None };
        let is_one = |x: &Expression| *x == Expression::Constant(1.0);
        if is_one(y) { Some(x) } else { is_one(x).then_some(y) }
    }

    /// One of two functions, as a third one is not 0 or is.
    pub(super) fn choose(test: Expression, x: Expression, y: Expression) -> Expression {
        Expression::Where(Arc::new(test), Arc::new(x), Arc::new(y))
    }

    /// Whether a larger number has a larger value, as far as the expression tells at a glance.
    pub(super) fn is_increasing(&self) -> bool {
        use Unary::{Erf, Exp, ExpMinusOne, Sigmoid, Softplus, Tanh};
        match self {
            Expression::Unary(op, x) => {
                matches!(op, Exp | ExpMinusOne | Erf | Tanh | Sigmoid | Softplus) && **x == Expression::X
            }
            _ => false,
        }
    }

    /// The operand times a constant.
    pub(super) fn times(self, factor: f64) -> Expression {
        Expression::binary(Binary::Multiply, self, Expression::Constant(factor))
    }

    /// The operand and a constant.
    pub(super) fn plus(self, addend: f64) -> Expression {
        Expression::binary(Binary::Add, self, Expression::Constant(addend))
    }

    /// This function of another one's value.
    pub(super) fn after(&self, inner: &Expression) -> Expression {
        match self {
            Expression::X => inner.clone(),
            Expression::Constant(value) => Expression::Constant(*value),
            Expression::Unary(op, x) => Expression::unary(*op, x.after(inner)),
            Expression::Binary(op, x, y) => Expression::binary(*op, x.after(inner), y.after(inner)),
            Expression::Where(test, x, y) => Expression::choose(test.after(inner), x.after(inner), y.after(inner)),
        }
    }

    /// How many operations the tree holds.
    pub(super) fn operations(&self) -> usize {
        match self {
            Expression::X | Expression::Constant(_) => 0,
            Expression::Unary(_, x) => 1 + x.operations(),
            Expression::Binary(_, x, y) => 1 + x.operations() + y.operations(),
            Expression::Where(test, x, y) => 1 + test.operations() + x.operations() + y.operations(),
        }
    }

    fn at(&self, v: f64) -> f64 {
        match self {
            Expression::X => v,
            Expression::Constant(value) => *value,
            Expression::Unary(op, x) => op.of(x.at(v)),
            Expression::Binary(op, x, y) => op.of(x.at(v), y.at(v)),
            Expression::Where(test, x, y) => {
                if test.at(v) == 0.0 {
                    y.at(v)
                } else {
                    x.at(v)
                }
            }
        }
    }
}

impl Unary {
    fn of(self, x: f64) -> f64 {
        match self {
            Unary::Negate => -x,
            Unary::Abs => x.abs(),
            Unary::Exp => libm::exp(x),
            Unary::ExpMinusOne => libm::expm1(x),
            Unary::Log => libm::log(x),
            Unary::Sqrt => libm::sqrt(x),
            Unary::Reciprocal => 1.0 / x,
            Unary::Erf => libm::erf(x),
            Unary::Tanh => libm::tanh(x),
            Unary::Sigmoid => 1.0 / (1.0 + libm::exp(-x)),
            // log(1 + e^x), without an overflow of e^x.
            Unary::Softplus => x.max(0.0) + libm::log1p(libm::exp(-x.abs())),
            Unary::Relu => x.max(0.0),
        }
    }
}

impl Binary {
    fn of(self, x: f64, y: f64) -> f64 {
        match self {
            Binary::Add => x + y,
            Binary::Multiply => x * y,
            Binary::Divide => x / y,
            Binary::Power => libm::pow(x, y),
            Binary::Max => x.max(y),
            Binary::Min => x.min(y),
            Binary::Greater => f64::from(x > y),
            Binary::GreaterOrEqual => f64::from(x >= y),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_compose() {
        let twice = Expression::X.times(2.0);
        let plus_one = Expression::X.plus(1.0);
        let function = Function::new(plus_one.after(&twice)).unwrap();
        assert!((function.at(3.0) - 7.0).abs() < 1e-12);
        assert_eq!(function.to_string(), "(x·2 + 1)");
        let mut doubling = Expression::X;
        for _ in 0..7 {
            doubling = Expression::binary(Binary::Add, doubling.clone(), doubling);
        }
        assert_eq!(Function::new(doubling), None);
    }

    #[test]
    fn exponentials_that_overflow_are_what_they_stand_for() {
        let exp = || Expression::unary(Unary::Exp, Expression::X);
        let softplus = Expression::unary(Unary::Log, exp().plus(1.0));
        let sigmoid = Expression::binary(Binary::Divide, exp(), exp().plus(1.0));
        let at = |expression: Expression, x: f64| Function::new(expression).unwrap().at(x);
        assert!((at(softplus, 1000.0) - 1000.0).abs() < 1e-9);
        assert!((at(sigmoid, 1000.0) - 1.0).abs() < 1e-9);
        let test = Expression::binary(Binary::Greater, Expression::X, Expression::Constant(0.0));
        let elu = Expression::choose(test, Expression::X, exp().plus(-1.0));
        assert!((at(elu.clone(), 3.0) - 3.0).abs() < 1e-12 && (at(elu, -1.0) + 0.632_120_558).abs() < 1e-8);
    }

    #[test]
    fn softplus_does_not_overflow() {
        let softplus = Function::new(Expression::unary(Unary::Softplus, Expression::X)).unwrap();
        assert!((softplus.at(1000.0) - 1000.0).abs() < 1e-9 && softplus.at(-1000.0).abs() < 1e-9);
        assert!((softplus.at(0.0) - std::f64::consts::LN_2).abs() < 1e-12);
    }
}
