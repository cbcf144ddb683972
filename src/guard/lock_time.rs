//! Points in time as nLockTime has them: heights of blocks, or seconds.

use std::fmt;
use std::str::FromStr;

/// From here on nLockTime counts seconds, below it blocks.
/// Source: node 1.2.2 `script/script.h`, `LOCKTIME_THRESHOLD`.
const LOCKTIME_THRESHOLD: u32 = 500_000_000;

/// A height, or seconds since 1970; never 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LockTime(u32);

impl LockTime {
    /// As nLockTime has it.
    pub fn to_consensus(self) -> u32 {
        self.0
    }

    /// Whether it counts blocks.
    pub fn is_height(self) -> bool {
        self.0 < LOCKTIME_THRESHOLD
    }

    /// The least nLockTime that is of another kind and above; `None` where there is none.
    pub(super) fn bound(self) -> Option<u32> {
        self.is_height().then_some(LOCKTIME_THRESHOLD)
    }
}

impl FromStr for LockTime {
    type Err = String;

    /// Reads a block's height, or the seconds since 1970.
    fn from_str(text: &str) -> Result<Self, String> {
        let help =
            "give a block's height (below 500,000,000) or a time in seconds since 1970 (`date -d 2027-01-01 +%s`)";
        match text.parse::<u32>() {
            Ok(0) => Err(format!("0 lies in the past: the refund would be due at once; {help}")),
            Ok(time) => Ok(LockTime(time)),
            Err(_) => Err(format!("`{text}` is no such number; {help}")),
        }
    }
}

impl fmt::Display for LockTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.is_height() {
            true => write!(f, "block {}", self.0),
            false => write!(f, "second {} since 1970", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heights_and_times_are_told_apart() {
        let read = |text: &str| text.parse::<LockTime>().map(|time| time.to_string());
        assert_eq!(read("900000").unwrap(), "block 900000");
        assert_eq!(read("499999999").unwrap(), "block 499999999");
        assert_eq!(read("500000000").unwrap(), "second 500000000 since 1970");
        assert_eq!(read("4294967295").unwrap(), "second 4294967295 since 1970");
        for wrong in ["0", "-1", "4294967296", "2027-01-01", ""] {
            assert!(read(wrong).unwrap_err().contains("height"), "{wrong}");
        }
    }
}
