//! Where a graph can be cut and what crosses there. Pure: knows values and readers, no tensors.
//!
//! Values are numbered: 0 is the network's input, then what each node makes (one value or several), node by
//! node. Nodes are in topological order; cut `k` puts the first `k` of them into the head.

/// Who makes and who reads which value.
#[derive(Debug, Clone)]
pub(crate) struct Wiring {
    /// For each value the last node that reads it; the number of nodes for the network's output.
    last_readers: Vec<Option<usize>>,
    /// For each cut the number of values made before it, the input included.
    made_before: Vec<usize>,
}

impl Wiring {
    /// Takes what each node reads and how many values it makes, in topological order, and which value is the
    /// network's output.
    pub(crate) fn new(reads: &[Vec<usize>], makes: &[usize], output: usize) -> Self {
        let made_before: Vec<usize> = std::iter::once(1)
            .chain(makes.iter().scan(1, |made, count| {
                *made += count;
                Some(*made)
            }))
            .collect();
        let mut last_readers = vec![None; made_before.last().copied().unwrap_or(1)];
        for (node, values) in reads.iter().enumerate() {
            for value in values {
                last_readers[*value] = Some(node);
            }
        }
        last_readers[output] = Some(reads.len());
        Self { last_readers, made_before }
    }

    /// The last cut: every node in the head.
    pub(crate) fn last_cut(&self) -> usize {
        self.made_before.len() - 1
    }

    /// The values made before the cut and read after it, in the order they are made. The input at cut 0
    /// and the output at the last cut.
    pub(crate) fn frontier(&self, cut: usize) -> Vec<usize> {
        (0..self.made_before[cut.min(self.last_cut())])
            .filter(|value| self.last_readers[*value].is_some_and(|reader| reader >= cut))
            .collect()
    }

    /// Whether nothing reads the value after this node has.
    pub(crate) fn is_last_reader(&self, node: usize, value: usize) -> bool {
        self.last_readers[value] == Some(node)
    }
}

#[cfg(test)]
mod tests {
    use super::Wiring;

    /// input → a → b → add(b, a) → c, with a skip connection from the input into c.
    fn residual() -> Wiring {
        Wiring::new(&[vec![0], vec![1], vec![2, 1], vec![3, 0]], &[1; 4], 4)
    }

    #[test]
    fn frontiers_of_a_graph_with_skips() {
        let cases: [(usize, &[usize]); 5] =
            [(0, &[0]), (1, &[0, 1]), (2, &[0, 1, 2]), (3, &[0, 3]), (4, &[4])];
        for (cut, frontier) in cases {
            assert_eq!(residual().frontier(cut), frontier, "cut {cut}");
        }
    }

    /// input → split into 1, 2 and 3 (which nobody reads) → a(2) → add(a, 1).
    #[test]
    fn a_node_may_make_several_values() {
        let wiring = Wiring::new(&[vec![0], vec![2], vec![4, 1]], &[3, 1, 1], 5);
        let cases: [(usize, &[usize]); 4] = [(0, &[0]), (1, &[1, 2]), (2, &[1, 4]), (3, &[5])];
        for (cut, frontier) in cases {
            assert_eq!(wiring.frontier(cut), frontier, "cut {cut}");
        }
        assert_eq!(wiring.last_cut(), 3);
    }

    #[test]
    fn an_output_made_early_crosses_every_later_cut() {
        let wiring = Wiring::new(&[vec![0], vec![1]], &[1, 1], 1);
        assert_eq!(wiring.frontier(1), [1]);
        assert_eq!(wiring.frontier(2), [1]);
    }

    #[test]
    fn a_value_dies_with_its_last_reader() {
        assert!(!residual().is_last_reader(1, 1));
        assert!(residual().is_last_reader(2, 1));
        assert!(!residual().is_last_reader(3, 4), "the output is never freed");
    }
}
