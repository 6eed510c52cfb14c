//! Whether an observed state is a change. Pure.

use jiff::Timestamp;

/// How a state was observed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Pushed to us, whole.
    Pushed {
        /// The source's own `updated_at`; only to reject older input.
        source_updated_at: Option<Timestamp>,
        /// When it reached us.
        received_at: Timestamp,
    },
    /// Read by us: it wins over all that was received before the read began.
    Refetched {
        /// When the read began.
        began_at: Timestamp,
        /// The source's own `updated_at`.
        source_updated_at: Option<Timestamp>,
    },
    /// Read by us from what the source wrote down some time ago: what was pushed since wins over it.
    Imported {
        /// When the source was asked to write it down.
        began_at: Timestamp,
        /// The source's own `updated_at`.
        source_updated_at: Timestamp,
    },
}

impl Origin {
    pub(super) const fn source_updated_at(&self) -> Option<Timestamp> {
        match self {
            Self::Pushed { source_updated_at, .. } | Self::Refetched { source_updated_at, .. } => *source_updated_at,
            Self::Imported { source_updated_at, .. } => Some(*source_updated_at),
        }
    }

    pub(super) const fn refetch_began_at(&self) -> Option<Timestamp> {
        match self {
            Self::Pushed { .. } => None,
            Self::Refetched { began_at, .. } | Self::Imported { began_at, .. } => Some(*began_at),
        }
    }
}

/// What the ledger holds of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Hash of its content.
    pub content_hash: Vec<u8>,
    /// The source's own `updated_at` of it.
    pub source_updated_at: Option<Timestamp>,
    /// When the last read of it began.
    pub refetched_at: Option<Timestamp>,
    /// Whether it was numbered before a backup was restored: it may have changed since, and back.
    pub before_restore: bool,
}

impl Known {
    /// Whether a state is the one that was said last, whoever heard of others since.
    fn is_said(&self, content_hash: &[u8], origin: &Origin) -> bool {
        let may_have_changed = match (self.source_updated_at, origin.source_updated_at()) {
            (Some(ours), Some(theirs)) => theirs > ours,
            _ => true,
        };
        self.content_hash == content_hash && !(self.before_restore && may_have_changed)
    }
}

/// What an observed state is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// A change: it gets the next revision.
    Changed,
    /// What is there already.
    Echo,
    /// Older than what is there.
    Stale,
    /// It cannot be told: the record must be read.
    Refetch,
}

/// Judges a state against what is known.
pub fn judge(known: Option<&Known>, content_hash: &[u8], origin: &Origin) -> Verdict {
    let Some(known) = known else { return Verdict::Changed };
    let same = known.is_said(content_hash, origin);
    match origin {
        Origin::Refetched { began_at, .. } => {
            if known.refetched_at.is_some_and(|at| at > *began_at) {
                Verdict::Stale
            } else if same {
                Verdict::Echo
            } else {
                Verdict::Changed
            }
        }
        Origin::Imported { began_at, source_updated_at } => {
            let read_since = known.refetched_at.is_some_and(|at| at > *began_at);
            match known.source_updated_at {
                Some(ours) if read_since || *source_updated_at < ours => Verdict::Stale,
                _ if same => Verdict::Echo,
                Some(ours) if *source_updated_at > ours => Verdict::Changed,
                // Which was later within the same second, or than what has no time, cannot be told.
                _ => Verdict::Refetch,
            }
        }
        Origin::Pushed { source_updated_at, received_at } => {
            if known.refetched_at.is_some_and(|at| at > *received_at) {
                return Verdict::Stale;
            }
            match (known.source_updated_at, source_updated_at) {
                (Some(ours), Some(theirs)) if *theirs < ours => Verdict::Stale,
                _ if same => Verdict::Echo,
                (Some(ours), Some(theirs)) if *theirs > ours => Verdict::Changed,
                (None, Some(_)) => Verdict::Changed,
                // Equal time and different content, or no time: which is newer cannot be told.
                _ => Verdict::Refetch,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{Known, Origin, Verdict, judge};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn known(updated: i64, refetched: Option<i64>) -> Known {
        Known {
            content_hash: b"a".to_vec(),
            source_updated_at: Some(at(updated)),
            refetched_at: refetched.map(at),
            before_restore: false,
        }
    }

    fn pushed(updated: i64, received: i64) -> Origin {
        Origin::Pushed { source_updated_at: Some(at(updated)), received_at: at(received) }
    }

    #[test]
    fn a_pushed_state_is_judged_by_age_and_content() {
        let known = known(100, None);
        assert_eq!(judge(None, b"b", &pushed(1, 1)), Verdict::Changed);
        assert_eq!(judge(Some(&known), b"b", &pushed(101, 200)), Verdict::Changed);
        assert_eq!(judge(Some(&known), b"a", &pushed(101, 200)), Verdict::Echo);
        assert_eq!(judge(Some(&known), b"b", &pushed(99, 200)), Verdict::Stale);
        assert_eq!(judge(Some(&known), b"b", &pushed(100, 200)), Verdict::Refetch);
    }

    #[test]
    fn a_read_wins_over_what_was_received_before_it_began() {
        let known = known(100, Some(300));
        assert_eq!(judge(Some(&known), b"b", &pushed(250, 299)), Verdict::Stale);
        let later = Origin::Refetched { began_at: at(400), source_updated_at: Some(at(100)) };
        assert_eq!(judge(Some(&known), b"b", &later), Verdict::Changed);
        let earlier = Origin::Refetched { began_at: at(200), source_updated_at: Some(at(100)) };
        assert_eq!(judge(Some(&known), b"b", &earlier), Verdict::Stale);
    }

    #[test]
    fn what_is_imported_does_not_undo_what_was_pushed_or_read_since() {
        let imported = |updated| Origin::Imported { began_at: at(400), source_updated_at: at(updated) };
        let pushed = known(500, None);
        assert_eq!(judge(None, b"b", &imported(499)), Verdict::Changed);
        assert_eq!(judge(Some(&pushed), b"b", &imported(499)), Verdict::Stale);
        assert_eq!(judge(Some(&pushed), b"a", &imported(500)), Verdict::Echo);
        assert_eq!(judge(Some(&pushed), b"b", &imported(500)), Verdict::Refetch);
        assert_eq!(judge(Some(&pushed), b"b", &imported(501)), Verdict::Changed);
        assert_eq!(judge(Some(&known(300, Some(401))), b"b", &imported(399)), Verdict::Stale);
    }

    #[test]
    fn what_is_as_it_was_before_a_restore_may_have_changed_and_back_unless_its_source_says_that_it_did_not() {
        let known = Known { before_restore: true, ..known(100, None) };
        let read = |updated: Option<i64>| Origin::Refetched { began_at: at(400), source_updated_at: updated.map(at) };
        assert_eq!(judge(Some(&known), b"a", &read(Some(101))), Verdict::Changed);
        assert_eq!(judge(Some(&known), b"a", &read(Some(100))), Verdict::Echo);
        assert_eq!(judge(Some(&known), b"a", &read(None)), Verdict::Changed, "a source that tells no age");
        assert_eq!(judge(Some(&known), b"a", &pushed(101, 200)), Verdict::Changed);
        assert_eq!(judge(Some(&known), b"a", &pushed(99, 200)), Verdict::Stale);
    }
}
