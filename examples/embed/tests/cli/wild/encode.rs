//! Content encodings whose blocks hold the bytes as they are, which every decoder takes.

use serde::Deserialize;

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Encoding {
    Gzip,
    Deflate,
    Br,
    Zstd,
}

impl Encoding {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Br => "br",
            Self::Zstd => "zstd",
        }
    }

    /// Of less than 64 KiB.
    pub(super) fn encode(self, content: &[u8]) -> Vec<u8> {
        let length = u16::try_from(content.len()).expect("it fits into one block");
        let block = [&[1], &length.to_le_bytes()[..], &(!length).to_le_bytes(), content].concat();
        let long = u32::from(length);
        match self {
            Self::Gzip => {
                let head = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
                [&head, &block[..], &crc32(content).to_le_bytes(), &long.to_le_bytes()].concat()
            }
            Self::Deflate => [&[0x78, 1], &block[..], &adler32(content).to_be_bytes()].concat(),
            Self::Br => [&(((long - 1) << 4) | 1 << 20).to_le_bytes()[..3], content, &[3]].concat(),
            Self::Zstd => {
                let head = [&[0x28, 0xb5, 0x2f, 0xfd, 0xa0], &long.to_le_bytes()[..]].concat();
                [&head, &((long << 3) | 1).to_le_bytes()[..3], content].concat()
            }
        }
    }
}

fn crc32(bytes: &[u8]) -> u32 {
    let bit = |crc: u32, _| (crc >> 1) ^ (0xedb8_8320 * (crc & 1));
    !bytes.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), bit))
}

fn adler32(bytes: &[u8]) -> u32 {
    let add = |(a, b): (u32, u32), byte: &u8| {
        let a = (a + u32::from(*byte)) % 65_521;
        (a, (b + a) % 65_521)
    };
    let (a, b) = bytes.iter().fold((1, 0), add);
    b << 16 | a
}
