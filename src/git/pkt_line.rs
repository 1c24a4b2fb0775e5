//! git's framing of lines, as gitprotocol-common(5) defines it.

use std::io::{self, Read, Write};

/// Longest payload of one packet in bytes.
pub const LONGEST: usize = 65_516;

/// One packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Packet {
    /// Bytes; a newline at the end was taken away.
    Data(Vec<u8>),
    /// The end of a list.
    Flush,
}

/// Reads one packet; `None` at the end of the stream.
///
/// # Errors
///
/// When the stream breaks off within a packet, or the length is no length.
pub fn read(input: &mut impl Read) -> io::Result<Option<Packet>> {
    let mut length = [0; 4];
    match input.read(&mut length[..1])? {
        0 => return Ok(None),
        _ => input.read_exact(&mut length[1..])?,
    }
    let bad = || io::Error::new(io::ErrorKind::InvalidData, "a packet's length is damaged");
    let digits = std::str::from_utf8(&length).map_err(|_not_ascii| bad())?;
    let length = usize::from_str_radix(digits, 16).map_err(|_not_hex| bad())?;
    match length {
        0 => Ok(Some(Packet::Flush)),
        4..=65_520 => {
            let mut data = vec![0; length - 4];
            input.read_exact(&mut data)?;
            if data.last() == Some(&b'\n') {
                data.pop();
            }
            Ok(Some(Packet::Data(data)))
        }
        _ => Err(bad()),
    }
}

/// Writes one packet.
///
/// # Errors
///
/// When the payload is too long, or the stream is closed.
pub fn write(output: &mut impl Write, data: &[u8]) -> io::Result<()> {
    if data.len() > LONGEST {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "a packet is too long"));
    }
    write!(output, "{:04x}", data.len() + 4)?;
    output.write_all(data)
}

/// Ends a list.
///
/// # Errors
///
/// When the stream is closed.
pub fn flush(output: &mut impl Write) -> io::Result<()> {
    output.write_all(b"0000")?;
    output.flush()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn packets_read_as_git_writes_them() {
        let mut input = &b"000eversion=1\n0000"[..];
        assert_eq!(read(&mut input).unwrap(), Some(Packet::Data(b"version=1".to_vec())));
        assert_eq!(read(&mut input).unwrap(), Some(Packet::Flush));
        assert_eq!(read(&mut input).unwrap(), None);
    }

    #[test]
    fn damaged_and_broken_off_packets_are_errors() {
        for input in ["0001", "0003", "zzzz", "+00e", "0009abc", "00"] {
            assert!(read(&mut input.as_bytes()).is_err(), "{input}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(data in prop::collection::vec(any::<u8>().prop_filter("a newline at the end is taken away", |b| *b != b'\n'), 0..200)) {
            let mut stream = Vec::new();
            write(&mut stream, &data).unwrap();
            flush(&mut stream).unwrap();
            let mut input = stream.as_slice();
            prop_assert_eq!(read(&mut input).unwrap(), Some(Packet::Data(data)));
            prop_assert_eq!(read(&mut input).unwrap(), Some(Packet::Flush));
        }
    }
}
