//! Passwords: which are good enough, and what is stored of them.

use std::sync::Arc;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use tokio::sync::Semaphore;

use crate::people::PeopleError;
use crate::tasks::blocking;

/// Fewest characters.
const FEWEST: usize = 12;

/// Most bytes: nobody types more, and each is hashed.
const MOST_BYTES: usize = 256;

/// Passwords that are tried at the same time: each takes 19 MiB and a core.
const AT_ONCE: usize = 2;

/// Why a password is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadPassword {
    /// It is guessed too soon.
    #[error("a password has at least {FEWEST} characters; several words are easy to remember")]
    Short,
    /// Nobody types that.
    #[error("a password has at most {MOST_BYTES} bytes")]
    Long,
    /// Everybody tries it first.
    #[error("your address or your name is no password")]
    Own,
    /// It was typed in two ways.
    #[error("the two passwords differ: type the same one twice")]
    Differs,
}

/// Checks a password that somebody has chosen.
pub(super) fn check(password: &str, own: [&str; 2]) -> Result<(), BadPassword> {
    let lower = password.to_lowercase();
    if password.chars().count() < FEWEST {
        Err(BadPassword::Short)
    } else if password.len() > MOST_BYTES {
        Err(BadPassword::Long)
    } else if own.iter().any(|own| own.to_lowercase() == lower) {
        Err(BadPassword::Own)
    } else {
        Ok(())
    }
}

/// What is stored of a password: Argon2id in PHC form. It takes a while.
pub(super) fn hash(password: &str) -> Result<String, PeopleError> {
    let hash = Argon2::default().hash_password(password.as_bytes());
    Ok(hash.map_err(|error| PeopleError::Hash(error.to_string()))?.to_string())
}

/// Tries passwords, a few at a time and each as slowly as all others.
#[derive(Debug, Clone)]
pub(super) struct Verifier {
    /// The hash of a password that nobody knows: tried where there is none.
    nobodys: Arc<str>,
    slots: Arc<Semaphore>,
}

impl Verifier {
    pub(super) fn new() -> Result<Self, PeopleError> {
        let nobodys = hash(crate::people::BrowserToken::new().secret())?.into();
        Ok(Self { nobodys, slots: Arc::new(Semaphore::new(AT_ONCE)) })
    }

    /// Whether this is the password of which that is stored. It takes as long when nothing is.
    pub(super) async fn fits(&self, password: String, hash: Option<String>) -> bool {
        let is_known = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.nobodys.to_string());
        let Ok(_slot) = self.slots.acquire().await else { return false };
        let fits = blocking(move || {
            let short = password.len() <= MOST_BYTES;
            let parsed = PasswordHash::new(&hash);
            let password = if short { password.as_bytes() } else { &[] };
            let verified =
                parsed.map(|hash| Argon2::default().verify_password(password, &hash).is_ok());
            short && verified.unwrap_or(false)
        });
        fits.await && is_known
    }

    /// What is stored of a new password.
    pub(super) async fn hash(&self, password: String) -> Result<String, PeopleError> {
        let slot = self.slots.acquire().await;
        let slot = slot.map_err(|closed| PeopleError::Hash(closed.to_string()))?;
        let hash = blocking(move || hash(&password)).await;
        drop(slot);
        hash
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_long_and_not_known_by_all() {
        let own = ["Ana@example.org", "Ana Álvarez Puig"];
        assert_eq!(check("ocean-liner!", own), Ok(()));
        assert_eq!(check("ocean-liner", own), Err(BadPassword::Short));
        assert_eq!(check(&"a".repeat(257), own), Err(BadPassword::Long));
        assert_eq!(check("ana@example.ORG", own), Err(BadPassword::Own));
        assert_eq!(check("ANA ÁLVAREZ PUIG", own), Err(BadPassword::Own));
    }

    #[tokio::test]
    async fn only_the_right_password_fits() {
        let verifier = Verifier::new().unwrap();
        let stored = verifier.hash("ocean-liner!".to_owned()).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$"), "{stored}");
        assert!(verifier.fits("ocean-liner!".to_owned(), Some(stored.clone())).await);
        for wrong in ["ocean-liner", "", "Ocean-liner!", &"a".repeat(300)] {
            assert!(!verifier.fits(wrong.to_owned(), Some(stored.clone())).await, "{wrong}");
        }
        assert!(!verifier.fits("ocean-liner!".to_owned(), None).await);
        assert!(!verifier.fits("ocean-liner!".to_owned(), Some("*".to_owned())).await);
    }
}
