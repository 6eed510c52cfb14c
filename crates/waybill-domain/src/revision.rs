//! Revisions, not clocks.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A record's place in its source's history. Later is greater; nothing else is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Revision {
    /// The source database's epoch: a restored backup starts a new, greater one.
    pub epoch: i64,
    /// 1, 2, 3, … under the record's row lock.
    pub number: i64,
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "r{}", self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::Revision;

    #[test]
    fn a_newer_epoch_beats_any_number() {
        assert!(Revision { epoch: 2, number: 1 } > Revision { epoch: 1, number: 99 });
    }
}
