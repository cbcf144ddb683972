//! What a user is told when a model cannot be compiled: what, where, why, and what to do about it.

use std::fmt;

/// The model, the input or an option was refused. Holds every problem found, the most basic first.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Refusal {
    /// Never empty.
    pub problems: Vec<Problem>,
    /// What helps with all of them.
    pub closing: Option<String>,
}

/// One reason for a refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The ONNX node concerned, as `name` and `op`; `None` where the whole file is.
    pub node: Option<(String, String)>,
    /// What is wrong, and why that matters.
    pub reason: String,
    /// What the user can do about it.
    pub remedy: Option<String>,
    /// Whether a file that belongs to the model could not be read: nothing is known of the model then.
    pub unreadable: bool,
}

impl Problem {
    /// A problem of the file as a whole.
    pub fn of_model(reason: impl Into<String>) -> Self {
        Problem { node: None, reason: reason.into(), remedy: None, unreadable: false }
    }

    /// A problem of one node.
    pub fn of_node(name: impl Into<String>, op: impl Into<String>, reason: impl Into<String>) -> Self {
        Problem { node: Some((name.into(), op.into())), reason: reason.into(), remedy: None, unreadable: false }
    }

    /// Adds what the user can do.
    #[must_use]
    pub fn help(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }
}

impl Refusal {
    /// Whether it is for files that could not be read.
    pub fn is_unreadable(&self) -> bool {
        self.problems.iter().any(|problem| problem.unreadable)
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Refusal { problems: vec![problem], closing: None }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((name, op)) = &self.node {
            write!(f, "node `{name}` ({op}): ")?;
        }
        f.write_str(&self.reason)?;
        match &self.remedy {
            Some(remedy) => write!(f, "\n  help: {remedy}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problems.as_slice() {
            [problem] => problem.fmt(f)?,
            problems => {
                /// Nobody reads more.
                const MOST_SHOWN: usize = 20;
                write!(f, "{} problems", problems.len())?;
                for (number, problem) in problems.iter().enumerate().take(MOST_SHOWN) {
                    write!(f, "\n{}. {}", number + 1, problem.to_string().replace('\n', "\n   "))?;
                }
                if problems.len() > MOST_SHOWN {
                    write!(f, "\nand {} more", problems.len() - MOST_SHOWN)?;
                }
            }
        }
        self.closing.as_ref().map_or(Ok(()), |closing| write!(f, "\n{closing}"))
    }
}

/// Collects problems so that several can be reported at once.
#[derive(Debug, Default)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Notes one more problem.
    pub fn push(&mut self, problem: Problem) {
        self.0.push(problem);
    }

    /// `Ok` when nothing was noted.
    ///
    /// # Errors
    /// Everything noted so far.
    pub fn into_result(self) -> Result<(), Refusal> {
        if self.0.is_empty() { Ok(()) } else { Err(Refusal { problems: self.0, closing: None }) }
    }
}
