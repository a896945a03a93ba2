//! The markets that an account has entered, without a place of their own in memory while they are few.

use super::MarketId;

/// How many fit beside their count in as much room as a `Vec` takes.
const FEW: usize = 7;

/// Markets in the comptroller's order.
#[derive(Clone)]
pub(super) enum Entered {
    Few { count: u8, ids: [MarketId; FEW] },
    Many(Vec<MarketId>),
}

impl Entered {
    pub(super) fn as_slice(&self) -> &[MarketId] {
        match self {
            Self::Few { count, ids } => &ids[..usize::from(*count).min(FEW)],
            Self::Many(ids) => ids,
        }
    }

    /// Adds a market as the last.
    pub(super) fn push(&mut self, id: MarketId) {
        match self {
            Self::Few { count, ids } => {
                if let Some(place) = ids.get_mut(usize::from(*count)) {
                    *place = id;
                    *count += 1;
                } else {
                    let mut many = ids.to_vec();
                    many.push(id);
                    *self = Self::Many(many);
                }
            }
            Self::Many(ids) => ids.push(id),
        }
    }

    /// Takes a market out; the last one takes its place.
    pub(super) fn leave(&mut self, id: MarketId) {
        let slice = self.as_slice();
        let (Some(place), Some(&last)) = (slice.iter().position(|entered| *entered == id), slice.last()) else {
            return;
        };
        match self {
            Self::Few { count, ids } => {
                ids[place] = last;
                *count -= 1;
            }
            Self::Many(ids) => {
                ids.swap_remove(place);
            }
        }
    }
}

impl Default for Entered {
    fn default() -> Self {
        Self::Few {
            count: 0,
            ids: [MarketId(0); FEW],
        }
    }
}

impl PartialEq for Entered {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl Eq for Entered {}

impl std::fmt::Debug for Entered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.as_slice().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn it_takes_no_more_room_than_a_vector() {
        assert_eq!(size_of::<Entered>(), size_of::<Vec<MarketId>>());
    }

    proptest! {
        #[test]
        fn prop_it_is_a_list_from_which_the_last_fills_gaps(steps in proptest::collection::vec((any::<bool>(), 0u16..14), 0..60)) {
            let (mut entered, mut list) = (Entered::default(), Vec::new());
            for (enters, id) in steps {
                let id = MarketId(id);
                let place = list.iter().position(|entered| *entered == id);
                match place {
                    None if enters => {
                        entered.push(id);
                        list.push(id);
                    }
                    Some(place) if !enters => {
                        entered.leave(id);
                        list.swap_remove(place);
                    }
                    _ if !enters => entered.leave(id),
                    _ => {}
                }
                prop_assert_eq!(entered.as_slice(), list.as_slice());
            }
        }
    }
}
