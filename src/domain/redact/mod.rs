//! Secrets in the output of tools, found in whatever form they stand there and hidden.
//!
//! Text is read in two views (`view`), which leave out what a reader does not see: white space,
//! control characters, escape sequences. In the decoded view percent and backslash escapes are
//! what they stand for too. A secret is a few patterns of such characters (`forms`, `patterns`):
//! itself, its base64 at each of three alignments, and so on. That colours stand in it, that it is
//! broken over lines or escaped twice makes no difference then.
//!
//! [`Secrets`] are collected, a [`Redactor`] is made of them, and every stream of output goes
//! through a [`Filter`] of it. What is found becomes `[secret NAME]`.
//!
//! What it is for is accidents: a program that prints what it was given. Who writes the program
//! can always print a secret backwards.

mod base64;
mod filter;
mod forms;
mod patterns;
mod refusal;
mod scan;
mod secrets;
mod view;

#[cfg(test)]
mod tests;

pub use base64::decode;
pub use filter::{Filter, Redactor};
pub use refusal::{Unhidable, check};
pub use secrets::Secrets;
