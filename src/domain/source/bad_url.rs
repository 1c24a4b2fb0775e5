//! What is wrong about an address of a repository.

use crate::domain::source::url::LONGEST;

/// Why a text is no address of a repository. The text itself is never repeated: a password may be
/// in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadSourceUrl {
    /// Something else than an address.
    #[error(
        "this is no address of a repository: write https://git.example.org/acme/shop.git, \
         ssh://git@git.example.org/acme/shop.git or git@git.example.org:acme/shop.git"
    )]
    Form,
    /// It is too long.
    #[error("an address of a repository has at most {LONGEST} characters")]
    TooLong,
    /// Characters that no address has.
    #[error(
        "an address has no spaces, control characters and backslashes, and writes other letters \
         than a-z as %XX"
    )]
    Characters,
    /// A path of this machine.
    #[error("this is a path of a machine: only ssh:// and https:// addresses are fetched from")]
    Local,
    /// Nobody would see who listens, or changes what comes.
    #[error("{0}:// is not encrypted: write https:// or ssh://")]
    Clear(String),
    /// Another protocol.
    #[error("`{0}` is no protocol to fetch by: write https:// or ssh://")]
    Scheme(String),
    /// A token in the address.
    #[error(
        "leave names, passwords and tokens out of an address: --username says who signs in, \
         --token names the file of the token, --key that of an SSH key"
    )]
    Login,
    /// A name that nobody has.
    #[error("the name before the @ is made of a-z, A-Z, 0-9, `.`, `_`, `-` and `+`")]
    User,
    /// A host that cannot be one.
    #[error("the host of the address cannot be one: write a name such as git.example.org")]
    Host,
    /// A port that cannot be one.
    #[error("the port of the address is a number from 1 to 65535")]
    Port,
    /// Only a host.
    #[error("the address names a host and no repository there")]
    NoPath,
    /// A path that would be read as an option, or that is none.
    #[error("the path of the address may not begin with a dash")]
    Dash,
    /// What follows a path in addresses of pages.
    #[error("the address of a repository has no `?` and no `#`")]
    Query,
}
