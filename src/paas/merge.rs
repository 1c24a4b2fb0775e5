//! Trees laid over each other (paas-yaml.md §5.3).

use indexmap::IndexMap;
use indexmap::map::Entry as Slot;

use crate::paas::node::{Content, Entry, Key, Node, Place, Text};

/// Where a mapping stands that several were merged into; everything else keeps its own place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seat {
    /// Where the lowest does.
    Lowest,
    /// Where the highest does.
    Highest,
}

/// Lays trees over one, the lowest first: of a key that several have, mappings merge, and every
/// other value replaces what is below it.
///
/// All at once, because the lowest may have as many keys as there are trees above it.
pub(super) fn merge(lowest: Node, above: impl IntoIterator<Item = Node>, seat: Seat) -> Node {
    let mut pile = Pile { lowest, above: Vec::new() };
    for node in above {
        pile.add(node);
    }
    pile.flat(seat)
}

/// So many keys are looked for one by one.
const FEW: usize = 8;

/// Values for one key, the lowest first. If there are several, all of them are mappings.
struct Pile {
    lowest: Node,
    above: Vec<Node>,
}

/// Of a key, how it is written when that is not what it means, and where.
type Written = (Option<String>, Place);

/// What became of a value that was put on a pile.
#[derive(PartialEq, Eq)]
enum Put {
    OnTop,
    InPlaceOfAll,
}

impl Pile {
    fn add(&mut self, node: Node) -> Put {
        if self.lowest.is_mapping() && node.is_mapping() {
            self.above.push(node);
            Put::OnTop
        } else {
            *self = Self { lowest: node, above: Vec::new() };
            Put::InPlaceOfAll
        }
    }

    fn flat(self, seat: Seat) -> Node {
        let Self { lowest, mut above } = self;
        let place = match (seat, above.last()) {
            (Seat::Highest, Some(highest)) => highest.place,
            (Seat::Highest | Seat::Lowest, _) => lowest.place,
        };
        let Some(highest) = above.pop() else { return lowest };
        let mut lowest = lowest.entries();
        if above.is_empty() && lowest.len() <= FEW {
            let entries = over_few(lowest, highest.entries(), seat);
            return Node { content: Content::Mapping(entries), place };
        }
        above.push(highest);
        // By their keys, of which what is no text stands beside: it is not needed to find them.
        let mut piles: IndexMap<String, (Written, Self)> = IndexMap::new();
        lowest.extend(above.into_iter().flat_map(Node::entries));
        for Entry { key, value } in lowest {
            let Key { text: Text { value: text, written }, place } = key;
            match piles.entry(text) {
                Slot::Vacant(slot) => {
                    slot.insert(((written, place), Self { lowest: value, above: Vec::new() }));
                }
                Slot::Occupied(mut slot) => {
                    let (known, pile) = slot.get_mut();
                    if pile.add(value) == Put::InPlaceOfAll || seat == Seat::Highest {
                        *known = (written, place);
                    }
                }
            }
        }
        let entries = piles.into_iter().map(|(value, ((written, place), pile))| {
            let key = Key { text: Text { value, written }, place };
            Entry { key, value: pile.flat(seat) }
        });
        Node { content: Content::Mapping(entries.collect()), place }
    }
}

/// Lays entries over some few; those above are often many and stay where they are.
fn over_few(lowest: Vec<Entry>, mut above: Vec<Entry>, seat: Seat) -> Vec<Entry> {
    let merged = lowest.into_iter().map(|Entry { key, value }| {
        let same = |other: &Entry| other.key.text.value == key.text.value;
        let Some(index) = above.iter().position(same) else { return Entry { key, value } };
        let other = above.remove(index);
        let mut pile = Pile { lowest: value, above: Vec::new() };
        let replaces = pile.add(other.value) == Put::InPlaceOfAll || seat == Seat::Highest;
        Entry { key: if replaces { other.key } else { key }, value: pile.flat(seat) }
    });
    let merged: Vec<_> = merged.collect();
    above.splice(..0, merged);
    above
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paas::shape::{parsed, shape};

    fn merged(texts: &[&str], seat: Seat) -> Node {
        let mut nodes = texts.iter().map(|text| parsed(text));
        let lowest = nodes.next().unwrap();
        merge(lowest, nodes, seat)
    }

    #[test]
    fn mappings_merge_and_everything_else_replaces() {
        let merged = |texts: &[&str]| shape(&merged(texts, Seat::Lowest));
        assert_eq!(merged(&["{a: 1}"]), "{a: 1}");
        assert_eq!(
            merged(&["{a: 1, m: {x: 1, y: 2}}", "{m: {y: 3, z: 4}, b: 2}"]),
            "{a: 1, m: {x: 1, y: 3, z: 4}, b: 2}"
        );
        assert_eq!(merged(&["{l: [1, 2, 3]}", "{l: [9]}"]), "{l: [9]}");
        assert_eq!(merged(&["{a: {x: 1}, b: 1}", "{a: 1, b: {x: 1}}"]), "{a: 1, b: {x: 1}}");
        assert_eq!(merged(&["{a: {x: 1}}", "{a: }", "{b: 1}"]), "{a: ~, b: 1}");
        assert_eq!(
            merged(&["{a: {x: 1}}", "{a: 1}", "{a: {y: 2}}", "{a: {z: 3}}"]),
            "{a: {y: 2, z: 3}}"
        );
        assert_eq!(merged(&["[1]", "{a: 1}"]), "{a: 1}");
    }

    #[test]
    fn what_is_merged_keeps_its_places() {
        let texts = ["a:\n  x: 1\nb: 1", "\n\n\n\n\na:\n  x: 2\nb: 2"];
        let lines = |seat| {
            let node = merged(&texts, seat);
            let (a, b) = (node.entry("a").unwrap(), node.entry("b").unwrap());
            let x = a.value.entry("x").unwrap();
            [&a.key.place, &a.value.place, &x.key.place, &b.key.place].map(|place| place.line)
        };
        assert_eq!(lines(Seat::Lowest), [1, 2, 7, 8]);
        assert_eq!(lines(Seat::Highest), [6, 7, 7, 8]);
    }
}
