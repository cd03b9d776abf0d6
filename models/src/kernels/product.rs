//! Products with a constant matrix whose columns lie side by side, as files of today hold them: each output is the sum over
//! two rows of numbers, and a tile of outputs is held in registers. Nothing is laid out anew.

#[cfg(test)]
mod tests;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::{WORTH_A_THREAD, has_many_registers};

/// Rows and columns of outputs computed together where there are 32 registers: 24 sums, six columns and a row.
const TILE_OF_MANY: (usize, usize) = (4, 6);
/// The same for 16 registers: 8 sums, four columns and a row.
const TILE_OF_FEW: (usize, usize) = (2, 4);

/// Numbers of a row that are taken at once, so that those of a tile's columns stay in the first cache (24 KB) while
/// all rows pass by.
const BLOCK: usize = 1024;

/// Rows of `inner` numbers times a matrix, plus a bias: `output[row][column] = bias[column] + Σ input[row][i] ×
/// weights[column][i]`.
///
/// `weights` has one row of `inner` numbers an output column, `bias` is empty or has one number each. An output's
/// sum is added up in the same order whatever the number of rows and threads. All of `output` is written.
pub(crate) fn product(input: &[f32], weights: &[f32], bias: &[f32], inner: usize, output: &mut [f32]) {
    let (rows, columns) = (input.len() / inner, weights.len() / inner);
    if output.is_empty() {
        return;
    }
    if bias.len() == columns {
        output.chunks_exact_mut(columns).for_each(|row| row.copy_from_slice(bias));
    } else {
        output.fill(0.0);
    }
    let threads = if rows * columns * inner < WORTH_A_THREAD { 1 } else { rayon::current_num_threads() };
    let width = columns.div_ceil(threads).next_multiple_of(TILE_OF_MANY.1 * TILE_OF_FEW.1);
    let mut parts: Vec<Part<'_>> = weights
        .chunks(width * inner)
        .map(|weights| Part { input, weights, inner, output: Vec::with_capacity(rows) })
        .collect();
    for row in output.chunks_exact_mut(columns) {
        parts.iter_mut().zip(row.chunks_mut(width)).for_each(|(part, row)| part.output.push(row));
    }
    match parts.len() {
        1 => parts.into_iter().for_each(|part| Arch::new().dispatch(part)),
        _ => parts.into_par_iter().for_each(|part| Arch::new().dispatch(part)),
    }
}

/// Some columns of the output.
struct Part<'a> {
    input: &'a [f32],
    weights: &'a [f32],
    inner: usize,
    /// For each row its numbers in these columns.
    output: Vec<&'a mut [f32]>,
}

impl WithSimd for Part<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        if has_many_registers(S::F32_LANES) {
            self.run::<S, { TILE_OF_MANY.0 }, { TILE_OF_MANY.1 }>(simd);
        } else {
            self.run::<S, { TILE_OF_FEW.0 }, { TILE_OF_FEW.1 }>(simd);
        }
    }
}

impl Part<'_> {
    #[inline(always)]
    fn run<S: Simd, const ROWS: usize, const COLUMNS: usize>(&mut self, simd: S) {
        let Self { input, weights, inner, output } = self;
        let inner = *inner;
        for from in (0..inner).step_by(BLOCK) {
            let block = from..inner.min(from + BLOCK);
            for (tile, weights) in weights.chunks(COLUMNS * inner).enumerate() {
                let first = tile * COLUMNS;
                let columns: [&[f32]; COLUMNS] = rows_of(weights, inner, &block);
                for (input, output) in input.chunks(ROWS * inner).zip(output.chunks_mut(ROWS)) {
                    let rows: [&[f32]; ROWS] = rows_of(input, inner, &block);
                    let sums = tile_of(simd, rows, columns);
                    for (sums, output) in sums.iter().zip(output.iter_mut()) {
                        output[first..].iter_mut().zip(sums).for_each(|(output, sum)| *output += sum);
                    }
                }
            }
        }
    }
}

/// A block of each of a tile's rows; where there are fewer the last again and again, for outputs that are thrown away.
#[inline(always)]
fn rows_of<'a, const COUNT: usize>(
    rows: &'a [f32],
    inner: usize,
    block: &std::ops::Range<usize>,
) -> [&'a [f32]; COUNT] {
    let last = (rows.len() / inner).saturating_sub(1);
    std::array::from_fn(|index| &rows[index.min(last) * inner..][block.clone()])
}

/// The sum over each row and each column.
#[inline(always)]
fn tile_of<S: Simd, const ROWS: usize, const COLUMNS: usize>(
    simd: S,
    rows: [&[f32]; ROWS],
    columns: [&[f32]; COLUMNS],
) -> [[f32; COLUMNS]; ROWS] {
    let vectors = rows[0].len() / S::F32_LANES;
    let rest = vectors * S::F32_LANES;
    let sums = vector_sums::<S, ROWS, COLUMNS>(simd, vectors, rows, columns);
    let mut totals = [[0.0; COLUMNS]; ROWS];
    for ((totals, sums), row) in totals.iter_mut().zip(sums).zip(rows) {
        for ((total, sum), column) in totals.iter_mut().zip(sums).zip(columns) {
            let ends: f32 =
                row[rest..].iter().zip(&column[rest..]).map(|(number, weight)| number * weight).sum();
            *total = simd.reduce_sum_f32s(sum) + ends;
        }
    }
    totals
}

/// The sums of each row and column over whole vectors. They are given back by value and copied before anything points at
/// them: sums that are pointed at would be stored again in every turn of the loop.
#[inline(always)]
fn vector_sums<S: Simd, const ROWS: usize, const COLUMNS: usize>(
    simd: S,
    vectors: usize,
    rows: [&[f32]; ROWS],
    columns: [&[f32]; COLUMNS],
) -> [[S::f32s; COLUMNS]; ROWS] {
    let rows = rows.map(|row| &S::as_simd_f32s(row).0[..vectors]);
    let columns = columns.map(|column| &S::as_simd_f32s(column).0[..vectors]);
    let mut sums = [[simd.splat_f32s(0.0); COLUMNS]; ROWS];
    for place in 0..vectors {
        for row in 0..ROWS {
            for column in 0..COLUMNS {
                sums[row][column] =
                    simd.mul_add_f32s(rows[row][place], columns[column][place], sums[row][column]);
            }
        }
    }
    sums
}
