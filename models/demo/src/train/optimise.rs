//! The training loop. Every picture is drawn once and never seen again.

use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, anyhow, ensure};
use burn::module::Module;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::optim::{AdamWConfig, GradientsParams};
use burn::tensor::{Device, Int, Tensor, TensorData};

use super::network::Network;
use crate::CLASS_NAMES;
use crate::pictures::{SIDE, draw};

/// Batches drawn ahead of the training: drawing is faster, so two are enough.
const DRAWN_AHEAD: usize = 2;

/// Steps between two lines of progress.
const REPORT_EVERY: u64 = 50;

/// How long and on what to train.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Seed of the training pictures and of the initial weights.
    pub seed: u64,
    /// Pictures to train on.
    pub pictures: u64,
    /// Pictures a step.
    pub batch: u64,
    /// Greatest learning rate.
    pub rate: f64,
}

impl Plan {
    fn steps(&self) -> u64 {
        self.pictures / self.batch.max(1)
    }

    /// Rises over the first twentieth, then falls along half a cosine.
    fn rate_at(&self, step: u64) -> f64 {
        let done = step as f64 / self.steps().max(1) as f64;
        if done < 0.05 {
            return self.rate * (0.1 + 0.9 * done / 0.05);
        }
        let falling = (done - 0.05) / 0.95;
        self.rate * (0.01 + 0.99 * 0.5 * (1.0 + (std::f64::consts::PI * falling).cos()))
    }
}

/// One batch: values as the network takes them, and classes.
struct Batch {
    values: Vec<f32>,
    classes: Vec<i32>,
}

impl Batch {
    fn draw(seed: u64, from: u64, count: u64) -> Self {
        let mut batch = Self { values: Vec::new(), classes: Vec::new() };
        let plane = (SIDE * SIDE) as usize;
        for index in from..from + count {
            let picture = draw(seed, index);
            for channel in 0..3 {
                let pixels = picture.rgb.iter().skip(channel).step_by(3);
                batch.values.extend(pixels.take(plane).map(|value| f32::from(*value) * (2.0 / 255.0) - 1.0));
            }
            batch.classes.push(picture.class as i32);
        }
        batch
    }

    fn tensors(self, device: &Device) -> (Tensor<4>, Tensor<1, Int>) {
        let (count, side) = (self.classes.len(), SIDE as usize);
        let pictures = Tensor::from_data(TensorData::new(self.values, [count, 3, side, side]), device);
        (pictures, Tensor::from_data(TensorData::new(self.classes, [count]), device))
    }
}

/// Trains a fresh network, saying how it goes on standard error.
///
/// # Errors
/// When the plan has no step, or the loss is no number any more.
pub fn train(plan: Plan, device: &Device) -> Result<Network> {
    ensure!(plan.steps() > 0, "fewer pictures than one batch");
    let training = device.clone().autodiff();
    training.seed(plan.seed);
    let mut network = Network::new(&training);
    eprintln!("untrained: {:.4} on 500 pictures", accuracy(&network.valid(), plan.seed + 1, 500, device)?);

    let (sender, batches) = sync_channel(DRAWN_AHEAD);
    thread::spawn(move || {
        for step in 0..plan.steps() {
            if sender.send(Batch::draw(plan.seed, step * plan.batch, plan.batch)).is_err() {
                break;
            }
        }
    });

    let loss = CrossEntropyLossConfig::new().with_smoothing(Some(0.05)).init(&training);
    let mut optimizer = AdamWConfig::new().with_epsilon(1e-8).with_weight_decay(0.02).init();
    let (start, mut sum) = (Instant::now(), 0.0);
    for step in 0..plan.steps() {
        let (pictures, classes) = batches.recv().context("the drawing thread is gone")?.tensors(&training);
        let error = loss.forward(network.forward(pictures), classes);
        let value: f32 = error.clone().into_scalar();
        ensure!(value.is_finite(), "the loss is no number any more at step {step}");
        sum += value;
        let gradients = GradientsParams::from_grads(error.backward(), &network);
        network = optimizer.step(plan.rate_at(step), network, gradients);
        if (step + 1) % REPORT_EVERY == 0 {
            let seconds = start.elapsed().as_secs();
            eprintln!(
                "step {} of {}: loss {:.4}, {seconds} s",
                step + 1,
                plan.steps(),
                sum / REPORT_EVERY as f32
            );
            sum = 0.0;
        }
    }
    Ok(network.valid().folded())
}

/// The logits of the pictures `from..from + count` of `seed`, one row a picture, and their classes.
///
/// # Errors
/// When the logits cannot be read back.
pub fn logits(
    network: &Network,
    seed: u64,
    from: u64,
    count: u64,
    device: &Device,
) -> Result<(Vec<f32>, Vec<i32>)> {
    let batch = Batch::draw(seed, from, count);
    let classes = batch.classes.clone();
    let logits = network.forward(batch.tensors(device).0).into_data().try_to_vec::<f32>();
    Ok((logits.map_err(|error| anyhow!("logits: {error:?}"))?, classes))
}

/// The share of the pictures `0..count` of `seed` that the network names rightly.
///
/// # Errors
/// As [`logits`].
pub fn accuracy(network: &Network, seed: u64, count: u64, device: &Device) -> Result<f64> {
    const AT_ONCE: u64 = 100;
    let mut right = 0;
    for from in (0..count).step_by(AT_ONCE as usize) {
        let (logits, classes) = logits(network, seed, from, AT_ONCE.min(count - from), device)?;
        for (row, class) in logits.chunks(CLASS_NAMES.len()).zip(classes) {
            let best = row.iter().enumerate().max_by(|one, two| one.1.total_cmp(two.1));
            right += u64::from(best.is_some_and(|(index, _)| index as i32 == class));
        }
    }
    Ok(right as f64 / count as f64)
}
