//! The slots of calls that wait for a reply. Pure code.

/// Where a reply belongs. A slot is used again by later calls; the generation tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
    pub slot: usize,
    pub generation: u64,
}

#[derive(Debug)]
struct Slot<T> {
    generation: u64,
    waiting: Option<T>,
}

/// A bounded set of waiting calls.
#[derive(Debug)]
pub struct PendingCalls<T> {
    slots: Vec<Slot<T>>,
    free: Vec<usize>,
    greatest: usize,
}

impl<T> PendingCalls<T> {
    pub fn new(greatest: usize) -> Self {
        Self { slots: Vec::new(), free: Vec::new(), greatest }
    }

    /// Takes a slot; `None` when all are taken.
    pub fn insert(&mut self, waiting: T) -> Option<Ticket> {
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None if self.slots.len() < self.greatest => {
                self.slots.push(Slot { generation: 0, waiting: None });
                self.slots.len() - 1
            }
            None => return None,
        };
        let entry = self.slots.get_mut(slot)?;
        entry.generation += 1;
        entry.waiting = Some(waiting);
        Some(Ticket { slot, generation: entry.generation })
    }

    /// The call that a reply belongs to; `None` when it has ended.
    pub fn get(&self, ticket: Ticket) -> Option<&T> {
        let slot = self.slots.get(ticket.slot)?;
        slot.waiting.as_ref().filter(|_| slot.generation == ticket.generation)
    }

    /// Gives the slot back.
    pub fn remove(&mut self, ticket: Ticket) -> Option<T> {
        let slot = self.slots.get_mut(ticket.slot).filter(|slot| slot.generation == ticket.generation)?;
        let waiting = slot.waiting.take()?;
        self.free.push(ticket.slot);
        Some(waiting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_reply_finds_no_call_even_when_its_slot_is_used_again() {
        let mut pending = PendingCalls::new(1);
        let first = pending.insert("first").unwrap();
        assert_eq!(pending.remove(first), Some("first"));
        let second = pending.insert("second").unwrap();
        assert_eq!(first.slot, second.slot);
        assert_eq!((pending.get(first), pending.get(second)), (None, Some(&"second")));
        assert_eq!(pending.remove(first), None);
        assert_eq!(pending.get(second), Some(&"second"));
    }

    #[test]
    fn no_more_than_the_bound_wait() {
        let mut pending = PendingCalls::new(2);
        let one = pending.insert(1).unwrap();
        assert!(pending.insert(2).is_some());
        assert!(pending.insert(3).is_none());
        pending.remove(one);
        assert!(pending.insert(3).is_some());
    }
}
