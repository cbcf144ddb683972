//! Unlocking scripts, put together as an artifact's ABI says.

use super::{Artifact, Push, Unreadable};
use crate::script::{code, number};

/// The items of an unlocking script by their names in the ABI.
#[derive(Debug, Clone, Default)]
pub struct Items(Vec<(&'static str, Vec<u8>)>);

impl Items {
    /// These items, and one more.
    #[must_use]
    pub fn with(mut self, name: &'static str, bytes: Vec<u8>) -> Self {
        self.0.push((name, bytes));
        self
    }

    fn get(&self, name: &str) -> Option<&Vec<u8>> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, bytes)| bytes)
    }
}

impl Artifact {
    /// The unlocking script of a method.
    ///
    /// # Errors
    /// The first item that is missing or of another length than the method takes.
    pub fn unlocking_script(&self, method: &str, items: &Items) -> Result<Vec<u8>, Unreadable> {
        let found = self.abi.methods.iter().find(|known| known.name == method);
        let found = found.ok_or_else(|| Unreadable::new(format!("has no way of spending called `{method}`")))?;
        let item = |push: &Push| match (push.value, items.get(&push.name)) {
            (Some(value), _) => Ok(number::encode(&value.into())),
            (None, None) => Err(Unreadable::new(format!("asks for {}, which is not given", push.name))),
            (None, Some(bytes)) if push.bytes.is_some_and(|told| told != bytes.len()) => {
                let told = push.bytes.unwrap_or_default();
                Err(Unreadable::new(format!("asks for {told} bytes of {}, not {}", push.name, bytes.len())))
            }
            (None, Some(bytes)) => Ok(bytes.clone()),
        };
        let pushed = found.pushes.iter().map(item).collect::<Result<Vec<_>, _>>()?;
        Ok(code::pushes(&pushed).into_bytes())
    }
}
