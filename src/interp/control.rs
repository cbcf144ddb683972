//! Nested IF, ELSE and ENDIF, and what they leave to execute.
//!
//! Source: Bitcoin SV node 1.2.2, `src/script/conditional_tracker.cpp`.

use super::error::ScriptError;

/// The open IFs.
#[derive(Default)]
pub(super) struct Conditions {
    branches: Vec<Branch>,
    /// How many of them are in a branch not taken: what makes asking cheap.
    inactive: usize,
}

struct Branch {
    active: bool,
    has_else: bool,
}

impl Conditions {
    /// Whether every open IF is in the branch that was taken.
    #[inline]
    pub(super) fn active(&self) -> bool {
        self.inactive == 0
    }

    /// Whether no IF is open.
    pub(super) fn is_empty(&self) -> bool {
        self.branches.is_empty()
    }

    pub(super) fn open(&mut self, active: bool) {
        self.branches.push(Branch { active, has_else: false });
        self.inactive += usize::from(!active);
    }

    /// ELSE, of which an IF may have one.
    pub(super) fn invert(&mut self) -> Result<(), ScriptError> {
        let branch = self.branches.last_mut().filter(|branch| !branch.has_else);
        let branch = branch.ok_or(ScriptError::UnbalancedConditional)?;
        branch.has_else = true;
        branch.active = !branch.active;
        if branch.active {
            self.inactive -= 1;
        } else {
            self.inactive += 1;
        }
        Ok(())
    }

    pub(super) fn close(&mut self) -> Result<(), ScriptError> {
        let branch = self.branches.pop().ok_or(ScriptError::UnbalancedConditional)?;
        self.inactive -= usize::from(!branch.active);
        Ok(())
    }
}
