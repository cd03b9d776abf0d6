//! PNG without compression: a drawn picture is noise for the most part, and this crate needs no dependency.

const SIGNATURE: [u8; 8] = [0x89, b'P', b'N', b'G', 0x0D, 0x0A, 0x1A, 0x0A];

/// A stored block of DEFLATE holds at most this much.
const BLOCK: usize = 0xFFFF;

/// An RGB picture of eight bits a channel as PNG.
pub(super) fn encode(rgb: &[u8], width: u32, height: u32) -> Vec<u8> {
    let mut rows = Vec::with_capacity(rgb.len() + height as usize);
    for row in rgb.chunks(3 * width.max(1) as usize) {
        rows.push(0); // no filter
        rows.extend_from_slice(row);
    }
    let mut header = Vec::with_capacity(13);
    header.extend_from_slice(&width.to_be_bytes());
    header.extend_from_slice(&height.to_be_bytes());
    header.extend_from_slice(&[8, 2, 0, 0, 0]); // eight bits, RGB

    let mut file = SIGNATURE.to_vec();
    chunk(&mut file, *b"IHDR", &header);
    chunk(&mut file, *b"IDAT", &zlib_stored(&rows));
    chunk(&mut file, *b"IEND", &[]);
    file
}

fn chunk(file: &mut Vec<u8>, kind: [u8; 4], body: &[u8]) {
    file.extend_from_slice(&(body.len() as u32).to_be_bytes());
    let start = file.len();
    file.extend_from_slice(&kind);
    file.extend_from_slice(body);
    let check = crc32(&file[start..]);
    file.extend_from_slice(&check.to_be_bytes());
}

fn zlib_stored(data: &[u8]) -> Vec<u8> {
    let mut stream = vec![0x78, 0x01];
    let blocks = data.len().div_ceil(BLOCK);
    for (number, block) in data.chunks(BLOCK).enumerate() {
        stream.push(u8::from(number + 1 == blocks));
        let size = block.len() as u16;
        stream.extend_from_slice(&size.to_le_bytes());
        stream.extend_from_slice(&(!size).to_le_bytes());
        stream.extend_from_slice(block);
    }
    stream.extend_from_slice(&adler32(data).to_be_bytes());
    stream
}

fn adler32(data: &[u8]) -> u32 {
    let (mut sum, mut weighted) = (1u32, 0u32);
    for byte in data {
        sum = (sum + u32::from(*byte)) % 65521;
        weighted = (weighted + sum) % 65521;
    }
    (weighted << 16) | sum
}

fn crc32(data: &[u8]) -> u32 {
    let mut rest = u32::MAX;
    for byte in data {
        rest ^= u32::from(*byte);
        for _ in 0..8 {
            rest = if rest & 1 == 1 { (rest >> 1) ^ 0xEDB8_8320 } else { rest >> 1 };
        }
    }
    !rest
}
