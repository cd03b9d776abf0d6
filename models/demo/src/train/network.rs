//! The network: a strided stem, three stages that halve the map, residual blocks in two of them. No normalisation,
//! so that every operator of the exported graph is one that every runtime knows.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Initializer, Linear, LinearConfig, PaddingConfig2d};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

use crate::CLASS_NAMES;

/// Channels of the stem and of each stage.
const CHANNELS: [usize; 4] = [16, 32, 64, 96];

/// The shipped network, N×3×64×64 in, N×10 logits out.
#[derive(Module, Debug)]
pub struct Network {
    pub(super) stem: Conv2d,
    pub(super) stage1: Stage,
    pub(super) stage2: Stage,
    pub(super) down3: Conv2d,
    pub(super) conv3: Conv2d,
    pub(super) classifier: Linear,
}

/// Halves the map, then adds what two convolutions find.
#[derive(Module, Debug)]
pub(super) struct Stage {
    pub(super) down: Conv2d,
    pub(super) conv1: Conv2d,
    pub(super) conv2: Conv2d,
}

impl Network {
    /// An untrained network.
    pub fn new(device: &Device) -> Self {
        let [stem, one, two, three] = CHANNELS;
        Self {
            stem: convolution(3, stem, 5, 2, 1.0, device),
            stage1: Stage::new(stem, one, device),
            stage2: Stage::new(one, two, device),
            down3: convolution(two, three, 3, 2, 1.0, device),
            conv3: convolution(three, three, 3, 1, 1.0, device),
            classifier: LinearConfig::new(three, CLASS_NAMES.len()).init(device),
        }
    }

    /// The logits of a batch of preprocessed pictures.
    pub fn forward(&self, pictures: Tensor<4>) -> Tensor<2> {
        let map = relu(self.stem.forward(pictures));
        let map = self.stage2.forward(self.stage1.forward(map));
        let map = relu(self.conv3.forward(relu(self.down3.forward(map))));
        let features: Tensor<2> = map.mean_dims(&[2, 3]).flatten(1, 3);
        self.classifier.forward(features)
    }
}

impl Stage {
    fn new(from: usize, to: usize, device: &Device) -> Self {
        Self {
            down: convolution(from, to, 3, 2, 1.0, device),
            conv1: convolution(to, to, 3, 1, 1.0, device),
            // Small, so that the sum starts out as large as the map it is added to.
            conv2: convolution(to, to, 3, 1, 0.2, device),
        }
    }

    fn forward(&self, map: Tensor<4>) -> Tensor<4> {
        let map = relu(self.down.forward(map));
        let found = self.conv2.forward(relu(self.conv1.forward(map.clone())));
        relu(map + found)
    }
}

fn convolution(from: usize, to: usize, kernel: usize, stride: usize, gain: f64, device: &Device) -> Conv2d {
    let around = kernel / 2;
    let mut layer = Conv2dConfig::new([from, to], [kernel, kernel])
        .with_stride([stride, stride])
        .with_padding(PaddingConfig2d::Explicit(around, around, around, around))
        .with_initializer(Initializer::KaimingNormal {
            gain: gain * std::f64::consts::SQRT_2,
            fan_out_only: false,
        })
        .init(device);
    layer.bias = Some(Initializer::Zeros.init([to], device));
    layer
}
