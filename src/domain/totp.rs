//! Codes that a phone shows, by time (RFC 6238 with SHA-1, six digits and steps of 30 s, as every
//! authenticator knows them).

use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;

/// Bytes of a secret, as RFC 4226 recommends.
pub const BYTES: usize = 20;

/// Seconds of a step.
const STEP: i64 = 30;

/// Steps before and after now whose codes are taken: clocks differ.
const SKEW: i64 = 1;

/// One more than the largest code.
const CODES: u32 = 1_000_000;

/// The code of a step.
fn code(secret: &[u8], step: i64) -> u32 {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret).expect("a secret may have any length");
    mac.update(&step.to_be_bytes());
    let digest = mac.finalize().into_bytes();
    // RFC 4226 §5.3: four bytes from where the last one says, without the sign.
    let at = digest.last().map_or(0, |last| usize::from(last & 0x0f));
    let four = digest.iter().skip(at).take(4);
    let number = four.fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
    (number & 0x7fff_ffff) % CODES
}

/// The step of which this is the code, among those around a time in seconds since 1970; blanks in it
/// do not count.
pub fn step_of(secret: &[u8], given: &str, now: i64) -> Option<i64> {
    let digits: String = given.chars().filter(|c| !c.is_whitespace()).collect();
    let is_code = digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_digit());
    let given: u32 = digits.parse().ok().filter(|_| is_code)?;
    let step = now.div_euclid(STEP);
    // Each is tried, so that how long it takes tells nothing.
    let found = (step - SKEW..=step + SKEW).filter(|step| code(secret, *step) == given);
    found.max()
}

/// A secret as people type it.
pub fn base32(secret: &[u8]) -> String {
    BASE32_NOPAD.encode(secret)
}

/// A secret as authenticators read it from a link or a picture. Names are of e-mail addresses and
/// hosts; what has a meaning in an address is escaped.
pub fn address(secret: &[u8], host: &str, email: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~@".contains(byte);
    let escaped = |text: &str| -> String {
        let bytes = text.bytes();
        bytes
            .map(|byte| match plain(&byte) {
                true => char::from(byte).to_string(),
                false => format!("%{byte:02X}"),
            })
            .collect()
    };
    let (host, email) = (escaped(host), escaped(email));
    format!(
        "otpauth://totp/Pierhead%20{host}:{email}?secret={}&issuer=Pierhead%20{host}",
        base32(secret)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, Appendix B.
    const SECRET: &[u8] = b"12345678901234567890";

    #[test]
    fn codes_are_those_of_the_rfc() {
        for (time, expected) in [
            (59, 287_082),
            (1_111_111_109, 81_804),
            (1_111_111_111, 50_471),
            (1_234_567_890, 5_924),
            (2_000_000_000, 279_037),
            (20_000_000_000, 353_130),
        ] {
            assert_eq!(code(SECRET, time / STEP), expected, "{time}");
        }
    }

    #[test]
    fn a_code_is_taken_a_step_before_and_after_and_no_later() {
        let now = 1_111_111_109;
        let step = now / STEP;
        for (at, expected) in
            [(-60, None), (-30, Some(step)), (0, Some(step)), (30, Some(step)), (60, None)]
        {
            assert_eq!(step_of(SECRET, "081 804", now + at), expected, "{at}");
        }
        for wrong in ["", "81804", "0818040", "+81804", "08180a", "०८१८०४"] {
            assert_eq!(step_of(SECRET, wrong, now), None, "{wrong}");
        }
    }

    #[test]
    fn authenticators_read_its_address() {
        let read = address(b"12345678901234567890", "build.example.org", "ana+x@example.org");
        assert_eq!(
            read,
            "otpauth://totp/Pierhead%20build.example.org:ana%2Bx@example.org?\
             secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Pierhead%20build.example.org"
        );
    }
}
