//! Einstein's sums of two tensors.

use burn_backend::ops::FloatTensorOps;

use super::{B, Batched, Primitive, reshape, shape_of};

/// A letter for each axis; those in both operands but not in the output are summed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Einsum {
    pub(crate) left: Vec<char>,
    pub(crate) right: Vec<char>,
    pub(crate) output: Vec<char>,
}

impl Einsum {
    /// Letters of one operand, by where else they are.
    fn letters(&self, of: &[char], elsewhere: &[char], in_output: bool) -> Vec<char> {
        let both = |letter: &&char| elsewhere.contains(letter);
        let kept = |letter: &&char| self.output.contains(letter) == in_output;
        of.iter().filter(both).filter(kept).copied().collect()
    }

    fn own(&self, of: &[char], elsewhere: &[char]) -> Vec<char> {
        of.iter().filter(|letter| !elsewhere.contains(letter)).copied().collect()
    }

    /// Elements of the output.
    pub(super) fn elements_made(&self, left: &[usize], right: &[usize]) -> usize {
        let side = |letter: &char| {
            let of = |letters: &[char], sides: &[usize]| {
                letters.iter().position(|other| other == letter).and_then(|at| sides.get(at).copied())
            };
            of(&self.left, left).or_else(|| of(&self.right, right)).unwrap_or(1)
        };
        self.output.iter().fold(1, |product: usize, letter| product.saturating_mul(side(letter)))
    }

    /// Where the batch's axis is in the output.
    pub(super) fn axis_after(&self, operands: &[Batched]) -> Option<usize> {
        let mut both = [&self.left, &self.right].into_iter().zip(operands);
        let letter = both.find_map(|(letters, operand)| letters.get(operand.axis?))?;
        self.output.iter().position(|other| other == letter)
    }

    /// Whether this is a product of matrices: no letter twice in an operand, none summed that only one has.
    pub(crate) fn is_product(&self) -> bool {
        let once = |letters: &[char]| (1..letters.len()).all(|at| !letters[..at].contains(&letters[at]));
        let known = self.output.iter().all(|l| self.left.contains(l) || self.right.contains(l));
        let own = self.own(&self.left, &self.right).into_iter().chain(self.own(&self.right, &self.left));
        let kept = own.into_iter().all(|letter| self.output.contains(&letter));
        once(&self.left) && once(&self.right) && once(&self.output) && known && kept
    }
}

pub(super) fn run(settings: &Einsum, a: Primitive, b: Primitive) -> Primitive {
    let (left, right) = (&settings.left, &settings.right);
    let shared = settings.letters(left, right, true);
    let summed = settings.letters(left, right, false);
    let (rows, columns) = (settings.own(left, right), settings.own(right, left));
    let sides = |letters: &[char], from: &[char], shape: &[usize]| -> Vec<usize> {
        let of = |letter: &char| from.iter().position(|other| other == letter).map_or(1, |at| shape[at]);
        letters.iter().map(of).collect()
    };
    let (of_a, of_b) = (shape_of(&a), shape_of(&b));
    let joined = |parts: [&[usize]; 3]| parts.map(|part| part.iter().product::<usize>());
    let (s, r, k, c) = (
        sides(&shared, left, &of_a),
        sides(&rows, left, &of_a),
        sides(&summed, left, &of_a),
        sides(&columns, right, &of_b),
    );
    let a = reshape(in_order(a, left, &[&shared[..], &rows, &summed].concat()), &joined([&s, &r, &k]));
    let b = reshape(in_order(b, right, &[&shared[..], &summed, &columns].concat()), &joined([&s, &k, &c]));
    let made = reshape(B::float_matmul(a, b), &[s, r, c].concat());
    in_order(made, &[shared, rows, columns].concat(), &settings.output)
}

/// With its axes in the order of other letters.
fn in_order(x: Primitive, have: &[char], want: &[char]) -> Primitive {
    let axes: Vec<usize> =
        want.iter().filter_map(|letter| have.iter().position(|other| other == letter)).collect();
    B::float_permute(x, &axes)
}
