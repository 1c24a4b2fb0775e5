//! Who sits at the server's terminal, for the audit log.

use std::collections::BTreeMap;

use rustix::process::getuid;
use rustix::system::uname;

use crate::domain::audit::{Actor, Entrance};

/// Variables that name whoever is signed in, most telling first.
const NAMES: [&str; 3] = ["SUDO_USER", "LOGNAME", "USER"];

/// Longest name that is noted.
const LONGEST: usize = 64;

/// The administrator, as far as the system tells. Who may call the program may say otherwise, and may
/// also change the database itself.
pub(super) fn operator(environment: &BTreeMap<String, String>) -> Actor {
    let uid = format!("uid {}", getuid().as_raw());
    let named = NAMES.iter().find_map(|name| environment.get(*name).filter(|who| !who.is_empty()));
    let seen = |c: &char| !c.is_control();
    let (who, origin) = match named {
        Some(who) => (who.chars().filter(seen).take(LONGEST).collect(), format!(" ({uid})")),
        None => (uid, String::new()),
    };
    let machine = uname().nodename().to_string_lossy().into_owned();
    Actor { entrance: Entrance::Admin, who, user: None, key: None, origin: machine + &origin }
}
