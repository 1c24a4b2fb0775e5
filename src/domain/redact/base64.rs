//! Base64, also of what stands somewhere inside a longer text.

use base64ct::{Base64Unpadded, Encoding as _};

/// The digits that are the same in the base64 of every text in which these bytes have this many
/// bytes before them, counted by threes.
pub(super) fn digits_at(before: usize, bytes: &[u8]) -> Vec<u8> {
    let mut text = vec![0; before];
    text.extend_from_slice(bytes);
    // The first and the last digit may have bits of what stands around.
    let (first, end) = ((before * 8).div_ceil(6), text.len() * 8 / 6);
    let digits = Base64Unpadded::encode_string(&text).into_bytes();
    digits.get(first..end).unwrap_or_default().to_vec()
}

/// What a text of either alphabet stands for; white space in it is passed over.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end().trim_end_matches('=').chars().filter(|c| !c.is_ascii_whitespace());
    let digits = digits.map(|c| match c {
        '-' => '+',
        '_' => '/',
        c => c,
    });
    Base64Unpadded::decode_vec(&digits.collect::<String>()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_those_of_every_text_around() {
        assert_eq!(digits_at(0, b"secret!"), b"c2VjcmV0I");
        // "a secret!" is YSBzZWNyZXQh, "my secret!" bXkgc2VjcmV0IQ==, "xsecret" eHNlY3JldA==.
        assert_eq!(digits_at(2, b"secret!"), b"zZWNyZXQh");
        assert_eq!(digits_at(1, b"secret"), b"NlY3JldA".get(..7).unwrap());
    }

    #[test]
    fn both_alphabets_and_broken_lines_are_decoded() {
        assert_eq!(decode("czNj\ncjN0").unwrap(), b"s3cr3t");
        assert_eq!(decode("-_-_").unwrap(), decode("+/+/").unwrap());
        assert_eq!(decode("aGk=").unwrap(), b"hi");
        assert_eq!(decode("not base64!"), None);
        assert_eq!(decode("").unwrap(), b"");
    }
}
