//! What a picture's first bytes say of it. Pure; nothing is decoded.

use std::io::Cursor;

use image::{ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};
use schemas::{Fault, FaultKind};

/// A picture's kind and size, as its header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// JPEG or PNG.
    pub kind: Kind,
    /// Pixels a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

/// The kinds of pictures that executors decode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// JPEG.
    Jpeg,
    /// PNG.
    Png,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
        }
    }
}

/// Reads a picture's header; refuses what is neither JPEG nor PNG, a header that is cut off or damaged,
/// and more than `greatest_pixels` pixels.
///
/// A picture whose header is whole but whose data is cut off passes: only its decoder, in the executor,
/// finds out.
pub fn check(bytes: &[u8], greatest_pixels: u64) -> Result<Header, Fault> {
    let kind = kind(bytes)?;
    let (width, height) = size(bytes, kind).map_err(|reason| {
        let name = kind.name();
        let length = bytes.len();
        refused(format!(
            "the {name} picture's header cannot be read ({reason}); {length} bytes arrived: is the file cut off?"
        ))
    })?;
    let pixels = u64::from(width) * u64::from(height);
    if pixels == 0 {
        return Err(refused(format!("the picture has no pixels: {width} × {height}")));
    }
    if pixels > greatest_pixels {
        return Err(too_many_pixels(u64::from(width), u64::from(height), greatest_pixels));
    }
    Ok(Header { kind, width, height })
}

/// The refusal of too great a picture, naming the limit.
pub(crate) fn too_many_pixels(width: u64, height: u64, greatest_pixels: u64) -> Fault {
    refused(format!(
        "the picture is {width} × {height} pixels, the limit is {greatest_pixels} pixels: send it scaled down"
    ))
}

fn kind(bytes: &[u8]) -> Result<Kind, Fault> {
    match image::guess_format(bytes) {
        Ok(ImageFormat::Jpeg) => Ok(Kind::Jpeg),
        Ok(ImageFormat::Png) => Ok(Kind::Png),
        _ if bytes.is_empty() => {
            Err(refused("the request has no body: send the bytes of a JPEG or PNG picture".into()))
        }
        _ => Err(refused("the body is not a picture: send the bytes of a JPEG or PNG file".into())),
    }
}

fn size(bytes: &[u8], kind: Kind) -> Result<(u32, u32), String> {
    match kind {
        Kind::Jpeg => jpeg_size(bytes),
        Kind::Png => png_size(bytes).ok_or_else(|| "it does not hold the picture's size".into()),
    }
}

/// A PNG's first chunk holds its size at a fixed place. The decoder is not asked: it refuses great sizes
/// in words of its own.
fn png_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let header = bytes.get(..33)?;
    if header.get(12..16)? != b"IHDR" {
        return None;
    }
    let number =
        |place: usize| header.get(place..)?.first_chunk::<4>().map(|number| u32::from_be_bytes(*number));
    Some((number(16)?, number(20)?))
}

fn jpeg_size(bytes: &[u8]) -> Result<(u32, u32), String> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), ImageFormat::Jpeg);
    // The size is checked against our own limit, with our own words; nothing is allocated for pixels here.
    reader.limits(Limits::no_limits());
    reader.into_decoder().map(|decoder| decoder.dimensions()).map_err(|error| reason(&error))
}

/// The decoder's reason in one short line: its texts are foreign and may quote the input.
fn reason(error: &ImageError) -> String {
    error.to_string().chars().filter(|letter| !letter.is_control()).take(120).collect()
}

fn refused(message: String) -> Fault {
    Fault::new(FaultKind::BadRequest, message)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use image::{DynamicImage, ImageFormat};
    use proptest::prelude::{any, prop, prop_assert, proptest};

    use super::{Kind, check};

    const GREATEST: u64 = 50_000_000;

    fn picture(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        DynamicImage::new_rgb8(width, height).write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    /// A PNG whose header says a size without the pixels for it.
    fn png_that_says(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = picture(1, 1, ImageFormat::Png);
        bytes[16..20].copy_from_slice(&width.to_be_bytes());
        bytes[20..24].copy_from_slice(&height.to_be_bytes());
        bytes
    }

    /// A JPEG whose frame header says a size without the data for it.
    fn jpeg_that_says(width: u16, height: u16) -> Vec<u8> {
        let mut bytes = picture(8, 8, ImageFormat::Jpeg);
        let frame = bytes.windows(2).position(|pair| pair == [0xFF, 0xC0]).unwrap();
        bytes[frame + 5..frame + 7].copy_from_slice(&height.to_be_bytes());
        bytes[frame + 7..frame + 9].copy_from_slice(&width.to_be_bytes());
        bytes
    }

    #[test]
    fn headers_say_kind_and_size() {
        for (format, kind) in [(ImageFormat::Jpeg, Kind::Jpeg), (ImageFormat::Png, Kind::Png)] {
            let header = check(&picture(31, 17, format), GREATEST).unwrap();
            assert_eq!((header.kind, header.width, header.height), (kind, 31, 17));
        }
    }

    #[test]
    fn wrong_pictures_are_refused_with_the_reason() {
        let jpeg = picture(64, 64, ImageFormat::Jpeg);
        let png = picture(64, 64, ImageFormat::Png);
        let gif = b"GIF89a\x01\x00\x01\x00".to_vec();
        let cases: [(&str, Vec<u8>, &str); 10] = [
            ("nothing", vec![], "no body"),
            ("text", b"a cat".to_vec(), "not a picture"),
            ("another kind of picture", gif, "JPEG or PNG"),
            ("a JPEG cut in its header", jpeg[..20].to_vec(), "cut off"),
            ("a PNG cut in its header", png[..20].to_vec(), "cut off"),
            ("10 000 × 10 000", png_that_says(10_000, 10_000), "the limit is 50000000 pixels"),
            ("2 G × 2 G", png_that_says(u32::MAX >> 1, u32::MAX >> 1), "the limit is 50000000 pixels"),
            ("a JPEG of 10 000 × 10 000", jpeg_that_says(10_000, 10_000), "the limit is 50000000 pixels"),
            ("the greatest JPEG", jpeg_that_says(u16::MAX, u16::MAX), "the limit is 50000000 pixels"),
            ("no pixels", png_that_says(0, 7), "no pixels"),
        ];
        for (name, bytes, expected) in cases {
            let fault = check(&bytes, GREATEST).unwrap_err();
            assert!(fault.message.contains(expected), "{name}: {}", fault.message);
        }
    }

    #[test]
    fn a_picture_cut_after_its_header_passes() {
        let jpeg = picture(640, 480, ImageFormat::Jpeg);
        check(&jpeg[..jpeg.len() - 200], GREATEST).unwrap();
    }

    proptest! {
        #[test]
        fn no_bytes_panic(noise in prop::collection::vec(any::<u8>(), 0..300), cut in 0_usize..700, png in any::<bool>()) {
            let format = if png { ImageFormat::Png } else { ImageFormat::Jpeg };
            let mut bytes = picture(20, 20, format);
            bytes.truncate(cut);
            bytes.extend(&noise);
            if let Ok(header) = check(&bytes, 1000) {
                prop_assert!(u64::from(header.width) * u64::from(header.height) <= 1000);
            }
        }
    }
}
