//! Which part of the store's history is compared, and how far that brings us. Pure.

use jiff::{SignedDuration, Timestamp};

/// How windows lie.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lie {
    /// The store's search may be so far behind the store, and our clocks so far apart.
    pub(super) overlap: SignedDuration,
    /// A change that is younger than this may still be on its way by webhook.
    pub(super) young: SignedDuration,
}

/// A window that is being compared.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    lie: Lie,
    from: Timestamp,
    began_at: Timestamp,
    last: Option<Timestamp>,
}

/// What a finished window brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reached {
    /// Where the next window begins.
    pub(super) watermark: Timestamp,
    /// Whether there is nothing left to be compared now.
    pub(super) to_the_end: bool,
}

impl Window {
    pub(super) fn open(mut lie: Lie, watermark: Timestamp, now: Timestamp) -> Self {
        // What is too young to be missed in this window must be in the next.
        lie.overlap = lie.overlap.max(lie.young);
        Self { lie, from: watermark, began_at: now, last: None }
    }

    /// The earliest change that it holds.
    pub(super) const fn from(&self) -> Timestamp {
        self.from
    }

    /// When it began.
    pub(super) const fn began_at(&self) -> Timestamp {
        self.began_at
    }

    /// Whether a change is too young to be missed yet.
    pub(super) fn is_young(&self, changed_at: Timestamp) -> bool {
        changed_at > minus(self.began_at, self.lie.young)
    }

    /// Whether a change lies within the overlap.
    pub(super) fn is_recent(&self, changed_at: Timestamp) -> bool {
        changed_at >= minus(self.began_at, self.lie.overlap)
    }

    /// A change was compared.
    pub(super) fn saw(&mut self, changed_at: Timestamp) {
        self.last = self.last.max(Some(changed_at));
    }

    /// Where it can be cut after the pages so far, of changes in the order of their times: what came before the last
    /// one's time is complete. Not where that is its own beginning: the next window would be the same again.
    pub(super) fn cut(&self) -> Option<Reached> {
        let watermark = self.last?.min(self.settled());
        (watermark > self.from).then_some(Reached { watermark, to_the_end: false })
    }

    /// It is compared to its end.
    pub(super) fn end(&self) -> Reached {
        Reached { watermark: self.settled(), to_the_end: true }
    }

    /// Up to here the search knew all when the window began. It never lies before the window's own beginning.
    fn settled(&self) -> Timestamp {
        minus(self.began_at, self.lie.overlap).max(self.from)
    }
}

fn minus(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.checked_sub(by).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::{Lie, Reached, Window};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn window(watermark: i64, now: i64) -> Window {
        let lie = Lie { overlap: SignedDuration::from_secs(600), young: SignedDuration::from_secs(30) };
        Window::open(lie, at(watermark), at(now))
    }

    #[test]
    fn windows_overlap_by_what_the_search_may_be_behind() {
        let window = window(10_000, 12_000);
        assert_eq!(window.end(), Reached { watermark: at(11_400), to_the_end: true });
    }

    #[test]
    fn the_first_windows_reach_back_to_the_beginning_and_not_before() {
        let window = window(10_000, 10_300);
        assert_eq!(window.end().watermark, at(10_000));
    }

    #[test]
    fn a_window_is_cut_at_the_last_change_that_was_seen() {
        let mut window = window(10_000, 99_000);
        assert_eq!(window.cut(), None);
        window.saw(at(10_000));
        assert_eq!(window.cut(), None, "the next would begin where this one did");
        window.saw(at(10_050));
        assert_eq!(window.cut(), Some(Reached { watermark: at(10_050), to_the_end: false }));
    }

    #[test]
    fn a_cut_within_the_last_minutes_still_leaves_the_overlap() {
        let mut window = window(10_000, 12_000);
        window.saw(at(11_990));
        assert_eq!(window.cut().unwrap().watermark, at(11_400));
        let mut first = self::window(11_900, 12_000);
        first.saw(at(11_990));
        assert_eq!(first.cut(), None, "the next would begin where this one did");
    }

    #[test]
    fn a_change_of_the_last_seconds_may_still_be_on_its_way() {
        let window = window(10_000, 12_000);
        assert!(window.is_young(at(11_971)) && !window.is_young(at(11_970)));
    }
}
