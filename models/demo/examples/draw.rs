//! Writes drawn pictures to a file, for programs in other languages: `draw SEED COUNT FILE`.
//! Each picture is one byte with its class and then 64 × 64 × 3 bytes, red, green and blue of each pixel.

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};

use demo_network::pictures::draw;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [seed, count, file] = arguments.as_slice() else {
        return Err("usage: draw SEED COUNT FILE".into());
    };
    let (seed, count) = (seed.parse()?, count.parse()?);
    let mut out = BufWriter::new(File::create(file)?);
    for index in 0..count {
        let picture = draw(seed, index);
        out.write_all(&[picture.class as u8])?;
        out.write_all(&picture.rgb)?;
    }
    out.flush()?;
    Ok(())
}
