//! Containers as tools write them, made by hand.

use std::io::Write;

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

pub(super) fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

pub(super) fn xz(bytes: &[u8]) -> Vec<u8> {
    xz_preset(bytes, 3)
}

pub(super) fn xz_preset(bytes: &[u8], preset: u32) -> Vec<u8> {
    let options = lzma_rust2::XzOptions::with_preset(preset);
    let mut writer = lzma_rust2::XzWriter::new(Vec::new(), options).unwrap();
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

pub(super) fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

pub(super) fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut writer = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::default());
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

fn tar_header(name: &str, prefix: &str, kind: u8, size: usize, posix: bool) -> Vec<u8> {
    let mut block = vec![0; 512];
    let mut put = |at: usize, text: &[u8]| block[at..at + text.len()].copy_from_slice(text);
    put(0, name.as_bytes());
    put(100, b"0000644\0");
    put(124, format!("{size:011o}\0").as_bytes());
    put(148, b"        ");
    put(156, &[kind]);
    put(257, if posix { b"ustar\x0000" } else { b"ustar  \0" });
    put(345, prefix.as_bytes());
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

fn padded(bytes: &[u8]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    out.resize(bytes.len().next_multiple_of(512), 0);
    out
}

pub(super) fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, bytes) in members {
        out.extend(tar_header("d/", "", b'5', 0, true));
        out.extend(tar_header(name, "", b'0', bytes.len(), true));
        out.extend(padded(bytes));
    }
    out.extend([0; 1024]);
    out
}

pub(super) fn tar_prefix(prefix: &str, name: &str, bytes: &[u8]) -> Vec<u8> {
    [tar_header(name, prefix, b'0', bytes.len(), true), padded(bytes), vec![0; 1024]].concat()
}

pub(super) fn tar_gnu(name: &str, bytes: &[u8]) -> Vec<u8> {
    let long = [name.as_bytes(), b"\0"].concat();
    [
        tar_header("././@LongLink", "", b'L', long.len(), false),
        padded(&long),
        tar_header(&name[..100], "", b'0', bytes.len(), false),
        padded(bytes),
        vec![0; 1024],
    ]
    .concat()
}

pub(super) fn tar_pax(name: &str, bytes: &[u8]) -> Vec<u8> {
    let record = format!("{} path={name}\n", name.len() + 10);
    [
        tar_header("pax", "", b'x', record.len(), true),
        padded(record.as_bytes()),
        tar_header(&name[..99], "", b'0', bytes.len(), true),
        padded(bytes),
        vec![0; 1024],
    ]
    .concat()
}

pub(super) fn ar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = b"!<arch>\n".to_vec();
    for (name, bytes) in members {
        let line = format!(
            "{:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n",
            format!("{name}/"),
            0,
            0,
            0,
            644,
            bytes.len()
        );
        out.extend(line.as_bytes());
        out.extend(*bytes);
        out.resize(out.len().next_multiple_of(2), b'\n');
    }
    out
}

fn crc(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

pub(super) struct Entry<'e> {
    pub(super) name: &'e str,
    pub(super) method: u16,
    pub(super) bytes: Vec<u8>,
    pub(super) sum: u32,
    pub(super) flags: u16,
    /// Sizes behind the member, with or without a mark.
    pub(super) streamed: Option<bool>,
    pub(super) zip64: bool,
}

impl<'e> Entry<'e> {
    pub(super) fn stored(name: &'e str, bytes: &[u8]) -> Self {
        Self {
            name,
            method: 0,
            bytes: bytes.to_vec(),
            sum: crc(bytes),
            flags: 0,
            streamed: None,
            zip64: false,
        }
    }

    pub(super) fn deflated(name: &'e str, bytes: &[u8]) -> Self {
        Self { method: 8, bytes: deflate(bytes), ..Self::stored(name, bytes) }
    }
}

pub(super) fn zip(entries: &[Entry<'_>]) -> Vec<u8> {
    let mut out = Vec::new();
    for entry in entries {
        let length = u32::try_from(entry.bytes.len()).unwrap();
        let flags = entry.flags | if entry.streamed.is_some() { 8 } else { 0 };
        let size = if entry.streamed.is_some() {
            0
        } else if entry.zip64 {
            u32::MAX
        } else {
            length
        };
        let extra = if entry.zip64 { 20_u16 } else { 0 };
        out.extend(b"PK\x03\x04\x14\0");
        out.extend(flags.to_le_bytes());
        out.extend(entry.method.to_le_bytes());
        out.extend([0; 4]);
        out.extend(if entry.streamed.is_some() { 0 } else { entry.sum }.to_le_bytes());
        out.extend(size.to_le_bytes());
        out.extend(size.to_le_bytes());
        out.extend(u16::try_from(entry.name.len()).unwrap().to_le_bytes());
        out.extend(extra.to_le_bytes());
        out.extend(entry.name.as_bytes());
        if entry.zip64 {
            out.extend([1, 0, 16, 0]);
            out.extend(0_u64.to_le_bytes());
            out.extend(u64::from(length).to_le_bytes());
        }
        out.extend(&entry.bytes);
        if let Some(mark) = entry.streamed {
            out.extend(if mark { &b"PK\x07\x08"[..] } else { b"" });
            out.extend([0; 4]);
            out.extend(length.to_le_bytes());
            out.extend(length.to_le_bytes());
        }
    }
    out.extend(b"PK\x01\x02 and so on");
    out
}

/// A member by another method than those above.
pub(super) fn by_method<'e>(
    name: &'e str,
    method: u16,
    packed: Vec<u8>,
    bytes: &[u8],
) -> Entry<'e> {
    Entry { method, bytes: packed, ..Entry::stored(name, bytes) }
}

pub(super) fn git_pack(objects: &[&[u8]]) -> Vec<u8> {
    let mut out = b"PACK\0\0\0\x02".to_vec();
    out.extend(u32::try_from(objects.len()).unwrap().to_be_bytes());
    for object in objects {
        let mut size = object.len() >> 4;
        let mut byte = 3 << 4 | u8::try_from(object.len() & 15).unwrap();
        while size > 0 {
            out.push(byte | 0x80);
            byte = u8::try_from(size & 0x7f).unwrap();
            size >>= 7;
        }
        out.push(byte);
        out.extend(zlib(object));
    }
    out.extend([0x5a; 20]);
    out
}
