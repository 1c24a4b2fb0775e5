//! Forms with files in them, as browsers send them (RFC 7578): small ones, read whole.

/// Most parts of one.
const MOST: usize = 32;

/// The body is not such a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no form as browsers send them")]
pub(super) struct BadMultipart;

/// The boundary that a content type names.
pub(super) fn boundary(content_type: &str) -> Option<&str> {
    let (kind, parameters) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let mut parameters = parameters.split(';').filter_map(|one| one.trim().split_once('='));
    let (_, value) = parameters.find(|(name, _)| name.eq_ignore_ascii_case("boundary"))?;
    let value = value.trim_matches('"');
    (1..=70).contains(&value.len()).then_some(value)
}

/// Names and contents of the parts. What is no text becomes what is no key.
pub(super) fn parts(body: &[u8], boundary: &str) -> Result<Vec<(String, String)>, BadMultipart> {
    let delimiter = format!("\r\n--{boundary}").into_bytes();
    // So that the first delimiter is like all others.
    let whole = [b"\r\n".as_slice(), body].concat();
    let mut rest = whole.as_slice();
    let mut parts = Vec::new();
    let first = find(rest, &delimiter).ok_or(BadMultipart)?;
    rest = rest.get(first + delimiter.len()..).ok_or(BadMultipart)?;
    while !rest.starts_with(b"--") {
        let end = find(rest, &delimiter).ok_or(BadMultipart)?;
        let part = rest.get(..end).ok_or(BadMultipart)?;
        if parts.len() == MOST {
            return Err(BadMultipart);
        }
        parts.push(self::part(part)?);
        rest = rest.get(end + delimiter.len()..).ok_or(BadMultipart)?;
    }
    Ok(parts)
}

fn part(part: &[u8]) -> Result<(String, String), BadMultipart> {
    let part = part.strip_prefix(b"\r\n").ok_or(BadMultipart)?;
    let end = find(part, b"\r\n\r\n").ok_or(BadMultipart)?;
    let (head, content) = part.split_at_checked(end).ok_or(BadMultipart)?;
    let head = std::str::from_utf8(head).map_err(|_no_text| BadMultipart)?;
    let disposition = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.trim().eq_ignore_ascii_case("content-disposition").then_some(value)
    });
    let (_, rest) = disposition.and_then(|line| line.split_once(" name=\"")).ok_or(BadMultipart)?;
    let (name, _) = rest.split_once('"').ok_or(BadMultipart)?;
    let content = content.strip_prefix(b"\r\n\r\n").unwrap_or_default();
    Ok((name.to_owned(), String::from_utf8_lossy(content).into_owned()))
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = "--x\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nssh-ed25519 A\r\n\
        --x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.pub\"\r\n\
        Content-Type: application/octet-stream\r\n\r\nline\r\nmore\r\n--x--\r\n";

    #[test]
    fn a_form_with_a_file_is_read() {
        let (name, value) = ("key".to_owned(), "ssh-ed25519 A".to_owned());
        let file = ("file".to_owned(), "line\r\nmore".to_owned());
        assert_eq!(parts(BODY.as_bytes(), "x"), Ok(vec![(name, value), file]));
        assert_eq!(parts(b"--x--", "x"), Ok(Vec::new()));
    }

    #[test]
    fn what_is_broken_off_is_no_form() {
        for end in 0..BODY.len() - "--\r\n".len() {
            assert_eq!(parts(&BODY.as_bytes()[..end], "x"), Err(BadMultipart), "{end}");
        }
        assert_eq!(parts(BODY.as_bytes(), "y"), Err(BadMultipart));
        let many = "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\r\n".repeat(33);
        assert_eq!(parts(format!("{many}--x--").as_bytes(), "x"), Err(BadMultipart));
    }

    #[test]
    fn the_boundary_stands_in_the_content_type() {
        assert_eq!(boundary("multipart/form-data; boundary=----abc"), Some("----abc"));
        assert_eq!(boundary("multipart/form-data; charset=utf-8; boundary=\"a b\""), Some("a b"));
        for text in
            ["", "multipart/form-data", "text/plain; boundary=x", "multipart/form-data; boundary="]
        {
            assert_eq!(boundary(text), None, "{text}");
        }
    }
}
