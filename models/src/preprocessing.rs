//! From a picture to the network's input tensor.

use std::io::Cursor;

use image::imageops::{self, FilterType};
use image::{ImageReader, Limits, RgbImage};
use schemas::{Input, Tensor};
use serde::{Deserialize, Serialize};

use crate::error::ModelError;

/// Most pixels of an accepted picture: a 50-megapixel camera's, 150 MB decoded.
pub const GREATEST_PICTURE_PIXELS: u64 = 50_000_000;

/// Most bytes the decoder may allocate: the greatest picture at 8 bytes a pixel (16-bit RGBA).
const GREATEST_DECODED_BYTES: u64 = GREATEST_PICTURE_PIXELS * 8;

/// The order of the colour planes in the input tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channels {
    /// Red, green, blue.
    #[default]
    Rgb,
    /// Blue, green, red.
    Bgr,
}

/// How a picture becomes a tensor: value = (pixel × `scale` − `mean`) / `deviation`, a plane a channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preprocessing {
    /// Resize (bilinear) so that the shorter side has this many pixels, then crop the centre;
    /// `None` = resize to exactly `width` × `height`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resize_short_side: Option<u32>,
    /// Width of the tensor in pixels.
    pub width: u32,
    /// Height of the tensor in pixels.
    pub height: u32,
    /// Order of the planes; `mean` and `deviation` are in the same order.
    #[serde(default)]
    pub channels: Channels,
    /// What a pixel's 0..=255 is multiplied with first.
    pub scale: f64,
    /// Subtracted after scaling.
    pub mean: [f64; 3],
    /// Divided by last.
    pub deviation: [f64; 3],
}

impl Preprocessing {
    /// Most pixels a side of an input tensor.
    const GREATEST_SIDE: u32 = 4096;

    /// What is wrong with these settings, if anything.
    pub(crate) fn fault(&self) -> Option<String> {
        let sides =
            [self.width, self.height, self.resize_short_side.unwrap_or(u32::max(self.width, self.height))];
        if sides.iter().any(|side| !(1..=Self::GREATEST_SIDE).contains(side)) {
            return Some(format!("preprocessing: sides must be 1 to {} pixels", Self::GREATEST_SIDE));
        }
        if self.resize_short_side.is_some_and(|short| short < u32::max(self.width, self.height)) {
            return Some("preprocessing: resize_short_side is less than width or height".to_owned());
        }
        let finite = self.mean.iter().chain(&self.deviation).chain([&self.scale]).all(|v| v.is_finite());
        if !finite || self.deviation.contains(&0.0) {
            return Some("preprocessing: numbers must be finite, deviations not zero".to_owned());
        }
        None
    }
}

/// Makes the network's input tensor, 1 × 3 × height × width `f32`.
///
/// A tensor is passed on as it is: the network checks its shape.
///
/// # Errors
/// Pictures beyond [`GREATEST_PICTURE_PIXELS`] are refused by their header, before decoding; then all that
/// is no JPEG or PNG, is truncated, or contradicts itself. All are the caller's fault.
pub fn preprocess(settings: &Preprocessing, input: &Input<'_>) -> Result<Tensor<'static>, ModelError> {
    match input {
        Input::Tensor(tensor) => Ok(tensor.clone().into_owned()),
        Input::Encoded { bytes } => to_tensor(settings, decode(bytes)?),
        Input::Pixels { height, width, rgb } => to_tensor(settings, from_pixels(*width, *height, rgb)?),
    }
}

fn check_size(width: u32, height: u32) -> Result<(), ModelError> {
    if width == 0 || height == 0 {
        return Err(ModelError::WrongPixels("it is empty".to_owned()));
    }
    if u64::from(width) * u64::from(height) > GREATEST_PICTURE_PIXELS {
        return Err(ModelError::PictureTooLarge { width, height, greatest: GREATEST_PICTURE_PIXELS });
    }
    Ok(())
}

fn reader(bytes: &[u8]) -> Result<ImageReader<Cursor<&[u8]>>, ModelError> {
    let unreadable = |source| ModelError::Picture(image::ImageError::IoError(source));
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(unreadable)?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(GREATEST_DECODED_BYTES);
    reader.limits(limits);
    Ok(reader)
}

fn decode(bytes: &[u8]) -> Result<RgbImage, ModelError> {
    let (width, height) = reader(bytes)?.into_dimensions().map_err(ModelError::Picture)?;
    check_size(width, height)?;
    if is_cut_off_jpeg(bytes) {
        return Err(ModelError::WrongPixels("its end is missing".to_owned()));
    }
    let picture = reader(bytes)?.decode().map_err(ModelError::Picture)?;
    Ok(picture.into_rgb8())
}

/// The decoder fills what is missing of a JPEG with grey; half a picture must not be classified.
fn is_cut_off_jpeg(bytes: &[u8]) -> bool {
    const START_OF_SCAN: u8 = 0xda;
    const END_OF_IMAGE: [u8; 2] = [0xff, 0xd9];
    let Some(mut rest) = bytes.strip_prefix(&[0xff, 0xd8]) else { return false };
    // Segments before the pixels may hold a thumbnail with an end of its own: step over them.
    while let [0xff, marker, high, low, ..] = *rest {
        if marker == START_OF_SCAN {
            return !rest.windows(2).any(|pair| pair == END_OF_IMAGE);
        }
        let segment = match marker {
            0xff => 1, // a fill byte
            _ => 2 + usize::from(u16::from_be_bytes([high, low])),
        };
        rest = rest.get(segment..).unwrap_or_default();
    }
    // No scan where one should be: the decoder says what is wrong.
    false
}

fn from_pixels(width: u32, height: u32, rgb: &[u8]) -> Result<RgbImage, ModelError> {
    check_size(width, height)?;
    let expected = u64::from(width) * u64::from(height) * 3;
    if rgb.len() as u64 != expected {
        let reason = format!("{width}×{height} RGB pixels are {expected} bytes, it has {}", rgb.len());
        return Err(ModelError::WrongPixels(reason));
    }
    RgbImage::from_raw(width, height, rgb.to_vec())
        .ok_or_else(|| ModelError::WrongPixels("its bytes do not fit its size".to_owned()))
}

fn to_tensor(settings: &Preprocessing, picture: RgbImage) -> Result<Tensor<'static>, ModelError> {
    let picture = fit(settings, picture)?;
    let plane = settings.width as usize * settings.height as usize;
    let mut bytes = Vec::with_capacity(plane * 3 * 4);
    for channel in 0..3 {
        let source = match settings.channels {
            Channels::Rgb => channel,
            Channels::Bgr => 2 - channel,
        };
        let table = value_table(settings.scale, settings.mean[channel], settings.deviation[channel]);
        for pixel in picture.pixels() {
            bytes.extend_from_slice(&table[usize::from(pixel.0[source])]);
        }
    }
    let shape = vec![1, 3, u64::from(settings.height), u64::from(settings.width)];
    Ok(Tensor::new(schemas::DataType::F32, shape, bytes)?)
}

/// A pixel has 256 values only: the arithmetic is done once for each, in double precision.
fn value_table(scale: f64, mean: f64, deviation: f64) -> [[u8; 4]; 256] {
    std::array::from_fn(|pixel| {
        let value = (pixel as f64 * scale - mean) / deviation;
        (value as f32).to_le_bytes()
    })
}

fn fit(settings: &Preprocessing, picture: RgbImage) -> Result<RgbImage, ModelError> {
    let (width, height) = picture.dimensions();
    let Some(short) = settings.resize_short_side else {
        return Ok(resize(picture, settings.width, settings.height));
    };
    let scaled = |side: u32| u64::from(side) * u64::from(short) / u64::from(width.min(height));
    let (new_width, new_height) = (scaled(width), scaled(height));
    // A picture of 1×50 000 000 pixels would be blown up beyond every bound.
    if new_width * new_height > GREATEST_PICTURE_PIXELS {
        return Err(ModelError::PictureTooLarge { width, height, greatest: GREATEST_PICTURE_PIXELS });
    }
    let picture = resize(picture, new_width as u32, new_height as u32);
    let left = (picture.width() - settings.width) / 2;
    let top = (picture.height() - settings.height) / 2;
    Ok(imageops::crop_imm(&picture, left, top, settings.width, settings.height).to_image())
}

fn resize(picture: RgbImage, width: u32, height: u32) -> RgbImage {
    if picture.dimensions() == (width, height) {
        picture
    } else {
        imageops::resize(&picture, width, height, FilterType::Triangle)
    }
}
