//! Reads tars that somebody else wrote: bounded, and nothing is believed.

use std::io::{self, Read};

use tar::{EntryType, Header};

use crate::layers::BaseFault;

/// Bytes of a block.
const BLOCK: u64 = 512;

/// Longest path or target of a link.
const LONGEST_PATH: usize = 4096;

/// Most bytes that are said about one entry: extended attributes may be among it.
const MOST_SAID: u64 = 1024 * 1024;

/// One entry, before its content.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) path: Vec<u8>,
    pub(super) link: Vec<u8>,
    pub(super) kind: EntryType,
    pub(super) mode: u32,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) mtime: u64,
    pub(super) size: u64,
    /// Where its content begins in the tar.
    pub(super) offset: u64,
}

/// A tar that is read from its beginning to its end.
#[derive(Debug)]
pub(super) struct TarReader<R> {
    inner: R,
    /// Bytes read so far.
    at: u64,
    /// Where the content of the entry ends, and where the next entry begins.
    end: u64,
    next: u64,
}

/// What entries of other kinds say about the one behind them.
#[derive(Debug, Default)]
struct Said {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
    uid: Option<u32>,
    gid: Option<u32>,
    mtime: Option<u64>,
}

impl<R: Read> TarReader<R> {
    pub(super) fn new(inner: R) -> Self {
        Self { inner, at: 0, end: 0, next: 0 }
    }

    /// The next entry; what is left of the one before is passed over.
    pub(super) fn next(&mut self) -> Result<Option<Item>, BaseFault> {
        let mut said = Said::default();
        loop {
            self.skip_to(self.next)?;
            let Some(header) = self.header()? else { return Ok(None) };
            let kind = header.entry_type();
            let size = said.size.filter(|_| !is_about_others(kind));
            let size = size.map_or_else(|| header.entry_size(), Ok)?;
            let size = if has_content(kind) { size } else { 0 };
            self.end = self.at.checked_add(size).ok_or(BaseFault::Tar(bad("its size")))?;
            self.next = self.end.div_ceil(BLOCK).saturating_mul(BLOCK);
            if is_about_others(kind) {
                let text = self.text(size)?;
                said.hear(kind, text)?;
                continue;
            }
            return said.item(&header, size, self.at).map(Some);
        }
    }

    /// Reads what is left, whatever it is: it belongs to the digest.
    pub(super) fn drain(&mut self) -> io::Result<()> {
        io::copy(&mut self.inner, &mut io::sink()).map(drop)
    }

    fn header(&mut self) -> Result<Option<Header>, BaseFault> {
        let mut block = [0; 512];
        let mut filled = 0;
        while filled < block.len() {
            let rest = block.get_mut(filled..).unwrap_or_default();
            match self.inner.read(rest)? {
                // Some writers leave out the blocks of zeros at the end.
                0 if filled == 0 => return Ok(None),
                0 => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
                length => filled += length,
            }
        }
        self.at += BLOCK;
        if block.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        let header = Header::from_byte_slice(&block).clone();
        let around = block.iter().enumerate().filter(|(at, _)| !(148..156).contains(at));
        let sum = around.map(|(_, byte)| u32::from(*byte)).sum::<u32>() + 8 * 32;
        if header.cksum()? == sum { Ok(Some(header)) } else { Err(bad("a checksum").into()) }
    }

    fn text(&mut self, size: u64) -> Result<Vec<u8>, BaseFault> {
        if size > MOST_SAID {
            return Err(BaseFault::LongPath);
        }
        let mut text = Vec::new();
        self.by_ref().take(size).read_to_end(&mut text)?;
        Ok(text)
    }

    fn skip_to(&mut self, place: u64) -> io::Result<()> {
        let length = place.saturating_sub(self.at);
        let skipped = io::copy(&mut (&mut self.inner).take(length), &mut io::sink())?;
        self.at += skipped;
        if skipped == length { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }
}

/// The content of the entry that came last.
impl<R: Read> Read for TarReader<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let left = self.end.saturating_sub(self.at);
        let length = bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let read = self.inner.read(bytes.get_mut(..length).unwrap_or_default())?;
        if read == 0 && length > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.at += u64::try_from(read).unwrap_or_default();
        Ok(read)
    }
}

impl Said {
    fn hear(&mut self, kind: EntryType, text: Vec<u8>) -> Result<(), BaseFault> {
        let whole = |mut text: Vec<u8>| {
            text.truncate(text.iter().position(|byte| *byte == 0).unwrap_or(text.len()));
            Some(text)
        };
        if kind.is_gnu_longname() {
            self.path = whole(text);
        } else if kind.is_gnu_longlink() {
            self.link = whole(text);
        } else if kind.is_pax_local_extensions() {
            for (key, value) in records(&text)? {
                let number = || std::str::from_utf8(value).ok()?.parse::<u64>().ok();
                let short = || number().and_then(|number| u32::try_from(number).ok());
                match key {
                    b"path" => self.path = Some(value.to_owned()),
                    b"linkpath" => self.link = Some(value.to_owned()),
                    b"size" => self.size = number(),
                    b"uid" => self.uid = short(),
                    b"gid" => self.gid = short(),
                    b"mtime" => {
                        let seconds = value.split(|byte| *byte == b'.').next();
                        let text = std::str::from_utf8(seconds.unwrap_or_default()).ok();
                        self.mtime = text.and_then(|text| text.parse().ok());
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    fn item(self, header: &Header, size: u64, offset: u64) -> Result<Item, BaseFault> {
        let path = self.path.unwrap_or_else(|| header.path_bytes().into_owned());
        let link = self.link.or_else(|| Some(header.link_name_bytes()?.into_owned()));
        let link = link.unwrap_or_default();
        if path.len() > LONGEST_PATH || link.len() > LONGEST_PATH {
            return Err(BaseFault::LongPath);
        }
        let short = |number: io::Result<u64>| u32::try_from(number.unwrap_or(0)).unwrap_or(0);
        Ok(Item {
            path,
            link,
            kind: header.entry_type(),
            mode: header.mode().unwrap_or(0o755) & 0o7777,
            uid: self.uid.unwrap_or_else(|| short(header.uid())),
            gid: self.gid.unwrap_or_else(|| short(header.gid())),
            mtime: self.mtime.unwrap_or_else(|| header.mtime().unwrap_or(0)),
            size,
            offset,
        })
    }
}

/// A key and its value.
type Record<'a> = (&'a [u8], &'a [u8]);

/// The records of an extended header, `length key=value`; values may have anything in them.
fn records(mut text: &[u8]) -> Result<Vec<Record<'_>>, BaseFault> {
    let record = |text: &[u8]| -> Option<(usize, usize)> {
        let blank = text.iter().position(|byte| *byte == b' ')?;
        let length = str::from_utf8(text.get(..blank)?).ok()?.parse::<usize>().ok()?;
        Some((blank + 1, length))
    };
    let mut records = Vec::new();
    while !text.is_empty() {
        let pair = record(text).and_then(|(start, length)| {
            let body = text.get(start..length)?.strip_suffix(b"\n")?;
            let equals = body.iter().position(|byte| *byte == b'=')?;
            let value = body.get(equals + 1..)?;
            Some((length, (body.get(..equals)?, value)))
        });
        let (length, pair) = pair.ok_or_else(|| bad("an extended header"))?;
        records.push(pair);
        text = text.get(length..).unwrap_or_default();
    }
    Ok(records)
}

/// Whether an entry says something about the one behind it, or about all.
fn is_about_others(kind: EntryType) -> bool {
    kind.is_gnu_longname()
        || kind.is_gnu_longlink()
        || kind.is_pax_local_extensions()
        || kind.is_pax_global_extensions()
}

/// Links have none, whatever size they tell.
fn has_content(kind: EntryType) -> bool {
    !(kind.is_hard_link() || kind.is_symlink() || kind.is_dir())
}

fn bad(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{what} is wrong"))
}
