//! Whether a job may still deploy, and whether it may move its ref.
//!
//! `old` is what the pusher saw, `new` what was pushed, `tip` what the ref is at now. One commit
//! "descends" from another also when they are the same.

use crate::domain::git_ref::RefKind;
use crate::domain::oid::Oid;
use crate::domain::words::words;

/// The update of a ref that a job stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefUpdate {
    /// Branch or tag.
    pub kind: RefKind,
    /// What the pusher saw; `None`: no such ref.
    pub old: Option<Oid>,
    /// What was pushed.
    pub new: Oid,
    /// Whether `new` drops commits of `old`.
    pub forced: bool,
}

words! {
    /// Who moves a job's ref, and when.
    RefMoves, "time to move a ref" {
        /// The job, once it is live.
        OnSuccess = "on-success",
        /// The handler, right after the job was created.
        AtOnce = "at-once",
        /// Nobody: the job deploys what is there.
        Never = "never",
    }
}

/// The ref moved in a way that this job must not undo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stale {
    /// Where the ref is now.
    pub tip: Option<Oid>,
}

impl RefUpdate {
    /// Decides when the job is claimed, before anything is applied.
    ///
    /// `new_descends_from_tip` is asked only where it matters.
    ///
    /// # Errors
    ///
    /// `Stale` when deploying would take back what came to the ref meanwhile.
    pub fn at_claim(
        &self,
        moves: RefMoves,
        tip: Option<Oid>,
        new_descends_from_tip: impl FnOnce(Oid) -> bool,
    ) -> Result<(), Stale> {
        let unchanged = tip == self.old;
        let there_already = tip == Some(self.new);
        // A job that moves its ref at the end may also overtake commits that `new` contains.
        let contained = moves == RefMoves::OnSuccess
            && self.kind == RefKind::Branch
            && self.old.is_some()
            && !self.forced
            && tip.is_some_and(new_descends_from_tip);
        if unchanged || there_already || contained { Ok(()) } else { Err(Stale { tip }) }
    }
}

/// What a job that is live does to its ref.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtEnd {
    /// Swap `expected` for `new`.
    Move,
    /// It is at `new`.
    Moved,
    /// It went on from `new`.
    Kept,
    /// It went elsewhere: the release stays live, the ref stays, and people are told.
    Elsewhere,
}

/// Decides what a job that is live does to its ref.
///
/// `expected` is the tip that was read when the job was claimed.
pub fn at_end(
    expected: Option<Oid>,
    new: Oid,
    tip: Option<Oid>,
    tip_descends_from_new: impl FnOnce(Oid) -> bool,
) -> AtEnd {
    match tip {
        Some(tip) if tip == new => AtEnd::Moved,
        tip if tip == expected => AtEnd::Move,
        Some(tip) if tip_descends_from_new(tip) => AtEnd::Kept,
        _ => AtEnd::Elsewhere,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Oid = Oid::from_bytes([1; 20]);
    const B: Oid = Oid::from_bytes([2; 20]);
    const C: Oid = Oid::from_bytes([3; 20]);

    fn update(old: Option<Oid>, new: Oid) -> RefUpdate {
        RefUpdate { kind: RefKind::Branch, old, new, forced: false }
    }

    const CONTAINED: fn(Oid) -> bool = |_| true;
    const APART: fn(Oid) -> bool = |_| false;

    fn claim(update: RefUpdate, tip: Option<Oid>, new: fn(Oid) -> bool) -> Result<(), Stale> {
        update.at_claim(RefMoves::OnSuccess, tip, new)
    }

    #[test]
    fn a_tip_that_stayed_or_is_there_already_is_fine() {
        assert_eq!(claim(update(None, B), None, APART), Ok(()));
        assert_eq!(claim(update(Some(A), B), Some(A), APART), Ok(()));
        assert_eq!(claim(update(Some(A), B), Some(B), APART), Ok(()));
    }

    #[test]
    fn commits_that_the_pushed_one_contains_may_be_overtaken() {
        assert_eq!(claim(update(Some(A), C), Some(B), CONTAINED), Ok(()));
        assert_eq!(claim(update(Some(A), C), Some(B), APART), Err(Stale { tip: Some(B) }));
    }

    #[test]
    fn a_forced_update_a_new_branch_and_a_tag_overtake_nothing() {
        let stale = Err(Stale { tip: Some(B) });
        assert_eq!(
            claim(RefUpdate { forced: true, ..update(Some(A), C) }, Some(B), CONTAINED),
            stale
        );
        assert_eq!(claim(update(None, C), Some(B), CONTAINED), stale);
        assert_eq!(
            claim(RefUpdate { kind: RefKind::Tag, ..update(Some(A), C) }, Some(B), CONTAINED),
            stale
        );
        assert_eq!(update(Some(A), C).at_claim(RefMoves::AtOnce, Some(B), |_| true), stale);
    }

    #[test]
    fn a_deleted_branch_makes_a_job_stale() {
        assert_eq!(claim(update(Some(A), B), None, CONTAINED), Err(Stale { tip: None }));
    }

    #[test]
    fn a_forced_update_to_an_ancestor_still_moves() {
        // Every tip descends from an ancestor: the swap has to be tried before that is asked.
        assert_eq!(at_end(Some(B), A, Some(B), |_| true), AtEnd::Move);
    }

    #[test]
    fn at_the_end_the_ref_moves_is_kept_or_is_elsewhere() {
        assert_eq!(at_end(None, B, None, |_| false), AtEnd::Move);
        assert_eq!(at_end(Some(A), B, Some(B), |_| true), AtEnd::Moved);
        assert_eq!(at_end(Some(A), B, Some(C), |_| true), AtEnd::Kept);
        assert_eq!(at_end(Some(A), B, Some(C), |_| false), AtEnd::Elsewhere);
        assert_eq!(at_end(Some(A), B, None, |_| false), AtEnd::Elsewhere);
    }
}
