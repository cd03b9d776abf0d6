//! Where a graph can be cut and what crosses there. Pure: knows values and readers, no tensors.
//!
//! Values are numbered: 0 is the network's input, `i + 1` is what node `i` makes. Nodes are in topological
//! order; cut `k` puts the first `k` of them into the head.

/// Who reads which value.
#[derive(Debug, Clone)]
pub(crate) struct Wiring {
    /// For each value the last node that reads it; the number of nodes for the network's output.
    last_readers: Vec<Option<usize>>,
    nodes: usize,
}

impl Wiring {
    /// Takes what each node reads, in topological order, and which value is the network's output.
    pub(crate) fn new(reads: &[Vec<usize>], output: usize) -> Self {
        let nodes = reads.len();
        let mut last_readers = vec![None; nodes + 1];
        for (node, values) in reads.iter().enumerate() {
            for value in values {
                last_readers[*value] = Some(node);
            }
        }
        last_readers[output] = Some(nodes);
        Self { last_readers, nodes }
    }

    /// The last cut: every node in the head.
    pub(crate) fn last_cut(&self) -> usize {
        self.nodes
    }

    /// The values made before the cut and read after it, in the order they are made. The input at cut 0
    /// and the output at the last cut.
    pub(crate) fn frontier(&self, cut: usize) -> Vec<usize> {
        (0..=cut.min(self.nodes))
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
        Wiring::new(&[vec![0], vec![1], vec![2, 1], vec![3, 0]], 4)
    }

    #[test]
    fn frontiers_of_a_graph_with_skips() {
        let cases: [(usize, &[usize]); 5] =
            [(0, &[0]), (1, &[0, 1]), (2, &[0, 1, 2]), (3, &[0, 3]), (4, &[4])];
        for (cut, frontier) in cases {
            assert_eq!(residual().frontier(cut), frontier, "cut {cut}");
        }
    }

    #[test]
    fn an_output_made_early_crosses_every_later_cut() {
        let wiring = Wiring::new(&[vec![0], vec![1]], 1);
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
