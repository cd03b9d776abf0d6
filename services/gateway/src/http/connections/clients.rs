//! How many connections there are, and of whom.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The places for connections.
#[derive(Debug, Clone)]
pub(super) struct Clients {
    greatest: usize,
    greatest_of_one: usize,
    /// Connections by address; as many entries as connections at most.
    taken: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// The place of one connection, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    client: IpAddr,
    clients: Clients,
}

impl Clients {
    pub(super) fn new(greatest: usize, greatest_of_one: usize) -> Self {
        Self { greatest, greatest_of_one, taken: Arc::default() }
    }

    /// Takes a place; `None` when there is none for this client.
    pub(super) fn enter(&self, client: IpAddr) -> Option<Place> {
        let client = of_one(client);
        let mut taken = self.taken();
        let (all, own) = (taken.values().sum::<usize>(), taken.get(&client).copied().unwrap_or(0));
        if all >= self.greatest || own >= self.greatest_of_one {
            return None;
        }
        taken.insert(client, own + 1);
        Some(Place { client, clients: self.clone() })
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        // No code panics while it holds the lock: a poisoned one still guards consistent data.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.clients.taken();
        match taken.get_mut(&self.client) {
            Some(own) if *own > 1 => *own -= 1,
            _ => drop(taken.remove(&self.client)),
        }
    }
}

/// One client has a whole /64 of IPv6 addresses.
fn of_one(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => (address.to_bits() & !u128::from(u64::MAX)).to_be_bytes().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::Clients;

    #[test]
    fn one_client_does_not_take_every_place() {
        let clients = Clients::new(3, 2);
        let enter = |address: &str| clients.enter(address.parse().unwrap());
        let (first, second) = (enter("10.0.0.1"), enter("::ffff:10.0.0.1"));
        assert!(first.is_some() && second.is_some());
        assert!(enter("10.0.0.1").is_none());
        let other = enter("10.0.0.2");
        assert!(other.is_some());
        assert!(enter("10.0.0.3").is_none(), "all three places are taken");
        drop(first);
        assert!(enter("10.0.0.1").is_some());
    }

    #[test]
    fn addresses_of_one_ipv6_network_are_one_client() {
        let clients = Clients::new(8, 1);
        let first = clients.enter("2001:db8::1".parse().unwrap());
        assert!(first.is_some());
        assert!(clients.enter("2001:db8::2".parse().unwrap()).is_none());
        assert!(clients.enter("2001:db8:0:1::1".parse().unwrap()).is_some());
    }
}
