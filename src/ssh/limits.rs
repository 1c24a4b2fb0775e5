//! How many connections there may be, in all and from one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// Counts connections.
#[derive(Debug, Clone)]
pub(super) struct Connections {
    // Held for a look-up and a change of a number.
    open: Arc<Mutex<HashMap<IpAddr, usize>>>,
    most: usize,
    most_from_one: usize,
}

/// Why a connection is turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum TurnedAway {
    /// There are too many in all.
    #[error("too many connections")]
    Full,
    /// There are too many from this address.
    #[error("too many connections from one address")]
    FullFromThere,
}

/// A connection that counts until it is dropped.
#[derive(Debug)]
pub(super) struct Counted {
    connections: Connections,
    address: IpAddr,
}

impl Connections {
    pub(super) fn new(most: usize, most_from_one: usize) -> Self {
        Self { open: Arc::default(), most, most_from_one }
    }

    /// Counts a connection.
    pub(super) fn enter(&self, address: IpAddr) -> Result<Counted, TurnedAway> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.values().sum::<usize>() >= self.most {
            return Err(TurnedAway::Full);
        }
        let from_there = open.entry(address).or_default();
        if *from_there >= self.most_from_one {
            return Err(TurnedAway::FullFromThere);
        }
        *from_there += 1;
        Ok(Counted { connections: self.clone(), address })
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut open = self.connections.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.address) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                open.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_counted_in_all_and_by_address() {
        let connections = Connections::new(3, 2);
        let address = |last| IpAddr::from([10, 0, 0, last]);
        let first = connections.enter(address(1)).unwrap();
        let _second = connections.enter(address(1)).unwrap();
        assert_eq!(connections.enter(address(1)).unwrap_err(), TurnedAway::FullFromThere);
        let _third = connections.enter(address(2)).unwrap();
        assert_eq!(connections.enter(address(3)).unwrap_err(), TurnedAway::Full);
        drop(first);
        assert!(connections.enter(address(1)).is_ok());
    }
}
