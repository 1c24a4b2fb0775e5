//! Commits that come from elsewhere: where they are, and what a look there comes to.

mod bad_url;
mod checked;
mod decide;
mod every;
mod host_keys;
mod login;
mod url;

pub use bad_url::BadSourceUrl;
pub use checked::{CheckPurpose, Checked, Fate, Found};
pub use decide::{Asker, Known, NextStep, Tried, next_step};
pub use every::{BadEvery, Every, Schedule};
pub use host_keys::{BadHostKeys, HostKeys};
pub use login::{BadSourceKey, SourceLogin};
pub use url::{SourceUrl, Transport, is_user};
