//! Sends a context as a tar, in constant memory.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, Write};
use std::path::Path;

use bytes::{Bytes, BytesMut};
use sha2::{Digest as _, Sha256};
use tar::{Builder, EntryType, Header};
use tokio::sync::mpsc;

use crate::building::context::walk::Sink;
use crate::building::files::{CHUNK, FIRST_DATE, FileFacts, became_shorter, date_of};

/// Chunks written ahead of the engine. Past it the writer waits.
pub(crate) const CHUNKS: usize = 8;

/// What a Dockerfile is called that is not the one of the context.
pub(crate) const OWN_DOCKERFILE: &str = ".pierhead.dockerfile";

/// What engines read to know what is no part of the context.
const IGNORE: &str = ".dockerignore";

/// A tar on its way into a channel.
pub(crate) struct Archive<'a> {
    tar: Builder<&'a mut Chunks>,
    own: Option<Own>,
}

/// A Dockerfile beside the context. The engine takes it out before anything is copied: what
/// stands in it may differ from commit to commit, and would be no step that was built before.
struct Own {
    text: String,
    /// Whether the engine was told to take it out.
    is_ignored: bool,
}

impl<'a> Archive<'a> {
    /// Sends a context with its own Dockerfile, or with another one as [`OWN_DOCKERFILE`].
    pub(crate) fn new(chunks: &'a mut Chunks, dockerfile: Option<String>) -> Self {
        let own = dockerfile.map(|text| Own { text, is_ignored: false });
        Self { tar: Builder::new(chunks), own }
    }

    fn text(&mut self, path: &str, text: &[u8]) -> io::Result<()> {
        let size = u64::try_from(text.len()).map_err(io::Error::other)?;
        let mut header = header(EntryType::Regular, 0o644, size);
        header.set_mtime(date_of(&Sha256::digest(text)));
        self.tar.append_data(&mut header, path, text)
    }
}

impl Sink for Archive<'_> {
    fn has_both(&self) -> bool {
        self.own.is_none()
    }

    fn is_unread(&self) -> bool {
        self.tar.get_ref().sender.is_closed()
    }

    fn folder(&mut self, path: &Path) -> io::Result<()> {
        let mut header = header(EntryType::Directory, 0o755, 0);
        self.tar.append_data(&mut header, path, io::empty())
    }

    fn link(&mut self, path: &Path, target: &Path) -> io::Result<()> {
        let mut header = header(EntryType::Symlink, 0o777, 0);
        self.tar.append_link(&mut header, path, target)
    }

    fn file(&mut self, path: &Path, mut file: &File, facts: FileFacts) -> io::Result<()> {
        if let Some(own) = &mut self.own
            && path == Path::new(IGNORE)
        {
            own.is_ignored = true;
            let mut text = Vec::new();
            file.take(facts.size).read_to_end(&mut text)?;
            text.extend_from_slice(format!("\n{OWN_DOCKERFILE}\n").as_bytes());
            return self.text(IGNORE, &text);
        }
        let mut header = header(EntryType::Regular, facts.mode, facts.size);
        header.set_mtime(facts.date);
        self.tar.append_data(&mut header, path, file.take(facts.size))?;
        match file.stream_position()? == facts.size {
            true => Ok(()),
            false => Err(became_shorter()),
        }
    }

    fn end(&mut self) -> io::Result<()> {
        if let Some(own) = self.own.take() {
            self.text(OWN_DOCKERFILE, own.text.as_bytes())?;
            if !own.is_ignored {
                self.text(IGNORE, format!("{OWN_DOCKERFILE}\n{IGNORE}\n").as_bytes())?;
            }
        }
        self.tar.finish()?;
        self.tar.get_mut().flush()
    }
}

fn header(kind: EntryType, mode: u32, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(FIRST_DATE);
    header.set_size(size);
    header
}

/// Writes into a channel, chunk by chunk.
pub(crate) struct Chunks {
    buffer: BytesMut,
    sender: mpsc::Sender<io::Result<Bytes>>,
}

impl Chunks {
    pub(crate) fn new(sender: mpsc::Sender<io::Result<Bytes>>) -> Self {
        Self { buffer: BytesMut::with_capacity(CHUNK), sender }
    }

    /// Ends the stream so that nobody takes it for complete.
    pub(crate) fn break_off(self) {
        // When nobody reads any more, it is broken off already.
        self.sender.blocking_send(Err(io::ErrorKind::InvalidData.into())).ok();
    }

    fn send(&mut self) -> io::Result<()> {
        let chunk = self.buffer.split().freeze();
        self.sender.blocking_send(Ok(chunk)).map_err(|_closed| io::ErrorKind::BrokenPipe.into())
    }
}

impl Write for Chunks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(CHUNK - self.buffer.len());
        self.buffer.extend_from_slice(bytes.get(..taken).unwrap_or(bytes));
        if self.buffer.len() == CHUNK {
            self.send()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() { Ok(()) } else { self.send() }
    }
}
