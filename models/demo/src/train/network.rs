//! The network: a strided stem, three stages that halve the map, residual blocks in two of them. It is trained with
//! batch normalisation (without it the loss did not move in 250 steps) and shipped without: each is folded into the
//! convolution before it.

use burn::module::{Module, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Initializer, Linear, LinearConfig, PaddingConfig2d};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

use crate::CLASS_NAMES;

/// Channels of the stem and of each stage.
const CHANNELS: [usize; 4] = [16, 32, 64, 96];

/// The shipped network, N×3×64×64 in, N×10 logits out.
#[derive(Module, Debug)]
pub struct Network {
    pub(super) stem: Layer,
    pub(super) stage1: Stage,
    pub(super) stage2: Stage,
    pub(super) down3: Layer,
    pub(super) conv3: Layer,
    pub(super) classifier: Linear,
}

/// Halves the map, then adds what two convolutions find.
#[derive(Module, Debug)]
pub(super) struct Stage {
    pub(super) down: Layer,
    pub(super) conv1: Layer,
    pub(super) conv2: Layer,
}

/// A convolution and, while it is trained, a normalisation.
#[derive(Module, Debug)]
pub(super) struct Layer {
    pub(super) conv: Conv2d,
    norm: Option<BatchNorm>,
}

impl Network {
    /// An untrained network.
    pub fn new(device: &Device) -> Self {
        let [stem, one, two, three] = CHANNELS;
        Self {
            stem: Layer::new(3, stem, 5, 2, device),
            stage1: Stage::new(stem, one, device),
            stage2: Stage::new(one, two, device),
            down3: Layer::new(two, three, 3, 2, device),
            conv3: Layer::new(three, three, 3, 1, device),
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

    /// The trained network without normalisation: the same function, to the rounding of its arithmetic.
    pub fn folded(self) -> Self {
        Self {
            stem: self.stem.folded(),
            stage1: self.stage1.folded(),
            stage2: self.stage2.folded(),
            down3: self.down3.folded(),
            conv3: self.conv3.folded(),
            classifier: self.classifier,
        }
    }
}

impl Stage {
    fn new(from: usize, to: usize, device: &Device) -> Self {
        Self {
            down: Layer::new(from, to, 3, 2, device),
            conv1: Layer::new(to, to, 3, 1, device),
            conv2: Layer::new(to, to, 3, 1, device),
        }
    }

    fn forward(&self, map: Tensor<4>) -> Tensor<4> {
        let map = relu(self.down.forward(map));
        let found = self.conv2.forward(relu(self.conv1.forward(map.clone())));
        relu(map + found)
    }

    fn folded(self) -> Self {
        Self { down: self.down.folded(), conv1: self.conv1.folded(), conv2: self.conv2.folded() }
    }
}

impl Layer {
    fn new(from: usize, to: usize, kernel: usize, stride: usize, device: &Device) -> Self {
        let around = kernel / 2;
        let mut conv = Conv2dConfig::new([from, to], [kernel, kernel])
            .with_stride([stride, stride])
            .with_padding(PaddingConfig2d::Explicit(around, around, around, around))
            .with_initializer(Initializer::KaimingNormal {
                gain: std::f64::consts::SQRT_2,
                fan_out_only: false,
            })
            .init(device);
        conv.bias = Some(Initializer::Zeros.init([to], device));
        Self { conv, norm: Some(BatchNormConfig::new(to).init(device)) }
    }

    fn forward(&self, map: Tensor<4>) -> Tensor<4> {
        let map = self.conv.forward(map);
        match &self.norm {
            Some(norm) => norm.forward(map),
            None => map,
        }
    }

    fn folded(self) -> Self {
        let Self { mut conv, norm } = self;
        if let (Some(norm), Some(bias)) = (norm, conv.bias.take()) {
            let scale = norm.gamma.val() / (norm.running_var.value() + norm.epsilon).sqrt();
            let bias = (bias.val() - norm.running_mean.value()) * scale.clone() + norm.beta.val();
            let channels = scale.dims()[0];
            conv.weight = Param::from_tensor(conv.weight.val() * scale.reshape([channels, 1, 1, 1]));
            conv.bias = Some(Param::from_tensor(bias));
        }
        Self { conv, norm: None }
    }
}
