//! A fence around libraries that read what strangers made: nothing that a model or a picture holds may take the
//! compiler down, not even where a library panics on it.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

thread_local! {
    static FENCED: Cell<bool> = const { Cell::new(false) };
}

/// Runs a function that calls such a library; a panic in it becomes an error and is not printed.
pub(crate) fn fence<T>(what: &str, run: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    static QUIET_INSIDE: Once = Once::new();
    QUIET_INSIDE.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !FENCED.get() {
                usual(info);
            }
        }));
    });
    FENCED.set(true);
    let outcome = panic::catch_unwind(AssertUnwindSafe(run));
    FENCED.set(false);
    outcome.unwrap_or_else(|_| Err(format!("{what} failed inside a library")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error() {
        assert_eq!(fence("adding", || Ok(1 + 1)), Ok(2));
        let message = fence::<()>("dividing", || panic!("by zero")).unwrap_err();
        assert_eq!(message, "dividing failed inside a library");
    }
}
