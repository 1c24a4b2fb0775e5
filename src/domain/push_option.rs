//! What follows `git push -o`.

use crate::domain::cache::Cache;
use crate::domain::nearest::nearest;
use crate::domain::variables::{BadVariable, Variables};

/// Most options one push may carry.
const MOST: usize = 64;

/// Longest option in bytes.
const LONGEST: usize = 4 * 1024;

/// Words that are understood.
const WORDS: [&str; 6] = ["no-wait", "json", "quiet", "plan", "skip", "no-cache"];

/// Words that will be understood one day.
const LATER: [&str; 1] = ["env"];

/// How the pusher reads the History.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Format {
    /// Lines for people.
    #[default]
    Full,
    /// The first, failing and last lines only.
    Quiet,
    /// One JSON object a line.
    Json,
}

/// What becomes of the refs that have a deploy rule.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Wait {
    /// Follow the deployment; it moves the ref when it is live.
    #[default]
    UntilLive,
    /// Move the ref at once and let the deployment go on.
    No,
    /// Store the refs, deploy nothing.
    Skip,
    /// Say what deploying them would change; nothing is, no ref either.
    Plan,
}

impl Wait {
    /// The word that asks for it.
    const fn word(self) -> &'static str {
        match self {
            Self::UntilLive => "",
            Self::No => "no-wait",
            Self::Skip => "skip",
            Self::Plan => "plan",
        }
    }
}

/// The options of one push, read and checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PushOptions {
    /// How to answer.
    pub format: Format,
    /// Whether to follow.
    pub wait: Wait,
    /// Whether hooks find what earlier ones kept.
    pub cache: Cache,
    /// Launch variables.
    pub variables: Variables,
}

/// Why a push option is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPushOption {
    /// More than 64.
    #[error("{0} push options given; at most {MOST}")]
    TooMany(usize),
    /// Over 4 KiB.
    #[error("a push option of {0} bytes given; at most {LONGEST}")]
    TooLong(usize),
    /// Contains a control character.
    #[error("push option {0} contains a control character")]
    Control(usize),
    /// Not UTF-8.
    #[error("push option {0} is not UTF-8")]
    Encoding(usize),
    /// Known, but not built yet.
    #[error("push option `{0}` is not supported yet")]
    NotYet(&'static str),
    /// Two options that exclude each other.
    #[error("push options `{0}` and `{1}` exclude each other")]
    Conflict(&'static str, &'static str),
    /// No such word.
    #[error("unknown push option `{word}`{}", hint(*.nearest))]
    Unknown {
        /// What was given.
        word: String,
        /// The word that was probably meant.
        nearest: Option<&'static str>,
    },
    /// A launch variable that cannot be.
    #[error(transparent)]
    Variable(#[from] BadVariable),
}

fn hint(nearest: Option<&'static str>) -> String {
    match nearest {
        Some(word) => format!("; did you mean `{word}`?"),
        None => format!("; known are {} and NAME=value", WORDS.join(", ")),
    }
}

impl PushOptions {
    /// Reads the options of one push, in the order they were given.
    ///
    /// # Errors
    ///
    /// The first option that is unknown, malformed or too much.
    pub fn parse<T: AsRef<[u8]>>(given: &[T]) -> Result<Self, BadPushOption> {
        if given.len() > MOST {
            return Err(BadPushOption::TooMany(given.len()));
        }
        let mut options = Self::default();
        for (place, bytes) in (1..).zip(given) {
            let bytes = bytes.as_ref();
            if bytes.len() > LONGEST {
                return Err(BadPushOption::TooLong(bytes.len()));
            }
            let text =
                std::str::from_utf8(bytes).map_err(|_invalid| BadPushOption::Encoding(place))?;
            if text.chars().any(char::is_control) {
                return Err(BadPushOption::Control(place));
            }
            options.add(text)?;
        }
        Ok(options)
    }

    fn add(&mut self, text: &str) -> Result<(), BadPushOption> {
        match text.split_once('=') {
            Some(("env", _)) => Err(BadPushOption::NotYet("env=")),
            Some((name, value)) => Ok(self.variables.add(name, value)?),
            None => self.add_word(text),
        }
    }

    fn add_word(&mut self, word: &str) -> Result<(), BadPushOption> {
        match word {
            "json" => self.set_format(Format::Json),
            "quiet" => self.set_format(Format::Quiet),
            "no-wait" => self.set_wait(Wait::No),
            "skip" => self.set_wait(Wait::Skip),
            "plan" => self.set_wait(Wait::Plan),
            "no-cache" => {
                self.cache = Cache::Dropped;
                Ok(())
            }
            unknown => Err(BadPushOption::Unknown {
                word: unknown.chars().take(80).collect(),
                nearest: nearest(unknown, WORDS.into_iter().chain(LATER)),
            }),
        }
    }

    fn set_format(&mut self, format: Format) -> Result<(), BadPushOption> {
        if self.format != Format::Full && self.format != format {
            return Err(BadPushOption::Conflict("json", "quiet"));
        }
        self.format = format;
        Ok(())
    }

    fn set_wait(&mut self, wait: Wait) -> Result<(), BadPushOption> {
        if self.wait != Wait::UntilLive && self.wait != wait {
            return Err(BadPushOption::Conflict(self.wait.word(), wait.word()));
        }
        self.wait = wait;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use proptest::prelude::*;

    use super::*;

    fn refusal(options: &[&str]) -> String {
        PushOptions::parse(options).unwrap_err().to_string()
    }

    #[test]
    fn words_and_variables_are_read() {
        let options = PushOptions::parse(&["no-wait", "json", "A=1=2", "B="]).unwrap();
        assert_eq!((options.format, options.wait), (Format::Json, Wait::No));
        let variables: Vec<_> = options.variables.iter().collect();
        assert_eq!(variables, [("A", "1=2"), ("B", "")]);
    }

    #[test]
    fn every_refusal_names_the_cause() {
        assert_snapshot!(refusal(&["nowait"]), @"unknown push option `nowait`; did you mean `no-wait`?");
        assert_snapshot!(refusal(&["deploy"]), @"unknown push option `deploy`; known are no-wait, json, quiet, plan, skip, no-cache and NAME=value");
        assert_snapshot!(refusal(&["env=dev"]), @"push option `env=` is not supported yet");
        assert_snapshot!(refusal(&["json", "quiet"]), @"push options `json` and `quiet` exclude each other");
        assert_snapshot!(refusal(&["no-wait", "skip"]), @"push options `no-wait` and `skip` exclude each other");
        assert_snapshot!(refusal(&["plan", "no-wait"]), @"push options `plan` and `no-wait` exclude each other");
        assert_snapshot!(refusal(&["JOB_ID=1"]), @"`JOB_ID` is set by Pierhead: names beginning with JOB_ cannot be given");
        assert_snapshot!(refusal(&["A=1\u{1b}[2J"]), @"push option 1 contains a control character");
        assert_snapshot!(refusal(&["skip"; 65]), @"65 push options given; at most 64");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(options: Vec<Vec<u8>>) {
            drop(PushOptions::parse(&options));
        }
    }
}
