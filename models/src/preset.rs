//! The usual ways to make a tensor of a picture, by name.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::preprocessing::{Channels, Preprocessing};

/// Inputs up to this side take the picture whole; larger ones crop its centre out of a picture 8/7 as large (256 for
/// 224), as the evaluations of torchvision, TF-Slim (`central_fraction = 0.875`) and Caffe's reference networks do.
const WHOLE_UP_TO: u32 = 64;

/// A convention of preprocessing that many published networks share; the size comes from the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Preset {
    /// RGB, ImageNet's mean and deviation of pixels in 0..=1.
    ///
    /// Source: torchvision's documentation of its classification weights, `mean=[0.485, 0.456, 0.406]`,
    /// `std=[0.229, 0.224, 0.225]`; the ONNX model zoo uses them too.
    #[default]
    ImagenetTorch,
    /// RGB, pixels in −1..=1.
    ///
    /// Source: Keras' `imagenet_utils.preprocess_input(mode="tf")`, `x / 127.5 − 1`; TF-Slim's Inception
    /// preprocessing, which MobileNets are trained with, is the same.
    ImagenetTf,
    /// RGB, the mean and deviation of CIFAR-10's training pictures in 0..=1, never cropped.
    ///
    /// Source: computed over the 50 000 training pictures, rounded as published networks have it:
    /// (0.4914, 0.4822, 0.4465) and (0.2470, 0.2435, 0.2616). Some CIFAR-10 networks use ImageNet's numbers instead:
    /// take `imagenet-torch` for those.
    Cifar,
    /// BGR, pixels in 0..=255 less the mean pixel, not scaled.
    ///
    /// Source: `mean_value` 104, 117, 123 (blue, green, red) in the `train_val.prototxt` of Caffe's GoogLeNet and of
    /// SqueezeNet.
    CaffeBgr,
}

impl Preset {
    /// All of them, the commonest first.
    pub const ALL: [Self; 4] = [Self::ImagenetTorch, Self::ImagenetTf, Self::Cifar, Self::CaffeBgr];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ImagenetTorch => "imagenet-torch",
            Self::ImagenetTf => "imagenet-tf",
            Self::Cifar => "cifar",
            Self::CaffeBgr => "caffe-bgr",
        }
    }

    /// What it does and whose networks want it, in a line.
    pub const fn about(self) -> &'static str {
        match self {
            Self::ImagenetTorch => "RGB, (pixel/255 − mean) ÷ deviation of ImageNet: PyTorch, ONNX model zoo",
            Self::ImagenetTf => "RGB, pixel/127.5 − 1: TensorFlow, Keras",
            Self::Cifar => "RGB, (pixel/255 − mean) ÷ deviation of CIFAR-10, the picture whole",
            Self::CaffeBgr => "BGR, pixel − (104, 117, 123): Caffe",
        }
    }

    /// The settings for an input of this size in pixels.
    pub fn preprocessing(self, width: u32, height: u32) -> Preprocessing {
        let (channels, scale, mean, deviation) = match self {
            Self::ImagenetTorch => (Channels::Rgb, 1.0 / 255.0, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
            Self::ImagenetTf => (Channels::Rgb, 1.0 / 127.5, [1.0; 3], [1.0; 3]),
            Self::Cifar => (Channels::Rgb, 1.0 / 255.0, [0.4914, 0.4822, 0.4465], [0.2470, 0.2435, 0.2616]),
            Self::CaffeBgr => (Channels::Bgr, 1.0, [104.0, 117.0, 123.0], [1.0; 3]),
        };
        let longer = width.max(height);
        let cropped = self != Self::Cifar && longer > WHOLE_UP_TO;
        let resize_short_side = cropped.then(|| longer.saturating_mul(8) / 7);
        Preprocessing { resize_short_side, width, height, channels, scale, mean, deviation }
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// There is no preset of that name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no preset {name:?}: use one of {}", Preset::ALL.map(Preset::as_str).join(", "))]
pub struct UnknownPreset {
    name: String,
}

impl FromStr for Preset {
    type Err = UnknownPreset;

    fn from_str(name: &str) -> Result<Self, UnknownPreset> {
        let known = Self::ALL.into_iter().find(|preset| preset.as_str() == name);
        known.ok_or_else(|| UnknownPreset { name: name.chars().take(40).collect() })
    }
}

impl TryFrom<String> for Preset {
    type Error = UnknownPreset;

    fn try_from(name: String) -> Result<Self, UnknownPreset> {
        name.parse()
    }
}

impl From<Preset> for String {
    fn from(preset: Preset) -> Self {
        preset.as_str().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_unknown_ones_name_the_known() {
        for preset in Preset::ALL {
            assert_eq!(preset.as_str().parse(), Ok(preset));
        }
        let error = "imagenet".parse::<Preset>().unwrap_err().to_string();
        for preset in Preset::ALL {
            assert!(error.contains(preset.as_str()), "{error}");
        }
    }

    #[test]
    fn a_white_and_a_black_pixel_become_what_the_conventions_say() {
        // (0 − mean) ÷ deviation and (1 − mean) ÷ deviation of the first channel, by hand.
        for (preset, black, white) in [
            (Preset::ImagenetTorch, -2.1179, 2.2489),
            (Preset::ImagenetTf, -1.0, 1.0),
            (Preset::Cifar, -1.9895, 2.0591),
            (Preset::CaffeBgr, -104.0, 151.0),
        ] {
            let settings = preset.preprocessing(224, 224);
            assert_eq!(settings.fault(), None, "{preset}");
            for (pixel, expected) in [(0.0, black), (255.0, white)] {
                let value = (pixel * settings.scale - settings.mean[0]) / settings.deviation[0];
                assert!((value - expected).abs() < 1e-4, "{preset}: {value}");
            }
        }
    }

    #[test]
    fn small_inputs_take_the_picture_whole() {
        let short = |preset: Preset, width, height| preset.preprocessing(width, height).resize_short_side;
        assert_eq!(short(Preset::ImagenetTorch, 224, 224), Some(256));
        assert_eq!(short(Preset::CaffeBgr, 227, 227), Some(259));
        assert_eq!(short(Preset::ImagenetTorch, 32, 32), None);
        assert_eq!(short(Preset::Cifar, 224, 224), None);
    }
}
