//! Tensors as JSON numbers, flat or nested by dimension.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, SeqAccess, Visitor};

/// How one number becomes an element's bytes; `None` when it is not a value of the element's type.
pub(super) type Element = fn(f64) -> Option<Bytes>;

/// An element's bytes, little endian.
#[derive(Debug, Clone, Copy)]
pub(super) enum Bytes {
    One([u8; 1]),
    Four([u8; 4]),
}

impl Bytes {
    fn as_slice(&self) -> &[u8] {
        match self {
            Self::One(bytes) => bytes,
            Self::Four(bytes) => bytes,
        }
    }
}

/// A 32-bit float.
pub(super) fn fp32(value: f64) -> Option<Bytes> {
    let narrowed = value as f32;
    narrowed.is_finite().then(|| Bytes::Four(narrowed.to_le_bytes()))
}

/// A whole number of 0 to 255.
pub(super) fn uint8(value: f64) -> Option<Bytes> {
    let in_range = (0.0..=255.0).contains(&value) && value.fract() == 0.0;
    in_range.then_some(Bytes::One([value as u8]))
}

/// Reads the numbers of a JSON array, whatever its nesting, in order. Ends with an error at the first number
/// beyond `count`, so that memory stays within what the shape says, and when fewer arrive.
pub(super) fn read(json: &str, count: u64, element: Element) -> Result<Vec<u8>, serde_json::Error> {
    let mut collected = Collected { bytes: Vec::new(), read: 0, count, element };
    let mut deserializer = serde_json::Deserializer::from_str(json);
    Nested(&mut collected).deserialize(&mut deserializer)?;
    deserializer.end()?;
    if collected.read < count {
        let read = collected.read;
        return Err(Error::custom(format_args!("{read} numbers where the shape says {count}")));
    }
    Ok(collected.bytes)
}

struct Collected {
    bytes: Vec<u8>,
    read: u64,
    count: u64,
    element: Element,
}

struct Nested<'c>(&'c mut Collected);

impl Nested<'_> {
    fn push<E: Error>(self, value: f64) -> Result<(), E> {
        let Collected { bytes, read, count, element } = self.0;
        if *read == *count {
            return Err(E::custom(format_args!("more numbers than the {count} that the shape says")));
        }
        let Some(element) = element(value) else {
            return Err(E::custom(format_args!("{value} is not a value of the datatype")));
        };
        bytes.extend_from_slice(element.as_slice());
        *read += 1;
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Nested<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Nested<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number or an array of numbers")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        while elements.next_element_seed(Nested(&mut *self.0))?.is_some() {}
        Ok(())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.push(value as f64)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.push(value as f64)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.push(value)
    }
}
