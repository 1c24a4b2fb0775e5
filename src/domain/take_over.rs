//! What becomes of a job whose run was lost.

/// Whether a change to a target may have been made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// Nothing outside Pierhead knows of the run.
    Nothing,
    /// `applying_since` is set: a target may have been changed.
    Perhaps,
    /// The job's release is live.
    Live,
}

/// Whether someone asked for the job to be cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancel {
    /// Nobody did.
    NotAsked,
    /// Somebody did.
    Asked,
}

/// What the worker that finds a lost run does with its job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TakeOver {
    /// A new run finishes what is live.
    Finish,
    /// A new run puts the environment back; then the job ends.
    PutBack,
    /// It goes back to the queue and is chosen like any other.
    Requeue,
    /// It ends as cancelled.
    EndCancelled,
    /// It ends as lost.
    EndLost,
}

/// Decides for a job whose run's lease has ended.
///
/// `lost_before` counts the runs of the job that were lost earlier; a run that a stopping worker
/// gave back is not one of them.
pub fn take_over(applied: Applied, cancel: Cancel, lost_before: usize) -> TakeOver {
    match (applied, cancel, lost_before) {
        (Applied::Live, _, _) => TakeOver::Finish,
        (Applied::Perhaps, _, _) => TakeOver::PutBack,
        (Applied::Nothing, Cancel::Asked, _) => TakeOver::EndCancelled,
        (Applied::Nothing, Cancel::NotAsked, 0) => TakeOver::Requeue,
        (Applied::Nothing, Cancel::NotAsked, _) => TakeOver::EndLost,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_live_is_finished_whatever_was_asked() {
        assert_eq!(take_over(Applied::Live, Cancel::Asked, 5), TakeOver::Finish);
    }

    #[test]
    fn what_may_have_changed_a_target_is_put_back() {
        assert_eq!(take_over(Applied::Perhaps, Cancel::NotAsked, 0), TakeOver::PutBack);
        assert_eq!(take_over(Applied::Perhaps, Cancel::Asked, 0), TakeOver::PutBack);
    }

    #[test]
    fn what_changed_nothing_is_tried_once_more() {
        assert_eq!(take_over(Applied::Nothing, Cancel::NotAsked, 0), TakeOver::Requeue);
        assert_eq!(take_over(Applied::Nothing, Cancel::NotAsked, 1), TakeOver::EndLost);
        assert_eq!(take_over(Applied::Nothing, Cancel::Asked, 0), TakeOver::EndCancelled);
    }
}
