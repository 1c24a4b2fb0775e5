//! Base64, also of what stands somewhere inside a longer text.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The digits that are the same in the base64 of every text in which these bytes have this many
/// bytes before them, counted by threes.
pub(super) fn digits_at(before: usize, bytes: &[u8]) -> Vec<u8> {
    let mut text = vec![0; before];
    text.extend_from_slice(bytes);
    // The first and the last digit may have bits of what stands around.
    let (first, end) = ((before * 8).div_ceil(6), text.len() * 8 / 6);
    let digits = text.chunks(3).flat_map(|three| {
        let group = (0..3).fold(0_u32, |group, index| {
            group << 8 | u32::from(three.get(index).copied().unwrap_or_default())
        });
        [18, 12, 6, 0].map(|shift| digit(group >> shift & 63))
    });
    digits.take(end).skip(first).collect()
}

fn digit(value: u32) -> u8 {
    let index = usize::try_from(value).unwrap_or_default();
    ALPHABET.get(index).copied().unwrap_or_default()
}

/// What a text of either alphabet stands for; white space in it is passed over.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let (mut decoded, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    let text: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let end = text.iter().rposition(|byte| *byte != b'=').map_or(0, |last| last + 1);
    for byte in text.get(..end)? {
        let byte = match byte {
            b'-' => b'+',
            b'_' => b'/',
            byte => *byte,
        };
        let value = ALPHABET.iter().position(|digit| *digit == byte)?;
        bits = bits << 6 | u32::try_from(value).ok()?;
        count += 6;
        if count >= 8 {
            count -= 8;
            decoded.push(u8::try_from(bits >> count & 255).ok()?);
        }
    }
    Some(decoded)
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
