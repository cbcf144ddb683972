//! What a contract asks of the unlocking script.

use std::fmt;
use std::str::FromStr;

use num_bigint::BigInt;

use crate::error::Problem;
use crate::ir::Ir;
use crate::script::number;

/// Kinds of contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Contract {
    /// The unlocking script pushes a class (or the number, of a model that gives one), then the input; true when the
    /// network gives that.
    #[default]
    Claim,
    /// The unlocking script pushes an input; true when the network gives the class named here.
    Expect(usize),
    /// The unlocking script pushes an input; the class or number is left on the stack (0 is false to a node).
    Class,
}

impl Contract {
    /// What the unlocking script pushes, first push first.
    pub fn pushes(self) -> &'static [&'static str] {
        match self {
            Contract::Claim => &["claim", "input"],
            Contract::Expect(_) | Contract::Class => &["input"],
        }
    }

    /// Which of the pushes is the input.
    pub fn input_index(self) -> usize {
        self.pushes().len() - 1
    }

    /// Refuses an expectation that no input can meet.
    ///
    /// # Errors
    /// A problem when the expected class is not one of the network's, or it has none.
    pub fn check(self, ir: &Ir) -> Result<(), Problem> {
        match self {
            Contract::Expect(class) if ir.classes() == 0 => Err(Problem::of_model(format!(
                "--contract expect:{class}: the network gives a number, and has no classes"
            ))
            .help(
                "give --contract claim, where the number is claimed, or --contract class, which leaves it on the stack",
            )),
            Contract::Expect(class) if class >= ir.classes() => {
                let classes = ir.classes();
                Err(Problem::of_model(format!("--contract expect:{class}: the network has {classes} classes")).help(
                    format!(
                        "give a class from 0 to {}; with any other, the coins could never be spent",
                        classes.saturating_sub(1)
                    ),
                ))
            }
            _ => Ok(()),
        }
    }

    /// The items that an honest unlocking script pushes, first push first.
    pub fn unlocking_items(self, claim: &BigInt, input: Vec<u8>) -> Vec<Vec<u8>> {
        match self {
            Contract::Claim => vec![number::encode(claim), input],
            Contract::Expect(_) | Contract::Class => vec![input],
        }
    }
}

impl FromStr for Contract {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.strip_prefix("expect:")) {
            ("claim", _) => Ok(Contract::Claim),
            ("class", _) => Ok(Contract::Class),
            (_, Some(class)) => {
                class.parse().map(Contract::Expect).map_err(|_| format!("`{class}` is not a class number"))
            }
            _ => Err("give claim, expect:N or class".into()),
        }
    }
}

impl fmt::Display for Contract {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Contract::Claim => f.write_str("claim"),
            Contract::Expect(class) => write!(f, "expect:{class}"),
            Contract::Class => f.write_str("class"),
        }
    }
}
