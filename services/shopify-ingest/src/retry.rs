//! How long to wait before a read is tried again. The caller gives chance, so that this is pure.

use std::time::Duration;

use waybill_connector::Failure;

const LONGEST: Duration = Duration::from_secs(300);

/// The wait after a failure: what the store asks for, else twice as long each time, half of it left to `chance` (from 0
/// to 1).
pub(crate) fn wait(failure: &Failure, attempts: i32, chance: f64) -> Duration {
    match failure {
        Failure::RateLimited { retry_after } => *retry_after,
        _ => {
            let doubled = 2f64.powi(attempts.clamp(0, 16)) * (0.5 + chance / 2.0);
            Duration::from_secs_f64(doubled).min(LONGEST)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use waybill_connector::Failure;

    use super::wait;

    #[test]
    fn a_limit_is_waited_for_and_trouble_longer_each_time() {
        let limit = Failure::RateLimited { retry_after: Duration::from_millis(1500) };
        assert_eq!(wait(&limit, 9, 0.5), Duration::from_millis(1500));
        let trouble = Failure::Transient { message: String::new() };
        assert_eq!(wait(&trouble, 0, 1.0), Duration::from_secs(1));
        assert_eq!(wait(&trouble, 3, 0.0), Duration::from_secs(4));
        assert_eq!(wait(&trouble, 60, 1.0), Duration::from_secs(300));
    }
}
