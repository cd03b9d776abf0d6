//! Codecs: how the numbers of a frontier are written on the wire, and how their bytes are compressed.

use std::fmt;
use std::str::FromStr;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::v1::tensor::{DataType, TensorError, byte_length};

/// A dimension has to give each channel at least so many elements to be worth a scale for each: five bytes.
pub const LEAST_ELEMENTS_A_CHANNEL: u64 = 16;

/// How a number of a frontier is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum ElementFormat {
    /// As it is: a 32-bit IEEE float.
    #[default]
    F32,
    /// A 16-bit IEEE float, rounded half to even.
    F16,
    /// A signed byte, affine: `number ≈ (byte − zero point) × scale`, one scale for the whole tensor.
    I8,
    /// As [`ElementFormat::I8`], with a scale for each channel: see [`ChannelLayout`].
    I8Channel,
}

/// How the written numbers are compressed. No compression loses anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Compression {
    /// Not at all.
    #[default]
    None,
    /// One LZ4 block, without a frame.
    Lz4,
    /// One Zstandard frame.
    Zstd,
}

/// How the frontier's tensors are written on the wire. As text, on the wire as in settings, it is the format of its
/// elements and the compression: `f32`, `f16`, `i8` or `i8-channel`, alone or followed by `+lz4` or `+zstd`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Codec {
    /// How a number is written.
    pub elements: ElementFormat,
    /// How the written numbers are compressed.
    pub compression: Compression,
}

/// Text that names no codec.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no codec {0:?}: use f32, f16, i8 or i8-channel, alone or followed by +lz4 or +zstd")]
pub struct UnknownCodec(String);

impl ElementFormat {
    /// Every format, from the most exact to the least.
    pub const ALL: [Self; 4] = [Self::F32, Self::F16, Self::I8Channel, Self::I8];

    const fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::I8 => "i8",
            Self::I8Channel => "i8-channel",
        }
    }

    /// The type of an element before compression.
    pub const fn data_type(self) -> DataType {
        match self {
            Self::F32 => DataType::F32,
            Self::F16 => DataType::F16,
            Self::I8 | Self::I8Channel => DataType::I8,
        }
    }

    /// Which elements of a tensor share a scale; `None` where there are no scales.
    ///
    /// # Errors
    /// When the rank is above 8 or the shape overflows.
    pub fn channels(self, shape: &[u64]) -> Result<Option<ChannelLayout>, TensorError> {
        // Checked first: no product of some dimensions is then beyond that of all of them, unless one is zero.
        let elements = byte_length(DataType::F32, shape)? / DataType::F32.size() as u64;
        Ok(match self {
            Self::F32 | Self::F16 => None,
            Self::I8 => Some(ChannelLayout::whole(elements)),
            Self::I8Channel => Some(ChannelLayout::of(shape, elements)),
        })
    }

    /// Bytes of a tensor before compression: its elements, and five for each scale.
    ///
    /// # Errors
    /// When the rank is above 8 or the shape overflows.
    pub fn bytes(self, shape: &[u64]) -> Result<u64, TensorError> {
        let elements = byte_length(self.data_type(), shape)?;
        let scales = self.channels(shape)?.map_or(0, |channels| channels.count);
        Ok(elements.saturating_add(scales.saturating_mul(Scale::BYTES as u64)))
    }
}

impl Compression {
    /// Every compression.
    pub const ALL: [Self; 3] = [Self::None, Self::Lz4, Self::Zstd];

    const fn suffix(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Lz4 => "+lz4",
            Self::Zstd => "+zstd",
        }
    }
}

impl Codec {
    /// As the numbers are: 32-bit floats, not compressed.
    pub const F32: Self = Self::new(ElementFormat::F32, Compression::None);

    /// Every codec.
    pub const ALL: [Self; 12] = {
        let mut all = [Self::F32; 12];
        let mut place = 0;
        while place < all.len() {
            let (format, compression) = (place / Compression::ALL.len(), place % Compression::ALL.len());
            all[place] = Self::new(ElementFormat::ALL[format], Compression::ALL[compression]);
            place += 1;
        }
        all
    };

    /// A codec of its two parts.
    pub const fn new(elements: ElementFormat, compression: Compression) -> Self {
        Self { elements, compression }
    }

    /// Whether every number comes back bit by bit.
    pub const fn is_exact(self) -> bool {
        matches!(self.elements, ElementFormat::F32)
    }
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.elements.name())?;
        f.write_str(self.compression.suffix())
    }
}

impl FromStr for Codec {
    type Err = UnknownCodec;

    fn from_str(text: &str) -> Result<Self, UnknownCodec> {
        let (name, suffix) = text.split_at(text.find('+').unwrap_or(text.len()));
        let elements = ElementFormat::ALL.into_iter().find(|format| format.name() == name);
        let compression = Compression::ALL.into_iter().find(|compression| compression.suffix() == suffix);
        match (elements, compression) {
            (Some(elements), Some(compression)) => Ok(Self { elements, compression }),
            // What comes from outside may be long; an error is not.
            _ => Err(UnknownCodec(text.chars().take(32).collect())),
        }
    }
}

impl Serialize for Codec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Codec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct CodecVisitor;
        impl Visitor<'_> for CodecVisitor {
            type Value = Codec;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a codec's name")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Codec, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(CodecVisitor)
    }
}

/// Which elements of a tensor share a scale. The tensor is taken as `outer` × `count` × `inner` elements, row major;
/// the element (o, c, i) belongs to channel c.
///
/// The channels of a tensor of rank 4 and above are its second dimension (N × C × H × W; in an attention those are
/// the heads), of rank 3 its last one (N × tokens × C). A tensor of a lower rank is one channel, and so is one whose
/// channels would have fewer than [`LEAST_ELEMENTS_A_CHANNEL`] elements each, as scales would then outweigh them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChannelLayout {
    /// How often the channels repeat.
    pub outer: u64,
    /// How many channels there are; at least one.
    pub count: u64,
    /// Neighbouring elements of one channel.
    pub inner: u64,
}

impl ChannelLayout {
    fn whole(elements: u64) -> Self {
        Self { outer: 1, count: 1, inner: elements }
    }

    fn of(shape: &[u64], elements: u64) -> Self {
        let axis = match shape.len() {
            0..=2 => return Self::whole(elements),
            3 => 2,
            _ => 1,
        };
        let count = shape[axis];
        if elements == 0 || elements / count < LEAST_ELEMENTS_A_CHANNEL {
            return Self::whole(elements);
        }
        let inner = shape[axis + 1..].iter().product();
        Self { outer: elements / count / inner, count, inner }
    }
}

/// What turns the bytes of one channel into numbers: `number = (byte − zero point) × scale`, so that zero is exact.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    /// The step between two neighbouring numbers; finite and above zero.
    pub scale: f32,
    /// The byte that means zero.
    pub zero_point: i8,
}

impl Scale {
    /// Bytes of a scale on the wire: an `f32`, little endian, and an `i8`.
    pub const BYTES: usize = 5;

    pub(crate) fn to_bytes(self) -> [u8; Self::BYTES] {
        let [a, b, c, d] = self.scale.to_le_bytes();
        [a, b, c, d, self.zero_point.to_le_bytes()[0]]
    }

    pub(crate) fn from_bytes([a, b, c, d, zero_point]: [u8; Self::BYTES]) -> Self {
        Self { scale: f32::from_le_bytes([a, b, c, d]), zero_point: i8::from_le_bytes([zero_point]) }
    }
}
